using System.Text;
using Crust.Trees;

namespace Crust.Sysexts.Checks;

/// <summary>An extension that is looked at.</summary>
/// <param name="File">Its file's name.</param>
/// <param name="Tree">What is in it.</param>
internal sealed record Extension(string File, FileTree Tree)
{
    /// <summary>What it takes on a system, in bytes: its file's length, or that of the files in a folder.</summary>
    public long Length { get; init; }

    private const int LongestRelease = 64 << 10;

    // The first systemd that leaves out `.sysext.raw` as a whole.
    private const int KnowsSecondSuffix = 256;

    private static readonly string[] Merged = ["/bin/", "/sbin/", "/lib/", "/lib64/"];

    /// <summary>The release files in it.</summary>
    public IReadOnlyList<TreeEntry> Releases => [.. Tree.Entries.Where(entry => entry.Path.StartsWith(ReleaseFile.Prefix, StringComparison.Ordinal) && entry.Kind is EntryKind.File)];

    /// <summary>What a path of a system leads to in it; where /usr is merged, as everywhere today, `/lib/x` is `/usr/lib/x`.</summary>
    public TreeEntry? Follow(string path) => Tree.Follow(path) ?? (Merged.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)) ? Tree.Follow("usr" + path) : null);

    /// <summary>What it says of itself under any name.</summary>
    public ReleaseFile? Release => Releases is [var first, ..] ? Parse(first) : null;

    /// <summary>The extension's name: of a file that an index serves, that of the link by which it is merged.</summary>
    /// <param name="systemd">The version of systemd that looks at it.</param>
    public string NameFor(int systemd)
    {
        var file = SysextFile.Of(File) is { } published ? published.Name + published.Suffix : File;
        return file.EndsWith(".sysext.raw", StringComparison.Ordinal) && systemd >= KnowsSecondSuffix ? file[..^".sysext.raw".Length]
            : file.EndsWith(".raw", StringComparison.Ordinal) ? file[..^".raw".Length] : file;
    }

    /// <summary>What it says of itself under that name; null if it says nothing.</summary>
    public ReleaseFile? ReleaseOf(string name) => (Tree.Find(ReleaseFile.Prefix + name) ?? (Releases is [var only] && IsForAnyName(only) ? only : null)) is { Kind: EntryKind.File } entry ? Parse(entry) : null;

    private static ReleaseFile Parse(TreeEntry entry) => ReleaseFile.Parse(Encoding.UTF8.GetString(entry.Content.Read(0, LongestRelease)));

    // os-release(5): the one release file in it may have another name if it says so.
    private static bool IsForAnyName(TreeEntry entry) =>
        entry.Xattrs.TryGetValue("user.extension-release.strict", out var value) && Encoding.ASCII.GetString(value.AsSpan()).TrimEnd('\0') is "0" or "no" or "false" or "off";
}
