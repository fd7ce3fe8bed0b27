using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Host;

/// <param name="Name">The images' base name.</param>
internal sealed record Diagnosis(string Name, BuildSpec Spec, HostFindings Found)
{
    /// <summary>Whether the spec can be built here. Warnings don't count.</summary>
    public bool CanBuild => !Found.Problems.Any();

    /// <summary>The one command that installs all that is missing; null if nothing is.</summary>
    public string? Install => InstallCommand(Found.Findings);

    public string Summary
    {
        get
        {
            var what = $"{Name} ({string.Join(", ", Spec.Formats)})";
            var warnings = Found.Warnings.Select(finding => finding.Name).ToList();
            return CanBuild
                ? $"This host can build {what}{(Found.Accelerator is { } choice ? $" with {choice.Used.LowerName()}" : "")}{(warnings.Count == 0 ? "" : $"; {Count(warnings, "warning")}")}"
                : $"This host can't build {what}; {Count([.. Found.Problems.Select(finding => finding.Name)], "problem")}";
        }
    }

    /// <summary>The document of `--json`, with a final newline. docs/doctor.md says what is in it.</summary>
    public string ToJson() => JsonSerializer.Serialize(new DiagnosisDocument
    {
        Crust = CrustVersion.Current,
        Name = Name,
        Formats = Spec.Formats,
        CanBuild = CanBuild,
        Accelerator = Found.Accelerator?.Used.LowerName(),
        Checks = [.. Found.Findings.Select(finding => new DiagnosisCheck(finding.Area, finding.Name, finding.Gravity.LowerName(), finding.What, finding.Where, finding.Remedy, finding.Packages))],
        Install = Install,
        Summary = Summary,
    }, DiagnosisJson.Readable) + "\n";

    /// <summary>The one command that installs the packages that findings ask for; null if they ask for none.</summary>
    internal static string? InstallCommand(IEnumerable<Finding> findings) =>
        findings.SelectMany(finding => finding.Packages).Distinct().Order(StringComparer.Ordinal).ToList() is { Count: > 0 } packages
            ? $"apt-get install {string.Join(' ', packages)}"
            : null;

    private static string Count(List<string> names, string what) => $"{names.Count} {what}{(names.Count == 1 ? "" : "s")}: {string.Join(", ", names)}";
}

internal sealed record DiagnosisDocument
{
    /// <summary>The version of this document's shape.</summary>
    public int Version { get; init; } = 1;

    public required string Crust { get; init; }

    public required string Name { get; init; }

    public required ImmutableArray<string> Formats { get; init; }

    public required bool CanBuild { get; init; }

    public required string? Accelerator { get; init; }

    public required ImmutableArray<DiagnosisCheck> Checks { get; init; }

    public required string? Install { get; init; }

    public required string Summary { get; init; }
}

internal sealed record DiagnosisCheck(string Area, string Name, string Result, string What, string? Where, string? Remedy, ImmutableArray<string> Packages);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DiagnosisDocument))]
internal sealed partial class DiagnosisJson : JsonSerializerContext
{
    public static JsonTypeInfo<DiagnosisDocument> Readable { get; } = new DiagnosisJson(ReadableJson.CleanOptions()).DiagnosisDocument;
}
