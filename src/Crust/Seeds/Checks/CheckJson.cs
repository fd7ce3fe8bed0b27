using System.Collections.Immutable;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Sanitizing;

namespace Crust.Seeds.Checks;

/// <summary>The document that `crust build --check-only --json` prints.</summary>
internal sealed record CheckDocument
{
    public required string Crust { get; init; }

    /// <summary>Whether a build would begin.</summary>
    public required bool Fine { get; init; }

    /// <summary>The seed's kind; null where the spec couldn't be read.</summary>
    public required string? Kind { get; init; }

    /// <summary>The family of systems; null if nobody knows.</summary>
    public required string? Profile { get; init; }

    public required int Errors { get; init; }

    public required int Warnings { get; init; }

    /// <summary>All findings, errors before warnings.</summary>
    public required ImmutableArray<CheckDocumentFinding> Findings { get; init; }
}

/// <param name="Severity">`error` or `warning`.</param>
/// <param name="Rule">The rule, as docs/checks.md has it; `spec` for what is wrong with the spec itself.</param>
/// <param name="Source">The file, or what else it comes from: an option, a variable.</param>
/// <param name="Line">The line, from 1; null where the source is no file.</param>
/// <param name="Column">The column, from 1; null where the source is no file.</param>
internal sealed record CheckDocumentFinding(string Severity, string Rule, string What, string Remedy, string Source, int? Line, int? Column);

/// <summary>How the document is written, without reflection.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CheckDocument))]
internal sealed partial class CheckJson : JsonSerializerContext
{
    public static JsonTypeInfo<CheckDocument> Readable { get; } = new CheckJson(ReadableJson.CleanOptions()).CheckDocument;
}
