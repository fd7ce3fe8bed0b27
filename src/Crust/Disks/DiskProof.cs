namespace Crust.Disks;

/// <summary>
/// Looks whether something was installed: an installer may power off cleanly and have installed nothing, so the
/// disk's content decides, not the power-off alone.
/// </summary>
internal static class DiskProof
{
    /// <summary>The partition table of a disk on which something was installed.</summary>
    /// <exception cref="CrustException">There is no partition table, or no data in any partition.</exception>
    public static PartitionTable Check(string path)
    {
        using var disk = File.OpenHandle(path);
        var table = PartitionTable.Read(disk);
        if (table.Partitions.Count == 0)
        {
            throw NothingInstalled("it left no partition table on the disk", path);
        }

        var extents = SparseFile.ReadExtents(disk).ToList();
        return table.Partitions.Any(partition => extents.Any(extent => extent.Offset < partition.Offset + partition.Length && extent.End > partition.Offset))
            ? table
            : throw NothingInstalled("it left partitions but no data in them", path);
    }

    private static CrustException NothingInstalled(string seen, string path) => new(FailureKind.GuestFailed,
        $"The installer powered off without having installed anything: {seen}", path,
        "read the serial log: the installer may have waited for an answer, or found no disk or no seed");
}
