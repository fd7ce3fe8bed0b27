using System.Net;
using Crust.Spec;

namespace Crust.Downloads;

/// <summary>Something went wrong that may go well the next time: a lost connection, a busy server.</summary>
internal sealed class PassingProblemException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What to do about it; null for what is always to do.</summary>
    public string? Remedy { get; private init; }

    // The errors of HttpClient that no second attempt mends.
    private static bool IsLasting(HttpRequestException e) => e.HttpRequestError is
        HttpRequestError.SecureConnectionError or HttpRequestError.UserAuthenticationError or HttpRequestError.ConfigurationLimitExceeded;

    /// <summary>The problem as one that passes, or as the error that it is.</summary>
    /// <param name="url">The URL as it may be shown.</param>
    /// <param name="proxy">The proxy that was asked; null for none.</param>
    public static Exception From(HttpRequestException e, string url, ProxyChoice? proxy)
    {
        // With a proxy, it is the only one that this host connects to.
        if (proxy is not null && e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            return new PassingProblemException($"the proxy {proxy} can't be reached: {Innermost(e)}", e) { Remedy = RemedyFor(proxy) };
        }

        if (proxy is not null && e.HttpRequestError is HttpRequestError.ProxyTunnelError)
        {
            return OfProxy(e.StatusCode ?? HttpStatusCode.BadGateway, null, proxy, url) is { } refusal ? refusal
                : e.StatusCode >= HttpStatusCode.InternalServerError
                    ? new PassingProblemException($"the proxy {proxy} doesn't connect to the server ({(int)e.StatusCode})", e) { Remedy = RemedyFor(proxy) }
                : new CrustException(FailureKind.InputOutput, $"The proxy {proxy} doesn't connect to the server{(e.StatusCode is { } status ? $" ({(int)status})" : "")}", url, RemedyFor(proxy), e);
        }

        return IsLasting(e)
            ? new CrustException(FailureKind.InputOutput, $"The server can't be trusted or won't talk: {Innermost(e)}", url,
                "check the URL and this host's certificates (ca-certificates) and clock", e)
            : new PassingProblemException(Innermost(e), e);
    }

    /// <summary>What a proxy itself answers, in its server's place; null for an answer that the server gives.</summary>
    public static CrustException? OfProxy(HttpStatusCode status, string? reason, ProxyChoice? proxy, string url) => status is not HttpStatusCode.ProxyAuthenticationRequired ? null
        : new CrustException(FailureKind.InputOutput, $"The proxy {proxy?.ToString() ?? "before the server"} "
            + $"{(proxy?.Login is null ? "wants a login" : "refuses the login that it is given")} (407{(string.IsNullOrEmpty(reason) ? "" : $", {reason}")})", url,
            proxy is null ? "set http_proxy or https_proxy to http://USER:PASSWORD@HOST:PORT, or download the file where you may, and give its path"
            : $"set {proxy.Variable} to {proxy.Address.Scheme}://USER:PASSWORD@{proxy.Address.Authority} (special characters as %40), or name the server in no_proxy if it is reached without a proxy");

    /// <summary>A response that isn't a success.</summary>
    public static Exception From(HttpStatusCode status, string? reason, string url)
    {
        var what = $"The server answered {(int)status} ({(string.IsNullOrEmpty(reason) ? status.ToString() : reason)})";
        return status switch
        {
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => new PassingProblemException(what),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new CrustException(
                FailureKind.InputOutput, what, url, "download it where you may, and give its path in place of the URL"),
            _ => new CrustException(FailureKind.InputOutput, what, url, "check the URL; a vendor may have moved or removed the file"),
        };
    }

    private static string RemedyFor(ProxyChoice proxy) =>
        $"check {proxy.Variable}; if the server is reached without a proxy, name it in no_proxy (a name, an address, a network such as 10.0.0.0/8, or *)";

    private static string Innermost(Exception e) => (e.GetBaseException() is var inner && inner.Message.Length > 0 ? inner : e).Message;
}
