using System.Text;
using System.Text.Json.Nodes;
using Crust.Media;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Cli.Views;

/// <summary>The preflight report of an installer from a base.</summary>
internal static class InstallerView
{
    /// <summary>One line for each finding, and one with the remedy where there is one.</summary>
    public static string Lines(LivePlan plan)
    {
        var text = new StringBuilder();
        foreach (var finding in plan.Findings)
        {
            text.Append($"{Word(finding.Gravity),-8} {finding.Name,-14} {CleanText.Line(finding.What, int.MaxValue)}\n");
            if (finding.Where is { } where)
            {
                text.Append($"{"",-8} {"",-14} where: {CleanText.Line(where, int.MaxValue)}\n");
            }

            if (finding.Remedy is { } remedy)
            {
                text.Append($"{"",-8} {"",-14} to do: {CleanText.Line(remedy, int.MaxValue)}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>The document of `--json`.</summary>
    /// <param name="result">The ISO; null where none was made.</param>
    public static JsonObject ToJson(LivePlan plan, LiveResult? result)
    {
        var document = new JsonObject { ["version"] = 1 };
        if (result is not null)
        {
            document["file"] = result.Path;
            document["sha256"] = result.Sha256;
            document["size"] = result.Size;
        }

        document["volumeId"] = LiveMenu.Label;
        document["kernel"] = plan.Facts.KernelVersion is { } version ? CleanText.Line(version) : null;
        document["minimumDisk"] = LiveSizes.MinimumDisk(plan.Facts, plan.Medium);
        document["content"] = new JsonArray([.. plan.Medium.Content.Bundles.Select(bundle => new JsonObject
        {
            ["name"] = bundle.Name,
            ["size"] = bundle.Size,
            ["sha256"] = bundle.Sha256,
            ["parts"] = bundle.Parts.Length,
        })]);
        document["findings"] = new JsonArray([.. plan.Findings.Select(finding => new JsonObject
        {
            ["result"] = finding.Gravity.LowerName(),
            ["name"] = finding.Name,
            ["what"] = CleanText.Line(finding.What, int.MaxValue),
            ["where"] = finding.Where is { } where ? CleanText.Line(where, int.MaxValue) : null,
            ["remedy"] = finding.Remedy is { } remedy ? CleanText.Line(remedy, int.MaxValue) : null,
        })]);
        return document;
    }

    private static string Word(LiveGravity gravity) => gravity switch
    {
        LiveGravity.Fine => "ok",
        LiveGravity.Warning => "warning",
        _ => "problem",
    };
}
