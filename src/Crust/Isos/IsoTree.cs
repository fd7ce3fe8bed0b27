using System.Buffers.Binary;
using System.Text;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Isos;

/// <summary>What is under a path of an ISO.</summary>
internal enum IsoEntryKind
{
    Nothing,

    /// <summary>A file, or something else that isn't a folder.</summary>
    File,

    Folder,
}

/// <summary>
/// Looks for single files in an ISO 9660 image, by reading the few sectors on the way to them (ECMA-119, sections 8.4 and 9.1; names by Rock Ridge
/// Interchange Protocol 1.12, section 4.1.4, where they have such). Case doesn't matter: ISOs without Rock Ridge have capitals only.
/// </summary>
internal sealed class IsoTree : IDisposable
{
    private const int SectorSize = 2048;
    private const int FirstDescriptor = 16;
    private const int MostDescriptors = 64;
    private const int MostOfFolder = 4 << 20;
    private const int MostContinuations = 8;
    private const int RecordHead = 33;
    private const byte PrimaryVolume = 1;
    private const byte SupplementaryVolume = 2;
    private const byte Terminator = 255;
    private const byte FolderFlag = 0x02;
    private const byte NameContinues = 0x01;

    private readonly SafeFileHandle _file;
    private readonly Entry? _root;

    /// <exception cref="IOException">It can't be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public IsoTree(string path)
    {
        _file = RegularFile.Open(path, other => new IOException($"This is {other}, not an ISO"));
        try
        {
            var descriptors = ReadDescriptors();
            HasJoliet = descriptors.Any(IsJoliet);
            if (descriptors.FirstOrDefault(descriptor => descriptor[0] == PrimaryVolume) is { } primary)
            {
                VolumeId = Encoding.Latin1.GetString(primary, 40, 32).TrimEnd(' ', '\0');
                _root = EntryOf(primary.AsSpan(156, 34));
            }
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Its volume id; empty if it has none, or is no ISO 9660.</summary>
    public string VolumeId { get; } = "";

    /// <summary>Whether it has a second tree of names, in UCS-2.</summary>
    public bool HasJoliet { get; }

    public IsoEntryKind KindOf(string path) => Find(path) switch
    {
        null => IsoEntryKind.Nothing,
        { IsFolder: true } => IsoEntryKind.Folder,
        _ => IsoEntryKind.File,
    };

    /// <summary>Whether there is a file or a folder under a path, such as `boot/grub/grub.cfg`.</summary>
    public bool Contains(string path) => Find(path) is not null;

    /// <summary>The first bytes of a file as text; empty if there is no such file.</summary>
    public string ReadText(string path, int most) => Find(path) is { IsFolder: false } file
        ? Encoding.UTF8.GetString(_file.ReadUpTo(file.Offset, (int)Math.Min(most, file.Length)))
        : "";

    public void Dispose() => _file.Dispose();

    private Entry? Find(string path)
    {
        var entry = _root;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            entry = entry is { IsFolder: true } folder ? EntriesOf(folder).FirstOrDefault(one => part.Equals(one.Name, StringComparison.OrdinalIgnoreCase)) : null;
        }

        return entry;
    }

    private IEnumerable<Entry> EntriesOf(Entry folder)
    {
        var bytes = _file.ReadUpTo(folder.Offset, (int)Math.Min(folder.Length, MostOfFolder));
        for (var at = 0; at < bytes.Length;)
        {
            int length = bytes[at];
            if (length == 0)
            {
                // No record crosses a sector's end: the rest of this one is empty.
                at = (at / SectorSize + 1) * SectorSize;
                continue;
            }

            if (length <= RecordHead || at + length > bytes.Length || RecordHead + bytes[at + 32] > length)
            {
                yield break;
            }

            yield return EntryOf(bytes.AsSpan(at, length));
            at += length;
        }
    }

    private Entry EntryOf(ReadOnlySpan<byte> record)
    {
        var name = record.Slice(RecordHead, record[32]);
        var start = BinaryPrimitives.ReadUInt32LittleEndian(record[2..]) + record[1];
        // After a name of even length comes a byte that is none.
        var used = Math.Min(record.Length, RecordHead + name.Length + (name.Length % 2 == 0 ? 1 : 0));
        return new Entry(
            RockRidgeName(record[used..]) ?? Encoding.Latin1.GetString(name).Split(';')[0].TrimEnd('.'),
            start * (long)SectorSize,
            BinaryPrimitives.ReadUInt32LittleEndian(record[10..]),
            (record[25] & FolderFlag) != 0);
    }

    // The entries of the system use area (SUSP 1.12, sections 4 and 5.1): NM holds a name or a part of one, CE says where the area goes on.
    private string? RockRidgeName(ReadOnlySpan<byte> area)
    {
        var name = new List<byte>();
        var isNamed = false;
        for (var areas = 0; areas < MostContinuations; areas++)
        {
            byte[]? next = null;
            while (area.Length >= 4 && area[2] >= 4 && area[2] <= area.Length)
            {
                var entry = area[..area[2]];
                area = area[entry.Length..];
                if (entry.StartsWith("NM"u8) && entry.Length >= 5)
                {
                    isNamed = true;
                    name.AddRange(entry[5..]);
                    if ((entry[4] & NameContinues) == 0)
                    {
                        return Encoding.UTF8.GetString([.. name]);
                    }
                }
                else if (entry.StartsWith("CE"u8) && entry.Length >= 28)
                {
                    var (block, offset, length) = (Word(entry, 4), Word(entry, 12), Word(entry, 20));
                    next = _file.ReadUpTo((block * (long)SectorSize) + offset, (int)Math.Min(length, SectorSize));
                }
            }

            if (next is null)
            {
                break;
            }

            area = next;
        }

        return isNamed ? Encoding.UTF8.GetString([.. name]) : null;
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private List<byte[]> ReadDescriptors()
    {
        var descriptors = new List<byte[]>();
        for (var i = 0; i < MostDescriptors; i++)
        {
            var sector = _file.ReadUpTo((FirstDescriptor + i) * (long)SectorSize, SectorSize);
            if (sector.Length < SectorSize || !sector.AsSpan(1, 5).SequenceEqual("CD001"u8) || sector[0] == Terminator)
            {
                break;
            }

            descriptors.Add(sector);
        }

        return descriptors;
    }

    // By its escape sequences for UCS-2, levels 1 to 3 (Joliet Specification, section "Escape Sequences").
    private static bool IsJoliet(byte[] descriptor) =>
        descriptor[0] == SupplementaryVolume && descriptor[88] == (byte)'%' && descriptor[89] == (byte)'/' && descriptor[90] is (byte)'@' or (byte)'C' or (byte)'E';

    private sealed record Entry(string Name, long Offset, long Length, bool IsFolder);
}
