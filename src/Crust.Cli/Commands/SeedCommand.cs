using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Cli.Views;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class SeedCommand
{
    public static Command Create()
    {
        var spec = new SpecOptions(key => key.Path.StartsWith("seed.", StringComparison.Ordinal) || key.Path is "installer.iso" or "machine.arch" or "machine.diskBus" or "machine.onReboot");
        var json = CommonOptions.Json();
        var reveal = new Option<bool>("--reveal") { Description = "Show secrets, too." };
        var command = new Command("seed", "Shows what an installer would be told, and where each part of it comes from.") { json, reveal };
        spec.AddTo(command);
        command.SetAction(async parse =>
        {
            var environment = HostEnvironment.Take();
            var read = spec.Read(parse, environment);
            await using var services = new CrustServices(environment, "images", new Silence());
            var files = SeedFiles.Read(read.Spec.Seed);
            var seed = services.Seeds.Preview(read.Spec, files, read.Spec.Seed.Profile ?? services.Installers.ProfileOf(read.Spec.Installer));
            var listing = SeedListing.Of(seed, read.Spec.Seed, parse.GetValue(reveal));
            var to = parse.InvocationConfiguration;
            if (parse.GetValue(json))
            {
                to.Output.Write(listing.ToJson());
            }
            else
            {
                SeedView.Write(listing, to.Output);
            }

            foreach (var warning in read.Warnings.Concat(SeedReview.Pass(SeedChecks.Check(read.Spec, files, seed.Profile), read.Spec.Seed.Strict)))
            {
                to.Error.WriteLine($"warning: {warning}");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
