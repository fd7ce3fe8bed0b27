using Crust.Spec;

namespace Crust.Seeds.Documents;

/// <summary>cloud-config as a file: a first line that says what it is, and a YAML mapping.</summary>
internal static class CloudConfig
{
    private const int HeaderLines = 10;

    private static readonly string[] Headers = ["#cloud-config", "#kairos-config", "#node-config"];

    /// <summary>Whether a file's header says that it is a cloud-config, or a template of one.</summary>
    public static bool IsMarked(string text) => Header(text) is var first && (Headers.Contains(first) || IsTemplate(first) || UserDataHeader.IsCloudConfig(text));

    /// <param name="file">What the user calls it, for messages.</param>
    /// <exception cref="CrustException">It has no header, isn't YAML, or isn't a mapping.</exception>
    public static ConfigMap Read(string text, string file)
    {
        var first = Header(text);
        if (IsTemplate(first) || UserDataHeader.Of(text) is not null)
            throw CannotMerge(text, file);
        if (!Headers.Contains(first) && !UserDataHeader.IsCloudConfig(text))
            throw Bad("The user-data file doesn't begin with a cloud-config header", $"{file}:1:1", first.Length is > 0 and < 40 && Nearest.Find(first, Headers) is { } near ? $"write {near}"
                : "make #cloud-config its first line", "header");

        return ConfigReader.Read(text, file) switch
        {
            null or { IsNull: true } => ConfigMap.Empty,
            ConfigMap map => map,
            var unfit => throw Bad("The user-data isn't a mapping", $"{unfit.Place}", "write keys and values, such as: hostname: edge-1", "not-a-mapping"),
        };
    }

    /// <summary>The error of a user-data that is another thing that cloud-init takes.</summary>
    /// <param name="text">What it holds.</param>
    /// <param name="file">What the user calls it.</param>
    /// <param name="otherwise">Another way out than to write a cloud-config, such as `set seed.profile`; null for none.</param>
    public static CrustException CannotMerge(string text, string file, string? otherwise = null)
    {
        var isTemplate = IsTemplate(Header(text));
        var remedy = isTemplate ? "write out what it would make" : "say the same in a #cloud-config: runcmd, bootcmd, write_files";
        return Bad(isTemplate ? "A Jinja template can't be merged" : $"This is {UserDataHeader.Of(text) ?? "no cloud-config"}, which can't be merged with what Crust generates", $"{file}:1:1",
            otherwise is null ? remedy : $"{remedy}; or {otherwise}", "header");
    }

    /// <summary>Whether a composed text is a cloud-config.</summary>
    public static bool IsIn(string text) => text.StartsWith("#cloud-config\n", StringComparison.Ordinal);

    /// <summary>The document as text: `#cloud-config` and YAML.</summary>
    public static string ToText(ConfigMap document) =>
        "#cloud-config\n" + (document.Entries.IsEmpty ? "{}\n" : ConfigWriter.Write(document));

    // Kairos looks for it among the first ten lines (kairos-sdk, collector.go, HasValidHeader), below other comments and blank lines (yip, cloudinit/config.go).
    private static string Header(string text)
    {
        var lines = text.Split('\n', HeaderLines + 1).Take(HeaderLines).Select(line => line.TrimEnd()).ToList();
        return lines.TakeWhile(line => line.Length == 0 || line.StartsWith('#')).FirstOrDefault(line => Headers.Contains(line) || IsTemplate(line)) ?? lines[0];
    }

    private static bool IsTemplate(string line) => line.Replace(" ", "") == "##template:jinja";

    private static CrustException Bad(string what, string where, string remedy, string rule) => new(FailureKind.BadInput, what, where, remedy) { Rule = rule };
}
