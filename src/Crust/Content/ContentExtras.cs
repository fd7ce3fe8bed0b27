using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Disks;
using Crust.Isos;
using Crust.Storage;
using Crust.Sysexts.Images;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Content;

/// <summary>Other forms in which a bundle's parts travel: on an installer's ISO, and as a partition of a disk.</summary>
internal sealed class ContentExtras(ToolBox tools, IBuildObserver observer)
{
    /// <summary>Where the agent of a live system of the Kairos family looks for parts on its medium (CanvOS' Earthfile).</summary>
    public const string FolderOnIso = "opt/spectrocloud/content";

    /// <summary>By its label, the first boot of an installed system finds the partition (CanvOS, cloud-images/scripts/add-content-partition.sh).</summary>
    public const string PartitionLabel = "COS_CONTENT";

    public const string PartitionExtension = ".ext4";

    // What CanvOS adds: a fifth, and 100 MiB.
    private const long PartitionSpare = 100 << 20;
    private const string FolderOnPartition = "bundle-content";

    /// <summary>The bytes of what is copied beside the parts; what a request names has to be there.</summary>
    /// <exception cref="CrustException">An ISO or a disk isn't there, or is no file.</exception>
    public static long LengthOfCopied(ContentRequest request)
    {
        long length = 0;
        if (request.Iso is { } iso)
        {
            RegularFile.Require(iso, "ISO", "name an installer's ISO");
            length += new FileInfo(iso).Length;
        }

        if (request.Disk is { } disk)
        {
            RegularFile.Require(disk, "disk", "name a raw disk image, such as images/edge.img");
            length += SparseFile.AllocatedBytes(disk);
        }

        return length;
    }

    /// <summary>Copies an ISO with the parts, the manifest and the checksums put in.</summary>
    /// <param name="files">Their absolute paths.</param>
    /// <exception cref="CrustException">xorriso is missing or failed, or a place on the ISO is taken by a folder.</exception>
    /// <exception cref="IOException">The ISO can't be read, or the copy can't be written.</exception>
    public Task WriteIsoAsync(string iso, ImmutableArray<string> files, string copy, CancellationToken cancellation) =>
        new IsoCopy(tools, observer) { Stage = Stage.Content, Subject = "the content", Key = "--iso", Remedy = "name an ISO that has no such folder", Epoch = Mmdebstrap.Epoch }
            .WriteAsync(iso, [.. files.Select(file => new VolumeFile($"{FolderOnIso}/{Path.GetFileName(file)}", file))], copy, cancellation);

    /// <summary>Writes a file system with the parts, the manifest and the checksums, to be a partition of a disk.</summary>
    /// <param name="scratch">A private folder on the same file system as the files.</param>
    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    /// <exception cref="IOException">It can't be written.</exception>
    public async Task WritePartitionAsync(ImmutableArray<string> files, string path, string scratch, CancellationToken cancellation)
    {
        observer.Observe(new BuildEvent.Progressed(Stage.Content, null, null, "writing the partition"));
        var root = Directory.CreateDirectory(Path.Combine(scratch, "partition")).FullName;
        var place = Directory.CreateDirectory(Path.Combine(root, FolderOnPartition)).FullName;
        foreach (var folder in new[] { root, place })
        {
            File.SetUnixFileMode(folder, TreeEntry.Executable);
        }

        // mke2fs takes modes as they are, and a link has that of the file.
        var modes = files.ToDictionary(file => file, file => File.GetUnixFileMode(file));
        try
        {
            foreach (var file in files)
            {
                var name = Path.Combine(place, Path.GetFileName(file));
                if (Posix.Link(file, name) != 0)
                {
                    File.Copy(file, name);
                }

                File.SetUnixFileMode(name, TreeEntry.Readable);
            }

            var spare = (files.Sum(file => new FileInfo(file).Length) / 5) + PartitionSpare;
            await new Ext4Image(tools).WriteAsync(root, FileTree.FromFolder(root), new Ext4Plan(0, PartitionLabel, spare), path, scratch, cancellation);
            Directory.Delete(root, recursive: true);
        }
        finally
        {
            foreach (var (file, mode) in modes)
            {
                File.SetUnixFileMode(file, mode);
            }
        }
    }

    /// <summary>Copies a raw disk with a GPT, and puts the partition behind those that it has.</summary>
    /// <param name="partition">The file system, as <see cref="WritePartitionAsync"/> writes it.</param>
    /// <exception cref="CrustException">The disk has no GPT, or a damaged one.</exception>
    /// <exception cref="IOException">It can't be read, or the copy can't be written.</exception>
    public void WriteDisk(string disk, string partition, string copy, CancellationToken cancellation)
    {
        observer.Observe(new BuildEvent.Progressed(Stage.Content, null, null, "copying the disk with the partition"));
        SparseFile.Duplicate(disk, copy, _ => { }, cancellation);
        using var to = File.OpenHandle(copy, FileMode.Open, FileAccess.ReadWrite);
        using var from = File.OpenHandle(partition);
        var (offset, problem) = GptAddition.Add(to, RandomAccess.GetLength(from), PartitionLabel);
        if (problem is not null)
        {
            throw new CrustException(FailureKind.BadInput, $"The disk can't get a partition for the content: {problem}", disk,
                "name a raw disk image (img) with a GPT that is whole, as crust build makes it");
        }

        var buffer = new byte[1 << 20];
        foreach (var extent in SparseFile.ReadExtents(from))
        {
            for (var at = extent.Offset; at < extent.End;)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = from.ReadUpTo(buffer.AsSpan(0, (int)Math.Min(buffer.Length, extent.End - at)), at);
                if (read == 0)
                {
                    break;
                }

                RandomAccess.Write(to, buffer.AsSpan(0, read), offset + at);
                at += read;
            }
        }
    }
}
