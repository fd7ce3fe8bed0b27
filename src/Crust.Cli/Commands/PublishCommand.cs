using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Planning;
using Crust.Registries;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class PublishCommand
{
    public static Command Create()
    {
        var spec = new SpecOptions();
        var output = CommonOptions.Output();
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var dryRun = new Option<bool>("--dry-run") { Description = "Say where the images would go; talk to no registry, and look for no image." };
        var command = new Command("publish", "Pushes finished images into a registry, with manifest, report and checksums attached.") { output, json, quiet, dryRun };
        spec.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            var wanted = spec.Read(parse, environment);
            await using var services = new CrustServices(environment, parse.GetRequiredValue(output), view, MessageWriter.Of(parse).Hidden);
            var to = parse.InvocationConfiguration;
            var isDry = parse.GetValue(dryRun);
            wanted = isDry ? wanted : await services.Sources.PinAsync(wanted, cancellation);
            var forecast = services.Forecaster.OfMade(wanted);
            if (isDry)
            {
                var targets = services.Publisher.Preview(wanted, forecast.Name, forecast.Key);
                await view.DisposeAsync();
                to.Output.Write(parse.GetValue(json)
                    ? new JsonArray([.. targets.Select(ToJson)]).ToJsonString() + "\n"
                    : string.Concat(targets.Select(target => $"{target.Index}\n")));
                return (int)ExitCode.Done;
            }

            var published = await services.Publisher.PublishAsync(wanted, forecast.Name, OutdatedIn(forecast), cancellation);
            await services.Exchange.PushDiskAsync(wanted, forecast.Key, cancellation);
            await view.DisposeAsync();
            to.Output.Write(parse.GetValue(json) ? published.ToJson() : string.Concat(published.Images.Select(image => $"{image.Reference}\n")));
            return (int)ExitCode.Done;
        });
        return command;
    }

    // Where the build key isn't known without a download, the manifest's word counts.
    private static IReadOnlyCollection<string> OutdatedIn(BuildForecast forecast) => forecast.Key is null ? [] : [.. forecast.ToWrite.Select(format => format.Name)];

    private static JsonObject ToJson(PublishTarget target) => new()
    {
        ["format"] = target.Format.Name,
        ["reference"] = target.Image.ToString(),
        ["index"] = target.Index.ToString(),
    };
}
