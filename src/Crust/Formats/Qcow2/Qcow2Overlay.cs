using System.Buffers.Binary;
using System.Text;
using Crust.Disks;
using Crust.Formats.Headers;
using Crust.Formats.Splicing;

namespace Crust.Formats.Qcow2;

/// <summary>
/// Writes a qcow2 that has some blocks of a disk, and for all others names the image that they are in. As small as can be: the clusters' size is chosen so that tables
/// and data take the fewest bytes.
/// </summary>
internal static class Qcow2Overlay
{
    /// <summary>The longest name of a backing file in bytes.</summary>
    public const int LongestName = 1023;

    private const int HeaderLength = 104;
    private const uint BackingFormat = 0xe2792aca;
    private const int SmallestBits = 12;
    private const int LargestBits = 16;
    private const int Sector = 512;

    /// <param name="image">The image below.</param>
    /// <param name="driver">QEMU's driver that reads it.</param>
    /// <param name="name">Its path, seen from the overlay's folder.</param>
    /// <param name="patches">What the overlay has.</param>
    /// <exception cref="InvalidDataException">The image is damaged where the patches are.</exception>
    /// <exception cref="IOException">The image can't be read.</exception>
    public static Splice Of(ImageTemplate image, string driver, string name, IReadOnlyList<DiskPatch> patches)
    {
        var size = (image.Size + Sector - 1) / Sector * Sector;
        var bits = Enumerable.Range(SmallestBits, LargestBits - SmallestBits + 1).MinBy(candidate => LengthWith(candidate, size, patches));
        var layout = LayoutOf(bits, size);
        // Header, table of reference counts, L1 table.
        var fixedClusters = 2 + ClustersFor(layout.L1Entries * sizeof(ulong), layout.Cluster);
        var tables = new Qcow2Tables(null, fixedClusters * layout.Cluster, layout);
        WriteHeader(tables.BytesOf(0), size, layout, driver, name);
        for (var cluster = 0L; cluster < fixedClusters; cluster++)
        {
            tables.BytesOf(cluster);
            tables.Count(cluster, 1);
        }

        foreach (var (first, count) in DiskPatch.RunsOf(patches, layout.Cluster))
        {
            // In one go: what is compressed below has larger units than these, and each would be unpacked again and again.
            var old = new byte[count * layout.Cluster];
            image.Read(old, first * layout.Cluster);
            var patched = (byte[])old.Clone();
            DiskPatch.Apply(patches, patched, first * layout.Cluster);
            for (var i = 0; i < count; i++)
            {
                var cluster = patched.AsSpan(i * layout.Cluster, layout.Cluster);
                if (!cluster.SequenceEqual(old.AsSpan(i * layout.Cluster, layout.Cluster)))
                {
                    tables.SetEntry(first + i, cluster.ContainsAnyExcept((byte)0) ? tables.Add(cluster) : Qcow2Tables.Zeros);
                }
            }
        }

        return tables.ToSplice();
    }

    private static Qcow2Layout LayoutOf(int bits, long size)
    {
        var cluster = 1L << bits;
        return new Qcow2Layout(bits, 2 * cluster, ClustersFor(ClustersFor(size, cluster), cluster / sizeof(ulong)), cluster, 1);
    }

    private static long ClustersFor(long bytes, long cluster) => (bytes + cluster - 1) / cluster;

    // About: of blocks of zeros nobody knows here whether the image below has zeros, too.
    private static long LengthWith(int bits, long size, IReadOnlyList<DiskPatch> patches)
    {
        var layout = LayoutOf(bits, size);
        var units = DiskPatch.UnitsOf(patches, layout.Cluster);
        var buffer = new byte[layout.Cluster];
        var data = units.Count(index =>
        {
            buffer.AsSpan().Clear();
            DiskPatch.Apply(patches, buffer, index * layout.Cluster);
            return buffer.AsSpan().ContainsAnyExcept((byte)0);
        });
        var tables = units.Select(index => index / layout.L2Entries).Distinct().Count();
        var clusters = 2 + ClustersFor(layout.L1Entries * sizeof(ulong), layout.Cluster) + tables + data;
        return (clusters + ClustersFor(clusters, layout.CountsInBlock - 1)) * layout.Cluster;
    }

    private static void WriteHeader(Span<byte> header, long size, Qcow2Layout layout, string driver, string name)
    {
        var (nameBytes, driverBytes) = (Encoding.UTF8.GetBytes(name), Encoding.ASCII.GetBytes(driver));
        if (nameBytes.Length > LongestName)
        {
            throw new ArgumentException($"the name of a backing file has at most {LongestName} bytes", nameof(name));
        }

        Qcow2Header.Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], 3);
        BinaryPrimitives.WriteUInt32BigEndian(header[20..], (uint)layout.ClusterBits);
        BinaryPrimitives.WriteInt64BigEndian(header[24..], size);
        BinaryPrimitives.WriteUInt32BigEndian(header[36..], (uint)layout.L1Entries);
        BinaryPrimitives.WriteInt64BigEndian(header[40..], layout.L1);
        BinaryPrimitives.WriteInt64BigEndian(header[48..], layout.Refcounts);
        BinaryPrimitives.WriteUInt32BigEndian(header[56..], (uint)layout.RefcountClusters);
        // Reference counts have two to the power of this bits.
        BinaryPrimitives.WriteUInt32BigEndian(header[96..], 4);
        BinaryPrimitives.WriteUInt32BigEndian(header[100..], HeaderLength);
        // One extension, padded to eight bytes; then the one of type 0, which ends them; then the name.
        BinaryPrimitives.WriteUInt32BigEndian(header[HeaderLength..], BackingFormat);
        BinaryPrimitives.WriteUInt32BigEndian(header[(HeaderLength + 4)..], (uint)driverBytes.Length);
        driverBytes.CopyTo(header[(HeaderLength + 8)..]);
        var at = HeaderLength + 8 + (driverBytes.Length + 7) / 8 * 8 + 8;
        nameBytes.CopyTo(header[at..]);
        BinaryPrimitives.WriteInt64BigEndian(header[8..], at);
        BinaryPrimitives.WriteUInt32BigEndian(header[16..], (uint)nameBytes.Length);
    }
}
