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
    public static Command Create()
    {
        var spec = new SpecOptions(key => key.Path == "machine.arch");
        var output = new Option<string>("--output", "-o") { Description = "The folder for the ISO.", HelpName = "FOLDER", DefaultValueFactory = _ => "iso" };
        var parts = new Option<string>("--parts") { Description = "Leave what was built in this folder, too: where CRUST_PARTS names it, it isn't built again.", HelpName = "FOLDER" };
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var command = new Command("installer", "Builds the reference installer: a bootable ISO that installs Debian 12 as its seed says.") { output, parts, json, quiet };
        spec.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var folder = Path.GetFullPath(parse.GetRequiredValue(output));
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, folder, view, MessageWriter.Of(parse).Hidden);
            var arch = spec.Read(parse, environment).Machine.Arch;
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
}
