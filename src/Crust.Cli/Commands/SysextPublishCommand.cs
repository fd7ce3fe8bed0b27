using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Spec;
using Crust.Sysexts;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext publish`: system extensions in a registry.</summary>
internal static class SysextPublishCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("FOLDER") { Description = "The folder with the extensions, named NAME-VERSION-ARCHITECTURE.raw." };
        var spec = new SpecOptions(key => key.Path is "publish.repository" or "publish.overwrite" or "publish.authFile" or "publish.certDir" or "publish.tls" or "publish.retries" or "publish.stall");
        var (json, quiet) = (CommonOptions.Json(), CommonOptions.Quiet());
        var command = new Command("publish", "Pushes system extensions to a registry as OCI artifacts, one index over architectures for each version.") { folder, json, quiet };
        spec.AddOptionsTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, ".", view, MessageWriter.Of(parse).Hidden);
            var place = Path.GetFullPath(parse.GetRequiredValue(folder));
            var published = await services.SysextPublisher.PublishAsync(place, await SysextIndex.HashAsync(place, cancellation), spec.Read(parse, environment).Publish, cancellation);
            await view.DisposeAsync();
            parse.InvocationConfiguration.Output.Write(parse.GetValue(json)
                ? new JsonArray([.. published.Select(one => new JsonObject
                {
                    ["name"] = one.Name,
                    ["version"] = one.Version,
                    ["reference"] = one.Image.ToString(),
                    ["digest"] = one.Digest,
                    ["pushed"] = one.Pushed,
                })]).ToJsonString() + "\n"
                : string.Concat(published.Select(one => $"{one.Image}@{one.Digest}{(one.Pushed ? "" : " (was there already)")}\n")));
            return (int)ExitCode.Done;
        });
        return command;
    }
}
