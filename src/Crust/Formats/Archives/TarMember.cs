using System.Buffers.Binary;
using System.Text;
using Crust.Formats.Headers;

namespace Crust.Formats.Archives;

/// <summary>A file or folder in a tar archive. It has no time, so that the same archive is the same bytes.</summary>
/// <param name="Name">Its path, ASCII, at most 100 characters; ends with a slash for a folder.</param>
/// <param name="Length">Its length in bytes; 0 for a folder.</param>
internal sealed record TarMember(string Name, long Length)
{
    /// <summary>A small file, with its header and padding.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> File(string name, byte[] content) => new TarMember(name, content.Length).With([content]);

    /// <summary>Bytes in a block, the unit of archives.</summary>
    public const int Block = 512;

    public const int LongestName = 100;

    // Eleven octal digits.
    private const long LargestOctal = (1L << 33) - 1;

    /// <summary>What ends an archive: two blocks of zeros.</summary>
    public static ReadOnlyMemory<byte> EndOfArchive { get; } = new byte[2 * Block];

    public UnixFileMode Mode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The number of its user and its group.</summary>
    public int Owner { get; init; }

    /// <summary>The archive is in GNU tar's own old format in place of POSIX's ustar.</summary>
    public bool IsOldGnu { get; init; }

    /// <summary>Zeros that stand behind the content up to a block's end.</summary>
    public int Padding => (int)(-Length & (Block - 1));

    /// <summary>What it takes in an archive: header, content, padding.</summary>
    public long Room => Block + Length + Padding;

    /// <summary>A file's name inside an archive: of what every system takes, and short enough.</summary>
    /// <param name="name">A base name.</param>
    /// <param name="extension">An extension with its dot.</param>
    /// <param name="folder">The folder in the archive with its slash, or nothing.</param>
    public static string NameFor(string name, string extension, string folder = "")
    {
        var safe = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || "._+-".Contains(c) ? c : '_'));
        return folder + safe[..Math.Min(safe.Length, LongestName - folder.Length - extension.Length)] + extension;
    }

    /// <summary>
    /// The block that stands before the content (POSIX.1-1988 as in IEEE 1003.1, pax, "ustar Interchange Format"; GNU tar's manual, "Basic
    /// Tar Format"). A length of 8 GiB or more, for which POSIX has no room, is written as GNU's binary number, which all of today's readers know.
    /// </summary>
    public byte[] Header()
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Name.Length, LongestName, nameof(Name));
        var header = new byte[Block];
        Encoding.ASCII.GetBytes(Name, header);
        Octal(header.AsSpan(100, 8), (long)Mode);
        Octal(header.AsSpan(108, 8), Owner);
        Octal(header.AsSpan(116, 8), Owner);
        if (Length <= LargestOctal)
        {
            Octal(header.AsSpan(124, 12), Length);
        }
        else
        {
            header[124] = 0x80;
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(128), Length);
        }

        Octal(header.AsSpan(136, 12), 0);
        header[156] = (byte)(Name.EndsWith('/') ? '5' : '0');
        (IsOldGnu ? "ustar  \0"u8 : "ustar\000"u8).CopyTo(header.AsSpan(257));
        // The sum is taken with its own field full of blanks, and is the one number that ends with a blank.
        header.AsSpan(148, 8).Fill((byte)' ');
        Octal(header.AsSpan(148, 7), header.Sum(b => b));
        return header;
    }

    /// <summary>All of it: header, the content in pieces, padding.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> With(IEnumerable<ReadOnlyMemory<byte>> content) =>
        content.Prepend(Header()).Append(new byte[Padding]);

    /// <summary>Whether a file begins with a member, in any of tar's formats since POSIX's.</summary>
    public static bool BeginsIn(ImageSample file) => file.Has(257, "ustar"u8);

    private static void Octal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3)
        {
            field[i] = (byte)('0' + (value & 7));
        }

        field[^1] = 0;
    }
}
