using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using Crust.Disks;
using Crust.Formats.Splicing;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Vmdk;

/// <summary>
/// What <see cref="VmdkFormat"/> has written, as a template: grains are copied, but for those with patches; tables, directory and footer are written anew, since what
/// comes behind a new grain moves. All but the descriptor, whose ids are the new image's own, is what <see cref="VmdkFormat"/> would write of the patched disk.
/// </summary>
internal sealed class VmdkTemplate : ImageTemplate
{
    private const int TableLength = VmdkStructure.TableEntries * sizeof(uint);
    private const int TableSectors = TableLength / VmdkStructure.Sector;
    private const int HeadLength = VmdkStructure.OverheadSectors * VmdkStructure.Sector;

    private readonly byte[] _head;
    private readonly long _sectors;
    private readonly int _directoryLength;
    private readonly ImmutableSortedDictionary<long, GrainTable> _tables;

    private VmdkTemplate(SafeFileHandle file, byte[] head, long sectors, int directoryLength, ImmutableSortedDictionary<long, GrainTable> tables)
        : base(file) => (_head, _sectors, _directoryLength, _tables) = (head, sectors, directoryLength, tables);

    public override long Size => _sectors * VmdkStructure.Sector;

    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="InvalidDataException">Crust hasn't written it.</exception>
    public static VmdkTemplate Open(string path)
    {
        var file = System.IO.File.OpenHandle(path);
        try
        {
            return Open(file);
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
        for (var index = offset / VmdkStructure.Grain; index * VmdkStructure.Grain < offset + buffer.Length; index++)
        {
            if (GrainAt(index) is { } grain)
            {
                var start = index * VmdkStructure.Grain;
                var (from, to) = (Math.Max(offset, start), Math.Min(offset + buffer.Length, start + VmdkStructure.Grain));
                grain.AsSpan((int)(from - start)..(int)(to - start)).CopyTo(buffer[(int)(from - offset)..]);
            }
        }
    }

    internal override Splice With(IReadOnlyList<DiskPatch> patches, string fileName)
    {
        var fresh = DiskPatch.UnitsOf(patches, VmdkStructure.Grain).ToLookup(index => index / VmdkStructure.TableEntries);
        var splice = new Splice();
        splice.Add(HeadFor(patches, fileName));
        var directory = new byte[_directoryLength];
        using var deflater = Deflater.Create(VmdkFormat.Level);
        foreach (var index in _tables.Keys.Concat(fresh.Select(group => group.Key)).Distinct().Order())
        {
            var table = Append(splice, _tables.GetValueOrDefault(index), fresh[index], patches, deflater);
            if (table.AsSpan().ContainsAnyExcept((byte)0))
            {
                BinaryPrimitives.WriteUInt32LittleEndian(directory.AsSpan((int)index * sizeof(uint)), AppendMetadata(splice, VmdkMarker.GrainTable, table));
            }
        }

        var place = AppendMetadata(splice, VmdkMarker.GrainDirectory, directory);
        AppendMetadata(splice, VmdkMarker.Footer, VmdkStructure.Header(_sectors, place));
        splice.Add(VmdkStructure.Marker(VmdkMarker.EndOfStream, 0));
        return splice;
    }

    private static VmdkTemplate Open(SafeFileHandle file)
    {
        var length = RandomAccess.GetLength(file);
        var head = file.ReadUpTo(0L, HeadLength);
        var sectors = head.Length == HeadLength ? BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(12)) : -1;
        if (sectors < 0 || !head.AsSpan(0, VmdkStructure.Sector).SequenceEqual(VmdkStructure.Header(sectors, VmdkStructure.DirectoryAtEnd)))
        {
            throw NotOurs("its header is another one");
        }

        var footer = file.ReadUpTo(length - 2 * VmdkStructure.Sector, VmdkStructure.Sector);
        var directorySector = footer.Length == VmdkStructure.Sector ? BinaryPrimitives.ReadUInt32LittleEndian(footer.AsSpan(56)) : 0;
        if (!footer.AsSpan().SequenceEqual(VmdkStructure.Header(sectors, directorySector)))
        {
            throw NotOurs("its footer is another one");
        }

        var span = (long)VmdkStructure.TableEntries * VmdkStructure.GrainSectors;
        var directoryLength = (int)VmdkStructure.SectorsFor((sectors + span - 1) / span * sizeof(uint)) * VmdkStructure.Sector;
        var directory = file.ReadUpTo(directorySector * (long)VmdkStructure.Sector, directoryLength);
        var tables = ImmutableSortedDictionary.CreateBuilder<long, GrainTable>();
        long next = VmdkStructure.OverheadSectors;
        for (var index = 0; index < directory.Length / sizeof(uint); index++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(directory.AsSpan(index * sizeof(uint))) is var sector and > 0)
            {
                var table = new GrainTable(sector, file.ReadUpTo(sector * (long)VmdkStructure.Sector, TableLength));
                table.Check(next);
                tables.Add(index, table);
                next = sector + TableSectors;
            }
        }

        // A marker stands before the directory.
        return directory.Length == directoryLength && next == directorySector - 1
            ? new VmdkTemplate(file, head, sectors, directoryLength, tables.ToImmutable())
            : throw NotOurs("its grains are in another order");
    }

    private static InvalidDataException NotOurs(string why) => new($"it isn't a streamOptimized image as Crust writes it: {why}");

    private static uint AppendMetadata(Splice splice, VmdkMarker kind, byte[] metadata)
    {
        splice.Add(VmdkStructure.Marker(kind, metadata.Length / VmdkStructure.Sector));
        var position = SectorOf(splice);
        splice.Add(metadata);
        return position;
    }

    // Tables and directory hold sectors as 32 bits.
    private static uint SectorOf(Splice splice) => splice.Length / VmdkStructure.Sector is <= uint.MaxValue and var sector
        ? (uint)sector
        : throw new IOException("a vmdk can't be larger than 2 TiB");

    // The grains of one table, and that table.
    private byte[] Append(Splice splice, GrainTable? old, IEnumerable<long> fresh, IReadOnlyList<DiskPatch> patches, Deflater deflater)
    {
        var changed = fresh.ToDictionary(index => (int)(index % VmdkStructure.TableEntries));
        var table = new byte[TableLength];
        for (var entry = 0; entry < VmdkStructure.TableEntries; entry++)
        {
            var position = SectorOf(splice);
            if (changed.TryGetValue(entry, out var index))
            {
                var grain = new VmdkGrain();
                var start = index * VmdkStructure.Grain;
                grain.Take(index, Patched(patches, start, (int)Math.Min(VmdkStructure.Grain, Size - start)));
                grain.Compress(deflater);
                splice.Add(grain.Record.ToArray());
            }
            else if (old?[entry] is { } sector and > 0)
            {
                splice.Copy(sector * (long)VmdkStructure.Sector, (old.EndOf(entry) - sector) * VmdkStructure.Sector);
            }

            if (SectorOf(splice) > position)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(entry * sizeof(uint)), position);
            }
        }

        return table;
    }

    private byte[] HeadFor(IReadOnlyList<DiskPatch> patches, string fileName)
    {
        var head = new byte[HeadLength];
        VmdkStructure.Header(_sectors, VmdkStructure.DirectoryAtEnd).CopyTo(head, 0);
        // The base's ids follow from its content, and so do these.
        Encoding.UTF8.GetBytes(VmdkDescriptor.For(_sectors, DiskPatch.DigestOf(patches, _head), fileName)).CopyTo(head,
            VmdkStructure.DescriptorSector * VmdkStructure.Sector);
        return head;
    }

    private byte[]? GrainAt(long index)
    {
        var (number, entry) = Math.DivRem(index, VmdkStructure.TableEntries);
        if (_tables.GetValueOrDefault(number) is not { } table || table[(int)entry] is not (> 0 and var sector))
        {
            return null;
        }

        var record = File.ReadUpTo(sector * (long)VmdkStructure.Sector, (int)Math.Min(VmdkStructure.MaximalRecord,
            (table.EndOf((int)entry) - sector) * VmdkStructure.Sector));
        var length = BinaryPrimitives.ReadInt32LittleEndian(record.AsSpan(8));
        if (BinaryPrimitives.ReadInt64LittleEndian(record) != index * VmdkStructure.GrainSectors || length <= 0 || length > record.Length - VmdkStructure.GrainMarker)
        {
            throw new InvalidDataException($"the grain at {index * VmdkStructure.Grain} is damaged");
        }

        using var unpacked = new ZLibStream(new MemoryStream(record, VmdkStructure.GrainMarker, length), CompressionMode.Decompress);
        var grain = new byte[VmdkStructure.Grain];
        unpacked.ReadAtLeast(grain, grain.Length, throwOnEndOfStream: false);
        return grain;
    }

    /// <summary>A grain table: where each of its grains is, in sectors; 0 for none.</summary>
    /// <param name="sector">Where it is itself; a marker stands before it, and its grains before that.</param>
    private sealed class GrainTable(uint sector, byte[] bytes)
    {
        public uint this[int entry] => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(entry * sizeof(uint)));

        public uint EndOf(int entry)
        {
            for (var next = entry + 1; next < VmdkStructure.TableEntries; next++)
            {
                if (this[next] is > 0 and var start)
                {
                    return start;
                }
            }

            return sector - 1;
        }

        /// <summary>Checks that its grains follow one another, and come first.</summary>
        /// <param name="first">The sector at which the first one is.</param>
        public void Check(long first)
        {
            if (bytes.Length < TableLength)
            {
                throw NotOurs("a table of its grains is cut off");
            }

            var end = first;
            var isFirst = true;
            for (var entry = 0; entry < VmdkStructure.TableEntries; entry++)
            {
                if (this[entry] is > 0 and var start)
                {
                    if (isFirst ? start != end : start <= end)
                    {
                        throw NotOurs("its grains are in another order");
                    }

                    (isFirst, end) = (false, start);
                }
            }

            if (isFirst || end >= sector - 1)
            {
                throw NotOurs("its grains are in another order");
            }
        }
    }
}
