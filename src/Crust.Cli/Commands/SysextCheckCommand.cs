using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Sysexts.Checks;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext check`: whether extensions would be merged, and work.</summary>
internal static class SysextCheckCommand
{
    private static readonly int[] Systemds = [252, 255, 257];

    public static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "Images of extensions, or folders.", Arity = ArgumentArity.OneOrMore };
        var profile = SysextPlanOptions.Profile();
        var host = new Option<string>("--host") { Description = "The os-release of a system: would it merge them?", HelpName = "FILE" };
        var systemd = new Option<int>("--systemd") { Description = "The version of its systemd.", DefaultValueFactory = _ => Systemds[^1], HelpName = string.Join('|', Systemds) };
        var arch = new Option<Arch?>("--arch") { Description = "Its architecture; that of the extension if it isn't there.", HelpName = SysextPlanOptions.Words<Arch>() };
        var space = new Option<string>("--space") { Description = "The free space of the file system that is to hold them.", HelpName = "SIZE" };
        var json = CommonOptions.Json();
        var command = new Command("check", "Says what is wrong with system extensions, and whether a system would merge them.") { files, profile, host, systemd, arch, space, json };
        command.SetAction(async (parse, cancellation) =>
        {
            if (!Systemds.Contains(parse.GetValue(systemd)))
            {
                throw new CrustException(FailureKind.BadInput, $"The rules of systemd {parse.GetValue(systemd)} aren't known", "--systemd", $"write {Nearest.Or([.. Systemds.Select(version => $"{version}")])}, the next lower one");
            }

            long? free = parse.GetValue(space) is not { } text ? null : Size.TryParse(text, out var bytes) ? bytes
                : throw new CrustException(FailureKind.BadInput, $"'{text}' is no size", "--space", $"write {Size.Looks}");
            var environment = HostEnvironment.Read();
            await using var services = new CrustServices(environment, ".", new Silence(), MessageWriter.Of(parse).Hidden);
            var release = parse.GetValue(host) is { } path ? ReleaseFile.Parse(UserFile.Read(path, path, "os-release")) : null;
            using var scratch = new ScratchFolder(services.Folders.Cache);
            var extensions = new List<Extension>();
            foreach (var file in parse.GetRequiredValue(files))
            {
                extensions.Add(await services.SysextReader.ReadAsync(file, scratch.Path, cancellation));
            }

            ImmutableArray<SysextFinding> findings = [.. extensions.SelectMany(extension => SysextCheck.Check(extension, parse.GetValue(profile), release)),
                .. SysextCheck.Collisions(extensions), .. free is { } room ? SpaceRule.Check(extensions, room) : []];
            ImmutableArray<MergeDecision> decisions = release is null ? []
                : [.. extensions.Select(extension => MergeDecision.Of(extension, release, parse.GetValue(arch) is { } given ? SysextFile.ArchName(given) : null, parse.GetValue(systemd)))];
            parse.InvocationConfiguration.Output.Write(parse.GetValue(json) ? ToJson(findings, decisions).ToJsonString() + "\n" : ToText(findings, decisions));
            return (int)(findings.Any(finding => finding.Severity is SysextSeverity.Error) || decisions.Any(decision => !decision.Merges) ? ExitCode.BadInput : ExitCode.Done);
        });
        return command;
    }

    private static string ToText(ImmutableArray<SysextFinding> findings, ImmutableArray<MergeDecision> decisions) => string.Concat(
    [
        .. findings.Select(finding => $"{finding.Severity.LowerName()}: {finding.ToLine()}\n"),
        .. decisions.Select(decision => $"{decision.File} {(decision.Merges ? "is merged" : "isn't merged")}: {decision.Reason}\n"),
        findings.IsEmpty && decisions.IsEmpty ? "nothing is wrong\n" : "",
    ]);

    private static JsonObject ToJson(ImmutableArray<SysextFinding> findings, ImmutableArray<MergeDecision> decisions) => new()
    {
        ["findings"] = new JsonArray([.. findings.Select(finding => new JsonObject
        {
            ["severity"] = finding.Severity.LowerName(),
            ["rule"] = finding.Rule,
            ["file"] = finding.File,
            ["path"] = finding.Path,
            ["what"] = finding.What,
            ["remedy"] = finding.Remedy,
        })]),
        ["merge"] = new JsonArray([.. decisions.Select(decision => new JsonObject { ["file"] = decision.File, ["merged"] = decision.Merges, ["reason"] = decision.Reason })]),
    };
}
