using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Installers;
using Crust.Planning;
using Crust.Sanitizing;
using Crust.Seeds.Checks;
using Crust.Seeds.Documents;
using Crust.Spec;
using Serilog.Events;

namespace Crust.Cli.Commands;

/// <summary>`crust build --check-only`: what CI calls on a pull request.</summary>
internal static class CheckOnly
{
    /// <summary>Checks a seed, and tells what was found: each finding on standard error as compilers do it, the outcome on standard output.</summary>
    /// <param name="cacheFolder">Where downloaded ISOs are.</param>
    /// <param name="json">Whether the outcome is a JSON document.</param>
    public static ExitCode Run(Func<BuildSpec> read, string cacheFolder, bool json, InvocationConfiguration to)
    {
        var report = Check(read, cacheFolder);
        foreach (var finding in report.Findings)
        {
            var place = Shown(finding.Place);
            MessageWriter.Of(to).Write(
                finding.Severity is SeedSeverity.Error ? LogEventLevel.Error : LogEventLevel.Warning,
                "Finding",
                $"{CleanText.Line($"{place}: {finding.Severity.LowerName()}: {finding.What} ({finding.Rule})", int.MaxValue)}\n  to do: {CleanText.Line(finding.Remedy, int.MaxValue)}",
                "{What:l}",
                ("What", finding.What), ("Where", place.ToString()), ("Fix", finding.Remedy), ("Rule", finding.Rule));
        }

        to.Output.Write(json ? report.ToJson() : $"crust: {report.Summary}\n");
        return report.IsFine ? ExitCode.Done : ExitCode.BadInput;
    }

    // As compilers do: what lies below the current folder is named from there.
    private static Place Shown(Place place) =>
        place.Line > 0 && Path.GetRelativePath(Environment.CurrentDirectory, place.Source) is var relative && !relative.StartsWith("..", StringComparison.Ordinal) ? place with { Source = relative }
            : place;

    private static CheckReport Check(Func<BuildSpec> read, string cacheFolder)
    {
        try
        {
            var spec = read();
            BuildRules.CheckFormats(spec);
            return CheckReport.Of(spec, InstallerSource.ProfileOf(spec.Installer, cacheFolder));
        }
        catch (CrustException e) when (CheckReport.Of(e) is { } report)
        {
            return report;
        }
    }
}
