using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Recipes;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Cli.Commands;

/// <summary>`crust recipe`: what upstream software there are recipes for, and what they say.</summary>
internal static class RecipeCommand
{
    private const string OwnFolder = "recipes";

    public static Command Create() => new("recipe", "Shows the recipes for upstream software: where it comes from, by which sums it is pinned, and where its files go.") { List(), Show() };

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

    private static Command Show()
    {
        var name = new Argument<string>("NAME[@VERSION]") { Description = "The recipe, and perhaps one of its versions; its newest otherwise." };
        var (folder, json) = (Folder(), CommonOptions.Json());
        var command = new Command("show", "Shows a version's downloads with their sums, and where its files go.") { name, folder, json };
        command.SetAction(parse =>
        {
            var (wanted, version) = parse.GetRequiredValue(name).Split('@', 2) is [var first, var second] ? (first, second) : (parse.GetRequiredValue(name), null);
            var recipe = BookOf(parse.GetValue(folder)).Get(wanted);
            var document = Describe(recipe, RecipeBook.VersionOf(recipe, version));
            parse.InvocationConfiguration.Output.WriteLine(parse.GetValue(json) ? document.ToJsonString() : Text(document));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static JsonObject Describe(Recipe recipe, RecipeVersion version) => new()
    {
        ["name"] = recipe.Name,
        ["summary"] = recipe.Summary,
        ["homepage"] = recipe.Homepage,
        ["license"] = recipe.License,
        ["version"] = version.Version,
        ["with"] = new JsonObject(version.With.OrderBy(other => other.Key, StringComparer.Ordinal).Select(other => KeyValuePair.Create(other.Key, (JsonNode?)other.Value))),
        ["downloads"] = new JsonArray([.. recipe.Downloads.SelectMany(download => download.Archs.Select(arch => new JsonObject
        {
            ["name"] = download.Name,
            ["arch"] = arch.LowerName(),
            ["url"] = Placeholders.Url(download.Url, recipe, download, version.Version, arch).AbsoluteUri,
            ["sha256"] = version.Sums.GetValueOrDefault((arch, download.Name)),
        }))]),
        ["files"] = new JsonArray([.. recipe.Files.Select(file => new JsonObject
        {
            ["from"] = file.Inner.Length > 0 ? $"{file.Download}:{file.Inner}" : file.Download,
            ["to"] = file.Target,
            ["for"] = new JsonArray([.. (file.For.IsEmpty ? Enum.GetValues<RecipeUse>() : [.. file.For]).Select(use => (JsonNode)use.LowerName())]),
        })]),
        ["links"] = new JsonArray([.. recipe.Links.Select(link => new JsonObject { ["at"] = link.Target, ["to"] = link.To })]),
    };

    private static string Text(JsonObject document)
    {
        var lines = new List<string> { $"{document["name"]} {document["version"]}: {document["summary"]}", $"  {document["homepage"]}, {document["license"]}" };
        lines.AddRange(document["with"]!.AsObject().Select(other => $"  with {other.Key} {other.Value}"));
        lines.AddRange(document["downloads"]!.AsArray().SelectMany(download => new[] { $"  {download!["arch"]}  {download["url"]}", $"         {download["sha256"] ?? "no sum is known"}" }));
        lines.AddRange(document["files"]!.AsArray().Select(file => $"  {file!["from"]} → {file["to"]}{(file["for"]!.AsArray() is [var only] ? $" ({only} only)" : "")}"));
        lines.AddRange(document["links"]!.AsArray().Select(link => $"  {link!["at"]} is a link to {link["to"]}"));
        return string.Join('\n', lines);
    }

    private static RecipeBook BookOf(string? folder) =>
        new(Path.Combine(Folders.BuilderBesideProgram, "recipes"), folder is not null ? Path.GetFullPath(folder) : Directory.Exists(OwnFolder) ? Path.GetFullPath(OwnFolder) : null);

    private static Option<string> Folder() => new("--recipes") { Description = $"The folder with recipes of your own, which win over those of the same name ({OwnFolder}/ if it is there).", HelpName = "FOLDER" };
}
