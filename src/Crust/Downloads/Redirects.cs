using System.Net;
using Crust.Sanitizing;

namespace Crust.Downloads;

/// <summary>Where servers send a client that asks for a file.</summary>
internal static class Redirects
{
    /// <summary>Where a response redirects to; null if it doesn't.</summary>
    /// <param name="at">The URL that it is of.</param>
    /// <param name="first">The URL that the user gave.</param>
    /// <exception cref="CrustException">It is nowhere that Crust goes.</exception>
    public static Uri? TargetOf(HttpResponseMessage response, Uri at, Uri first)
    {
        if (response.StatusCode is not (HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
        {
            return null;
        }

        // As it came: what .NET makes of a path that begins with a slash depends on the system.
        var location = response.Headers.NonValidated.TryGetValues("Location", out var values) ? values.ToString() : "";
        if (location.Length == 0 || !Uri.TryCreate(at, location, out var next))
        {
            throw Bad("The server redirects to nowhere");
        }

        if (next.Scheme is not ("http" or "https") || next.Host.Length == 0)
        {
            throw Bad($"The server redirects to a URL of the scheme '{next.Scheme}', and Crust fetches by http and https only");
        }

        return at.Scheme == "https" && next.Scheme == "http"
            ? throw Bad($"The server redirects from https to http, where anybody on the way could give another file: {ShownUrl.Of(next)}")
            : next;

        CrustException Bad(string what) => new(FailureKind.InputOutput, what, ShownUrl.Of(first),
            "give the URL of the file itself, or download it where you may, and give its path");
    }
}
