using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Host;
using Crust.Installers;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Cli.Commands;

internal static class InstallerCommand
{
    private static readonly string[] OfLayers = ["machine.cpus", "machine.memory", "machine.network", "machine.networkAllow", "machine.accelerator", "machine.deadline"];
    private static readonly string[] OfDisks = ["base.image", "base.layout", "base.vendor", "base.seedPartition"];

    public static Command Create()
    {
        var spec = new SpecOptions(IsTaken);
        var output = new Option<string>("--output", "-o") { Description = "The folder for the ISO.", HelpName = "FOLDER", DefaultValueFactory = _ => "iso" };
        var parts = new Option<string>("--parts")
        {
            Description = "Leave what was built of the reference installer in this folder, too: where CRUST_PARTS names it, it isn't built again.",
            HelpName = "FOLDER",
        };
        var check = new Option<bool>("--check-only") { Description = "Look at the base and at what goes onto the medium, report what is found, and make nothing." };
        var argFile = new Option<string?>("--arg-file") { Description = "In place of SPEC: the .arg file of a folder laid out as CanvOS'.", HelpName = "FILE" };
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var command = new Command("installer",
            "Builds an installer: a bootable ISO from a base of yours, or, without one, the reference installer, which installs Debian 12 as its seed says.")
        {
            argFile, output, parts, check, json, quiet,
        };
        spec.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var folder = Path.GetFullPath(parse.GetRequiredValue(output));
            var canvos = parse.GetValue(argFile) is { } arg ? CanvosInstallerRun.Read(parse, spec.Sources(parse, environment), arg) : null;
            environment = canvos?.WithProxies(environment) ?? environment;
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, folder, view, MessageWriter.Of(parse).Hidden);
            var wanted = canvos is null ? SpecOptions.Read(spec.Sources(parse, environment) with { ForInstaller = true }, parse)
                : await canvos.BuildAsync(services, parse, environment, cancellation);
            if (wanted.HasBase)
            {
                return (int)await LiveInstallerRun.RunAsync(services, wanted, folder, parse.GetValue(check), parse.GetValue(json), view,
                    parse.InvocationConfiguration.Output, cancellation);
            }

            var arch = wanted.Machine.Arch;
            var place = Path.Combine(folder, ReferenceInstaller.NameFor(arch) + ".iso");
            OutputCheck.CheckPlace(place, () => OutputFile.IsSigned(place) is not false || ReferenceInstaller.IsOne(place));
            var iso = await services.Reference.GetAsync(arch, cancellation);
            await view.DisposeAsync();
            if (parse.GetValue(parts) is { } to)
            {
                services.Reference.CopyTo(Path.GetFullPath(to), arch);
            }

            var path = ShareFile.Into(folder, iso.Path, cancellation);
            var shown = Path.GetRelativePath(Environment.CurrentDirectory, path);
            parse.InvocationConfiguration.Output.WriteLine(parse.GetValue(json)
                ? new JsonObject { ["file"] = shown, ["sha256"] = iso.Sha256, ["size"] = iso.Size, ["volumeId"] = iso.VolumeId }.ToJsonString()
                : shown);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static bool IsTaken(SpecKey key) => key.Path is "name" or "machine.arch" || SpecOptions.PullKeys.Contains(key.Path) || OfLayers.Contains(key.Path)
        || key.Path.StartsWith("seed.", StringComparison.Ordinal) || (key.Path.StartsWith("base.", StringComparison.Ordinal) && !OfDisks.Contains(key.Path));
}
