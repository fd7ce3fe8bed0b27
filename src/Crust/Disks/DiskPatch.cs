using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Crust.Disks;

/// <summary>Reads a disk, wherever it is: fills the buffer with what is at an offset. What lies behind the disk's end reads as zeros.</summary>
internal delegate void DiskReader(Span<byte> buffer, long offset);

/// <summary>Bytes in place of those that a disk has.</summary>
/// <param name="Offset">Where they start, in bytes.</param>
internal sealed record DiskPatch(long Offset, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The first byte behind them.</summary>
    public long End => Offset + Bytes.Length;

    /// <summary>The units of one size that patches touch, in ascending order.</summary>
    public static long[] UnitsOf(IEnumerable<DiskPatch> patches, int unit)
    {
        var units = new SortedSet<long>();
        foreach (var patch in patches.Where(patch => !patch.Bytes.IsEmpty))
        {
            for (var index = patch.Offset / unit; index * unit < patch.End; index++)
            {
                units.Add(index);
            }
        }

        return [.. units];
    }

    /// <summary>The same, units that follow one another as one run: its first unit, and how many there are.</summary>
    public static IEnumerable<(long First, int Count)> RunsOf(IEnumerable<DiskPatch> patches, int unit)
    {
        var (first, count) = (0L, 0);
        foreach (var index in UnitsOf(patches, unit))
        {
            if (count > 0 && index == first + count)
            {
                count++;
                continue;
            }

            if (count > 0)
            {
                yield return (first, count);
            }

            (first, count) = (index, 1);
        }

        if (count > 0)
        {
            yield return (first, count);
        }
    }

    /// <summary>Puts into a buffer what patches have for its place on the disk.</summary>
    /// <param name="offset">Where the buffer's bytes are on the disk.</param>
    public static void Apply(IEnumerable<DiskPatch> patches, Span<byte> buffer, long offset)
    {
        foreach (var patch in patches)
        {
            var (from, to) = (Math.Max(offset, patch.Offset), Math.Min(offset + buffer.Length, patch.End));
            if (from < to)
            {
                patch.Bytes.Span[(int)(from - patch.Offset)..(int)(to - patch.Offset)].CopyTo(buffer[(int)(from - offset)..]);
            }
        }
    }

    /// <summary>A SHA-256 in hex over patches and a text.</summary>
    public static string DigestOf(IEnumerable<DiskPatch> patches, ReadOnlySpan<byte> other)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(other);
        Span<byte> place = stackalloc byte[2 * sizeof(long)];
        foreach (var patch in patches)
        {
            BinaryPrimitives.WriteInt64LittleEndian(place, patch.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(place[sizeof(long)..], patch.Bytes.Length);
            hash.AppendData(place);
            hash.AppendData(patch.Bytes.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
