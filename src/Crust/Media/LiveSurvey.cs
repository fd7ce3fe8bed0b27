using System.Collections.Immutable;
using System.Text;
using Crust.Trees;

namespace Crust.Media;

/// <summary>Looks at a base for what a live installer needs of it.</summary>
internal static class LiveSurvey
{
    private const int LongestText = 1 << 20;
    private const int LargestConfig = 2 << 20;
    private const int Block = 4096;

    // kairos-init links both to `kairos`; older bases have the agent alone.
    private static readonly string[] Agents = ["usr/bin/kairos-agent", "usr/bin/kairos", "usr/local/bin/kairos-agent", "usr/bin/elemental"];

    // The agent looks for configuration here, too (kairos-agent, pkg/constants, GetUserConfigDirs).
    private static readonly string[] ConfigFolders = ["oem", "etc/kairos", "usr/local/cloud-config"];

    private static readonly string[] Headers = ["#cloud-config", "#kairos-config", "#node-config"];

    public static LiveFacts Of(FileTree tree, BaseBoot boot, EfiLoaders loaders, InitrdFacts initrd)
    {
        var release = ReleaseOf(tree, "etc/os-release");
        var kairos = ReleaseOf(tree, "etc/kairos-release");
        return new LiveFacts
        {
            Kernel = boot.Kernel.Path,
            KernelVersion = boot.Version,
            OtherKernels = boot.Others,
            Initrd = boot.Initrd.Path,
            Dracut = initrd.Dracut,
            Drivers = [.. initrd.Drivers.Concat(BuiltIn(tree, boot)).Distinct().Order(StringComparer.Ordinal)],
            Unreadable = initrd.Unreadable,
            Grub = loaders.Grub.Path,
            IsSigned = loaders.IsSigned,
            Shim = loaders.Shim?.Path,
            HasManager = loaders.Manager is not null,
            Distribution = release.GetValueOrDefault("ID", ""),
            System = release.GetValueOrDefault("PRETTY_NAME", release.GetValueOrDefault("ID", "")),
            // Older bases have them in os-release.
            KairosArch = kairos.GetValueOrDefault("KAIROS_ARCH") ?? release.GetValueOrDefault("KAIROS_ARCH"),
            KairosFlavor = kairos.GetValueOrDefault("KAIROS_FLAVOR") ?? release.GetValueOrDefault("KAIROS_FLAVOR"),
            Agent = Agents.FirstOrDefault(path => tree.Follow(path) is { Kind: EntryKind.File }),
            IsStylus = tree.Follow("opt/spectrocloud") is { Kind: EntryKind.Folder },
            NoUsers = tree.Follow("etc/kairos/.nousers") is not null,
            Accounts = AccountsIn(tree),
            Configs = [.. ConfigsIn(tree)],
            RootBytes = BytesOf(tree),
        };
    }

    /// <summary>Whether the agent merges a file of its folders by what it begins with (kairos-sdk, collector, HasValidHeader).</summary>
    public static bool IsConfig(string path, TreeContent content) =>
        (path.EndsWith(".yaml", StringComparison.Ordinal) || path.EndsWith(".yml", StringComparison.Ordinal)) && content.Length < LargestConfig
        && Headers.Contains(Encoding.UTF8.GetString(content.Read(0, 64)).Split('\n')[0].TrimEnd());

    private static IEnumerable<string> ConfigsIn(FileTree tree) =>
        from entry in tree.Entries
        where entry.Kind is EntryKind.File && ConfigFolders.Any(folder => entry.Path.StartsWith(folder + "/", StringComparison.Ordinal)) && IsConfig(entry.Path,
            entry.Content)
        select entry.Path;

    // A hash, or nothing at all, lets somebody in; `!` and `*` don't (shadow(5)). So do keys.
    private static ImmutableArray<string> AccountsIn(FileTree tree)
    {
        var byPassword = TextOf(tree, "etc/shadow").Split('\n').Select(line => line.Split(':')).Where(fields => fields.Length > 2 && fields[0].Length > 0
            && (fields[1].Length == 0 || fields[1][0] == '$'))
            .Select(fields => fields[0]);
        var byKey = TextOf(tree, "etc/passwd").Split('\n').Select(line => line.Split(':'))
            .Where(fields => fields.Length > 6 && fields[5].Length > 1 && tree.Follow($"{fields[5]}/.ssh/authorized_keys") is
            {
                Kind: EntryKind.File,
                Content.Length: > 0
            }).Select(fields => fields[0]);
        return [.. byPassword.Concat(byKey).Distinct().Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> BuiltIn(FileTree tree, BaseBoot boot) => boot.ModulesIn(tree) is { } folder
        ? TextOf(tree, $"{folder}/modules.builtin").Split('\n').Select(InitrdReader.DriverIn).OfType<string>()
        : [];

    // As os-release(5) has it: NAME=VALUE, perhaps in quotes.
    private static Dictionary<string, string> ReleaseOf(FileTree tree, string path)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in TextOf(tree, path).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (line.Split('=', 2) is [var name, var value])
            {
                values[name] = value.Length > 1 && value[0] is '"' or '\'' && value[^1] == value[0] ? value[1..^1] : value;
            }
        }

        return values;
    }

    private static string TextOf(FileTree tree, string path) =>
        tree.Follow(path) is { Kind: EntryKind.File } file ? Encoding.UTF8.GetString(file.Content.Read(0, LongestText)) : "";

    // Two names of one file take its bytes once.
    private static long BytesOf(FileTree tree)
    {
        var known = new HashSet<TreeContent>();
        return tree.Entries.Sum(entry => Block + (entry.Kind is EntryKind.File && known.Add(entry.Content) ? (entry.Content.Length + Block - 1) / Block * Block : 0));
    }
}
