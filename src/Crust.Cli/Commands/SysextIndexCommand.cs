using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Spec;
using Crust.Sysexts;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext index`: what machines need to update from a folder of system extensions.</summary>
internal static class SysextIndexCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("FOLDER") { Description = "The folder with the extensions, named NAME-VERSION-ARCHITECTURE.raw." };
        var url = new Option<string>("--url") { Description = "Where the folder will be served.", HelpName = "URL", Required = true };
        var spec = new SpecOptions(key => key.Path is "sign.gpgKey" or "sign.passphraseFile");
        var pins = new Option<string[]>("--pin-minor")
        {
            Description = "Extensions for which there are definitions that stay on a minor version, too.",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [.. SysextIndex.UsuallyPinned],
        };
        var previous = new Option<string>("--previous") { Description = "A SHA256SUMS that was published before: its files stay listed, also where they aren't in the folder.", HelpName = "FILE" };
        var json = CommonOptions.Json();
        var command = new Command("index", "Writes SHA256SUMS, its signature and the transfer definitions by which systemd-sysupdate updates.") { folder, url, pins, previous, json };
        spec.AddOptionsTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            await using var view = ProgressView.Create(environment, quiet: true, MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, ".", view, MessageWriter.Of(parse).Hidden);
            var request = new IndexRequest(Path.GetFullPath(parse.GetRequiredValue(folder)), UrlOf(parse.GetRequiredValue(url)), spec.Read(parse, environment).Sign,
                [.. parse.GetValue(pins) ?? []], parse.GetValue(previous));
            var result = await services.SysextIndex.WriteAsync(request, cancellation);
            await view.DisposeAsync();
            parse.InvocationConfiguration.Output.Write(parse.GetValue(json) ? ToJson(result).ToJsonString() + "\n" : string.Concat(result.Written.Select(name => name + "\n")));
            return (int)ExitCode.Done;
        });
        return command;
    }

    public static Uri UrlOf(string text) => Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out var url) && url.Scheme is "https" or "http"
        ? url
        : throw new CrustException(FailureKind.BadInput, $"'{text}' isn't a URL from which systemd-sysupdate could take anything", "--url", "write one that begins with https://");

    private static JsonObject ToJson(IndexResult result) => new()
    {
        ["extensions"] = new JsonArray([.. result.Files.Select(entry => new JsonObject
        {
            ["name"] = entry.File.Name,
            ["version"] = entry.File.Version,
            ["arch"] = entry.File.Arch.LowerName(),
            ["file"] = entry.File.FileName,
            ["sha256"] = entry.Sha256,
        })]),
        ["written"] = new JsonArray([.. result.Written.Select(name => (JsonNode)name)]),
        ["key"] = result.Key,
    };
}
