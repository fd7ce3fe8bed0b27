using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Crust.Trees;

/// <summary>What a 64-bit little-endian ELF file says of what it needs to run (System V ABI, "Object Files", "Program Loading and Dynamic Linking").</summary>
/// <param name="Machine">`x86-64`, `arm64`, or a number.</param>
/// <param name="Interpreter">The dynamic loader; null for a static program or a library.</param>
/// <param name="Needed">The libraries that it names.</param>
/// <param name="SearchPath">Its RPATH or RUNPATH, with `$ORIGIN` as it stands there.</param>
internal sealed record ElfFile(string Machine, string? Interpreter, ImmutableArray<string> Needed, ImmutableArray<string> SearchPath)
{
    private const int HeaderLength = 64;
    private const int SegmentLength = 56;
    private const int MostSegments = 256;
    private const int LongestTable = 1 << 20;
    private const int LongestText = 4096;

    // Types of segments.
    private const uint Load = 1;
    private const uint Dynamic = 2;
    private const uint Interp = 3;

    // Tags of the dynamic section.
    private const long Library = 1;
    private const long Texts = 5;
    private const long TextsLength = 10;
    private const long Rpath = 15;
    private const long Runpath = 29;

    /// <summary>Reads a file; null if it isn't such an ELF file, or its headers are damaged.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public static ElfFile? TryRead(TreeContent content)
    {
        var header = content.Read(0, HeaderLength);
        if (header.Length < HeaderLength || !header.AsSpan().StartsWith("\u007fELF\u0002\u0001"u8))
        {
            return null;
        }

        var machine = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(18)) switch { 62 => "x86-64", 183 => "arm64", var other => $"machine {other}" };
        var count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(56));
        if ((count > 0 && BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(54)) != SegmentLength) || count > MostSegments)
        {
            return null;
        }

        var table = Read(content, BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(32)), (ulong)count * SegmentLength);
        var segments = Enumerable.Range(0, table.Length / SegmentLength).Select(index => Segment.Of(table.AsSpan(index * SegmentLength, SegmentLength))).ToList();
        var interpreter = segments.Where(segment => segment.Type is Interp).Select(segment => Text(Read(content, segment.Offset, Math.Min(segment.Length, LongestText)), 0)).FirstOrDefault();
        var file = new ElfFile(machine, interpreter, [], []);
        return segments.Where(segment => segment.Type is Dynamic).Select(segment => file.With(content, segments, Read(content, segment.Offset, segment.Length))).FirstOrDefault() ?? file;
    }

    private ElfFile With(TreeContent content, List<Segment> segments, byte[] dynamic)
    {
        var entries = Enumerable.Range(0, dynamic.Length / 16)
            .Select(index => (Tag: BinaryPrimitives.ReadInt64LittleEndian(dynamic.AsSpan(index * 16)), Value: BinaryPrimitives.ReadUInt64LittleEndian(dynamic.AsSpan(index * 16 + 8))))
            .TakeWhile(entry => entry.Tag != 0).ToList();
        ulong ValueOf(long tag) => entries.FirstOrDefault(entry => entry.Tag == tag).Value;
        // The texts' place is an address in memory.
        var address = ValueOf(Texts);
        var home = segments.FirstOrDefault(segment => segment.Type is Load && address >= segment.Address && address - segment.Address < segment.Length);
        var texts = home.Type is Load ? Read(content, address - home.Address + home.Offset, ValueOf(TextsLength) is > 0 and var length ? length : LongestTable) : [];
        return this with
        {
            Needed = [.. entries.Where(entry => entry.Tag == Library).Select(entry => Text(texts, entry.Value)).Where(name => name.Length > 0)],
            SearchPath = [.. entries.Where(entry => entry.Tag is Rpath or Runpath).SelectMany(entry => Text(texts, entry.Value).Split(':', StringSplitOptions.RemoveEmptyEntries))],
        };
    }

    private static byte[] Read(TreeContent content, ulong offset, ulong length) => offset < (ulong)content.Length ? content.Read((long)offset, (int)Math.Min(length, LongestTable)) : [];

    private static string Text(byte[] texts, ulong offset)
    {
        var rest = offset < (ulong)texts.Length ? texts.AsSpan((int)offset) : [];
        return rest.IndexOf((byte)0) is >= 0 and <= LongestText and var end ? Encoding.UTF8.GetString(rest[..end]) : "";
    }

    private readonly record struct Segment(uint Type, ulong Offset, ulong Address, ulong Length)
    {
        public static Segment Of(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]));
    }
}
