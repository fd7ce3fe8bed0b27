using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>A range of a disk that holds data.</summary>
/// <param name="Offset">Where it starts, in bytes: a multiple of <see cref="BlockMap.Block"/>.</param>
/// <param name="Length">How long it is, in bytes; a multiple of <see cref="BlockMap.Block"/> too, unless the disk ends there.</param>
/// <param name="Sha256">The SHA-256 of its bytes, in hex.</param>
internal readonly record struct BlockRange(long Offset, int Length, string Sha256)
{
    /// <summary>The first byte behind it.</summary>
    public long End => Offset + Length;
}

/// <summary>
/// Where a disk's data is, and what it is. What no range covers is zeros. The disk is looked at in slots of 4 MiB; one that isn't all zeros
/// has one range, from its first block with data to its last. So the map depends on the disk's bytes alone, not on how they are stored.
/// </summary>
/// <param name="Size">The disk's size in bytes.</param>
/// <param name="Ranges">The ranges in ascending order; they don't overlap.</param>
internal sealed record BlockMap(long Size, ImmutableArray<BlockRange> Ranges)
{
    /// <summary>What file systems allocate by, and disks are written by: 4 KiB.</summary>
    public const int Block = 4096;

    /// <summary>The longest range, and what ranges never cross a multiple of: 4 MiB.</summary>
    public const int Slot = 4 << 20;

    /// <summary>Bytes of all ranges.</summary>
    public long Data => Ranges.Sum(range => (long)range.Length);

    /// <summary>Whether the other map has the same ranges.</summary>
    public bool Equals(BlockMap? other) => other is not null && Size == other.Size && Ranges.SequenceEqual(other.Ranges);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Size, Ranges.Length);

    /// <summary>
    /// A name for what the disk holds, a SHA-256 in hex: over its size and its ranges with their checksums. Unlike a SHA-256 of the raw file it
    /// takes no time for holes, and unlike the build key it differs where two installs of the same left different bytes.
    /// </summary>
    public string Content()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes($"size {Size}\n"));
        foreach (var range in Ranges)
        {
            hash.AppendData(Encoding.ASCII.GetBytes($"{range.Offset} {range.Length} {range.Sha256}\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The map of a longer file that begins with this disk and has some bytes more at its end.</summary>
    /// <param name="added">What it has at its end; starts at a multiple of <see cref="Block"/>.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    public BlockMap Extended(SafeFileHandle file, Extent added)
    {
        // The disk may have ended in the middle of a block, which goes on now.
        var old = Ranges.Select(range => range.End % Block == 0 ? range : Read(new Extent(range.Offset, (range.Length + Block - 1) / Block * Block)));
        return new BlockMap(added.End, [.. old, Read(added)]);

        BlockRange Read(Extent extent)
        {
            var bytes = new byte[extent.Length];
            return new BlockRange(extent.Offset, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(0, file.ReadUpTo(bytes, extent.Offset)))));
        }
    }

    /// <summary>Reads a disk, with all cores; holes are passed over.</summary>
    /// <param name="disk">The raw disk's path.</param>
    /// <exception cref="IOException">The disk can't be read.</exception>
    public static async Task<BlockMap> OfAsync(string disk, CancellationToken cancellation)
    {
        using var file = File.OpenHandle(disk);
        using var slots = new BlockReader(file, Slot);
        var ranges = ImmutableArray.CreateBuilder<BlockRange>();
        var workers = Environment.ProcessorCount;
        // Two more than workers, so that none waits for the one whose turn it is.
        await OrderedPipeline.RunAsync(
            Enumerable.Range(0, workers + 2).Select(_ => new SlotHash(file)),
            slot => slot.TryFind(slots),
            Enumerable.Repeat<Action<SlotHash>>(slot => slot.Compute(), workers),
            slot =>
            {
                if (slot.Range.Length > 0)
                {
                    ranges.Add(slot.Range);
                }
            },
            null,
            cancellation);
        return new BlockMap(RandomAccess.GetLength(file), ranges.ToImmutable());
    }

    /// <summary>The range that a slot has.</summary>
    /// <param name="slot">The bytes of the slot, as many as the disk has there.</param>
    /// <param name="start">Where the slot starts on the disk.</param>
    /// <returns>One of length 0 if the slot is all zeros.</returns>
    internal static BlockRange RangeIn(ReadOnlySpan<byte> slot, long start)
    {
        var last = slot.LastIndexOfAnyExcept((byte)0);
        if (last < 0)
        {
            return default;
        }

        var first = slot.IndexOfAnyExcept((byte)0) / Block * Block;
        var data = slot[first..Math.Min(slot.Length, (last / Block + 1) * Block)];
        return new BlockRange(start + first, data.Length, Convert.ToHexStringLower(SHA256.HashData(data)));
    }

    /// <summary>The map of a disk that differs from this one in some slots.</summary>
    /// <param name="slots">Those slots' numbers.</param>
    /// <param name="ranges">What ranges these slots have now; of length 0 for none.</param>
    internal BlockMap With(IReadOnlyCollection<long> slots, IEnumerable<BlockRange> ranges) => new(Size,
        [.. Ranges.Where(range => !slots.Contains(range.Offset / Slot)).Concat(ranges.Where(range => range.Length > 0)).OrderBy(range => range.Offset)]);

    /// <summary>A slot while it is read and hashed.</summary>
    private sealed class SlotHash(SafeFileHandle file)
    {
        private readonly byte[] _bytes = new byte[Slot];
        private long _start;

        public BlockRange Range { get; private set; }

        public bool TryFind(BlockReader slots)
        {
            var found = slots.TryFind(out var index);
            _start = index * Slot;
            return found;
        }

        public void Compute() => Range = RangeIn(_bytes.AsSpan(0, file.ReadUpTo(_bytes, _start)), _start);
    }
}
