using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Recipes;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class RecipeFetch
{
    public static Command Create()
    {
        var options = new RecipeOptions();
        var use = new Option<string?>("--for") { Description = "Only what this use needs: layer or sysext.", HelpName = "USE" };
        use.AcceptOnlyFromAmong([.. Enum.GetValues<RecipeUse>().Select(value => value.LowerName())]);
        var variant = new Option<string?>("--variant") { Description = "Only what this variant needs; with --for.", HelpName = "NAME" };
        var command = new Command("fetch", "Brings the files of recipes into the local cache, checks their sums, and prints where they are. A download that was cut off goes on where it stopped.") { use, variant };
        options.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            await using var view = ProgressView.Create(environment, parse.GetValue(options.Quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, "images", view, MessageWriter.Of(parse).Hidden);
            var (book, locked) = (options.BookOf(parse), options.LockOf(parse));
            var of = Enum.GetValues<RecipeUse>().Cast<RecipeUse?>().FirstOrDefault(value => value!.Value.LowerName() == parse.GetValue(use));
            if (of is null && parse.GetValue(variant) is { } lonely)
            {
                throw new CrustException(FailureKind.BadInput, "A variant is one of a use", $"--variant {lonely}", "write --for layer or --for sysext beside it");
            }

            var results = new JsonArray();
            foreach (var picks in options.PicksOf(parse, book, locked))
            {
                var archs = parse.GetValue(options.Archs) is { Length: > 0 } some ? some : [Arch.Amd64];
                foreach (var file in await services.Recipes.FetchAsync(locked, picks, archs, of, parse.GetValue(variant), options.MirrorsOf(parse), cancellation))
                {
                    results.Add(new JsonObject
                    {
                        ["recipe"] = file.Pick.Recipe.Name,
                        ["version"] = file.Pick.Version.Version,
                        ["arch"] = file.Arch.LowerName(),
                        ["download"] = file.Download.Name,
                        ["url"] = file.Url.AbsoluteUri,
                        ["sha256"] = file.Sha256,
                        ["path"] = file.Path,
                    });
                }
            }

            await view.DisposeAsync();
            parse.InvocationConfiguration.Output.WriteLine(parse.GetValue(options.Json) ? results.ToJsonString()
                : string.Join('\n', results.Select(file => $"{file!["recipe"]} {file["version"]} {file["arch"]} {file["download"]}\n  {file["path"]}")));
            return (int)ExitCode.Done;
        });
        return command;
    }
}
