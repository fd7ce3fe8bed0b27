using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class BuildCommand
{
    public static Command Create()
    {
        var spec = new SpecOptions();
        var output = CommonOptions.Output();
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var show = new Option<bool>("--show") { Description = "Show the installer's screen while it runs: in a window where there is a display, else on a VNC socket." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done and what the installer would get; fetch, boot and write nothing." };
        var checkOnly = new Option<bool>("--check-only") { Description = "Check the spec and its seed, tell all that is found, and do nothing else: no machine, no network." };
        var reveal = new Option<bool>("--reveal") { Description = "Show secrets, too, with --dry-run." };
        var command = new Command("build", "Boots an installer, waits until it powers off, and turns the installed disk into images.") { output, json, quiet, show, dryRun, reveal, checkOnly };
        spec.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            if (parse.GetValue(checkOnly))
            {
                return (int)CheckOnly.Run(() => spec.Read(parse, environment), environment.CacheFolder, parse.GetValue(json), parse.InvocationConfiguration);
            }

            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            var wanted = spec.Read(parse, environment);
            await using var services = new CrustServices(environment, parse.GetRequiredValue(output), view, MessageWriter.Of(parse).Hidden, parse.GetValue(show));
            if (parse.GetValue(dryRun))
            {
                await view.DisposeAsync();
                return (int)DryRun.Run(wanted, services, parse.GetValue(json), parse.GetValue(reveal), MessageWriter.Of(parse).Hidden, parse.InvocationConfiguration);
            }

            var result = await services.Build.RunAsync(wanted, cancellation);
            await view.DisposeAsync();
            if (result.Report is { } report && !parse.GetValue(quiet))
            {
                MessageWriter.Of(parse).Inform($"crust: report: {Path.GetRelativePath(Environment.CurrentDirectory, report)}");
            }

            Print(result, parse.GetValue(json), parse.InvocationConfiguration);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Print(BuildResult result, bool json, InvocationConfiguration to)
    {
        if (result.UpToDate)
        {
            MessageWriter.Of(to).Inform("crust: up to date: the inputs are unchanged, so nothing was booted and nothing was written");
        }

        to.Output.Write(json ? result.Manifest.ToJson() : string.Concat(result.Images.Select(image => Path.GetRelativePath(Environment.CurrentDirectory, image) + "\n")));
    }
}
