using System.Collections.Immutable;
using System.Text;

namespace Crust.Sysexts;

/// <summary>An `os-release` or `extension-release` file (os-release(5)).</summary>
internal sealed class ReleaseFile
{
    public const string Folder = "usr/lib/extension-release.d";

    public const string Prefix = Folder + "/extension-release.";

    private readonly ImmutableDictionary<string, string> _values;

    private ReleaseFile(ImmutableDictionary<string, string> values) => _values = values;

    /// <summary>A value; null if there is none, or an empty one, which systemd takes for none.</summary>
    public string? this[string key] => _values.GetValueOrDefault(key) is { Length: > 0 } value ? value : null;

    public string? Id => this["ID"];

    public string? VersionId => this["VERSION_ID"];

    public string? Level => this["SYSEXT_LEVEL"];

    /// <summary>As systemd spells it (ConditionArchitecture=).</summary>
    public string? Architecture => this["ARCHITECTURE"];

    /// <summary>What an extension says of itself.</summary>
    public static string Compose(SysextPlan plan)
    {
        var text = new StringBuilder().Append("ID=").Append(plan.OsId).Append('\n');
        foreach (var (key, value) in new[] { ("SYSEXT_LEVEL", plan.Level), ("VERSION_ID", plan.OsVersion), ("ARCHITECTURE", SysextFile.ArchName(plan.Arch)), ("EXTENSION_RELOAD_MANAGER", plan.Reload ? "1" : null) })
        {
            text.Append(value is null ? "" : $"{key}={value}\n");
        }

        return text.ToString();
    }

    /// <summary>Whether a value needs no quotes.</summary>
    public static bool IsPlain(string value) => value.Length > 0 && value.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || "._-".Contains(c));

    /// <summary>Reads one; a later line wins, and what is no assignment is skipped, as systemd does.</summary>
    public static ReleaseFile Parse(string text)
    {
        var values = ImmutableDictionary.CreateBuilder<string, string>();
        foreach (var line in text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] is not ('#' or ';')))
        {
            if (line.IndexOf('=') is > 0 and var equals)
            {
                values[line[..equals].TrimEnd()] = Unquoted(line[(equals + 1)..].TrimStart());
            }
        }

        return new ReleaseFile(values.ToImmutable());
    }

    // As a shell reads it: nothing is special in single quotes, a backslash takes the next character in double ones.
    private static string Unquoted(string value)
    {
        var plain = new StringBuilder();
        var quote = '\0';
        for (var at = 0; at < value.Length; at++)
        {
            if (value[at] == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && value[at] is '"' or '\'' && quote == '\0')
            {
                quote = value[at];
            }
            else
            {
                plain.Append(value[at] == '\\' && quote != '\'' && at + 1 < value.Length ? value[++at] : value[at]);
            }
        }

        return plain.ToString();
    }
}
