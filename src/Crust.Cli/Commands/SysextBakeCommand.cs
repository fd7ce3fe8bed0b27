using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Sysexts.Baking;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext bake`: all that a site publishes, of a list of versions.</summary>
internal static class SysextBakeCommand
{
    private const int MostAtOnce = 64;

    public static Command Create()
    {
        var versions = new Argument<string>("VERSIONS") { Description = "The file that lists the extensions and their versions.", DefaultValueFactory = _ => VersionsFile.DefaultName };
        var recipes = new RecipeOptions();
        var url = new Option<string>("--url") { Description = "Where the folder will be served, in place of the file's url.", HelpName = "URL" };
        var keyring = new Option<string>("--keyring") { Description = "The public keys that sign the index: what is in the folder counts only if one of them has signed it.", HelpName = "FILE" };
        var (key, certificate) = (SysextPlanOptions.Key(), SysextPlanOptions.Certificate());
        var partial = new Option<bool>("--partial") { Description = "The folder has the lists that are published, not all that they list: what has been published isn't built again." };
        var goOn = new Option<bool>("--continue") { Description = "Go on from what is published at the URL: its lists are fetched, and without --partial all that they list." };
        var first = new Option<bool>("--first") { Description = "With --continue: nothing may be published yet." };
        var indexOnly = new Option<bool>("--index-only") { Description = "Build nothing, only write the index of what is there." };
        var fetchOnly = new Option<bool>("--fetch-only") { Description = "Only bring what would be built into the local cache; the build then needs no network. What can't be fetched is reported, and fails when it is built." };
        var noIndex = new Option<bool>("--no-index") { Description = "Write no index: a later run with --index-only does so, where the key is." };
        var jobs = new Option<int>("--jobs") { Description = "How many extensions are built side by side.", HelpName = "N", DefaultValueFactory = _ => 2 };
        var spec = new SpecOptions(key => key.Path is "sign.gpgKey" or "sign.passphraseFile");
        var (output, json, quiet) = (CommonOptions.Output(), CommonOptions.Json(), CommonOptions.Quiet());
        output.Description = "The folder: a new one, that of an earlier run, or one that was published.";
        output.DefaultValueFactory = _ => "extensions";
        var command = new Command("bake", "Builds the extensions that a file lists, only what has changed, and writes their index.")
        {
            versions, output, url, keyring, key, certificate, partial, goOn, first, fetchOnly, indexOnly, noIndex, jobs, recipes.Lock, recipes.Mirror, recipes.MirrorMap, recipes.Folder, json, quiet,
        };
        spec.AddOptionsTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var list = VersionsReader.Read(parse.GetRequiredValue(versions));
            var isIndexed = !parse.GetValue(noIndex) && !parse.GetValue(fetchOnly);
            var address = parse.GetValue(url) is { } given ? SysextIndexCommand.UrlOf(given) : list.Url;
            if ((isIndexed || parse.GetValue(goOn)) && address is null)
            {
                throw new CrustException(FailureKind.BadInput, "Nothing says where the folder will be served", list.Path, "write url: into it, or give --url; with --no-index none is needed");
            }

            if (parse.GetValue(jobs) is < 1 or > MostAtOnce)
            {
                throw new CrustException(FailureKind.BadInput, "That is no number of extensions to build side by side", $"--jobs {parse.GetValue(jobs)}", $"write a number from 1 to {MostAtOnce}");
            }

            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            var sign = spec.Read(parse, environment).Sign;
            await using var services = new CrustServices(environment, parse.GetRequiredValue(output), view, MessageWriter.Of(parse).Hidden);
            var request = new BakeRequest(list, recipes.BookOf(parse), recipes.LockOf(parse), recipes.MirrorsOf(parse), services.Folders.Images,
                SysextPlanOptions.SignerOf(null, parse.GetValue(key), parse.GetValue(certificate)), parse.GetValue(keyring), parse.GetValue(partial), parse.GetValue(jobs))
            {
                Continue = parse.GetValue(goOn) ? address : null,
                MayBeFirst = parse.GetValue(first),
            };
            var result = parse.GetValue(indexOnly) ? Bakery.Nothing(request) : parse.GetValue(fetchOnly) ? await services.Bakery.FetchAsync(request, cancellation) : await services.Bakery.BuildAsync(request, cancellation);
            ImmutableArray<string> written = isIndexed && (parse.GetValue(indexOnly) || result.Built.Length + result.Kept.Length > 0) ? (await services.SysextIndex.WriteAsync(
                new IndexRequest(request.Folder, address!, sign, list.Pinned, request.IsPartial ? result.List : null) { OnlyIfChanged = true }, cancellation)).Written : [];
            await view.DisposeAsync();
            Tell(parse, result);
            parse.InvocationConfiguration.Output.Write(parse.GetValue(json) ? ToJson(result, written).ToJsonString() + "\n" : ToText(result, written, parse.GetValue(fetchOnly)));
            // What can't be fetched is told, and fails when it is built: the others need not wait for it.
            return parse.GetValue(fetchOnly) ? (int)ExitCode.Done : CodeOf(result);
        });
        return command;
    }

    // Bad input counts only where nothing else failed: another try mends none.
    private static int CodeOf(BakeResult result) =>
        result.Failed.Select(failure => failure.Error.Kind).OrderBy(kind => kind is FailureKind.BadInput).Select(kind => (int)kind).FirstOrDefault((int)ExitCode.Done);

    private static void Tell(ParseResult parse, BakeResult result)
    {
        foreach (var warning in result.Warnings)
        {
            MessageWriter.Of(parse).Warn(warning);
        }

        foreach (var (_, error) in result.Failed)
        {
            MessageWriter.Of(parse).Fail(error);
        }
    }

    private static string ToText(BakeResult result, ImmutableArray<string> written, bool isFetched) => string.Concat(
    [
        .. result.Built.Select(file => isFetched ? $"fetched  {file.FileName}\n" : $"built    {file.Sha256}  {file.FileName}\n"),
        .. result.Kept.Select(file => $"kept     {file.Sha256}  {file.FileName}\n"),
        .. result.Failed.Select(failure => $"failed   {failure.FileName}\n"),
        .. written.Select(name => $"written  {name}\n"),
    ]);

    private static JsonObject ToJson(BakeResult result, ImmutableArray<string> written) => new()
    {
        ["built"] = new JsonArray([.. result.Built.Select(file => new JsonObject
        {
            ["file"] = file.FileName,
            ["sha256"] = file.Sha256.Length > 0 ? file.Sha256 : null,
            ["sources"] = new JsonArray([.. file.Sources.Select(source => new JsonObject { ["recipe"] = source.Recipe, ["version"] = source.Version, ["url"] = source.Url, ["sha256"] = source.Sha256 })]),
        })]),
        ["kept"] = new JsonArray([.. result.Kept.Select(file => new JsonObject { ["file"] = file.FileName, ["sha256"] = file.Sha256 })]),
        ["failed"] = new JsonArray([.. result.Failed.Select(failure => new JsonObject { ["file"] = failure.FileName, ["error"] = CleanText.Line(failure.Error.What), ["remedy"] = CleanText.Line(failure.Error.Remedy) })]),
        ["written"] = new JsonArray([.. written.Select(name => (JsonNode)name)]),
    };
}
