using System.Text.Json.Nodes;

namespace Crust.Spec;

/// <summary>The name of a cache in a registry.</summary>
internal static class CacheType
{
    private const string OciScheme = "oci://";

    /// <summary>A repository, with its scheme before it; null for none.</summary>
    public static readonly ValueType<string?> Repository = new(
        "oci://REGISTRY/PATH|none",
        given => given.Single is { Text: "none" } ? null : Parse(given.Single),
        value => value is null ? null : OciScheme + value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^(none|oci://[^/]+/.+)$" });

    private static string Parse(GivenItem item)
    {
        var text = ValueTypes.Text.Parse(new GivenValue { Items = [item], Where = item.Where, BaseFolder = "" })!;
        if (text.StartsWith(OciScheme, StringComparison.Ordinal))
        {
            var (repository, tag) = Publishing.RegistryReference.Parse(text[OciScheme.Length..], item.Where, mayHaveTag: true);
            return tag is null ? repository : throw ValueTypes.Bad(item, "has a tag, and a cache is a whole repository", $"write {OciScheme}{repository}");
        }

        throw ValueTypes.Bad(item, "doesn't begin with oci://, and a cache is a repository in a registry",
            $"write oci://registry/path, such as oci://registry.example.com/edge/cache, or none{(text.Contains("://", StringComparison.Ordinal) ? "" : $"; for a repository of this name, oci://{text}")}");
    }
}
