using System.Collections.Immutable;
using System.Globalization;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>ext4 that is as large as what is in it.</summary>
internal sealed class Ext4Image(ToolBox tools) : ISysextImage
{
    private const int Block = 4096;
    private const int BlocksOfMiB = (1 << 20) / Block;
    private const int RootInode = 2;

    // lost+found is the first that isn't reserved.
    private const int FirstInode = 11;
    private const string Identity = "c7f6a1d0-5a8e-4d0c-9b60-0d2f4f1c7a11";

    private static readonly string[] Fields = ["atime", "ctime", "mtime", "crtime", "uid", "gid"];

    public SysextFormat Format => SysextFormat.Ext4;

    public async Task WriteAsync(SysextPlan plan, FileTree tree, string path, string scratch, CancellationToken cancellation) =>
        await WriteAsync(await TreeFolder.WriteAsync(plan, tree, scratch, cancellation), tree, new Ext4Plan(plan.Epoch), path, scratch, cancellation);

    /// <summary>Writes a file system with all that is in a folder.</summary>
    /// <param name="tree">The same, as it was read.</param>
    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    public async Task WriteAsync(string folder, FileTree tree, Ext4Plan plan, string path, string scratch, CancellationToken cancellation)
    {
        var files = tree.Count + FirstInode;
        // Files, a block for each of them for folders and long links, inodes of 256 bytes, and what the file system has for itself.
        var blocks = tree.Entries.Sum(entry => ((entry.Content.Length + Block - 1) / Block) + 1) * 21 / 20 + (files * 256 / Block) + 256 + (plan.Spare / Block);
        // Partitions begin and end at whole MiB.
        blocks = plan.Label is null ? blocks : (blocks + BlocksOfMiB - 1) / BlocksOfMiB * BlocksOfMiB;
        // 0 would be now.
        var environment = ImmutableDictionary<string, string>.Empty.Add("E2FSPROGS_FAKE_TIME", Math.Max(1, plan.Epoch).ToString(CultureInfo.InvariantCulture));
        await tools.RunAsync(ToolCommand.Of("mke2fs", ["-q", "-F", "-t", "ext4", "-O", "^has_journal,^resize_inode", "-m", "0", "-b", $"{Block}", "-N", $"{files + 8}", "-U", Identity,
            .. plan.Label is { } label ? new[] { "-L", label } : [],
            "-E", $"hash_seed={Identity},root_owner=0:0,lazy_itable_init=0,nodiscard", "-d", folder, path, $"{blocks}"]) with
        {
            Environment = environment,
        }, cancellation);

        // mke2fs takes the times and owners of this host's files.
        var inodes = new HashSet<TreeContent>();
        var count = tree.Entries.Count(entry => entry.Kind is not EntryKind.File || entry.Content.Length == 0 || inodes.Add(entry.Content));
        var script = Path.Combine(scratch, "inodes");
        await File.WriteAllLinesAsync(script, Enumerable.Range(FirstInode, count + 1).Prepend(RootInode)
            .SelectMany(inode => Fields.Select(field => string.Create(CultureInfo.InvariantCulture, $"sif <{inode}> {field} {(field.EndsWith("time", StringComparison.Ordinal) ? $"@{plan.Epoch}" : "0")}"))), cancellation);
        await tools.RunAsync(ToolCommand.Of("debugfs", "-w", "-f", script, path) with { Environment = environment }, cancellation);
        // debugfs ends with 0 whatever happened.
        await tools.RunAsync(ToolCommand.Of("e2fsck", "-f", "-n", path) with { Environment = environment }, cancellation);
    }
}

/// <summary>How an ext4 file system is made.</summary>
/// <param name="Epoch">The time of all files in it, in seconds since 1970.</param>
/// <param name="Label">Its label; null for none.</param>
/// <param name="Spare">The bytes that stay free in it.</param>
internal sealed record Ext4Plan(long Epoch, string? Label = null, long Spare = 0);
