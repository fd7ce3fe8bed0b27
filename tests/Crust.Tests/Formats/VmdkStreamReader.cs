using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Crust.Tests.Formats;

/// <summary>
/// Reads a streamOptimized VMDK as vCenter and VirtualBox do at an import: from front to back by its markers, without a step back. It takes
/// nothing on trust: what stands where must be as Virtual Disk Format 5.0 has it, and tables and directory must say what the stream said.
/// </summary>
internal sealed class VmdkStreamReader(byte[] image)
{
    private const int Sector = 512;
    private const int Grain = 65536;
    private readonly Dictionary<long, uint> _grains = [];
    private readonly Dictionary<long, uint> _tables = [];
    private int _at;

    public long Capacity => Long(0, 12);

    public string Descriptor => Encoding.UTF8.GetString(image, (int)Long(0, 28) * Sector, (int)Long(0, 36) * Sector).TrimEnd('\0');

    /// <summary>The grains by their number, in the stream's order.</summary>
    public IReadOnlyList<(long Index, byte[] Data)> Read()
    {
        CheckHeader(0, ulong.MaxValue);
        var grains = new List<(long, byte[])>();
        _at = (int)Long(0, 64) * Sector;
        while (Int(_at, 8) is var compressed && compressed > 0)
        {
            var index = Math.DivRem(Long(_at, 0), 128, out var rest);
            Expect(rest == 0 && (grains.Count == 0 || index > grains[^1].Item1), "grains stand in order, at their boundaries");
            grains.Add((index, Inflate(_at + 12, compressed)));
            _grains.Add(index, (uint)(_at / Sector));
            _at += (12 + compressed + Sector - 1) / Sector * Sector;
            if (Int(_at, 8) == 0 && Int(_at, 12) == 1)
            {
                ReadTable();
            }
        }

        var directory = ReadDirectory();
        ReadMarker(3, 1);
        CheckHeader(_at, directory);
        _at += Sector;
        Expect(image.AsSpan(_at).Length == Sector && !image.AsSpan(_at).ContainsAnyExcept((byte)0), "the stream ends with a sector of zeros");
        Expect(_grains.Count == 0, "each grain is in a table");
        return grains;
    }

    private void CheckHeader(int at, ulong directory) => Expect(
        image.AsSpan(at, 4).SequenceEqual("KDMV"u8) && Int(at, 4) == 3 && Int(at, 8) == 0x30001 && Long(at, 12) == Capacity && Long(at, 20) == 128
        && Long(at, 28) == 1 && Int(at, 44) == 512 && Long(at, 48) == 0 && (ulong)Long(at, 56) == directory && Long(at, 64) == 128
        && image.AsSpan(at + 72, 7).SequenceEqual("\0\n \r\n\u0001\0"u8) && !image.AsSpan(at + 79, 433).ContainsAnyExcept((byte)0),
        "header and footer are those of a streamOptimized extent");

    private void ReadTable()
    {
        var position = (uint)(ReadMarker(1, 4) / Sector);
        var first = _grains.Keys.Min() / 512 * 512;
        for (var entry = 0; entry < 512; entry++)
        {
            var expected = _grains.Remove(first + entry, out var sector) ? sector : 0;
            Expect((uint)Int(_at, entry * 4) == expected, "a table has exactly the grains before it");
        }

        Expect(_grains.Count == 0, "a table follows its grains");
        _tables.Add(first / 512, position);
        _at += 4 * Sector;
    }

    private ulong ReadDirectory()
    {
        var entries = (Capacity + 65535) / 65536;
        var length = (int)((entries * 4) + Sector - 1) / Sector * Sector;
        var position = ReadMarker(2, length / Sector);
        for (var table = 0; table < length / 4; table++)
        {
            Expect((uint)Int(_at, table * 4) == _tables.GetValueOrDefault(table), "the directory has exactly the stream's tables");
        }

        _at += length;
        return (ulong)(position / Sector);
    }

    private int ReadMarker(int type, long sectors)
    {
        Expect(Long(_at, 0) == sectors && Int(_at, 8) == 0 && Int(_at, 12) == type && !image.AsSpan(_at + 16, 496).ContainsAnyExcept((byte)0),
            $"a marker of type {type} for {sectors} sectors");
        return _at += Sector;
    }

    private byte[] Inflate(int at, int length)
    {
        var data = new byte[Grain];
        using var zlib = new ZLibStream(new MemoryStream(image, at, length), CompressionMode.Decompress);
        zlib.ReadExactly(data);
        Expect(zlib.ReadByte() < 0, "a grain has 65536 bytes");
        var end = at + length;
        Expect(!image.AsSpan(end..((end + Sector - 1) / Sector * Sector)).ContainsAnyExcept((byte)0), "a grain is filled up with zeros");
        return data;
    }

    private void Expect(bool condition, string what) => Assert.That(condition, Is.True, $"{what} (at byte {_at})");

    private long Long(int at, int offset) => BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(at + offset));

    private int Int(int at, int offset) => BinaryPrimitives.ReadInt32LittleEndian(image.AsSpan(at + offset));
}
