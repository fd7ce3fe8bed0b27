using System.CommandLine;
using Crust.Spec;
using Crust.Sysexts;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext config`: how a machine gets extensions on its first boot.</summary>
internal static class SysextConfigCommand
{
    private const int MostKeyBytes = 1 << 20;

    public static Command Create()
    {
        var folder = new Argument<string>("FOLDER") { Description = "The folder with the extensions and their index." };
        var names = new Argument<string[]>("NAME") { Description = "The extensions; all of them if none is named. Of each, the newest version is taken.", Arity = ArgumentArity.ZeroOrMore };
        var url = new Option<string>("--url") { Description = "Where the folder will be served.", HelpName = "URL", Required = true };
        var arch = new Option<Arch>("--arch") { Description = "The machine's architecture." };
        var keyring = new Option<string>("--keyring") { Description = "The public keys that sign the index, as gpg --export writes them.", HelpName = "FILE" };
        var butane = new Option<bool>("--butane") { Description = "Write Butane's YAML in place of Ignition's JSON." };
        var command = new Command("config", "Prints a configuration for Ignition by which a machine gets extensions on its first boot, and updates them.") { folder, names, url, arch, keyring, butane };
        command.SetAction((parse, cancellation) =>
        {
            var address = SysextIndexCommand.UrlOf(parse.GetRequiredValue(url));
            var keys = parse.GetValue(keyring) is { } file ? UserFile.ReadSmall(file, file, "keys'", MostKeyBytes, "name a file that gpg --export has written") : null;
            var request = new FirstBootRequest(SysextIndex.NewestIn(parse.GetRequiredValue(folder), parse.GetValue(names) ?? [], parse.GetValue(arch)), address, keys);
            parse.InvocationConfiguration.Output.Write(parse.GetValue(butane) ? FirstBootConfig.Butane(request) : FirstBootConfig.Ignition(request));
            return Task.FromResult((int)ExitCode.Done);
        });
        return command;
    }
}
