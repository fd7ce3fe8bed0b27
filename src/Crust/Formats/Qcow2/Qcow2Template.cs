using System.Buffers.Binary;
using System.IO.Compression;
using Crust.Disks;
using Crust.Formats.Splicing;
using Crust.Formats.Zstd;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Qcow2;

/// <summary>
/// A qcow2 as a template: its file with other tables, and the clusters that have patches at its end, as they are. Clusters that nothing refers to any more are free for
/// whoever writes to the image.
/// </summary>
internal sealed class Qcow2Template : ImageTemplate
{
    private const int HeaderLength = 112;
    private const int Sixteen = 4;

    private readonly Qcow2Layout _layout;
    private readonly bool _isZstd;

    private Qcow2Template(SafeFileHandle file, long size, Qcow2Layout layout, bool isZstd)
        : base(file) => (Size, _layout, _isZstd) = (size, layout, isZstd);

    public override long Size { get; }

    /// <param name="path">The path of an image whose header was checked: it is complete in itself.</param>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="InvalidDataException">It has what images of Crust's don't have: snapshots, subclusters, other reference counts.</exception>
    public static Qcow2Template Open(string path)
    {
        var file = System.IO.File.OpenHandle(path);
        try
        {
            var header = file.ReadUpTo(0L, HeaderLength);
            if (header.Length < HeaderLength || U32(header, 4) != 3 || U32(header, 60) != 0 || (U64(header, 72) & ~0b1000UL) != 0
                || U32(header, 96) != Sixteen || U64(header, 8) != 0)
            {
                throw new InvalidDataException("it isn't a qcow2 as Crust writes it: version 3, without snapshots, subclusters and a backing file, with reference counts of 16 bits");
            }

            var layout = new Qcow2Layout((int)U32(header, 20), (long)U64(header, 40), U32(header, 36), (long)U64(header, 48), U32(header, 56));
            return new Qcow2Template(file, (long)U64(header, 24), layout, U32(header, 100) > 104 && header[104] == 1);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override void Read(Span<byte> buffer, long offset)
    {
        buffer.Clear();
        var tables = TablesOf();
        for (var index = offset >> _layout.ClusterBits; index << _layout.ClusterBits < Math.Min(offset + buffer.Length, Size); index++)
        {
            if (ClusterOf(tables.EntryOf(index)) is { } cluster)
            {
                var start = index << _layout.ClusterBits;
                var (from, to) = (Math.Max(offset, start), Math.Min(offset + buffer.Length, start + _layout.Cluster));
                cluster.AsSpan((int)(from - start)..(int)(to - start)).CopyTo(buffer[(int)(from - offset)..]);
            }
        }
    }

    internal override Splice With(IReadOnlyList<DiskPatch> patches, string fileName)
    {
        var tables = TablesOf();
        foreach (var index in DiskPatch.UnitsOf(patches, _layout.Cluster))
        {
            var cluster = Patched(patches, index << _layout.ClusterBits, _layout.Cluster);
            tables.SetEntry(index, cluster.AsSpan().ContainsAnyExcept((byte)0) ? tables.Add(cluster) : 0);
        }

        return tables.ToSplice();
    }

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));

    private static ulong U64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(at));

    private Qcow2Tables TablesOf() => new(File, RandomAccess.GetLength(File), _layout);

    private byte[]? ClusterOf(ulong entry)
    {
        var (offset, length, isCompressed) = Qcow2Tables.PlaceOf(entry, _layout.ClusterBits);
        if (length == 0 || (!isCompressed && (entry & Qcow2Tables.Zeros) != 0))
        {
            return null;
        }

        // The last compressed cluster may say that it ends behind the file's end.
        var bytes = File.ReadUpTo(offset, length);
        return isCompressed ? Unpack(bytes) : Whole(bytes);
    }

    private byte[] Whole(byte[] bytes) => bytes.Length == _layout.Cluster ? bytes : [.. bytes, .. new byte[_layout.Cluster - bytes.Length]];

    // "zlib" is a deflate stream without zlib's header, as QEMU writes it (block/qcow2-threads.c).
    private byte[] Unpack(byte[] bytes)
    {
        var cluster = new byte[_layout.Cluster];
        if (_isZstd)
        {
            ZstdDecompressor.Decompress(bytes.AsSpan(0, ZstdDecompressor.LengthOfFrame(bytes)), cluster);
            return cluster;
        }

        using var deflate = new DeflateStream(new MemoryStream(bytes), CompressionMode.Decompress);
        return deflate.ReadAtLeast(cluster, cluster.Length, throwOnEndOfStream: false) == cluster.Length
            ? cluster
            : throw new InvalidDataException("a cluster of the qcow2 is damaged");
    }
}
