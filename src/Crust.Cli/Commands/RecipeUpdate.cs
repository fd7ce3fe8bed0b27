using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts.Baking;

namespace Crust.Cli.Commands;

/// <summary>`crust recipe update`: upstream's newer versions, as a change of files for people to look at.</summary>
internal static class RecipeUpdate
{
    public static Command Create()
    {
        var options = new RecipeOptions();
        var names = new Argument<string[]>("NAME") { Description = "The recipes; without one, those that the list of versions has, or else those that are locked or your own.", Arity = ArgumentArity.ZeroOrMore };
        var versions = new Option<string>("--versions") { Description = $"The file that lists extensions and their versions ({VersionsFile.DefaultName} if it is there).", HelpName = "FILE" };
        var dry = new Option<bool>("--dry-run") { Description = "Only say what would change." };
        var command = new Command("update", "Asks upstream for newer versions and rewrites what pins them, by upstream's own sums: the list of versions, the lock file, recipes of your own. Nothing is installed or built.")
        {
            names, versions, options.Lock, options.Mirror, options.MirrorMap, options.Folder, dry, options.Json, options.Quiet,
        };
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var file = parse.GetValue(versions) ?? (File.Exists(VersionsFile.DefaultName) ? VersionsFile.DefaultName : null);
            await using var view = ProgressView.Create(environment, parse.GetValue(options.Quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, "images", view, MessageWriter.Of(parse).Hidden);
            var request = new ProposalRequest([.. parse.GetValue(names) ?? []], file is null ? null : VersionsReader.Read(file), options.BookOf(parse), options.LockOf(parse), options.MirrorsOf(parse));
            var changes = await services.Proposer.FindAsync(request, cancellation);
            foreach (var (path, text) in parse.GetValue(dry) ? [] : changes.Files)
            {
                Write(path, text);
            }

            await view.DisposeAsync();
            foreach (var (_, error) in changes.Failed)
            {
                MessageWriter.Of(parse).Fail(error);
            }

            parse.InvocationConfiguration.Output.Write(parse.GetValue(options.Json) ? ToJson(changes).ToJsonString() + "\n" : ToText(changes));
            return changes.Failed.Select(failure => failure.Error.Kind).OrderBy(kind => kind is FailureKind.BadInput).Select(kind => (int)kind).FirstOrDefault((int)ExitCode.Done);
        });
        return command;
    }

    // It keeps its permissions: it belongs into version control.
    private static void Write(string path, string text)
    {
        try
        {
            var mode = File.Exists(path) ? File.GetUnixFileMode(path) : Recipes.RecipeConfig.Plain;
            WholeFile.Replace(path, text);
            File.SetUnixFileMode(path, mode);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The file can't be written: {e.Message}", path, "make it and its folder writable, and run it again", e);
        }
    }

    private static string ToText(ProposedChanges changes) => string.Concat(
    [
        .. changes.Proposals.Select(one => $"{one.Recipe} {one.From} → {one.To}\n"
            + string.Concat(one.Entries.Select(entry => $"  {entry.Sha256}  {entry.Recipe} {entry.Version} {entry.Arch.LowerName()} {entry.Download}\n    from {entry.From}{(entry.Key is { } key ? $", signed by {key}" : "")}\n"))),
        .. changes.Skipped.Select(one => $"{one.Recipe}: {one.Why}\n"),
        .. changes.Failed.Select(one => $"{one.Recipe}: refused, {CleanText.Line(one.Error.What)}\n"),
        changes.Proposals.IsEmpty && changes.Skipped.IsEmpty && changes.Failed.IsEmpty ? "nothing is newer\n" : "",
    ]);

    private static JsonObject ToJson(ProposedChanges changes) => new()
    {
        ["proposals"] = new JsonArray([.. changes.Proposals.Select(one => new JsonObject
        {
            ["recipe"] = one.Recipe,
            ["from"] = one.From,
            ["to"] = one.To,
            ["sums"] = new JsonArray([.. one.Entries.Select(RecipeLock.Describe)]),
        })]),
        ["skipped"] = new JsonArray([.. changes.Skipped.Select(one => new JsonObject { ["recipe"] = one.Recipe, ["why"] = one.Why })]),
        ["failed"] = new JsonArray([.. changes.Failed.Select(one => new JsonObject { ["recipe"] = one.Recipe, ["error"] = CleanText.Line(one.Error.What), ["remedy"] = CleanText.Line(one.Error.Remedy) })]),
        ["files"] = new JsonArray([.. changes.Files.Select(file => (JsonNode)file.Path)]),
    };
}
