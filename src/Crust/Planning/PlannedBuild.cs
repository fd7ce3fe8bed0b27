using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Sanitizing;

namespace Crust.Planning;

/// <param name="Spec">The spec's file, as it was given.</param>
/// <param name="Name">The images' base name.</param>
/// <param name="Arch">`amd64` or `arm64`, so that a matrix can choose its runner.</param>
/// <param name="Formats">The formats that are due, as `--format` takes them.</param>
/// <param name="BuildKey">The build key; null if it isn't known before the build.</param>
/// <param name="Reasons">Why, a sentence for each format.</param>
internal sealed record PlannedBuild(string Spec, string Name, string Arch, string Formats, string? BuildKey, ImmutableArray<string> Reasons);

/// <param name="Builds">The builds that are due, in the order of the specs.</param>
/// <param name="Specs">How many specs were looked at.</param>
internal sealed record BuildPlan(ImmutableArray<PlannedBuild> Builds, int Specs)
{
    /// <summary>Of how many specs a change of secrets alone can't be seen: they have secrets, and machines share no key to tell them apart.</summary>
    public int Blind { get; init; }

    /// <summary>
    /// One line of JSON for a CI's matrix: an object with `include` alone, as GitHub's `strategy.matrix` takes it through `fromJSON`, with a line break at its end.
    /// </summary>
    public string ToJson() => JsonSerializer.Serialize(new PlanDocument(Builds), PlanJson.OneLine) + "\n";

    /// <summary>
    /// A line for each build, for a shell's `read`: formats, architecture, name and spec, with tabs between them. The spec is the last, since its path alone may hold anything but a line break.
    /// </summary>
    public string ToLines() => string.Concat(Builds.Select(build => $"{build.Formats}\t{build.Arch}\t{build.Name}\t{build.Spec}\n"));

    /// <param name="count">How many at most; null for all.</param>
    public BuildPlan First(int? count) => count is { } most && most < Builds.Length ? this with { Builds = Builds[..most] } : this;
}

internal sealed record PlanDocument(ImmutableArray<PlannedBuild> Include);

[JsonSerializable(typeof(PlanDocument))]
internal sealed partial class PlanJson : JsonSerializerContext
{
    /// <summary>On one line: CI systems hand it on as a variable.</summary>
    public static JsonTypeInfo<PlanDocument> OneLine { get; } = new PlanJson(new JsonSerializerOptions(ReadableJson.CleanOptions()) { WriteIndented = false }).PlanDocument;
}
