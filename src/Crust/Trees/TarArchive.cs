using System.Buffers.Text;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Crust.Sanitizing;

namespace Crust.Trees;

/// <summary>
/// Reads a tar archive that somebody else may have made: POSIX's ustar and pax (IEEE 1003.1, pax, "pax Interchange Format"), GNU's long names and binary numbers
/// (GNU tar's manual, "Basic Tar Format"). Whatever the archive says, no more than <see cref="LongestText"/> is kept of a member, and 64 MiB of all.
/// </summary>
/// <param name="archive">The archive, at its start. It is read forth, and sought in if it can be.</param>
/// <param name="length">The archive's length in bytes, or <see cref="UnknownLength"/>.</param>
internal sealed class TarArchive(Stream archive, long length)
{
    /// <summary>The length of an archive of which nobody knows it.</summary>
    public const long UnknownLength = long.MaxValue / 2;

    /// <summary>The most bytes of a name, or of a member's pax records.</summary>
    public const int LongestText = 64 << 10;

    private const int Block = TarMember.Block;
    private const string AttributePrefix = "SCHILY.xattr.";
    private const long MostTexts = 64 << 20;

    private readonly byte[] _header = new byte[Block];
    private long _position;
    private long _contentEnd;
    private long _next;
    private int _members;
    private long _texts;

    /// <summary>More members are refused.</summary>
    public int MostMembers { get; init; } = 100_000;

    /// <summary>The next member, whose content the stream then stands before; null at the archive's end.</summary>
    /// <exception cref="InvalidDataException">It is no archive, is damaged, or tells of more than there is.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public ArchiveEntry? Next()
    {
        string? longName = null;
        string? longLink = null;
        var pax = new Dictionary<string, byte[]>();
        while (true)
        {
            Skip(_next - _position);
            if (_next >= length || !ReadHeader())
            {
                return longName is null && longLink is null && pax.Count == 0 ? null : throw new InvalidDataException("it ends before the member that a long name is for");
            }

            if (++_members > MostMembers)
            {
                throw new InvalidDataException($"it has more than {MostMembers} members");
            }

            var (type, size) = (_header[156], Decimal(pax, "size") ?? Number(_header.AsSpan(124, 12)));
            // Of links, devices and folders the length says nothing.
            size = type is (byte)'1' or (byte)'2' or (byte)'3' or (byte)'4' or (byte)'5' or (byte)'6' ? 0 : size;
            if (size > length - _position)
            {
                throw new InvalidDataException($"a member of {size} bytes ends behind it");
            }

            _contentEnd = _position + size;
            _next = _contentEnd + (-size & (Block - 1));
            switch (type)
            {
                case (byte)'L':
                    longName = Text(ReadText(size));
                    break;
                case (byte)'K':
                    longLink = Text(ReadText(size));
                    break;
                case (byte)'x':
                    AddRecords(pax, ReadText(size));
                    break;
                case (byte)'g':
                    // What holds for all members may be a comment, as git writes it; not what a member is.
                    var global = new Dictionary<string, byte[]>();
                    AddRecords(global, ReadText(size));
                    if (global.Keys.Any(key => key is "path" or "size" or "linkpath" || key.StartsWith("GNU.sparse", StringComparison.Ordinal)))
                    {
                        throw new InvalidDataException("it gives all of its members one name or length");
                    }

                    break;
                default:
                    var name = Plain(TextOf(pax, "path") ?? longName ?? NameInHeader());
                    return new ArchiveEntry(name, KindOf(type, name, pax), _position, size)
                    {
                        Mode = (UnixFileMode)(Number(_header.AsSpan(100, 8)) & 0xfff),
                        Owner = Id(pax, "uid", _header.AsSpan(108, 8)),
                        Group = Id(pax, "gid", _header.AsSpan(116, 8)),
                        LinkTarget = TextOf(pax, "linkpath") ?? longLink ?? Text(_header.AsSpan(157, 100)),
                        Device = type is (byte)'3' or (byte)'4' ? ((int)Number(_header.AsSpan(329, 8)), (int)Number(_header.AsSpan(337, 8))) : default,
                        Attributes = pax.Where(record => record.Key.StartsWith(AttributePrefix, StringComparison.Ordinal))
                            .ToImmutableSortedDictionary(record => record.Key[AttributePrefix.Length..], record => ImmutableCollectionsMarshal.AsImmutableArray(record.Value), StringComparer.Ordinal),
                    };
            }
        }
    }

    private static TarKind KindOf(byte type, string name, Dictionary<string, byte[]> pax) => pax.Keys.Any(key => key.StartsWith("GNU.sparse", StringComparison.Ordinal)) ? TarKind.Other : type switch
    {
        // The oldest archives know no folders.
        0 or (byte)'0' or (byte)'7' => name.EndsWith('/') ? TarKind.Folder : TarKind.File,
        (byte)'5' => TarKind.Folder,
        (byte)'1' => TarKind.HardLink,
        (byte)'2' => TarKind.Symlink,
        (byte)'3' => TarKind.CharacterDevice,
        (byte)'4' => TarKind.BlockDevice,
        (byte)'6' => TarKind.Fifo,
        _ => TarKind.Other,
    };

    // A name is for this host's eyes only, but one that leaves the archive is made to do harm.
    private static string Plain(string name)
    {
        while (name.StartsWith("./", StringComparison.Ordinal))
        {
            name = name[2..];
        }

        return name.StartsWith('/') || name.Split('/').Contains("..") || name.Contains('\0')
            ? throw new InvalidDataException($"it has a member that leaves it: {CleanText.Line(name, 100)}") : name;
    }

    private string NameInHeader()
    {
        var name = Text(_header.AsSpan(0, 100));
        // GNU's own format has other things where POSIX has the name's first part.
        var isPosix = _header.AsSpan(257, 6).SequenceEqual("ustar\0"u8);
        return isPosix && _header[345] != 0 ? $"{Text(_header.AsSpan(345, 155))}/{name}" : name;
    }

    // False at the end: a block of zeros, or nothing any more.
    private bool ReadHeader()
    {
        var read = archive.ReadAtLeast(_header, Block, throwOnEndOfStream: false);
        _position += read;
        if (read == 0 || (read == Block && !_header.AsSpan().ContainsAnyExcept((byte)0)))
        {
            return false;
        }

        if (read < Block)
        {
            throw new InvalidDataException("it ends within a header");
        }

        // The sum is taken with its own field full of blanks; old programs took it with signs.
        var (sum, signed) = (8 * ' ', 8 * ' ');
        for (var at = 0; at < Block; at++)
        {
            if (at is < 148 or >= 156)
            {
                sum += _header[at];
                signed += (sbyte)_header[at];
            }
        }

        var expected = Number(_header.AsSpan(148, 8));
        return expected == sum || expected == signed ? true : throw new InvalidDataException("a header of it is damaged");
    }

    private void Skip(long count)
    {
        if (count > 0 && archive.CanSeek)
        {
            archive.Seek(count, SeekOrigin.Current);
            _position += count;
        }

        for (var buffer = count > 0 && !archive.CanSeek ? new byte[64 << 10] : []; _position < _next && buffer.Length > 0;)
        {
            var read = archive.Read(buffer, 0, (int)Math.Min(buffer.Length, _next - _position));
            _position = read == 0 ? throw new InvalidDataException("it ends within a member") : _position + read;
        }
    }

    /// <summary>Reads on in the content of the member that <see cref="Next"/> gave, until the buffer is full or the content ends.</summary>
    /// <returns>How many bytes were read.</returns>
    /// <exception cref="InvalidDataException">The archive ends within it.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public int Read(Span<byte> buffer)
    {
        var wanted = (int)Math.Min(buffer.Length, _contentEnd - _position);
        var read = archive.ReadAtLeast(buffer[..wanted], wanted, throwOnEndOfStream: false);
        _position += read;
        return read == wanted ? read : throw new InvalidDataException("it ends within a member");
    }

    private byte[] ReadText(long size)
    {
        _texts += size;
        if (size > LongestText || _texts > MostTexts)
        {
            throw new InvalidDataException("it has names that are longer than any file's");
        }

        var bytes = new byte[size];
        var read = archive.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        _position += read;
        return read == size ? bytes : throw new InvalidDataException("it ends within a name");
    }

    // "LENGTH KEY=VALUE\n", where the length counts all of the record.
    private static void AddRecords(Dictionary<string, byte[]> records, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var blank = bytes.IndexOf((byte)' ');
            if (blank <= 0 || !Utf8Parser.TryParse(bytes[..blank], out int size, out var used) || used != blank || size <= blank + 2 || size > bytes.Length || bytes[size - 1] != '\n'
                || bytes[(blank + 1)..size].IndexOf((byte)'=') is not (> 0 and var equals))
            {
                throw new InvalidDataException("it has pax records that are damaged");
            }

            var record = bytes[(blank + 1)..(size - 1)];
            records[Encoding.UTF8.GetString(record[..equals])] = record[(equals + 1)..].ToArray();
            bytes = bytes[size..];
        }
    }

    private static string? TextOf(Dictionary<string, byte[]> records, string key) => records.TryGetValue(key, out var value) ? Encoding.UTF8.GetString(value) : null;

    private static long? Decimal(Dictionary<string, byte[]> records, string key) => TextOf(records, key) is not { } text ? null
        : long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var size)
        ? size : throw new InvalidDataException("it has a length that is no number");

    private static int Id(Dictionary<string, byte[]> records, string key, ReadOnlySpan<byte> field) => (Decimal(records, key) ?? Number(field)) is var id and <= int.MaxValue
        ? (int)id : throw new InvalidDataException("it has an owner whose number is too large");

    private static string Text(ReadOnlySpan<byte> field) => Encoding.UTF8.GetString(field.IndexOf((byte)0) is var end and >= 0 ? field[..end] : field);

    // Octal digits that a blank or a zero may end, or GNU's binary number, whose first bit is set.
    private static long Number(ReadOnlySpan<byte> field)
    {
        long value = 0;
        if ((field[0] & 0x80) != 0)
        {
            foreach (var digit in field[1..])
            {
                value = field[0] == 0x80 && value <= long.MaxValue >> 8 ? (value << 8) | digit : throw new InvalidDataException("it has a length that is negative or too large");
            }

            return value;
        }

        var text = field.Trim((byte)' ').TrimEnd((byte)0).TrimEnd((byte)' ');
        foreach (var digit in text.IndexOfAny((byte)0, (byte)' ') is var end and >= 0 ? text[..end] : text)
        {
            value = digit is >= (byte)'0' and <= (byte)'7' && value <= long.MaxValue >> 3 ? (value << 3) | (uint)(digit - '0') : throw new InvalidDataException("it has a length that is no number");
        }

        return value;
    }
}
