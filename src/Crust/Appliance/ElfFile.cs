using System.Buffers.Binary;
using System.Text;

namespace Crust.Appliance;

/// <summary>Reads which libraries a program asks for: DT_NEEDED and PT_INTERP of a 64-bit little-endian ELF file (System V gABI, chapter 5).</summary>
internal static class ElfFile
{
    private const int LoadSegment = 1;
    private const int DynamicSegment = 2;
    private const int InterpreterSegment = 3;
    private const long Needed = 1;
    private const long StringTable = 5;

    /// <summary>
    /// The names of the libraries, and the path of the loader, that the file asks for. Empty if it is no such file, or asks for none.
    /// </summary>
    public static IReadOnlyList<string> Needs(ReadOnlySpan<byte> file)
    {
        if (file.Length < 64 || !file.StartsWith("\u007fELF"u8) || file[4] != 2 || file[5] != 1)
        {
            return [];
        }

        var needs = new List<string>();
        var names = new List<long>();
        var strings = 0L;
        foreach (var segment in Segments(file))
        {
            if (segment.Type == InterpreterSegment)
            {
                needs.Add(TextAt(file, segment.Offset));
            }
            else if (segment.Type == DynamicSegment)
            {
                for (var entry = segment.Offset; entry < segment.Offset + segment.Size; entry += 16)
                {
                    var (tag, value) = (Number(file, entry), Number(file, entry + 8));
                    if (tag == Needed)
                    {
                        names.Add(value);
                    }
                    else if (tag == StringTable)
                    {
                        strings = OffsetOf(file, value);
                    }
                }
            }
        }

        foreach (var name in names)
        {
            needs.Add(TextAt(file, strings + name));
        }

        return needs;
    }

    private static List<(int Type, long Offset, long Address, long Size)> Segments(ReadOnlySpan<byte> file)
    {
        var table = Number(file, 32);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(file[54..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(file[56..]);
        var segments = new List<(int, long, long, long)>(count);
        for (var at = table; segments.Count < count; at += size)
        {
            segments.Add((BinaryPrimitives.ReadInt32LittleEndian(file[(int)at..]), Number(file, at + 8), Number(file, at + 16), Number(file, at + 32)));
        }

        return segments;
    }

    // The string table is named by its address in memory; the segment that is loaded there tells where in the file it is.
    private static long OffsetOf(ReadOnlySpan<byte> file, long address)
    {
        foreach (var segment in Segments(file))
        {
            if (segment.Type == LoadSegment && address >= segment.Address && address < segment.Address + segment.Size)
            {
                return address - segment.Address + segment.Offset;
            }
        }

        return address;
    }

    private static long Number(ReadOnlySpan<byte> file, long at) => BinaryPrimitives.ReadInt64LittleEndian(file[(int)at..]);

    private static string TextAt(ReadOnlySpan<byte> file, long at)
    {
        var rest = file[(int)at..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }
}
