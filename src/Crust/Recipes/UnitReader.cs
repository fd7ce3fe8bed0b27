using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>Reads a recipe's units, and the users that they run as.</summary>
internal static partial class UnitReader
{
    /// <summary>What the name of a unit is written like (systemd.unit(5)).</summary>
    public const string UnitPattern = @"[A-Za-z0-9:_.\\-]+@?\.(service|socket|timer|path|mount|target|slice)";

    /// <summary>What the name of a user or group is written like (systemd's "User/Group Name Syntax", the strict form).</summary>
    public const string UserPattern = "[a-z_][a-z0-9_-]{0,30}";

    // What every system has, or makes up.
    private static readonly ImmutableArray<string> KnownUsers = ["root", "nobody"];

    public static ImmutableArray<RecipeUser> Users(YamlMapping root) =>
    [
        .. root.Texts("groups").Select(name => new RecipeUser(UserForm().IsMatch(name) ? name : throw root.Wrong("groups", $"'{name}' is no name of a group",
            "write lower-case letters, digits, dashes and underscores"), true, "", null)),
        .. root.Mappings("users").Select(User),
    ];

    public static ImmutableArray<RecipeUnit> Units(YamlMapping root, Recipe recipe) => [.. root.Mappings("units").Select(keys => Unit(keys, recipe))];

    private static RecipeUser User(YamlMapping keys)
    {
        var name = keys.Required("name");
        var user = new RecipeUser(UserForm().IsMatch(name) ? name : throw keys.Wrong("name", $"'{name}' is no name of a user", "write lower-case letters, digits, dashes and underscores"),
            false, keys.Text("comment") ?? "", keys.Text("home"));
        if (user.Comment.Any(c => c is ':' or '"' or '\\' || char.IsControl(c)))
        {
            throw keys.Wrong("comment", "The comment has characters that /etc/passwd can't hold", "write it without colons, quotes and backslashes");
        }

        if (user.Home is { } home && (home[0] != '/' || !RecipeValues.IsInside(home[1..]) || home.Any(char.IsWhiteSpace)))
        {
            throw keys.Wrong("home", $"'{home}' is no path in the target", "write an absolute path without .. and blanks");
        }

        keys.End();
        return user;
    }

    private static RecipeUnit Unit(YamlMapping keys, Recipe recipe)
    {
        var unit = new RecipeUnit(UnitName(keys, "name", keys.Required("name")), keys.Text("dropIn"), keys.Text("text") is null ? null : RecipeValues.Text(keys, "text"),
            keys.Text("wantedBy") is { } by ? UnitName(keys, "wantedBy", by) : null, RecipeValues.Scope(keys, recipe.Variants));
        if (unit.DropIn is { } dropIn && !DropInForm().IsMatch(dropIn))
        {
            throw keys.Wrong("dropIn", $"'{dropIn}' is no name of a drop-in: systemd reads those that end in .conf", "write a name such as 10-tool.conf");
        }

        if (unit.Text is null && (unit.DropIn is not null || unit.WantedBy is null))
        {
            throw keys.Wrong("text", $"Nothing says what {unit.Name} does", "write text: with the unit's lines, or wantedBy: for a unit that comes with the download");
        }

        if (unit.DropIn is not null && unit.WantedBy is not null)
        {
            throw keys.Wrong("wantedBy", "A drop-in isn't started by itself", "write wantedBy: with the unit, not with its drop-in");
        }

        CheckText(keys, unit, recipe.Users);
        keys.End();
        return unit;
    }

    private static string UnitName(YamlMapping keys, string key, string name) => UnitForm().IsMatch(name) ? name
        : throw keys.Wrong(key, $"'{name}' is no name of a unit", "write a name with its suffix, such as tool.service");

    private static void CheckText(YamlMapping keys, RecipeUnit unit, ImmutableArray<RecipeUser> users)
    {
        var lines = (unit.Text ?? "").Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] is not ('#' or ';')).ToList();
        if (unit.Text is not null && (lines is not [var first, ..] || !first.StartsWith('[')))
        {
            throw keys.Wrong("text", $"The text of {unit.Name} doesn't begin with a section", "write [Unit] or [Service] before its first line");
        }

        // Of specifiers and numbers nothing can be said here.
        var missing = lines.Select(line => Runs().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value)
            .FirstOrDefault(name => UserForm().IsMatch(name) && !KnownUsers.Contains(name) && users.All(user => user.Name != name));
        if (missing is not null)
        {
            throw keys.Wrong("text", $"{unit.Name} runs as '{missing}', which the recipe doesn't make", $"write users: [{{ name: {missing} }}], or groups: [{missing}]");
        }
    }

    [GeneratedRegex($@"\A{UnitPattern}\z")]
    private static partial Regex UnitForm();

    [GeneratedRegex($@"\A{UserPattern}\z")]
    private static partial Regex UserForm();

    [GeneratedRegex(@"\A[A-Za-z0-9:_.\-]+\.conf\z")]
    private static partial Regex DropInForm();

    [GeneratedRegex(@"\A(User|Group|SocketUser|SocketGroup)\s*=\s*(?<name>\S+)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Runs();
}
