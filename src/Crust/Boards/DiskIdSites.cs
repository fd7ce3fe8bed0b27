using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Crust.Disks;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Boards;

/// <summary>
/// The disk id of a raw disk with an MBR, and each place on it that names a partition by it (PARTUUID=ID-NN): cmdline.txt on the boot partition, /etc/fstab and what else there is.
/// An id has eight hex digits, always; so another one takes the same bytes, and nothing else on the disk changes. Two disks with one id in one machine make the firmware start the kernel
/// of one, and the kernel mount the root of the other (raspberrypi/linux#6934).
/// </summary>
/// <remarks>For file systems that keep no checksum of their data, such as vfat and ext4. A disk is searched once, also where a thousand images are made of it.</remarks>
/// <param name="Id">Eight hex digits, in lower case.</param>
/// <param name="Offsets">Where the digits stand in text, in ascending order.</param>
internal sealed record DiskIdSites(string Id, ImmutableArray<long> Offsets)
{
    /// <summary>Where the MBR has the id, in four bytes, little endian (what Windows calls the disk signature; UEFI specification, section 5.2.1).</summary>
    public const int MbrOffset = 440;

    private const int IdLength = 8;
    private const int Sector = 512;
    private const int Piece = 1 << 20;
    private const string Prefix = "PARTUUID=";

    /// <summary>Searches a disk's allocated extents. The handle's position is moved.</summary>
    /// <exception cref="CrustException">It has no MBR, or that has no id.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static DiskIdSites Find(SafeFileHandle disk, string shown, CancellationToken cancellation)
    {
        var sector = disk.ReadUpTo(0, Sector);
        var table = PartitionTable.Read(disk);
        var id = sector.Length == Sector ? BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(MbrOffset)) : 0;
        if (table.Kind != "mbr" || id == 0)
        {
            throw new CrustException(FailureKind.BadInput, table.Kind == "mbr" ? "The disk's MBR has no disk id" : $"The disk has no MBR, whose id could be another (its partition table: {table.Kind})", shown,
                "give a disk that was laid out for a Raspberry Pi, by base.layout: raspberry-pi or by Raspberry Pi OS");
        }

        var text = id.ToString("x8", CultureInfo.InvariantCulture);
        var offsets = ImmutableArray.CreateBuilder<long>();
        // sfdisk and the kernel write small letters, and read both.
        foreach (var digits in new[] { text, text.ToUpperInvariant() }.Distinct())
        {
            var needle = Encoding.ASCII.GetBytes($"{Prefix}{digits}-");
            offsets.AddRange(SparseFile.ReadExtents(disk).SelectMany(extent => Search(disk, extent, needle, cancellation)).Select(offset => offset + Prefix.Length));
        }

        return new DiskIdSites(text, [.. offsets.Order()]);
    }

    /// <summary>Gives a copy of the disk another id, everywhere.</summary>
    /// <param name="disk">A copy, whose bytes at all sites are those of the disk that was searched.</param>
    /// <exception cref="CrustException">It is no such copy; nothing is written then.</exception>
    /// <exception cref="IOException">It can't be read or written.</exception>
    public void Write(SafeFileHandle disk, string id, string shown)
    {
        if (!uint.TryParse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) || id.Length != IdLength || number == 0)
        {
            throw new ArgumentException("A disk id has eight hex digits, and isn't 0.", nameof(id));
        }

        var there = disk.ReadUpTo(MbrOffset, 4);
        if (there.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(there) != Convert.ToUInt32(Id, 16)
            || Offsets.Any(offset => !Encoding.ASCII.GetString(disk.ReadUpTo(offset, IdLength)).Equals(Id, StringComparison.OrdinalIgnoreCase)))
        {
            throw new CrustException(FailureKind.BadInput, "This isn't the disk whose places of the disk id are known", shown, "search the disk again: it was written to since");
        }

        var digits = Encoding.ASCII.GetBytes(id.ToLowerInvariant());
        foreach (var offset in Offsets)
        {
            RandomAccess.Write(disk, digits, offset);
        }

        // The MBR comes last: without it, the disk still has its old id.
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        RandomAccess.Write(disk, bytes, MbrOffset);
    }

    /// <summary>The id of a disk that is one of many: the same for the same build and name, another for any other.</summary>
    /// <param name="buildKey">The build key of the disk that it is a copy of.</param>
    /// <param name="name">What tells it from the others: the node's name.</param>
    public static string IdOf(string buildKey, string name)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"crust disk id\n{buildKey}\n{name}\n")).AsSpan(0, 4));
        return id == "00000000" ? "00000001" : id;
    }

    private static IEnumerable<long> Search(SafeFileHandle disk, Extent extent, byte[] needle, CancellationToken cancellation)
    {
        // With what a match at a piece's end needs of the next.
        var buffer = new byte[Piece + needle.Length - 1];
        for (var at = extent.Offset; at < extent.End; at += Piece)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = disk.ReadUpTo(buffer.AsSpan(0, (int)Math.Min(buffer.Length, extent.End - at)), at);
            for (int from = 0, found; (found = buffer.AsSpan(from, read - from).IndexOf(needle)) >= 0; from += found + needle.Length)
            {
                yield return at + from + found;
            }
        }
    }
}
