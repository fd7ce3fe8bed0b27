using System.Buffers.Binary;
using System.Text;

namespace Crust.Formats.Headers;

/// <summary>
/// What a vmdk says of other files (VMware Virtual Disk Format 5.0, "Hosted Sparse Extents" and "The Descriptor File"). Only a sparse extent with its own descriptor in it
/// is a whole disk: monolithicSparse and streamOptimized.
/// </summary>
internal static class VmdkHeader
{
    private const int Sector = 512;
    private const int HeaderLength = 79;
    private const ulong AtEnd = ulong.MaxValue;

    // Where QEMU looks for a parent's name, whatever the header says of the descriptor (block/vmdk.c: desc_offset, DESC_SIZE).
    private const int FixedDescriptor = 0x200;
    private const int FixedDescriptorLength = 20 * Sector;
    private const int LongestDescriptor = 1 << 20;

    /// <summary>How a sparse extent begins.</summary>
    public static ReadOnlySpan<byte> Magic => "KDMV"u8;

    /// <summary>How an extent of ESX begins.</summary>
    public static ReadOnlySpan<byte> EsxMagic => "COWD"u8;

    /// <summary>How a descriptor begins that is a file of its own.</summary>
    public static ReadOnlySpan<byte> DescriptorMagic => "# Disk DescriptorFile"u8;

    /// <exception cref="NeedsOtherFilesException">The image names another file.</exception>
    /// <exception cref="InvalidDataException">The image isn't a vmdk.</exception>
    public static void Check(ImageBytes image)
    {
        var start = image.ReadUpTo(0, DescriptorMagic.Length);
        if (!start.AsSpan().StartsWith(Magic))
        {
            // QEMU takes whatever else it is for a descriptor.
            throw start.AsSpan().StartsWith(EsxMagic) ? new NeedsOtherFilesException("the descriptor and the other extents of an ESX disk")
                : start.AsSpan().StartsWith(DescriptorMagic) ? VmdkText.Extents(image.ReadUpTo(0, LongestDescriptor)) : new InvalidDataException("it doesn't begin as one");
        }

        var header = image.Read(0, HeaderLength, "its header");
        CheckSizes(image, header);
        var (at, sectors) = (U64(header, 28), U64(header, 36));
        if (at != 0)
        {
            if (sectors is 0 or > LongestDescriptor / Sector || at > long.MaxValue / Sector)
            {
                throw new InvalidDataException("its descriptor is too long, or lies where it can't be");
            }

            VmdkText.Check(image.Read((long)at * Sector, (int)sectors * Sector, "its descriptor"));
        }

        VmdkText.CheckParent(image.ReadUpTo(FixedDescriptor, FixedDescriptorLength));
        if (U64(header, 56) == AtEnd)
        {
            // Then the header that counts stands at the file's end, between two sectors that mark it.
            var footer = image.Read(image.Length - 2 * Sector, HeaderLength, "its footer");
            if (!footer.AsSpan().StartsWith(Magic))
            {
                throw new InvalidDataException("it has no footer");
            }

            CheckSizes(image, footer);
        }
    }

    private static void CheckSizes(ImageBytes image, byte[] header)
    {
        var (capacity, grain, entries) = (U64(header, 12), U64(header, 20), BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(44)));
        if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)) is var version and not (1 or 2 or 3))
        {
            throw new InvalidDataException($"its version is {version}, and there are 1 to 3");
        }

        // Without a capacity, the descriptor in it counts alone, and that names other files.
        if (capacity == 0)
        {
            throw new NeedsOtherFilesException("the extents that the descriptor in it names");
        }

        // QEMU's own limits; a grain has 64 KiB nearly always.
        if (grain is 0 or > 0x200000 || entries is 0 or > 512 || capacity > long.MaxValue / Sector)
        {
            throw new InvalidDataException("its capacity or its grains have a size that can't be");
        }

        var tables = (capacity - 1) / (grain * entries) + 1;
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8));
        foreach (var directory in (ulong[])[U64(header, 56), .. (flags & 2) != 0 ? new[] { U64(header, 48) } : []])
        {
            if (directory == AtEnd)
            {
                continue;
            }

            if (directory is 0 or > long.MaxValue / Sector)
            {
                throw new InvalidDataException("its grain directory lies where it can't be");
            }

            image.Require(directory * Sector, tables * sizeof(uint), "its grain directory");
        }
    }

    private static ulong U64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
}

/// <summary>A vmdk's descriptor: a text of `key=value` lines and of extents.</summary>
internal static class VmdkText
{
    private const string NoParent = "ffffffff";

    /// <summary>Checks the descriptor inside of a sparse extent.</summary>
    /// <exception cref="NeedsOtherFilesException">It names another file.</exception>
    public static void Check(byte[] descriptor)
    {
        CheckParent(descriptor);
        var extents = LinesOf(descriptor).Where(IsExtent).ToList();
        // The one that there is, is the file itself; its name is the one that it was written under.
        if (extents.Count > 1 || extents.Exists(line => !line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Contains("SPARSE") || NameIn(line).AsSpan().ContainsAny('/', '\\')))
        {
            throw Needs(extents);
        }

        foreach (var line in LinesOf(descriptor))
        {
            if (IsKey(line, "parentCID", out var parent) && !parent.Equals(NoParent, StringComparison.OrdinalIgnoreCase))
            {
                throw new NeedsOtherFilesException($"the disk that it is a child of (parentCID={Shown(parent)})");
            }

            if (IsKey(line, "changeTrackPath", out var track))
            {
                throw new NeedsOtherFilesException($"the file {Shown(track)} that tracks its changes");
            }
        }
    }

    /// <summary>Checks that no parent is named anywhere in these bytes, whether they are text or not.</summary>
    /// <exception cref="NeedsOtherFilesException">One is.</exception>
    public static void CheckParent(ReadOnlySpan<byte> bytes)
    {
        var hint = "parentFileNameHint"u8;
        if (bytes.IndexOf(hint) is var at and >= 0)
        {
            var rest = bytes[(at + hint.Length)..];
            var end = rest.IndexOfAny((byte)'\n', (byte)0);
            throw new NeedsOtherFilesException($"the parent disk {ImageBytes.Printable(end < 0 ? rest : rest[..end]).Trim('=', ' ', '"', '\r')}");
        }
    }

    /// <summary>What a descriptor that is a file of its own needs.</summary>
    public static NeedsOtherFilesException Extents(byte[] descriptor)
    {
        CheckParent(descriptor);
        return Needs(LinesOf(descriptor).Where(IsExtent));
    }

    private static NeedsOtherFilesException Needs(IEnumerable<string> extents)
    {
        var names = extents.Select(NameIn).Where(name => name.Length > 0).Take(3).Select(Shown).ToList();
        return new(names.Count == 0 ? "the extents that its descriptor doesn't name" : $"the extents that its descriptor names: {string.Join(", ", names)}");
    }

    private static bool IsExtent(string line) => line.Split(' ', '\t')[0] is "RW" or "RDONLY" or "NOACCESS";

    private static string NameIn(string line) => line.IndexOf('"') is var open and >= 0 ? line[(open + 1)..].Split('"')[0] : "";

    private static bool IsKey(string line, string key, out string value)
    {
        var equals = line.IndexOf('=');
        value = equals < 0 ? "" : line[(equals + 1)..].Trim().Trim('"');
        return equals >= 0 && line.AsSpan(0, equals).Trim().Equals(key, StringComparison.OrdinalIgnoreCase);
    }

    private static IEnumerable<string> LinesOf(byte[] descriptor)
    {
        var end = Array.IndexOf(descriptor, (byte)0);
        return Encoding.UTF8.GetString(descriptor, 0, end < 0 ? descriptor.Length : end).Split('\n', '\r').Select(line => line.Trim());
    }

    private static string Shown(string text) => ImageBytes.Printable(Encoding.UTF8.GetBytes(text));
}
