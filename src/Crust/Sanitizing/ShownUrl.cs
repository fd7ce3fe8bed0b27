namespace Crust.Sanitizing;

internal static class ShownUrl
{
    /// <summary>A URL without its user, its password and its query, which may be a signature.</summary>
    public static string Of(Uri url) =>
        url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) + (url.Query.Length > 0 ? "?…" : "");
}
