using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Recipes;
using Crust.Storage;

namespace Crust.Cli.Commands;

/// <summary>`crust recipe`: what upstream software there are recipes for, and what they say.</summary>
internal static class RecipeCommand
{
    private const string OwnFolder = "recipes";

    public static Command Create() => new("recipe", "Shows, locks, updates and fetches the recipes for upstream software: where it comes from, by which sums it is pinned, and what a system gets of it.") { List(), RecipeShow.Create(), RecipeLock.Create(), RecipeUpdate.Create(), RecipeFetch.Create() };

    private static Command List()
    {
        var (folder, json) = (Folder(), CommonOptions.Json());
        var command = new Command("list", "Lists the recipes with the newest version that each pins.") { folder, json };
        command.SetAction(parse =>
        {
            var book = BookOf(parse.GetValue(folder));
            var recipes = book.Names.Select(book.Get).ToList();
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json))
            {
                output.WriteLine(new JsonArray([.. recipes.Select(recipe => new JsonObject
                {
                    ["name"] = recipe.Name,
                    ["summary"] = recipe.Summary,
                    ["versions"] = new JsonArray([.. recipe.Versions.Select(version => (JsonNode)version.Version)]),
                })]).ToJsonString());
                return (int)ExitCode.Done;
            }

            var (names, versions) = (recipes.Max(recipe => recipe.Name.Length), recipes.Max(recipe => recipe.Versions[0].Version.Length));
            foreach (var recipe in recipes)
            {
                output.WriteLine($"{recipe.Name.PadRight(names)}  {recipe.Versions[0].Version.PadRight(versions)}  {recipe.Summary}");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>A recipe's name, and the version behind an at sign if there is one.</summary>
    public static (string Name, string? Version) Parse(string text) => text.Split('@', 2) is [var name, var version] ? (name, version) : (text, null);

    public static RecipeBook BookOf(string? folder) =>
        new(Path.Combine(Folders.BuilderBesideProgram, "recipes"), folder is not null ? Path.GetFullPath(folder) : Directory.Exists(OwnFolder) ? Path.GetFullPath(OwnFolder) : null);

    public static Option<string> Folder() => new("--recipes") { Description = $"The folder with recipes of your own, which win over those of the same name ({OwnFolder}/ if it is there).", HelpName = "FOLDER" };
}
