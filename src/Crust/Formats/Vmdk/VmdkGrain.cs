using System.Buffers.Binary;
using Crust.Disks;

namespace Crust.Formats.Vmdk;

/// <summary>One grain's buffers, used for many grains.</summary>
internal sealed class VmdkGrain
{
    private readonly byte[] _data = new byte[VmdkStructure.Grain];
    private readonly byte[] _record = new byte[VmdkStructure.MaximalRecord];
    private long _index;
    private int _length;

    /// <summary>The grain's number, counted from the disk's start.</summary>
    public long Index => _index;

    /// <summary>Marker, compressed grain, and zeros up to a sector's end; empty for a grain of zeros.</summary>
    public ReadOnlySpan<byte> Record => _record.AsSpan(0, _length);

    /// <summary>Takes the disk's next grain; false if there is none.</summary>
    public bool Read(BlockReader disk) => disk.TryRead(_data, out _index);

    /// <summary>Takes a grain's bytes from elsewhere. What there are fewer of is zeros.</summary>
    public void Take(long index, ReadOnlySpan<byte> data)
    {
        _index = index;
        data.CopyTo(_data);
        _data.AsSpan(data.Length).Clear();
    }

    public void Compress(Deflater deflater)
    {
        _length = 0;
        if (!_data.AsSpan().ContainsAnyExcept((byte)0))
        {
            return;
        }

        var compressed = deflater.Compress(_data, _record.AsSpan(VmdkStructure.GrainMarker));
        BinaryPrimitives.WriteInt64LittleEndian(_record, _index * VmdkStructure.GrainSectors);
        BinaryPrimitives.WriteInt32LittleEndian(_record.AsSpan(8), compressed);
        var end = VmdkStructure.GrainMarker + compressed;
        _length = (int)VmdkStructure.SectorsFor(end) * VmdkStructure.Sector;
        _record.AsSpan(end.._length).Clear();
    }
}
