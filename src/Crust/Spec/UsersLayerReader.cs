using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>Reads `users` entries of `layers`: accounts with keys. Passwords have no place there: whoever has an image would have their hashes.</summary>
internal static partial class UsersLayerReader
{
    public const string Kind = "users";

    private static readonly ImmutableArray<string> Passwords = ["password", "passwd", "plain_text_passwd", "hashed_passwd", "passwordHash", "passwordFile"];

    public static LayerSpec.Users Read(YamlMapping entry, string folder)
    {
        ImmutableArray<LayerUser> accounts = [.. entry.Mappings(Kind).Select(account => Account(account, folder))];
        if (accounts.IsEmpty)
        {
            throw entry.Wrong(Kind, "There are no users", "write users: and below it - { name: NAME, keys: [ id.pub ] }");
        }

        return accounts.GroupBy(account => account.Name).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw entry.Wrong(Kind, $"Two users are called {twice.Key}", "write one entry with all that it is to have")
            : new LayerSpec.Users(accounts) { Where = entry.Where };
    }

    public static JsonObject Schema()
    {
        JsonObject Text() => new() { ["type"] = "string" };
        JsonObject Texts() => new() { ["anyOf"] = new JsonArray(Text(), new JsonObject { ["type"] = "array", ["items"] = Text() }) };
        return new JsonObject
        {
            ["type"] = "array",
            ["items"] = new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("name", "keys"),
                ["additionalProperties"] = false,
                ["properties"] = new JsonObject { ["name"] = Text(), ["keys"] = Texts(), ["sudo"] = new JsonObject { ["type"] = "boolean" }, ["groups"] = Texts(), ["shell"] = Text() },
            },
        };
    }

    private static LayerUser Account(YamlMapping account, string folder)
    {
        if (account.Keys.FirstOrDefault(Passwords.Contains) is { } password)
        {
            throw account.Wrong(password, "A layer gives no passwords: anyone who has the image would have it, or its hash", "give public keys in keys; a password for one machine belongs into its seed");
        }

        var name = account.Required("name");
        if (!NamePattern().IsMatch(name) || name == "root")
        {
            throw account.Wrong("name", name == "root" ? "root is there already" : $"'{name}' can't be a user's name", "name an account of its own: lower-case letters, digits, - and _, 32 at most; sudo: true lets it do everything");
        }

        var given = account.Texts("keys");
        if (given.IsEmpty)
        {
            throw account.Wrong("keys", $"{name} has no key, and with neither key nor password nobody could log in as {name}", "name public keys, such as keys: [ id.pub ]");
        }

        var groups = account.Texts("groups");
        if (groups.FirstOrDefault(group => !NamePattern().IsMatch(group)) is { } wrong)
        {
            throw account.Wrong("groups", $"'{wrong}' can't be a group's name", "write lower-case letters, digits, - and _");
        }

        var shell = account.Text("shell");
        if (shell is not null && !ShellPattern().IsMatch(shell))
        {
            throw account.Wrong("shell", $"'{shell}' is no path of a shell", "write an absolute path, such as /bin/bash");
        }

        ImmutableArray<string> keys = [.. given.Select(key => ValueTypes.PublicKey(new GivenItem(key, account.WhereOf("keys")), folder)).Distinct()];
        var user = new LayerUser(name, keys, [.. given.Where(ValueTypes.IsPublicKeyFile).Select(key => Path.GetFullPath(key, folder))], LayerType.Flag(account, "sudo"), groups, shell);
        account.End();
        return user;
    }

    // useradd's own rule on Debian, SUSE and Red Hat (useradd(8), "CAVEATS").
    [GeneratedRegex(@"\A[a-z_][a-z0-9_-]{0,31}\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\A(/[A-Za-z0-9._+-]+)+\z")]
    private static partial Regex ShellPattern();
}
