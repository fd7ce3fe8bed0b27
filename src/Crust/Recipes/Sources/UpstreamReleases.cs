using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using Crust.Downloads;
using Crust.Sanitizing;

namespace Crust.Recipes.Sources;

/// <summary>Asks upstream which versions there are. It is believed nothing more: what a version's files have to be, its lists of checksums say.</summary>
internal sealed partial class UpstreamReleases(HttpSource http, AptPackages packages)
{
    /// <summary>Whether a recipe says where upstream lists its versions.</summary>
    public static bool Has(Recipe recipe) => recipe.Releases is not null || PackageOf(recipe) is not null;

    /// <summary>Upstream's versions, the newest first; those that aren't of the recipe's form, such as candidates, don't count.</summary>
    /// <exception cref="CrustException">They can't be had, or there is none.</exception>
    public async Task<ImmutableArray<string>> FindAsync(Recipe recipe, Mirrors mirrors, CancellationToken cancellation)
    {
        if (PackageOf(recipe) is { } package)
        {
            return [await packages.VersionOfAsync(recipe, package, cancellation)];
        }

        var releases = recipe.Releases ?? throw new CrustException(FailureKind.BadInput, $"The recipe {recipe.Name} doesn't say where upstream lists its versions", recipe.Path,
            "write releases: { feed: URL }, or one of the other forms of docs/recipes.md");
        var at = mirrors.Of(releases.Url);
        var names = releases.Form switch
        {
            ReleasesForm.Latest => [NameOf((await http.FindRedirectAsync(at, cancellation)).AbsolutePath)],
            ReleasesForm.Text => Encoding.UTF8.GetString(await http.GetSmallAsync(at, cancellation)).Split('\n', 2)[..1].Select(line => line.Trim()),
            ReleasesForm.Feed => Links(await http.GetSmallAsync(at, cancellation), at),
            _ => Link().Matches(Encoding.UTF8.GetString(await http.GetSmallAsync(at, cancellation))).Select(match => NameOf(WebUtility.HtmlDecode(match.Groups["url"].Value))),
        };
        ImmutableArray<string> versions = [.. names.Select(releases.VersionOf).OfType<string>().Where(version => RecipePicks.IsVersion(recipe, version)).Distinct().OrderDescending(VersionOrder.Instance)];
        return versions.Length > 0 ? versions : throw new CrustException(FailureKind.BadInput, $"Upstream lists no version of {recipe.Name} there", ShownUrl.Of(at),
            $"see that releases:, tag: and versionForm: of {recipe.Path} are as upstream's");
    }

    // What Debian packs, apt lists.
    private static string? PackageOf(Recipe recipe) => recipe.Downloads is [{ Package: { } package }] ? package : null;

    // RFC 4287, section 4.2.7.
    private static List<string> Links(byte[] feed, Uri at)
    {
        var names = new List<string>();
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(feed), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            while (reader.Read())
            {
                if (reader is { NodeType: XmlNodeType.Element, LocalName: "link" } && reader.GetAttribute("href") is { } url)
                {
                    names.Add(NameOf(url));
                }
            }
        }
        catch (XmlException e)
        {
            throw new CrustException(FailureKind.BadInput, $"Upstream's list of releases is no feed: {CleanText.Line(e.Message)}", ShownUrl.Of(at), "name the URL of an Atom feed in releases:", e);
        }

        return names;
    }

    // The last part of a URL's path.
    private static string NameOf(string url) => Uri.UnescapeDataString(url.Split('?', '#')[0].TrimEnd('/').Split('/')[^1]);

    [GeneratedRegex("""href\s*=\s*["'](?<url>[^"'<>]+)["']""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Link();
}
