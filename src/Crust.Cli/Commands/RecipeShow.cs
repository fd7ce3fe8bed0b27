using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Recipes;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class RecipeShow
{
    public static Command Create()
    {
        var name = new Argument<string>("NAME[@VERSION]") { Description = "The recipe, and perhaps one of its versions; its newest otherwise." };
        var (folder, json) = (RecipeCommand.Folder(), CommonOptions.Json());
        var command = new Command("show", "Shows a version's downloads with their sums, and what a system gets of it.") { name, folder, json };
        command.SetAction(parse =>
        {
            var (wanted, version) = RecipeCommand.Parse(parse.GetRequiredValue(name));
            var recipe = RecipeCommand.BookOf(parse.GetValue(folder)).Get(wanted);
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
        ["variants"] = new JsonObject(recipe.Variants.Select(variant => KeyValuePair.Create(variant.Name, (JsonNode?)variant.Summary))),
        ["with"] = new JsonObject(version.With.OrderBy(other => other.Key, StringComparer.Ordinal).Select(other => KeyValuePair.Create(other.Key, (JsonNode?)other.Value))),
        ["downloads"] = List(recipe.Downloads.SelectMany(download => download.Archs.Select(arch => new JsonObject
        {
            ["name"] = download.Name,
            ["arch"] = arch.LowerName(),
            ["package"] = download.Package,
            ["url"] = download.Package is null ? Placeholders.Url(download.Url, recipe, download, version.Version, arch).AbsoluteUri : null,
            ["sha256"] = version.Sums.GetValueOrDefault((arch, download.Name)),
        }))),
        ["files"] = List(recipe.Files.Select(file => Scoped(file.Scope, ("from", file.Inner.Length > 0 ? $"{file.Download}:{file.Inner}" : file.Download), ("to", file.Target)))),
        ["links"] = List(recipe.Links.Select(link => Scoped(link.Scope, ("at", link.Target), ("to", link.To)))),
        ["config"] = List(recipe.Config.Select(config => Scoped(config.Scope, ("at", config.Target)))),
        ["units"] = List(recipe.Units.Select(unit => Scoped(unit.Scope, ("name", unit.Name), ("dropIn", unit.DropIn), ("wantedBy", unit.WantedBy)))),
        ["users"] = List(recipe.Users.Select(user => new JsonObject { ["name"] = user.Name, ["group"] = user.IsGroup })),
        ["tmpfiles"] = List(recipe.Tmpfiles.Select(line => Scoped(line.Scope, ("line", line.Line)))),
    };

    private static JsonArray List(IEnumerable<JsonObject> entries) => new([.. entries]);

    private static JsonObject Scoped(RecipeScope scope, params (string Key, string? Value)[] values) => new(
    [
        .. values.Select(value => KeyValuePair.Create(value.Key, (JsonNode?)value.Value)),
        KeyValuePair.Create("for", (JsonNode?)new JsonArray([.. (scope.For.IsEmpty ? Enum.GetValues<RecipeUse>() : [.. scope.For]).Select(use => (JsonNode)use.LowerName())])),
        KeyValuePair.Create("only", (JsonNode?)new JsonArray([.. scope.Variants.Select(variant => (JsonNode)variant)])),
    ]);

    private static string Text(JsonObject document)
    {
        var lines = new List<string> { $"{document["name"]} {document["version"]}: {document["summary"]}", $"  {document["homepage"]}, {document["license"]}" };
        lines.AddRange(document["variants"]!.AsObject().Select(variant => $"  variant {variant.Key}: {variant.Value}"));
        lines.AddRange(document["with"]!.AsObject().Select(other => $"  with {other.Key} {other.Value}"));
        lines.AddRange(document["downloads"]!.AsArray().SelectMany(download => new[]
        {
            $"  {download!["arch"]}  {download["url"] ?? $"Debian's package {download["package"]}"}",
            $"         {download["sha256"] ?? (download["url"] is null ? "where it is, and its sum, are those of apt when it is locked" : "no sum is known")}",
        }));
        void Add(string section, Func<JsonNode, string> text) => lines.AddRange(document[section]!.AsArray().Select(entry => $"  {text(entry!)}{Limits(entry!)}"));
        Add("files", file => $"{file["from"]} → {file["to"]}");
        Add("links", link => $"{link["at"]} is a link to {link["to"]}");
        Add("config", config => $"{config["at"]} has a default");
        Add("units", unit => unit["dropIn"] is { } dropIn ? $"drop-in {dropIn} of {unit["name"]}" : $"unit {unit["name"]}{(unit["wantedBy"] is { } by ? $", started by {by}" : "")}");
        Add("users", user => $"{((bool)user["group"]! ? "group" : "user")} {user["name"]}");
        Add("tmpfiles", line => $"tmpfiles {line["line"]}");
        return string.Join('\n', lines);
    }

    private static string Limits(JsonNode entry)
    {
        string[] limits =
        [
            .. entry["for"] is JsonArray and [var use] ? [$"{use} only"] : Array.Empty<string>(),
            .. entry["only"] is JsonArray { Count: > 0 } variants ? [$"variants {string.Join(", ", variants)}"] : Array.Empty<string>(),
        ];
        return limits.Length > 0 ? $" ({string.Join("; ", limits)})" : "";
    }
}
