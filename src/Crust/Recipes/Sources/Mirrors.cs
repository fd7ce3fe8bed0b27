using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Recipes.Sources;

/// <summary>Where upstream's files come from at a site that doesn't reach upstream. A mirror changes where bytes come from, never which.</summary>
internal sealed class Mirrors
{
    public const string DefaultName = "crust.mirrors.yaml";

    private readonly Uri? _all;
    private readonly ImmutableArray<(string Prefix, Uri Mirror)> _some;

    private Mirrors(Uri? all, ImmutableArray<(string Prefix, Uri Mirror)> some) => (_all, _some) = (all, some);

    public static Mirrors None { get; } = new(null, []);

    /// <summary>The mirrors that a file maps.</summary>
    /// <exception cref="CrustException">The file can't be read, or something in it is wrong.</exception>
    public static Mirrors Read(string path) => Parse(UserFile.Read(path, path, "mirrors"), path);

    public static Mirrors Parse(string text, string path)
    {
        var root = YamlMapping.Parse(text, path, "a map of mirrors");
        var section = root.Mapping("mirrors") ?? throw root.Wrong("mirrors", "The file has no mirrors", "write mirrors: and below it https://UPSTREAM/: https://MIRROR/");
        var some = section.Keys.Select(prefix =>
        {
            if (!prefix.StartsWith("https://", StringComparison.Ordinal) || !prefix.EndsWith('/'))
            {
                throw section.Wrong(prefix, $"'{prefix}' is no beginning of upstream's URLs", "write it with https:// and with a slash at its end");
            }

            return (prefix, UrlOf(section.Required(prefix)) ?? throw section.Wrong(prefix, "The mirror isn't an http or https URL with a slash at its end",
                "write such as https://mirror.example.org/github/"));
        }).ToImmutableArray();
        section.End();
        root.End();
        return new Mirrors(null, some);
    }

    /// <summary>With one mirror of everything that the map doesn't name: it has a folder for each of upstream's hosts.</summary>
    /// <param name="url">The mirror's URL, with or without a slash at its end.</param>
    /// <exception cref="CrustException">It is no http or https URL.</exception>
    public Mirrors WithAll(string url) => new(UrlOf(url.TrimEnd('/') + "/")
        ?? throw new CrustException(FailureKind.BadInput, "The mirror isn't an http or https URL", $"--mirror {url}", "name one such as https://mirror.example.org/upstream/"), _some);

    /// <summary>The URL to ask for a file.</summary>
    public Uri Of(Uri upstream)
    {
        var best = _some.Where(one => upstream.AbsoluteUri.StartsWith(one.Prefix, StringComparison.Ordinal)).OrderByDescending(one => one.Prefix.Length).FirstOrDefault();
        return best.Mirror is not null ? new Uri(best.Mirror.AbsoluteUri + upstream.AbsoluteUri[best.Prefix.Length..])
            : _all is not null ? new Uri($"{_all.AbsoluteUri}{upstream.Authority}{upstream.PathAndQuery}")
            : upstream;
    }

    private static Uri? UrlOf(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0 && url.AbsoluteUri.EndsWith('/')
        ? url : null;
}
