using System.Runtime.InteropServices;
using Crust.Machines;
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
            Look("images", folders.Images, makes, isOwn: true, "make it writable, or choose another with --output"),
            Look("cache", folders.Cache, makes, isOwn: true, "make it writable, or set CRUST_CACHE to a folder that is"),
            MachinePorts.TooLong(folders.Runtime) is { } error
                ? new Finding("folders", "sockets", Gravity.Problem, error.What) { Where = error.Where, Remedy = error.Remedy }
                : Look("sockets", folders.Runtime, makes: false, isOwn: false, "set XDG_RUNTIME_DIR or TMPDIR to a folder that can be written",
                    "The private folder for QEMU's sockets can't be made"),
        ]);
    }

    private static Finding Look(string name, string folder, bool makes, bool isOwn, string remedy, string what = "The folder can't be written")
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

            Try(folder);
            return new Finding("folders", name, Gravity.Fine, "can be written") { Where = folder };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Finding("folders", name, Gravity.Problem, $"{what}: {e.Message}") { Where = folder, Remedy = remedy };
        }
    }

    // Of a folder that isn't there, the one counts in which it would be made; nothing is left behind there.
    private static void Try(string folder)
    {
        if (Directory.Exists(folder))
        {
            // A folder with a name that nobody can guess: in one that others may write to, a link may stand under any other.
            HeldFolder.Create(folder, ".crust-probe-").Dispose();
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
