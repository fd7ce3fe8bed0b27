using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Crust.Trees;

/// <summary>A member of a tar archive that is written.</summary>
/// <param name="Name">Its path; ends with a slash for a folder.</param>
/// <param name="Length">Its content's length in bytes; 0 for all but files.</param>
internal sealed record TarMember(string Name, long Length)
{
    /// <summary>A small file, with its header and padding.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> File(string name, byte[] content) => new TarMember(name, content.Length).With([content]);

    /// <summary>Bytes in a block, the unit of archives.</summary>
    public const int Block = 512;

    public const int LongestName = 100;

    // Eleven octal digits.
    private const long LargestOctal = (1L << 33) - 1;

    // Seven octal digits.
    private const int LargestId = (1 << 21) - 1;

    /// <summary>What ends an archive: two blocks of zeros.</summary>
    public static ReadOnlyMemory<byte> EndOfArchive { get; } = new byte[2 * Block];

    public UnixFileMode Mode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>A file, unless the name says that it is a folder.</summary>
    public TarKind Kind { get; init; } = Name.EndsWith('/') ? TarKind.Folder : TarKind.File;

    public int Owner { get; init; }

    /// <summary>The number of its group; null for the owner's.</summary>
    public int? Group { get; init; }

    /// <summary>When it was changed, in seconds since 1970. The same for all, so that the same members are the same bytes.</summary>
    public long Time { get; init; }

    /// <summary>What a symbolic link says; the member that a hard link is another name of.</summary>
    public string LinkTarget { get; init; } = "";

    public (int Major, int Minor) Device { get; init; }

    /// <summary>Its extended attributes.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<byte>> Attributes { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty;

    /// <summary>The archive is in GNU tar's own old format in place of POSIX's ustar.</summary>
    public bool IsOldGnu { get; init; }

    /// <summary>Zeros that stand behind the content up to a block's end.</summary>
    public int Padding => (int)(-Length & (Block - 1));

    /// <summary>What it takes in an archive: header, content, padding.</summary>
    public long Room => Header().Length + Length + Padding;

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
    /// What stands before the content (POSIX.1-1988 as in IEEE 1003.1, pax, "ustar Interchange Format"; GNU tar's manual, "Basic Tar Format"): one block, and
    /// before it pax records with what has no room in it. A length of 8 GiB or more is written as GNU's binary number, which all of today's readers know.
    /// </summary>
    public byte[] Header()
    {
        var records = Records();
        return records.Length == 0 ? Ustar(Name, Length, TypeOf(Kind), this)
            : [.. Ustar("././@PaxHeader", records.Length, 'x', new TarMember("", 0) { Time = Time }), .. records, .. new byte[-records.Length & (Block - 1)], .. Ustar(Name, Length, TypeOf(Kind), this)];
    }

    private byte[] Records()
    {
        var records = new MemoryStream();
        if (!Fits(Name))
        {
            Add("path", Encoding.UTF8.GetBytes(Name));
        }

        if (!Fits(LinkTarget))
        {
            Add("linkpath", Encoding.UTF8.GetBytes(LinkTarget));
        }

        foreach (var (key, id) in new[] { ("uid", Owner), ("gid", Group ?? Owner) }.Where(id => id.Item2 > LargestId))
        {
            Add(key, Encoding.ASCII.GetBytes(id.ToString(CultureInfo.InvariantCulture)));
        }

        foreach (var (name, value) in Attributes)
        {
            Add("SCHILY.xattr." + name, value.AsSpan());
        }

        return records.ToArray();

        // The length in front counts its own digits.
        void Add(string key, ReadOnlySpan<byte> value)
        {
            var rest = Encoding.UTF8.GetByteCount(key) + value.Length + 3;
            var length = rest + 1;
            while (length != rest + Digits(length))
            {
                length = rest + Digits(length);
            }

            records.Write(Encoding.UTF8.GetBytes($"{length.ToString(CultureInfo.InvariantCulture)} {key}="));
            records.Write(value);
            records.WriteByte((byte)'\n');
        }
    }

    private static byte[] Ustar(string name, long length, char type, TarMember member)
    {
        var header = new byte[Block];
        Ascii(name, header);
        Octal(header.AsSpan(100, 8), (long)member.Mode);
        Octal(header.AsSpan(108, 8), Math.Min(member.Owner, LargestId));
        Octal(header.AsSpan(116, 8), Math.Min(member.Group ?? member.Owner, LargestId));
        if (length <= LargestOctal)
        {
            Octal(header.AsSpan(124, 12), length);
        }
        else
        {
            header[124] = 0x80;
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(128), length);
        }

        Octal(header.AsSpan(136, 12), member.Time);
        header[156] = (byte)type;
        Ascii(member.LinkTarget, header.AsSpan(157));
        (member.IsOldGnu ? "ustar  \0"u8 : "ustar\000"u8).CopyTo(header.AsSpan(257));
        if (member.Kind is TarKind.CharacterDevice or TarKind.BlockDevice)
        {
            Octal(header.AsSpan(329, 8), member.Device.Major);
            Octal(header.AsSpan(337, 8), member.Device.Minor);
        }

        // The sum is taken with its own field full of blanks, and is the one number that ends with a blank.
        header.AsSpan(148, 8).Fill((byte)' ');
        Octal(header.AsSpan(148, 7), header.Sum(b => b));
        return header;
    }

    private static char TypeOf(TarKind kind) => kind switch
    {
        TarKind.HardLink => '1',
        TarKind.Symlink => '2',
        TarKind.CharacterDevice => '3',
        TarKind.BlockDevice => '4',
        TarKind.Folder => '5',
        TarKind.Fifo => '6',
        _ => '0',
    };

    private static bool Fits(string text) => text.Length <= LongestName && text.All(char.IsAscii);

    // Readers that know pax records don't look at it where it doesn't fit.
    private static void Ascii(string text, Span<byte> field) => Encoding.ASCII.GetBytes(text.AsSpan(0, Math.Min(text.Length, LongestName)), field);

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    /// <summary>All of it: header, the content in pieces, padding.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> With(IEnumerable<ReadOnlyMemory<byte>> content) =>
        content.Prepend(Header()).Append(new byte[Padding]);

    private static void Octal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3)
        {
            field[i] = (byte)('0' + (value & 7));
        }

        field[^1] = 0;
    }
}
