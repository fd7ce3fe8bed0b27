using System.Net;

namespace Crust.Installers;

/// <summary>Something went wrong that may go well the next time: a lost connection, a busy server.</summary>
internal sealed class PassingProblemException(string message, Exception? inner = null) : Exception(message, inner)
{
    // The errors of HttpClient that no second attempt mends.
    private static bool IsLasting(HttpRequestException e) => e.HttpRequestError is
        HttpRequestError.SecureConnectionError or HttpRequestError.UserAuthenticationError or HttpRequestError.ConfigurationLimitExceeded;

    /// <summary>The problem as one that passes, or as the error that it is.</summary>
    public static Exception From(HttpRequestException e, string url) => IsLasting(e)
        ? new CrustException(FailureKind.InputOutput, $"The server can't be trusted or won't talk: {Innermost(e)}", url,
            "check the URL and this host's certificates (ca-certificates) and clock", e)
        : new PassingProblemException(Innermost(e), e);

    /// <summary>A response that isn't a success.</summary>
    public static Exception From(HttpStatusCode status, string? reason, string url)
    {
        var what = $"The server answered {(int)status} ({(string.IsNullOrEmpty(reason) ? status.ToString() : reason)})";
        return status switch
        {
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => new PassingProblemException(what),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.ProxyAuthenticationRequired => new CrustException(
                FailureKind.InputOutput, what, url, "download it where you may, and give its path in place of the URL"),
            _ => new CrustException(FailureKind.InputOutput, what, url, "check the URL; a vendor may have moved or removed the file"),
        };
    }

    private static string Innermost(Exception e) => (e.GetBaseException() is var inner && inner.Message.Length > 0 ? inner : e).Message;
}
