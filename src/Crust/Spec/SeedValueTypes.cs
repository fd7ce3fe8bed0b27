using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using static Crust.Spec.ValueTypes;

namespace Crust.Spec;

/// <summary>The kinds of values that only seeds, and what is done with the installed disk, have.</summary>
internal static partial class SeedValueTypes
{
    private const string All = "all";
    private const string Auto = "auto";
    private const string None = "none";

    /// <summary>A family of systems; null where it isn't given.</summary>
    public static readonly ValueType<SeedProfile?> Profile = Optional(Choice<SeedProfile>());

    /// <summary>A host's name (RFC 1123), with or without a domain.</summary>
    public static readonly ValueType<string?> HostName = new(
        "HOST",
        given => given.Single.Text.Length <= 253 && HostNamePattern().IsMatch(given.Single.Text)
            ? given.Single.Text
            : throw Bad(given.Single, "can't be a host's name", "use letters, digits and '-', and dots between its parts; 63 in a part at most"),
        value => value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$" });

    public static readonly ValueType<ImmutableArray<KeyValuePair<string, string>>> Tags = new(
        "NAME=VALUE",
        given =>
        {
            ImmutableArray<(GivenItem Item, KeyValuePair<string, string> Tag)> tags = [.. given.Items.Select(item => (item, Tag(item)))];
            return tags.GroupBy(tag => tag.Tag.Key).FirstOrDefault(group => group.Count() > 1) is { } twice
                ? throw Bad(twice.Last().Item, "is given a second time", "keep one of the two")
                : [.. tags.Select(tag => tag.Tag)];
        },
        _ => null,
        () => new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[^=]+=.*$" } })
    { IsList = true };

    /// <summary>A secret that is read from a file, at once: a file descriptor can be read only once.</summary>
    public static readonly ValueType<Secret?> SecretFile = new(
        "FILE|fd:N",
        given => SecretFrom(given.Single, given.BaseFolder),
        _ => null,
        () => new JsonObject { ["type"] = "string" })
    { PathAt = text => DescriptorPattern().IsMatch(text) ? -1 : 0 };

    /// <summary>What is tidied; null for what suits the installer.</summary>
    public static readonly ValueType<ImmutableArray<TidyStep>?> Tidy = new(
        "STEP",
        given =>
        {
            var words = given.Items.SelectMany(item => item.Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(word => item with { Text = word })).ToList();
            return words switch
            {
                [] => [],
                [{ Text: Auto }] => null,
                [{ Text: None }] => [],
                _ => [.. words.SelectMany(Steps).Distinct().Order()],
            };
        },
        steps => steps is null ? Auto : string.Join(", ", steps.Value.Select(step => step.LowerName())),
        () =>
        {
            JsonArray Names() => new([.. TidyWords.Select(word => JsonValue.Create(word))]);
            return new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["enum"] = Names() } }, new JsonObject { ["enum"] = Names() }) };
        })
    { IsList = true };

    private static ImmutableArray<string> TidyWords => [Auto, None, All, .. Enum.GetValues<TidyStep>().Select(step => step.LowerName())];

    /// <summary>Files that ride along: `FILE`, or `NAME=FILE`.</summary>
    public static ValueType<ImmutableArray<ExtraFile>> ExtraFiles(int most)
    {
        var file = new ValueType<ExtraFile>("[NAME=]FILE", given => File(given.Single, given.BaseFolder), file => file.Name, () => new JsonObject { ["type"] = "string" })
        {
            PathAt = text => text.IndexOf('=') + 1,
        };
        var list = ListType.Of(file, most);
        return list with
        {
            Parse = given => list.Parse(given) is var files && files.GroupBy(file => file.Name).FirstOrDefault(group => group.Count() > 1) is { } twice
                ? throw new CrustException(FailureKind.BadInput, $"Two files would both be '{twice.Key}'", given.Where, "give one of them another name: NAME=FILE")
                : files,
        };
    }

    private static ValueType<T?> Optional<T>(ValueType<T> type)
        where T : struct => new(type.Placeholder, given => type.Parse(given), value => value is { } one ? type.Format(one) : null, type.Schema);

    private static KeyValuePair<string, string> Tag(GivenItem item) =>
        item.Text.Split('=', 2) is [{ Length: > 0 } name, var value] && !item.Text.Any(char.IsControl)
            ? KeyValuePair.Create(name.Trim(), value.Trim())
            : throw Bad(item, "isn't a tag", "write NAME=VALUE, such as site=berlin");

    private static IEnumerable<TidyStep> Steps(GivenItem word) => word.Text switch
    {
        All => Enum.GetValues<TidyStep>(),
        Auto or None => throw Bad(word, "stands alone or not at all", "leave out the other words"),
        var name => [Enum.GetValues<TidyStep>().Cast<TidyStep?>().FirstOrDefault(step => step!.Value.LowerName() == name)
            ?? throw Bad(word, "isn't something that can be tidied", Nearest.Suggest(name, TidyWords))],
    };

    private static ExtraFile File(GivenItem item, string folder)
    {
        var (name, path) = item.Text.Split('=', 2) is [var before, var after] ? (before, after) : (Path.GetFileName(item.Text.TrimEnd('/')), item.Text);
        name = name.Trim('/');
        return name.Length > 0 && path.Length > 0 && !item.Text.Any(char.IsControl) && !name.Split('/').Any(part => part is "" or "." or "..")
            ? new ExtraFile(name, Path.GetFullPath(path, folder))
            : throw Bad(item, "doesn't say which file goes where", "write FILE, or PATH/THERE=FILE");
    }

    private static Secret SecretFrom(GivenItem item, string folder)
    {
        var path = DescriptorPattern().Match(item.Text) is { Success: true } descriptor ? $"/dev/fd/{descriptor.Groups[1].Value}" : Path.GetFullPath(item.Text, folder);
        // An editor ends a file with a line break, which isn't meant.
        var text = UserFile.Read(path, $"{item.Where}, {item.Text}", "secret's").TrimEnd('\r', '\n');
        return text.Length == 0
            ? throw new CrustException(FailureKind.BadInput, "The secret's file is empty", $"{item.Where}, {item.Text}", "write the secret into it")
            : text.Any(char.IsControl)
            ? throw new CrustException(FailureKind.BadInput, "The secret holds a line break or another control character", $"{item.Where}, {item.Text}", "write it on one line")
            : new Secret(text);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\z", RegexOptions.ExplicitCapture)]
    private static partial Regex HostNamePattern();

    [GeneratedRegex(@"\Afd:([0-9]{1,4})\z")]
    private static partial Regex DescriptorPattern();
}
