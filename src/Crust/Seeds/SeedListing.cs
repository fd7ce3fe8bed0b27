using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Sanitizing;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>A seed as its author wants to see it: the final documents, where each part comes from, and what is secret in them.</summary>
/// <param name="Profile">The family of systems; null if nobody knows.</param>
/// <param name="Label">The volume's label; null where there is no volume.</param>
/// <param name="KernelArguments">What the installer's kernel is told; empty for nothing.</param>
/// <param name="Files">Files that ride along, by their names there.</param>
internal sealed record SeedListing(
    string Kind, string? Profile, string Carrier, string? Label, string KernelArguments, ImmutableArray<ListedDocument> Documents, ImmutableArray<string> Files)
{
    public static SeedListing Of(Seed seed, bool reveal) => new(
        seed.Kind.LowerName(),
        seed.Profile?.LowerName(),
        seed.Carrier.LowerName(),
        seed.Label,
        seed.KernelArguments,
        [.. seed.Documents.Select(document => Of(document, reveal))],
        [.. seed.Files.Select(file => file.Name)]);

    /// <summary>The document of `--json`, with a final newline.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, SeedListingJson.Readable) + "\n";

    private static ListedDocument Of(SeedDocument document, bool reveal)
    {
        var trees = document.Parts.IsEmpty ? [document.Tree] : document.Parts.Select(part => part.Tree);
        var shown = document.Tree is { } tree && !reveal ? SeedSecrets.Masked(tree) : document.Tree;
        return new ListedDocument(
            document.Name,
            reveal ? document.Text : SeedSecrets.Masked(document),
            [.. trees.OfType<ConfigNode>().SelectMany(tree => ConfigTree.Leaves(reveal ? tree : SeedSecrets.Masked(tree))).Where(leaf => leaf.Path.Length > 0)
                .Select(leaf => new ListedPart(leaf.Path, $"{leaf.Value.Place}"))],
            [.. SeedSecrets.PathsIn(document)])
        {
            WithPlaces = shown is ConfigMap { Entries.IsEmpty: false } map && CloudConfig.IsIn(document.Text)
                ? $"#cloud-config\n{ConfigWriter.WriteWithPlaces(map)}"
                : null,
        };
    }
}

/// <param name="Name">Its path where it goes.</param>
/// <param name="Text">Its content; without secrets, unless they were asked for.</param>
/// <param name="Parts">Where each of its values comes from; empty for a document that is taken as it is.</param>
/// <param name="Secrets">The paths of the secrets in it.</param>
internal sealed record ListedDocument(string Name, string Text, ImmutableArray<ListedPart> Parts, ImmutableArray<string> Secrets)
{
    /// <summary>The content with a comment behind each value that says where it comes from; null where that can't be.</summary>
    [JsonIgnore]
    public string? WithPlaces { get; init; }
}

/// <param name="Key">Its path: `users[0].name`.</param>
/// <param name="From">Where it comes from: `user-data.yaml:7:3`, `environment variable SSH_USER`, `default`.</param>
internal sealed record ListedPart(string Key, string From);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SeedListing))]
internal sealed partial class SeedListingJson : JsonSerializerContext
{
    public static JsonTypeInfo<SeedListing> Readable { get; } = new SeedListingJson(ReadableJson.Options()).SeedListing;
}
