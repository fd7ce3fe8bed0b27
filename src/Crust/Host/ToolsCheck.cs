using System.Text.RegularExpressions;
using Crust.Planning;
using Crust.Tools;

namespace Crust.Host;

/// <summary>Whether the programs that a build starts are there, and, where a person wants to know, which versions they are.</summary>
internal sealed partial class ToolsCheck(ToolBox tools) : IHostCheck
{
    // A program that says its version takes some hundredths of a second; one that doesn't end is broken.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation)
    {
        var needs = ToolNeed.Of(question.Spec, question.Forecast).Where(need => question.Thoroughly || need.Need is not Need.None);
        return await Task.WhenAll(needs.Select(need => FindAsync(need, question.Thoroughly, cancellation)));
    }

    private async Task<Finding> FindAsync(ToolNeed need, bool thoroughly, CancellationToken cancellation)
    {
        if (tools.Find(need.Program) is not { } path)
        {
            var missing = Finding.Missing("tools", need.Program, GravityOf(need), $"The program '{need.Program}' isn't installed", "searched in PATH and the sbin folders",
                ToolBox.PackageOf(need.Program));
            return need.Need is Need.None ? missing with { What = $"isn't installed; this build doesn't need it ({need.For})" }
                : need.Need is Need.Wanted ? missing with { What = $"{missing.What}, and {need.Loss} ({need.For})" }
                : missing;
        }

        var found = new Finding("tools", need.Program, Gravity.Fine, need.For) { Where = path };
        return thoroughly && need.VersionOption is { } option && tools.Find("setpriv") is not null ? await AskVersionAsync(need, option, found, cancellation) : found;
    }

    private async Task<Finding> AskVersionAsync(ToolNeed need, string option, Finding found, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            var result = await tools.RunAsync(ToolCommand.Of(need.Program, option), patience.Token);
            var version = VersionIn(result.Output + result.Error);
            var old = need.Minimum is { } minimum && version is not null && Version.TryParse(version.Contains('.') ? version : version + ".0", out var parsed) && parsed < minimum;
            return old
                ? found with
                {
                    Gravity = GravityOf(need),
                    What = $"{need.Program} {version} is too old: Crust needs {need.Minimum} or newer",
                    Remedy = $"install a newer {ToolBox.PackageOf(need.Program)}, as Debian 12 has it",
                }
                : found with { What = $"{version ?? "of an unknown version"}: {need.For}" };
        }
        catch (Exception e) when (e is ToolFailedException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return found with
            {
                Gravity = GravityOf(need),
                What = e is CrustException failed ? $"The program '{need.Program}' doesn't run: {failed.What}"
                    : $"The program '{need.Program}' doesn't say its version within {Patience.TotalSeconds:0} s",
                Remedy = $"install it anew: apt-get install --reinstall {ToolBox.PackageOf(need.Program)}",
            };
        }
    }

    /// <summary>The version in what a program says of itself; null if there is none.</summary>
    internal static string? VersionIn(string text) =>
        DottedPattern().Match(text) is { Success: true } dotted ? dotted.Value : PlainPattern().Match(text) is { Success: true } plain ? plain.Groups[1].Value : null;

    private static Gravity GravityOf(ToolNeed need) => need.Need switch
    {
        Need.Required => Gravity.Problem,
        Need.Wanted => Gravity.Warning,
        _ => Gravity.Note,
    };

    // With dots wherever it stands, such as "v1.5.4"; without, only behind the word: "kmod version 30", but not "CLI (64-bit)".
    [GeneratedRegex(@"[0-9]+(?:\.[0-9]+)+")]
    private static partial Regex DottedPattern();

    [GeneratedRegex(@"version ([0-9]+)")]
    private static partial Regex PlainPattern();
}
