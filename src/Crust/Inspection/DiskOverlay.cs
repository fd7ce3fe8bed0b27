using System.Collections.Immutable;
using System.Text.Json;
using Crust.Disks;
using Crust.Formats;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Inspection;

/// <summary>A part of an overlay that isn't as it is in the disk below.</summary>
/// <param name="Range">Where on the disk.</param>
/// <param name="Source">Where its bytes are in the overlay's file; null if they are zeros.</param>
internal readonly record struct OverlayChange(Extent Range, long? Source);

/// <summary>A qcow2 over a disk, for a guest to write to. The disk itself is only read, until somebody takes changes over.</summary>
/// <param name="tools">Needs qemu-img.</param>
internal sealed class DiskOverlay(string path, ToolBox tools) : IDisposable
{
    // The unit of discarding. With 64 KiB, more of what lies in small gaps would stay; with 4 KiB, a disk of 100 GiB has tables of 200 MiB.
    private const string ClusterSize = "16k";

    public string Path => path;

    /// <summary>Makes an overlay, beside which nobody may write to the disk.</summary>
    /// <exception cref="CrustException">qemu-img is missing, or can't read the disk.</exception>
    public static async Task<DiskOverlay> CreateAsync(QemuDisk disk, string path, ToolBox tools, CancellationToken cancellation)
    {
        await QemuImg.CreateOverlayAsync(disk, path, ["-o", $"cluster_size={ClusterSize}"], tools, cancellation);
        return new DiskOverlay(path, tools);
    }

    /// <summary>What differs from the disk.</summary>
    /// <exception cref="CrustException">qemu-img failed.</exception>
    public async Task<ImmutableArray<OverlayChange>> ReadChangesAsync(CancellationToken cancellation)
    {
        var changes = ImmutableArray.CreateBuilder<OverlayChange>();
        await tools.RunAsync(ToolCommand.Of("qemu-img", "map", "--output=json", "-f", QemuImg.OverlayDriver, path) with
        {
            WatchOutput = true,
            // A line for each range, since a fragmented disk has many: [{ … },
            OnLine = line => changes.AddRange(ReadChange(line)),
        }, cancellation);
        return changes.ToImmutable();
    }

    /// <summary>Discards on a raw disk what its overlay says to be zeros; nothing else of it changes.</summary>
    /// <returns>Bytes that the disk occupies less on the host.</returns>
    /// <exception cref="IOException">The disk can't be written.</exception>
    public static long Discard(string disk, IEnumerable<OverlayChange> changes) =>
        SparseFile.PunchHoles(disk, changes.Where(change => change.Source is null).Select(change => change.Range));

    /// <summary>Makes a raw disk what the overlay shows.</summary>
    /// <returns>Bytes that the disk occupies less on the host; negative if it has grown.</returns>
    /// <exception cref="IOException">The disk can't be written.</exception>
    public long TakeOver(string disk, ImmutableArray<OverlayChange> changes, CancellationToken cancellation)
    {
        var before = SparseFile.AllocatedBytes(disk);
        using (var from = File.OpenHandle(path))
        using (var to = File.OpenHandle(disk, FileMode.Open, FileAccess.ReadWrite))
        {
            var buffer = new byte[1 << 20];
            foreach (var (range, source) in changes)
            {
                for (long done = 0; source is { } start && done < range.Length;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, range.Length - done));
                    if (from.ReadUpTo(piece, start + done) < piece.Length)
                    {
                        throw new IOException($"The overlay {path} ends too early");
                    }

                    RandomAccess.Write(to, piece, range.Offset + done);
                    done += piece.Length;
                }
            }
        }

        Discard(disk, changes);
        return before - SparseFile.AllocatedBytes(disk);
    }

    public void Dispose() => File.Delete(path);

    /// <summary>What a line of `qemu-img map` says of the overlay's own (depth 0). Zeros of the disk below it are holes already.</summary>
    internal static IEnumerable<OverlayChange> ReadChange(string line)
    {
        if (line.IndexOf('{') is var start and >= 0 && line.LastIndexOf('}') is var end && end > start)
        {
            using var json = JsonDocument.Parse(line.AsMemory(start, end - start + 1));
            var range = json.RootElement;
            if (range.GetProperty("depth").GetInt32() == 0)
            {
                var where = new Extent(range.GetProperty("start").GetInt64(), range.GetProperty("length").GetInt64());
                yield return new OverlayChange(where, range.GetProperty("zero").GetBoolean() ? null : range.GetProperty("offset").GetInt64());
            }
        }
    }
}
