using System.Buffers.Binary;
using System.Text;
using Crust.Storage;

namespace Crust.Formats.Vmdk;

/// <summary>
/// Writes a stream-optimized VMDK from front to back: header and descriptor; grains, and after those that a grain table covers the
/// table; grain directory; footer; end of stream. Absent are grains of zeros, and tables without grains.
/// </summary>
internal sealed class VmdkStream
{
    private readonly HashedFile _file;
    private readonly long _sectors;
    private readonly byte[] _table = new byte[VmdkStructure.TableEntries * sizeof(uint)];
    private readonly byte[] _directory;
    private long _tableIndex;
    private bool _tableInUse;

    /// <param name="file">Where to; it is empty.</param>
    /// <param name="size">The disk's size in bytes; rounded up to whole sectors.</param>
    /// <param name="descriptor">Makes the descriptor for a disk of so many sectors.</param>
    public VmdkStream(HashedFile file, long size, Func<long, string> descriptor)
    {
        _file = file;
        _sectors = VmdkStructure.SectorsFor(size);
        var tables = (size + TableSpan - 1) / TableSpan;
        _directory = new byte[VmdkStructure.SectorsFor(tables * sizeof(uint)) * VmdkStructure.Sector];

        var head = new byte[VmdkStructure.OverheadSectors * VmdkStructure.Sector];
        VmdkStructure.Header(_sectors, VmdkStructure.DirectoryAtEnd).CopyTo(head, 0);
        Encoding.UTF8.GetBytes(descriptor(_sectors)).CopyTo(head, VmdkStructure.DescriptorSector * VmdkStructure.Sector);
        _file.Append(head);
    }

    // What one table covers of the disk, in bytes.
    private static long TableSpan => (long)VmdkStructure.TableEntries * VmdkStructure.Grain;

    /// <summary>Writes the next grain. Grains come in ascending order.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Append(VmdkGrain grain)
    {
        if (grain.Record.IsEmpty)
        {
            return;
        }

        var (table, entry) = Math.DivRem(grain.Index, VmdkStructure.TableEntries);
        if (table != _tableIndex)
        {
            FlushTable();
            _tableIndex = table;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(_table.AsSpan((int)entry * sizeof(uint)), Position());
        _tableInUse = true;
        _file.Append(grain.Record);
    }

    /// <summary>Writes what stands at the end.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Finish()
    {
        FlushTable();
        var directory = AppendMetadata(VmdkMarker.GrainDirectory, _directory);
        AppendMetadata(VmdkMarker.Footer, VmdkStructure.Header(_sectors, directory));
        _file.Append(VmdkStructure.Marker(VmdkMarker.EndOfStream, 0));
    }

    private void FlushTable()
    {
        if (_tableInUse)
        {
            var position = AppendMetadata(VmdkMarker.GrainTable, _table);
            BinaryPrimitives.WriteUInt32LittleEndian(_directory.AsSpan((int)_tableIndex * sizeof(uint)), position);
            Array.Clear(_table);
            _tableInUse = false;
        }
    }

    private uint AppendMetadata(VmdkMarker kind, byte[] metadata)
    {
        _file.Append(VmdkStructure.Marker(kind, metadata.Length / VmdkStructure.Sector));
        var position = Position();
        _file.Append(metadata);
        return position;
    }

    // Tables and directory hold sectors as 32 bits.
    private uint Position() => _file.Length / VmdkStructure.Sector is <= uint.MaxValue and var sector
        ? (uint)sector
        : throw new IOException("a vmdk can't be larger than 2 TiB");
}
