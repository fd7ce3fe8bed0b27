using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class FetchCommand
{
    public static Command Create()
    {
        var spec = new SpecOptions();
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var command = new Command("fetch",
            "Brings what a build needs into the local cache: the installer or the base image, and the installed disk of a shared cache. The build itself then needs no login.") { json, quiet };
        spec.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            var wanted = spec.Read(parse, environment);
            await using var services = new CrustServices(environment, "images", view, MessageWriter.Of(parse).Hidden);
            var fetched = await services.Exchange.FetchAsync(wanted, cancellation);
            await view.DisposeAsync();
            parse.InvocationConfiguration.Output.WriteLine(parse.GetValue(json)
                ? new JsonObject
                {
                    [fetched.Source.Kind] = fetched.Source.Path,
                    ["sha256"] = fetched.Source.Sha256,
                    ["size"] = fetched.Source.Size,
                    ["hasDisk"] = fetched.HasDisk,
                    ["diskFrom"] = fetched.DiskFrom,
                }.ToJsonString()
                : fetched.Source.Path);
            return (int)ExitCode.Done;
        });
        return command;
    }
}
