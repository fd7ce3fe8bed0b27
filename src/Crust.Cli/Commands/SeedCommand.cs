using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Cli.Views;
using Crust.Sanitizing;
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
        var command = new Command("seed", "Shows what an installer would get, and where each part of it comes from.") { json, reveal };
        spec.AddTo(command);
        command.SetAction(async parse =>
        {
            var environment = HostEnvironment.Take();
            var wanted = spec.Read(parse, environment);
            await using var services = new CrustServices(environment, "images", new Silence(), MessageWriter.Of(parse).Hidden);
            var files = SeedFiles.Read(wanted.Seed);
            var seed = services.Seeds.Preview(wanted, files, wanted.Seed.Profile ?? services.Installers.ProfileOf(wanted.Installer));
            var listing = SeedListing.Of(seed, parse.GetValue(reveal));
            var to = parse.InvocationConfiguration;
            if (parse.GetValue(json))
            {
                to.Output.Write(listing.ToJson());
            }
            else
            {
                SeedView.Write(listing, to.Output);
            }

            foreach (var warning in SeedReview.Pass(SeedChecks.Check(wanted, files, seed.Profile), wanted.Seed.Strict))
            {
                MessageWriter.Of(to).Warn(CleanText.Line(warning));
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
