using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Sanitizing;

namespace Crust.Attestation;

/// <summary>An in-toto statement, version 1, with SLSA's predicate for provenance, version 1.</summary>
internal sealed record Statement
{
    public const string CurrentType = "https://in-toto.io/Statement/v1";
    public const string ProvenanceType = "https://slsa.dev/provenance/v1";

    [JsonPropertyName("_type")]
    public string Type { get; init; } = CurrentType;

    public required ImmutableArray<Resource> Subject { get; init; }

    public string PredicateType { get; init; } = ProvenanceType;

    public required ProvenancePredicate Predicate { get; init; }

    /// <summary>The document as indented JSON with a final newline.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, StatementJson.Readable) + "\n";

    /// <exception cref="InvalidDataException">The JSON isn't an in-toto statement.</exception>
    public static Statement Parse(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, StatementJson.Readable) is { Type: CurrentType, PredicateType: ProvenanceType, Subject.IsDefault: false } statement
                ? statement
                : throw new InvalidDataException("it isn't an in-toto statement with SLSA's provenance, version 1");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"it isn't an in-toto statement: {e.Message}", e);
        }
    }
}

/// <summary>A file, or something else that has a name: in-toto's ResourceDescriptor.</summary>
internal sealed record Resource
{
    public const string Sha256 = "sha256";

    /// <summary>Of an image with holes: the SHA-256 of its block map, which has the checksum of each range with data.</summary>
    public const string BlockMapSha256 = "bmap_sha256";

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Uri { get; init; }

    /// <summary>By the algorithm's name, in lower-case hex.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableSortedDictionary<string, string>? Digest { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? MediaType { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }

    /// <summary>A file by its SHA-256.</summary>
    public static Resource Of(string name, string sha256, string algorithm = Sha256) => new() { Name = name, Digest = ImmutableSortedDictionary<string, string>.Empty.Add(algorithm, sha256) };
}

internal sealed record ProvenancePredicate(BuildDefinition BuildDefinition, RunDetails RunDetails);

/// <summary>What a build was given. All that decides it is in here.</summary>
internal sealed record BuildDefinition
{
    public required string BuildType { get; init; }

    /// <summary>What the user has said, without secrets.</summary>
    public required JsonObject ExternalParameters { get; init; }

    /// <summary>What Crust has made of it.</summary>
    public required JsonObject InternalParameters { get; init; }

    public required ImmutableArray<Resource> ResolvedDependencies { get; init; }
}

internal sealed record RunDetails(Builder Builder, RunMetadata Metadata, ImmutableArray<Resource> Byproducts);

internal sealed record Builder(string Id, ImmutableSortedDictionary<string, string> Version);

internal sealed record RunMetadata(string InvocationId, string StartedOn, string FinishedOn);

[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Statement))]
internal sealed partial class StatementJson : JsonSerializerContext
{
    public static JsonTypeInfo<Statement> Readable { get; } = new StatementJson(ReadableJson.Options()).Statement;
}
