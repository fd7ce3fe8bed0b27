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
    private const int MostVersions = 4096;
    private const int RecordLength = 16;
    private const string OfGlibc = "GLIBC_";

    // The first glibc that has the mark by which it is known to read relative relocations in their short form.
    private static readonly Version KnowsShortRelocations = new(2, 36);

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
    private const long VersionNeeds = 0x6ffffffe;
    private const long VersionNeedsCount = 0x6fffffff;

    // A version that may be missing (Linux Standard Base, "Symbol Versioning").
    private const ushort Weak = 2;

    /// <summary>The oldest glibc that has all the versions of symbols that it needs; null if it needs none.</summary>
    public Version? Glibc { get; init; }

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
        var texts = ReadAt(content, segments, ValueOf(Texts), ValueOf(TextsLength) is > 0 and var length ? length : LongestTable);
        return this with
        {
            Needed = [.. entries.Where(entry => entry.Tag == Library).Select(entry => Text(texts, entry.Value)).Where(name => name.Length > 0)],
            Glibc = Versions(segments, content, ValueOf(VersionNeeds), ValueOf(VersionNeedsCount), texts).Select(GlibcOf).Max(),
            SearchPath = [.. entries.Where(entry => entry.Tag is Rpath or Runpath).SelectMany(entry => Text(texts, entry.Value).Split(':', StringSplitOptions.RemoveEmptyEntries))],
        };
    }

    // What the tables say of a place is an address in memory.
    private static byte[] ReadAt(TreeContent content, List<Segment> segments, ulong address, ulong length)
    {
        var home = segments.FirstOrDefault(segment => segment.Type is Load && address >= segment.Address && address - segment.Address < segment.Length);
        return home.Type is Load ? Read(content, address - home.Address + home.Offset, length) : [];
    }

    // Linux Standard Base, "Version Requirements": a record for each library, with a list of versions behind it.
    private static List<string> Versions(List<Segment> segments, TreeContent content, ulong address, ulong count, byte[] texts)
    {
        var table = address == 0 ? [] : ReadAt(content, segments, address, LongestTable);
        var versions = new List<string>();
        var (at, steps) = (0L, 0);
        for (ulong library = 0; library < count && steps++ < MostVersions && At(at) is { Length: RecordLength } need; library++)
        {
            var next = at + BinaryPrimitives.ReadUInt32LittleEndian(need[8..]);
            for (var left = BinaryPrimitives.ReadUInt16LittleEndian(need[2..]); left > 0 && steps++ < MostVersions && At(next) is { Length: RecordLength } version; left--)
            {
                if ((BinaryPrimitives.ReadUInt16LittleEndian(version[4..]) & Weak) == 0)
                {
                    versions.Add(Text(texts, BinaryPrimitives.ReadUInt32LittleEndian(version[8..])));
                }

                next += BinaryPrimitives.ReadUInt32LittleEndian(version[12..]);
            }

            at += BinaryPrimitives.ReadUInt32LittleEndian(need[12..]);
        }

        return versions;

        ReadOnlySpan<byte> At(long offset) => offset + RecordLength <= table.Length ? table.AsSpan((int)offset, RecordLength) : [];
    }

    private static Version? GlibcOf(string version) => !version.StartsWith(OfGlibc, StringComparison.Ordinal) ? null
        : version == OfGlibc + "ABI_DT_RELR" ? KnowsShortRelocations : Version.TryParse(version[OfGlibc.Length..], out var number) ? number : null;

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
