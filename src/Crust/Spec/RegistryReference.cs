using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>A name in a registry: `registry.example.com/edge/images:1.0` (the grammar of distribution/reference, with a registry).</summary>
/// <param name="Repository">The registry and the path in it.</param>
internal sealed partial record RegistryReference(string Repository, string Tag)
{
    internal const int LongestTag = 128;

    // What names of images in registries begin with, as skopeo writes them.
    private const string Scheme = "docker://";

    private const string LatestTag = "latest";

    // A digest in front of another name of the same repository.
    private const string DigestPrefix = "sha256:";

    /// <summary>The registry: a host, perhaps with a port.</summary>
    public string Registry => Repository[..Repository.IndexOf('/', StringComparison.Ordinal)];

    /// <summary>The SHA-256 in hex that it names what it names by; null where that is a tag.</summary>
    public string? Sha256 => Tag.StartsWith(DigestPrefix, StringComparison.Ordinal) ? Tag[DigestPrefix.Length..] : null;

    /// <summary>The same repository with another tag, or with a digest (`sha256:…`) in place of one.</summary>
    public RegistryReference With(string tagOrDigest) => this with { Tag = tagOrDigest };

    /// <summary>As people and skopeo write it.</summary>
    public override string ToString() => Tag.StartsWith(DigestPrefix, StringComparison.Ordinal) ? $"{Repository}@{Tag}" : $"{Repository}:{Tag}";

    /// <summary>Whether a text names an image in a registry: `docker://…`.</summary>
    public static bool IsImage(string text) => text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>The last part of an image's path, without tag and digest: `docker://registry:5000/team/tool:1.2` is `tool`.</summary>
    public static string NameOf(string image) => image.Split('/')[^1].Split(':', '@')[0];

    /// <summary>Reads the name of an image in a registry, `docker://REGISTRY/NAME[:TAG][@sha256:…]`; the digest counts where there is one.</summary>
    /// <param name="text">What the user gave.</param>
    /// <param name="where">Where it was given.</param>
    /// <exception cref="CrustException">It is none.</exception>
    public static RegistryReference ParseImage(string text, string where)
    {
        var name = text[Scheme.Length..];
        var at = name.IndexOf('@', StringComparison.Ordinal);
        var (repository, tag) = Parse(at < 0 ? name : name[..at], where, mayHaveTag: true);
        return at < 0 ? new(repository, tag ?? LatestTag)
            : DigestPattern().IsMatch(name[(at + 1)..]) ? new(repository, name[(at + 1)..])
            : throw new CrustException(FailureKind.BadInput, $"'{text}' names a digest that is none", where, "write sha256: and 64 hex digits behind the '@', as the registry reports it");
    }

    /// <summary>Reads a repository, perhaps with a tag.</summary>
    /// <param name="text">What the user gave.</param>
    /// <param name="where">Where it was given.</param>
    /// <param name="mayHaveTag">Whether a tag may follow.</param>
    /// <exception cref="CrustException">It is none.</exception>
    internal static (string Repository, string? Tag) Parse(string text, string where, bool mayHaveTag)
    {
        CrustException Bad(string what, string remedy) =>
            new(FailureKind.BadInput, $"'{(ValueTypes.WithoutLogin(text) is { Length: > 200 } shown ? shown[..200] + "…" : ValueTypes.WithoutLogin(text))}' {what}", where, remedy);
        const string looks = "write registry/path, such as registry.example.com/edge/images";
        if (SchemePattern().IsMatch(text))
        {
            throw Bad("is a URL, and a repository has no scheme", "leave out what stands before the registry's name");
        }

        if (text.Contains('@'))
        {
            throw Bad("names a digest, which only the registry can tell", "leave out the part from '@' on");
        }

        var match = ReferencePattern().Match(text);
        if (!match.Success)
        {
            throw Bad(text.Any(char.IsAsciiLetterUpper) && ReferencePattern().IsMatch(text.ToLowerInvariant()) ? "has capital letters in its path, which registries don't take" : "isn't a repository",
                looks);
        }

        var repository = match.Groups["repository"].Value;
        var tag = match.Groups["tag"] is { Success: true, Value: var given } ? given : null;
        var registry = repository[..repository.IndexOf('/', StringComparison.Ordinal)];
        return !(registry == "localhost" || registry.Contains('.') || registry.Contains(':'))
            ? throw Bad($"doesn't say in which registry: '{registry}' is no host's name with a dot or a port", $"write the registry first, such as docker.io/{text}")
            : tag is not null && !mayHaveTag ? throw Bad("has a tag, and it names a repository for several images", $"write {repository}, and the tag as publish.tag or TAG")
            : (repository, tag);
    }

    /// <param name="text">What the user gave.</param>
    /// <param name="where">Where it was given.</param>
    /// <exception cref="CrustException">It is none.</exception>
    public static string ParseRepository(string text, string where) => Parse(text, where, mayHaveTag: false).Repository;

    /// <exception cref="CrustException">No registry would take it.</exception>
    internal static string CheckTag(string tag, string where) => TagPattern().IsMatch(tag) ? tag
        : throw new CrustException(FailureKind.BadInput, $"'{tag}' can't be a tag", where,
            $"use letters, digits, '_', '.' and '-', beginning with a letter, a digit or '_', at most {LongestTag} of them with what Crust puts behind");

    [GeneratedRegex(@"\Asha256:[0-9a-f]{64}\z")]
    private static partial Regex DigestPattern();

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9+-]*://")]
    private static partial Regex SchemePattern();

    [GeneratedRegex(@"\A(?<repository>(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex ReferencePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z")]
    private static partial Regex TagPattern();
}
