using System.Runtime.InteropServices;
using Crust.Disks;
using Crust.Formats;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Host;

/// <summary>Whether the folders that a build writes to can be written, and the sockets' path isn't too long for Linux.</summary>
internal sealed partial class FoldersCheck(Folders folders) : IHostCheck
{
    // Of unistd.h.
    private const int Writable = 2;
    private const int Searchable = 1;

    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation)
    {
        var makes = !question.Thoroughly;
        return Task.FromResult<IReadOnlyList<Finding>>(
        [
            Look("images", folders.Images, makes, isOwn: true, "make it writable, or choose another with --output",
                disk: question.Forecast.ToWrite.Any(format => format.NeedsOf(question.Spec).Weight is ImageWeight.Copied) ? question.Spec.Machine.Disk : 0),
            Look("cache", folders.Cache, makes, isOwn: true, "make it writable, or set CRUST_CACHE to a folder that is",
                disk: question.Forecast.CachedDisk is null && !question.Forecast.ToWrite.IsEmpty ? question.Spec.Machine.Disk : 0),
            MachinePorts.TooLong(folders.Runtime) is { } error
                ? new Finding("folders", "sockets", Gravity.Problem, error.What) { Where = error.Where, Remedy = error.Remedy }
                : Look("sockets", folders.Runtime, makes: false, isOwn: false, "set XDG_RUNTIME_DIR or TMPDIR to a folder that can be written",
                    "The private folder for QEMU's sockets can't be made"),
        ]);
    }

    private static Finding Look(string name, string folder, bool makes, bool isOwn, string remedy, string what = "The folder can't be written", long disk = 0)
    {
        try
        {
            if (makes)
            {
                Directory.CreateDirectory(folder);
            }

            if (!isOwn && !Directory.Exists(folder))
            {
                throw new IOException("it doesn't exist");
            }

            Try(folder, disk);
            return new Finding("folders", name, Gravity.Fine, "can be written") { Where = folder };
        }
        // .NET's word for EFBIG: ext4 ends at 16 TiB.
        catch (ArgumentOutOfRangeException)
        {
            return new Finding("folders", name, Gravity.Problem, $"A disk of {Size.Format(disk)} can't be made here: {SparseFile.TooLong}")
            {
                Where = folder,
                Remedy = $"set machine.disk (DISK_SIZE, --disk-size) to less, or {remedy[(remedy.LastIndexOf(", or ", StringComparison.Ordinal) + 5)..]} on another file system",
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Finding("folders", name, Gravity.Problem, $"{what}: {e.Message}") { Where = folder, Remedy = remedy };
        }
    }

    // Of a folder that isn't there, the one counts in which it would be made; nothing is left behind there.
    private static void Try(string folder, long disk)
    {
        if (Directory.Exists(folder))
        {
            // A folder with a name that nobody can guess: in one that others may write to, a link may stand under any other.
            using var probe = HeldFolder.Create(folder, ".crust-probe-");
            if (disk > 0)
            {
                using var file = File.OpenHandle(Path.Combine(probe.Path, "disk.raw"), FileMode.CreateNew, FileAccess.Write);
                RandomAccess.SetLength(file, disk);
            }

            return;
        }

        var above = FolderSpace.Nearest(folder);
        for (var missing = folder; missing != above; missing = Path.GetDirectoryName(missing)!)
        {
            if (File.Exists(missing))
            {
                throw new IOException($"{missing} is a file");
            }
        }

        if (Access(above, Writable | Searchable) != 0)
        {
            throw new IOException($"{above}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
