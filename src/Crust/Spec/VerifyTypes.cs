using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crust.Sanitizing;

namespace Crust.Spec;

/// <summary>The kinds of values that only the proof of images has.</summary>
internal static class VerifyTypes
{
    /// <summary>The word for a log-in; a mapping below the key means the same.</summary>
    public const string Login = "login";

    private const int MostChecks = 100;

    /// <summary>Whether images are booted.</summary>
    public static readonly ValueType<VerifyBoot> Boot = new(
        "auto|true|false",
        given => given.Single.Text switch
        {
            "auto" => VerifyBoot.Auto,
            "true" => VerifyBoot.True,
            "false" => VerifyBoot.False,
            _ => throw ValueTypes.Bad(given.Single, "is neither auto, true nor false", "write auto, true or false"),
        },
        value => value.LowerName(),
        () => new JsonObject { ["type"] = new JsonArray("boolean", "string"), ["pattern"] = "^auto$" })
    { IsSwitch = true };

    public static readonly ValueType<SshProof> Ssh = new(
        $"true|false|{Login}",
        given => given.Single.Text switch
        {
            "true" => SshProof.Banner,
            "false" => SshProof.None,
            Login => SshProof.Login,
            _ => throw ValueTypes.Bad(given.Single, $"is neither true, false nor {Login}", $"write true to wait for the server's banner; {Login}, or user and key below the key, to log in"),
        },
        value => value switch { SshProof.Banner => "true", SshProof.Login => Login, _ => "false" },
        () => new JsonObject { ["type"] = new JsonArray("boolean", "string"), ["pattern"] = $"^{Login}$" })
    { IsSwitch = true };

    public static readonly ValueType<ImmutableArray<string>> Checks = ListType.Of(
        new ValueType<string>("COMMAND", given => Command(given.Single), value => value, () => new JsonObject { ["type"] = "string" }), MostChecks);

    private static string Command(GivenItem item)
    {
        // A YAML block ends with a line break, which isn't meant.
        var text = item.Text.Trim();
        return text.Length == 0 ? throw new CrustException(FailureKind.BadInput, "A check is empty", item.Where, "write a command line that exits with 0 where all is well")
            : text.Any(char.IsControl) ? throw ValueTypes.Bad(item with { Text = CleanText.Line(text) }, "holds a line break or another control character",
                "write it on one line, with && or ; between its commands")
            : text;
    }
}
