using System.Buffers.Binary;
using Crust.Formats.Splicing;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Qcow2;

/// <summary>Where a qcow2 has its tables, and how large its clusters are (docs/interop/qcow2 in QEMU's sources). Offsets in bytes.</summary>
/// <param name="ClusterBits">The clusters' size is two to the power of it.</param>
/// <param name="L1">Where the L1 table is.</param>
/// <param name="L1Entries">How many entries it has.</param>
/// <param name="Refcounts">Where the table of the blocks of reference counts is, which have 16 bits each.</param>
/// <param name="RefcountClusters">How many clusters it has.</param>
internal sealed record Qcow2Layout(int ClusterBits, long L1, long L1Entries, long Refcounts, long RefcountClusters)
{
    /// <summary>Bytes in a cluster.</summary>
    public int Cluster => 1 << ClusterBits;

    /// <summary>How many clusters an L2 table is for, whose length is one.</summary>
    public int L2Entries => Cluster / sizeof(ulong);

    /// <summary>How many clusters a block of reference counts is for, whose length is one.</summary>
    public int CountsInBlock => Cluster / sizeof(ushort);
}

/// <summary>
/// Changes of a qcow2's tables and clusters, in memory: those of a file that is there, or of one to come. New clusters are at the file's end; reference counts are kept,
/// so that `qemu-img check` finds neither errors nor leaks. For one thread.
/// </summary>
/// <param name="file">The file; null for one to come.</param>
/// <param name="length">Its length in bytes; whole clusters for one to come, which are zeros.</param>
internal sealed class Qcow2Tables(SafeFileHandle? file, long length, Qcow2Layout layout)
{
    /// <summary>In an entry of an L1 or L2 table: the cluster has one reference.</summary>
    public const ulong Copied = 1UL << 63;

    /// <summary>In an L2 entry: a cluster of zeros, whatever is below.</summary>
    public const ulong Zeros = 1;

    private const ulong OffsetMask = 0x00ff_ffff_ffff_fe00;
    private const ulong Compressed = 1UL << 62;
    private const int Sector = 512;

    private readonly Dictionary<long, byte[]> _changed = [];
    private long _end = (length + layout.Cluster - 1) / layout.Cluster;

    /// <summary>The L2 entry of a cluster of the disk; 0 if there is none.</summary>
    public ulong EntryOf(long guest) => L2Of(guest) is var table and > 0 ? Get(table + guest % layout.L2Entries * sizeof(ulong)) : 0;

    /// <summary>Gives a cluster of the disk another L2 entry, and frees what the old one had.</summary>
    public void SetEntry(long guest, ulong entry)
    {
        var table = L2Of(guest);
        if (table == 0)
        {
            table = Allocate() * layout.Cluster;
            Set(layout.L1 + guest / layout.L2Entries * sizeof(ulong), (ulong)table | Copied);
        }

        var at = table + guest % layout.L2Entries * sizeof(ulong);
        if (PlaceOf(Get(at), layout.ClusterBits) is var (offset, bytes, _) && bytes > 0)
        {
            for (var cluster = offset >> layout.ClusterBits; cluster <= (offset + bytes - 1) >> layout.ClusterBits; cluster++)
            {
                Count(cluster, -1);
            }
        }

        Set(at, entry);
    }

    /// <summary>Puts bytes into a new cluster.</summary>
    /// <returns>An L2 entry for it.</returns>
    public ulong Add(ReadOnlySpan<byte> cluster)
    {
        var index = Allocate();
        cluster.CopyTo(BytesOf(index));
        return (ulong)(index * layout.Cluster) | Copied;
    }

    /// <summary>The bytes of a cluster of the file, to be changed.</summary>
    public byte[] BytesOf(long cluster)
    {
        if (!_changed.TryGetValue(cluster, out var bytes))
        {
            bytes = new byte[layout.Cluster];
            file?.ReadUpTo(bytes, cluster * layout.Cluster);
            _changed.Add(cluster, bytes);
        }

        return bytes;
    }

    /// <summary>Changes how many references a cluster of the file has.</summary>
    public void Count(long cluster, int change)
    {
        var (number, index) = Math.DivRem(cluster, layout.CountsInBlock);
        if (number >= layout.RefcountClusters * layout.L2Entries)
        {
            throw new IOException("the qcow2's table of reference counts has no room for a file of that length");
        }

        var entry = layout.Refcounts + number * sizeof(ulong);
        var block = (long)Get(entry);
        if (block == 0)
        {
            var added = _end++;
            BytesOf(added);
            block = added * layout.Cluster;
            Set(entry, (ulong)block);
            Count(added, 1);
        }

        var counts = BytesOf(block >> layout.ClusterBits).AsSpan((int)index * sizeof(ushort));
        var count = BinaryPrimitives.ReadUInt16BigEndian(counts) + change;
        if (count is < 0 or > ushort.MaxValue)
        {
            throw new InvalidDataException("its reference counts don't match its tables");
        }

        BinaryPrimitives.WriteUInt16BigEndian(counts, (ushort)count);
    }

    /// <summary>Where the data of an L2 entry is.</summary>
    /// <returns>The offset and the length in the file, and whether it is compressed; a length of 0 for zeros.</returns>
    public static (long Offset, int Length, bool IsCompressed) PlaceOf(ulong entry, int clusterBits)
    {
        if ((entry & Compressed) != 0)
        {
            var bits = 62 - (clusterBits - 8);
            var offset = (long)(entry & ((1UL << bits) - 1));
            var sectors = (int)((entry & (Compressed - 1)) >> bits) + 1;
            return (offset, sectors * Sector - (int)(offset & (Sector - 1)), true);
        }

        // An entry may keep its cluster and say all the same that it is zeros; then it is to be freed, and not to be read.
        return (entry & OffsetMask) is var place and > 0 ? ((long)place, 1 << clusterBits, false) : default;
    }

    /// <summary>The file with its changes.</summary>
    public Splice ToSplice()
    {
        var splice = new Splice();
        foreach (var (cluster, bytes) in _changed.OrderBy(change => change.Key))
        {
            Fill(splice, cluster * layout.Cluster);
            splice.Add(bytes);
        }

        Fill(splice, _end * layout.Cluster);
        return splice;
    }

    // The file may end within its last cluster.
    private void Fill(Splice splice, long until)
    {
        if (file is not null)
        {
            splice.Copy(splice.Length, Math.Min(until, length) - splice.Length);
        }

        if (until > splice.Length)
        {
            splice.Add(new byte[until - splice.Length]);
        }
    }

    private long Allocate()
    {
        var cluster = _end++;
        BytesOf(cluster);
        Count(cluster, 1);
        return cluster;
    }

    private long L2Of(long guest) => guest / layout.L2Entries < layout.L1Entries
        ? (long)(Get(layout.L1 + guest / layout.L2Entries * sizeof(ulong)) & OffsetMask)
        : throw new InvalidDataException("its L1 table is too small for the disk");

    private ulong Get(long offset)
    {
        var (cluster, at) = Math.DivRem(offset, layout.Cluster);
        if (_changed.TryGetValue(cluster, out var bytes))
        {
            return BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan((int)at));
        }

        Span<byte> number = stackalloc byte[sizeof(ulong)];
        number.Clear();
        file?.ReadUpTo(number, offset);
        return BinaryPrimitives.ReadUInt64BigEndian(number);
    }

    private void Set(long offset, ulong value)
    {
        var (cluster, at) = Math.DivRem(offset, layout.Cluster);
        BinaryPrimitives.WriteUInt64BigEndian(BytesOf(cluster).AsSpan((int)at), value);
    }
}
