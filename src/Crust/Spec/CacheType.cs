using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>The name of a cache in a registry, and who is trusted to fill it.</summary>
internal static partial class CacheType
{
    private const string OciScheme = "oci://";

    /// <summary>A repository, with its scheme before it; null for none.</summary>
    public static readonly ValueType<string?> Repository = new(
        "oci://REGISTRY/PATH|none",
        given => given.Single is { Text: "none" } ? null : Parse(given.Single),
        value => value is null ? null : OciScheme + value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^(none|oci://[^/]+/.+)$" });

    /// <summary>Keys, each itself or as the path of a file.</summary>
    public static readonly ValueType<ImmutableArray<string>> Trust = new(
        "KEY|FILE",
        given => given.Items.Length == 0 ? throw new CrustException(FailureKind.BadInput, "The list of trusted keys is empty", given.Where,
            "name the keys that sign what is in the cache, or leave cache.trust out to trust anyone who may write there")
            : [.. given.Items.Select(item => IsKey(item.Text) ? item.Text.Trim() : ValueTypes.FilePath.Parse(given with { Items = [item] })!)],
        _ => null,
        () => new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" }, ["minItems"] = 1 })
    { IsList = true, PathAt = text => IsKey(text) ? -1 : 0 };

    /// <summary>Whether a text is a public key of OpenSSH, or a line of its allowed signers; else it is a path.</summary>
    public static bool IsKey(string text) => SignerPattern().IsMatch(text.Trim());

    /// <summary>Whether a line is a public key, without the name of whose it is before it.</summary>
    public static bool IsPublicKey(string line) => PublicKeyPattern().IsMatch(line);

    private static string Parse(GivenItem item)
    {
        var text = ValueTypes.Text.Parse(new GivenValue { Items = [item], Where = item.Where, BaseFolder = "" })!;
        if (text.StartsWith(OciScheme, StringComparison.Ordinal))
        {
            var (repository, tag) = RegistryReference.Parse(text[OciScheme.Length..], item.Where, mayHaveTag: true);
            return tag is null ? repository : throw ValueTypes.Bad(item, "has a tag, and a cache is a whole repository", $"write {OciScheme}{repository}");
        }

        throw ValueTypes.Bad(item, "doesn't begin with oci://, and a cache is a repository in a registry",
            "write oci://registry/path, such as oci://registry.example.com/edge/cache, or "
                + $"none{(text.Contains("://", StringComparison.Ordinal) ? "" : $"; for a repository of this name, oci://{text}")}");
    }

    [GeneratedRegex(@"\A([^\r\n]*[ \t])?(ssh|ecdsa|sk)-[A-Za-z0-9@.-]+[ \t]+AAAA[A-Za-z0-9+/]+={0,2}([ \t][^\r\n]*)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex SignerPattern();

    [GeneratedRegex(@"\A(ssh|ecdsa|sk)-[A-Za-z0-9@.-]+[ \t]+AAAA", RegexOptions.ExplicitCapture)]
    private static partial Regex PublicKeyPattern();
}
