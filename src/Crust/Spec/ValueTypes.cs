using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>The kinds of values that a spec has.</summary>
internal static partial class ValueTypes
{
    public static readonly ValueType<bool> Boolean = new(
        "true|false",
        given => given.Single.Text switch
        {
            "true" => true,
            "false" => false,
            _ => throw Bad(given.Single, "is neither true nor false", "write true or false"),
        },
        value => value ? "true" : "false",
        () => new JsonObject { ["type"] = "boolean" })
    { IsSwitch = true };

    /// <summary>One line of text.</summary>
    public static readonly ValueType<string?> Text = new("TEXT", given => OneLine(given.Single), value => value, StringSchema);

    /// <summary>A path, absolute once it is read.</summary>
    public static readonly ValueType<string?> FilePath = new(
        "FILE", given => Path.GetFullPath(OneLine(given.Single), given.BaseFolder), value => value, StringSchema)
    { PathAt = _ => 0 };

    /// <summary>A path (absolute once it is read) or an http(s) URL.</summary>
    public static readonly ValueType<string?> FileOrUrl = new(
        "FILE|URL", given => PathOrUrl(given.Single, given.BaseFolder), value => value, StringSchema)
    { PathAt = text => UrlPattern().IsMatch(text) ? -1 : 0 };

    /// <summary>The same kind of value where it is given: as an entry of a list.</summary>
    public static ValueType<string> Given(ValueType<string?> type) => new(type.Placeholder, given => type.Parse(given)!, type.Format, type.Schema) { PathAt = type.PathAt };

    /// <summary>64 hex digits, or a SHA256SUMS file by path or URL.</summary>
    public static readonly ValueType<string?> Checksum = new(
        "SHA256|FILE|URL",
        given => (given.Single.Text.StartsWith("sha256:", StringComparison.OrdinalIgnoreCase) ? given.Single.Text[7..] : given.Single.Text) switch
        {
            { Length: 64 } text when HexDigits().IsMatch(text) => text.ToLowerInvariant(),
            { Length: >= 32 } text when HexDigits().IsMatch(text) => throw Bad(given.Single, $"has {text.Length} hex digits, and a SHA-256 has 64",
                "copy the whole checksum, or name a SHA256SUMS file"),
            _ => PathOrUrl(given.Single, given.BaseFolder),
        },
        value => value,
        StringSchema)
    { PathAt = text => HexDigits().IsMatch(text) && text.Length >= 32 || UrlPattern().IsMatch(text) ? -1 : 0 };

    /// <summary>The base name of files.</summary>
    public static readonly ValueType<string?> FileName = new(
        "NAME",
        given => FileNamePattern().IsMatch(given.Single.Text)
            ? given.Single.Text
            : throw Bad(given.Single, "can't be an image's name", "use letters, digits, '.', '_', '+' and '-', beginning with a letter or digit, at most 100 of them"),
        value => value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$" });

    public static readonly ValueType<string?> AccountName = new(
        "USER",
        given => AccountPattern().IsMatch(given.Single.Text)
            ? given.Single.Text
            : throw Bad(given.Single, "can't be an account's name", "use lower-case letters, digits, '_' and '-', beginning with a letter or '_', at most 32 of them"),
        value => value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^[a-z_][a-z0-9_-]{0,31}$" });

    /// <summary>Which disk of a machine in the field is meant.</summary>
    public static readonly ValueType<string> DiskPattern = new(
        "DISK",
        given => DiskPatternPattern().IsMatch(OneLine(given.Single)) && (!given.Single.Text.StartsWith("size", StringComparison.Ordinal) || Spec.Size.TryParse(given.Single.Text[6..], out _))
            ? given.Single.Text
            : throw Bad(given.Single, "says no disk", "write auto, ask, a path such as /dev/sda or /dev/nvme0n1, size>=200G, size<=1T, or serial: and a pattern such as serial:S3Z*"),
        value => value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^(auto|ask|/dev/[A-Za-z0-9]+|size[<>]=[0-9]+[KMGT]?|serial:.+)$" });

    /// <summary>A text that no message, log or report may show.</summary>
    public static readonly ValueType<Secret?> Secret = new(
        "SECRET",
        given => given.Single.Text.Any(char.IsControl)
            ? throw new CrustException(FailureKind.BadInput, "The secret holds a line break or another control character", given.Single.Where, "give it on one line")
            : new Secret(given.Single.Text),
        _ => null,
        StringSchema)
    { IsSecret = true };

    /// <summary>Public keys as in OpenSSH's authorized_keys.</summary>
    public static readonly ValueType<ImmutableArray<string>> PublicKeys = new(
        "KEY",
        given => [.. given.Items.Select(item => PublicKey(item, given.BaseFolder)).Distinct()],
        _ => null,
        () => new JsonObject { ["type"] = "array", ["items"] = StringSchema() })
    { IsList = true, PathAt = text => IsPublicKeyFile(text) ? 0 : -1 };

    public static readonly ValueType<ImmutableArray<string>> BootKeys = new(
        "KEYS",
        given => [.. given.Items.Select(Typed)],
        _ => null,
        () => new JsonObject { ["type"] = "array", ["items"] = StringSchema() })
    { IsList = true };

    public static ValueType<int> Integer(int least, int most) => new(
        "NUMBER",
        given => int.TryParse(given.Single.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw Bad(given.Single, $"isn't a whole number from {least} to {most}", $"write a number from {least} to {most}"),
        value => value.ToString(CultureInfo.InvariantCulture),
        () => new JsonObject { ["type"] = "integer", ["minimum"] = least, ["maximum"] = most });

    public static ValueType<long> Bytes(long least, long most, long multiple) => new(
        "SIZE",
        given => Spec.Size.TryParse(given.Single.Text, out var bytes) switch
        {
            false => throw Bad(given.Single, "isn't a size", $"write {Spec.Size.Looks}"),
            _ when bytes < least => throw Bad(given.Single, $"is less than {Spec.Size.Format(least)}", $"write {Spec.Size.ToSpecText(least)} or more"),
            _ when bytes > most => throw Bad(given.Single, $"is more than {Spec.Size.Format(most)}", $"write {Spec.Size.ToSpecText(most)} or less"),
            _ when bytes % multiple != 0 => throw Bad(given.Single, $"isn't a multiple of {multiple} bytes", $"write {bytes / multiple * multiple} or {(bytes / multiple + 1) * multiple}"),
            _ => bytes,
        },
        Spec.Size.ToSpecText,
        () => new JsonObject
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["type"] = "string", ["pattern"] = Spec.Size.Pattern },
                new JsonObject { ["type"] = "integer", ["minimum"] = least }),
        });

    /// <summary>A length of time, longer than zero.</summary>
    public static readonly ValueType<TimeSpan> Time = new(
        "DURATION",
        given => Duration.TryParse(given.Single.Text, out var duration) && duration > TimeSpan.Zero
            ? duration
            : throw Bad(given.Single, "isn't a duration between 1s and 720h", $"write {Duration.Looks}"),
        Duration.Format,
        () => new JsonObject { ["type"] = "string", ["pattern"] = Duration.Pattern });

    /// <summary>One of an enumeration's names, in lower case.</summary>
    public static ValueType<TEnum> Choice<TEnum>()
        where TEnum : struct, Enum
    {
        var values = Enum.GetValues<TEnum>().ToImmutableSortedDictionary(EnumName.LowerName, value => value);
        var names = Enum.GetValues<TEnum>().Select(EnumName.LowerName).ToImmutableArray();
        return new ValueType<TEnum>(
            string.Join('|', names),
            given => values.TryGetValue(given.Single.Text, out var value)
                ? value
                : throw Bad(given.Single, $"isn't {Nearest.Or(names)}", Nearest.Suggest(given.Single.Text, names)),
            EnumName.LowerName,
            () => new JsonObject { ["enum"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]) });
    }

    /// <summary>Names of formats, `all` for all that it means, in a list or with commas.</summary>
    public static ValueType<ImmutableArray<string>> Formats(IReadOnlyCollection<SpecFormat> formats)
    {
        ImmutableArray<string> known = [.. formats.Select(format => format.Name)];
        ImmutableArray<string> choices = [.. known, "all"];
        IEnumerable<string> Expand(GivenItem item) => item.Text.Split(',', StringSplitOptions.TrimEntries).SelectMany(name =>
            name == "all" ? formats.Where(format => format.IsInAll).Select(format => format.Name)
            : known.Contains(name) ? [name]
            : throw Bad(item with { Text = name }, "isn't a format", Nearest.Suggest(name, choices)));
        return new ValueType<ImmutableArray<string>>(
            "FORMAT",
            given => given.Items.SelectMany(Expand).Distinct().ToImmutableArray() is { Length: > 0 } formats
                ? formats
                : throw new CrustException(FailureKind.BadInput, "The list of formats is empty", given.Where, $"name at least one of {Nearest.Or(choices)}"),
            formats => string.Join(", ", formats),
            () =>
            {
                JsonObject Item() => new() { ["enum"] = new JsonArray([.. choices.Select(name => JsonValue.Create(name))]) };
                return new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = Item() }, Item()) };
            })
        { IsList = true };
    }

    /// <summary>An error about one value. Not for secrets: it shows the value.</summary>
    public static CrustException Bad(GivenItem item, string what, string remedy) =>
        new(FailureKind.BadInput, $"'{(WithoutLogin(item.Text) is { Length: > 80 } text ? text[..80] + "…" : WithoutLogin(item.Text))}' {what}", item.Where, remedy);

    // Also of what isn't a URL, but was meant to be one.
    internal static string WithoutLogin(string text) => UrlQuery().Replace(UrlLogin().Replace(text, "$1$2•••@"), "$1?…");

    private static string OneLine(GivenItem item) =>
        item.Text.Any(char.IsControl) ? throw Bad(item, "holds a line break or another control character", "write it on one line") : item.Text;

    private static string Typed(GivenItem item)
    {
        try
        {
            Spec.BootKeys.Parse([item.Text]);
            return item.Text;
        }
        catch (FormatException e)
        {
            throw Bad(item, $"can't be typed: {e.Message}", "write characters of an American keyboard, and names such as <enter>, <esc>, <f10>, <down>, <wait2s>, <leftCtrlOn> and <leftCtrlOff>");
        }
    }

    private static string PathOrUrl(GivenItem item, string folder)
    {
        var text = OneLine(item);
        if (!UrlPattern().IsMatch(text))
            return Path.GetFullPath(text, folder);

        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0
            ? text
            : throw Bad(item, "isn't a URL that Crust can fetch", "write a path, or an http:// or https:// URL");
    }

    /// <summary>Whether a text names a file with a public key, and isn't one itself.</summary>
    internal static bool IsPublicKeyFile(string text) => text.EndsWith(".pub", StringComparison.Ordinal) && !text.Contains(' ');

    /// <summary>A public key as OpenSSH writes it, given itself or by its file.</summary>
    /// <exception cref="CrustException">It is none, or a private one.</exception>
    internal static string PublicKey(GivenItem item, string folder)
    {
        var key = item.Text.Trim();
        if (IsPublicKeyFile(key))
            return PublicKey(new GivenItem(UserFile.Read(Path.GetFullPath(key, folder), $"{item.Where}, {key}", "public key's"), $"{item.Where}, {key}"), folder);

        // A private key must not be shown, and a public one needn't.
        return PublicKeyPattern().IsMatch(key)
            ? key
            : throw new CrustException(FailureKind.BadInput,
                key.Contains("PRIVATE KEY", StringComparison.Ordinal) ? "This is a private key" : "This isn't a public key in OpenSSH's format",
                item.Where, "give the one line of the .pub file, such as: ssh-ed25519 AAAAC3… name");
    }

    private static JsonObject StringSchema() => new() { ["type"] = "string" };

    [GeneratedRegex(@"\A[0-9a-fA-F]+\z")]
    private static partial Regex HexDigits();

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9+.-]*://")]
    private static partial Regex UrlPattern();

    [GeneratedRegex(@"([A-Za-z][A-Za-z0-9+.-]*:/{1,2}|(?<![^\s]))[^/?#\s]*:[^/?#\s]*@|([A-Za-z][A-Za-z0-9+.-]*:/{1,2})[^/?#\s]*@")]
    private static partial Regex UrlLogin();

    [GeneratedRegex(@"([A-Za-z][A-Za-z0-9+.-]*://[^?]*)\?.+")]
    private static partial Regex UrlQuery();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,99}\z")]
    private static partial Regex FileNamePattern();

    // What the appliance's job understands: there is no udev in it, so no /dev/disk/by-id.
    [GeneratedRegex(@"\A(auto|ask|/dev/[A-Za-z0-9]+|size[<>]=[0-9]+[KMGT]?|serial:.+)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex DiskPatternPattern();

    [GeneratedRegex(@"\A[a-z_][a-z0-9_-]{0,31}\z")]
    private static partial Regex AccountPattern();

    // Options may come before the key's type (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
    [GeneratedRegex(@"\A([^\r\n]*[ ])?(ssh|ecdsa|sk)-[A-Za-z0-9@.-]+[ ]+AAAA[A-Za-z0-9+/]+={0,2}([ ][^\r\n]*)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex PublicKeyPattern();
}
