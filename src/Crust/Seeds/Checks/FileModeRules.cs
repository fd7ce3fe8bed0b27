using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>
/// Whether files that yip writes get the mode that was meant. It sets what `permissions` says, whatever that is, and 0 where it says nothing
/// (mudler/yip, pkg/plugins/files.go, dir.go, download.go), of which Go's os.FileMode takes the nine bits of 0777.
/// </summary>
internal static class FileModeRules
{
    public static readonly SeedRule Mode = new("file-mode", SeedSeverity.Warning,
        "A file that Kairos writes with another mode than was meant: none without `permissions` (0000), 01204 for a decimal 644, and without the bits above 0777",
        "files: [{path: /etc/a.conf, permissions: 644}]", "write an octal number with a 0 in front, such as permissions: 0644");

    private const int Largest = 0x1ff; // 0777

    private static readonly string[] InSteps = ["files", "directories", "downloads"];
    private static readonly string[] AtTop = ["write_files", "milpa_files"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (!request.MayBeKairos || request.CloudConfig is not { } document)
            yield break;

        var steps = Find(document, "stages") is ConfigMap stages ? stages.Entries.SelectMany(stage => stage.Value is ConfigList list ? list.Items : []) : [];
        foreach (var file in steps.SelectMany(step => InSteps.SelectMany(key => EntriesOf(Find(step, key)))))
        {
            if (CheckStep(file) is { } finding)
                yield return finding;
        }

        // cloud-init, which may be the reader of these, has 0644 where nothing is said.
        if (request.Profile is null)
            yield break;
        foreach (var file in AtTop.SelectMany(key => EntriesOf(Find(document, key))))
        {
            if (IsMissing(Find(file, "permissions")) && Find(file, "path") is ConfigScalar path)
                yield return Missing(path);
            else if (Find(file, "permissions") is ConfigScalar { Value: var text } permissions && text.Length <= 8 && text.All(c => c is >= '0' and <= '7') && Convert.ToInt64(text, 8) > Largest)
                yield return AboveNine(permissions);
        }
    }

    private static SeedFinding? CheckStep(ConfigMap file) => Find(file, "permissions") switch
    {
        { } node when !IsMissing(node) => node is ConfigScalar { IsQuoted: false } permissions && PlainScalar.IntegerOf(permissions) is { } mode ? CheckMode(permissions, mode) : null,
        _ => Find(file, "path") is ConfigScalar path ? Missing(path) : null,
    };

    private static SeedFinding? CheckMode(ConfigScalar permissions, long mode) => permissions.Value is var text && IsModeInDecimal(text)
        ? Mode.At(permissions, $"The decimal number {text} is the mode 0{Convert.ToString(mode, 8)}", $"write 0{text}")
        : mode > Largest ? AboveNine(permissions) : null;

    private static SeedFinding Missing(ConfigScalar path) => Mode.At(path, "There are no permissions, so that Kairos writes this with mode 0000", "add permissions: 0644, or \"0644\" in write_files");

    private static SeedFinding AboveNine(ConfigScalar permissions) =>
        Mode.At(permissions, "Kairos sets the nine bits of 0777 alone: no setuid, setgid or sticky bit", "write the mode without them, and set them by a command");

    // 644, and not 420: an owner who may read, and nobody who may more than who stands before him.
    private static bool IsModeInDecimal(string text) => text is [>= '4' and <= '7', >= '0' and <= '7', >= '0' and <= '7'] && (text[1] & ~text[0]) == 0 && (text[2] & ~text[1]) == 0;

    private static bool IsMissing(ConfigNode? node) => node is null or { IsNull: true } or ConfigScalar { Value: "" };

    private static IEnumerable<ConfigMap> EntriesOf(ConfigNode? files) => files is ConfigList list ? list.Items.OfType<ConfigMap>() : [];
}
