using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>
/// Puts a partition behind those of a raw disk with a GPT (UEFI specification, section 5.3): the disk becomes longer by as much, and the partitions that it has stay what and where they are.
/// </summary>
internal static class GptAddition
{
    private const int Sector = 512;
    private const long Alignment = 1 << 20;

    // "Linux filesystem data" (the Discoverable Partitions Specification's generic type).
    private static readonly Guid Linux = new("0FC63DAF-8483-4772-8E79-3D69D8477DE4");

    /// <summary>Makes room at the end of a disk, and names it in both tables.</summary>
    /// <param name="length">The partition's length in bytes: whole MiB.</param>
    /// <param name="name">The partition's name.</param>
    /// <returns>Where it starts, in bytes; or why it can't be, in words.</returns>
    /// <exception cref="IOException">The disk can't be read or written.</exception>
    public static (long Offset, string? Problem) Add(SafeFileHandle disk, long length, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(length % Alignment, 0);
        if (PartitionTable.Read(disk).Kind != "gpt")
        {
            return (0, "it has no GPT");
        }

        // Behind the last partition and all that may lie behind it, such as the backup table.
        var offset = (RandomAccess.GetLength(disk) + Alignment - 1) / Alignment * Alignment;
        RandomAccess.SetLength(disk, offset + length + Alignment);
        if (GptGrowth.Fit(disk) is { } problem)
        {
            return (0, problem);
        }

        try
        {
            var table = GptTable.Read(disk)!;
            if (table.Backup != (RandomAccess.GetLength(disk) / Sector) - 1)
            {
                return (0, "its backup table can't be moved to its new end");
            }

            // The same for the same place on the same kind of disk, so that the same inputs give the same bytes.
            table.With(Linux, GptTable.IdOf($"{name} {offset} {length}"), new Partition(offset, length), name).Write(disk);
            return (offset, null);
        }
        catch (InvalidDataException e)
        {
            return (0, e.Message);
        }
    }
}
