using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Recipes.Sources;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class RecipeLock
{
    public static Command Create()
    {
        var options = new RecipeOptions();
        var command = new Command("lock", $"Writes upstream's own sums of recipes into {LockFile.DefaultName}. A sum that contradicts the recipe's, or an earlier one, is refused.");
        options.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            await using var view = ProgressView.Create(environment, parse.GetValue(options.Quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, "images", view, MessageWriter.Of(parse).Hidden);
            var (book, before) = (options.BookOf(parse), options.LockOf(parse));
            var picks = options.PicksOf(parse, book, before).SelectMany(one => one).DistinctBy(pick => pick.Label).ToList();
            var after = await services.Recipes.LockAsync(book, before, picks, parse.GetValue(options.Archs) ?? [], options.MirrorsOf(parse), cancellation);
            after.Write();
            await view.DisposeAsync();
            var locked = after.Entries.Where(entry => picks.Any(pick => (pick.Recipe.Name, pick.Version.Version) == (entry.Recipe, entry.Version))).ToList();
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(options.Json))
            {
                output.WriteLine(new JsonArray([.. locked.Select(Describe)]).ToJsonString());
                return (int)ExitCode.Done;
            }

            foreach (var entry in locked)
            {
                output.WriteLine($"{entry.Recipe} {entry.Version} {entry.Arch.LowerName()} {entry.Download}\n  {entry.Sha256}\n  from {entry.From}{(entry.Key is { } key ? $", signed by {key}" : "")}");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    public static JsonObject Describe(LockEntry entry) => new()
    {
        ["recipe"] = entry.Recipe,
        ["version"] = entry.Version,
        ["arch"] = entry.Arch.LowerName(),
        ["download"] = entry.Download,
        ["url"] = entry.Url,
        ["sha256"] = entry.Sha256,
        ["from"] = entry.From,
        ["key"] = entry.Key,
    };
}
