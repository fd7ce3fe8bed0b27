using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Crust.Disks;

namespace Crust.Boards;

/// <summary>
/// The disk id of a disk with an MBR, and each place on it that names a partition by it (PARTUUID=ID-NN): cmdline.txt on the boot partition, /etc/fstab and what else there is.
/// An id has eight hex digits, always; so another one takes the same bytes, and nothing else on the disk changes. Two disks with one id in one machine make the firmware start the kernel
/// of one, and the kernel mount the root of the other (raspberrypi/linux#6934).
/// </summary>
/// <remarks>For file systems that keep no checksum of their data, such as vfat and ext4. A disk is searched once, also where a thousand images are made of it.</remarks>
/// <param name="Id">Eight hex digits, in lower case.</param>
/// <param name="Offsets">Where the digits stand in text, in ascending order.</param>
internal sealed record DiskIdSites(string Id, ImmutableArray<long> Offsets)
{
    private const int IdLength = 8;
    private const int Piece = 4 << 20;
    private const string Prefix = "PARTUUID=";

    // Where btrfs has its magic number in a partition.
    private const long BtrfsMagic = 0x10040;

    /// <summary>Searches a disk.</summary>
    /// <param name="extents">What of it can be anything but zeros, in ascending order.</param>
    /// <param name="shown">What the disk is called in errors.</param>
    /// <returns>Null where the disk has no id of this kind: no MBR, or none in it.</returns>
    /// <exception cref="CrustException">An id stands in a file system with checksums of its data.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static DiskIdSites? Find(DiskReader disk, IEnumerable<Extent> extents, string shown, CancellationToken cancellation)
    {
        if (MbrTable.Read(disk) is not { DiskId: not 0 } table)
        {
            return null;
        }

        var id = table.DiskId.ToString("x8", CultureInfo.InvariantCulture);
        // sfdisk and the kernel write small letters, and read both.
        byte[][] needles = [.. new[] { id, id.ToUpperInvariant() }.Distinct().Select(digits => Encoding.ASCII.GetBytes($"{Prefix}{digits}-"))];
        ImmutableArray<long> offsets = [.. Joined(extents).SelectMany(extent => Search(disk, extent, needles, cancellation)).Select(offset => offset + Prefix.Length).Order()];
        foreach (var (_, place) in table.Partitions.Where(partition => offsets.Any(offset => offset >= partition.Place.Offset && offset < partition.Place.Offset + partition.Place.Length)))
        {
            var magic = new byte[8];
            disk(magic, place.Offset + BtrfsMagic);
            if (magic.AsSpan().SequenceEqual("_BHRfS_M"u8))
            {
                throw new CrustException(FailureKind.BadInput, "The disk's id can't be another one: files of a btrfs name partitions by it (PARTUUID), whose checksums would be wrong then", shown,
                    "name partitions by UUID or LABEL in them, such as /etc/fstab, and build the base anew");
            }
        }

        return new DiskIdSites(id, offsets);
    }

    /// <summary>What gives the disk another id, everywhere. The patches are in ascending order.</summary>
    public IEnumerable<DiskPatch> PatchesTo(string id)
    {
        if (!uint.TryParse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) || id.Length != IdLength || number == 0)
        {
            throw new ArgumentException("A disk id has eight hex digits, and isn't 0.", nameof(id));
        }

        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        var digits = Encoding.ASCII.GetBytes(id.ToLowerInvariant());
        return [new DiskPatch(MbrTable.DiskIdOffset, bytes), .. Offsets.Select(offset => new DiskPatch(offset, digits))];
    }

    /// <summary>The id of a disk that is one of many: the same for the same disk and name, another for any other.</summary>
    /// <param name="of">What tells the disk that it is a copy of from others: a SHA-256 of its image.</param>
    /// <param name="name">What tells it from the other copies: the node's name.</param>
    public static string IdOf(string of, string name)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"crust disk id\n{of}\n{name}\n")).AsSpan(0, 4));
        return id == "00000000" ? "00000001" : id;
    }

    // A text may begin in one extent and end in the next.
    private static IEnumerable<Extent> Joined(IEnumerable<Extent> extents)
    {
        Extent? held = null;
        foreach (var extent in extents)
        {
            if (held is { } before && before.End != extent.Offset)
            {
                yield return before;
                held = extent;
            }
            else
            {
                held = held is { } start ? start with { Length = start.Length + extent.Length } : extent;
            }
        }

        if (held is { } last)
        {
            yield return last;
        }
    }

    private static List<long> Search(DiskReader disk, Extent extent, byte[][] needles, CancellationToken cancellation)
    {
        var found = new List<long>();
        var carried = needles[0].Length - 1;
        // What a piece ends with stays before the next one, so that each is read once.
        var buffer = new byte[carried + Piece];
        for (var (at, kept) = (extent.Offset, 0); at < extent.End;)
        {
            cancellation.ThrowIfCancellationRequested();
            // Compressed images are read in units that begin at multiples of this.
            var length = (int)(Math.Min(extent.End, (at / Piece + 1) * Piece) - at);
            disk(buffer.AsSpan(kept, length), at);
            foreach (var needle in needles)
            {
                for (int from = 0, next; (next = buffer.AsSpan(from, kept + length - from).IndexOf(needle)) >= 0; from += next + needle.Length)
                {
                    found.Add(at - kept + from + next);
                }
            }

            var end = kept + length;
            at += length;
            kept = Math.Min(carried, end);
            buffer.AsSpan(end - kept, kept).CopyTo(buffer);
        }

        return found;
    }
}
