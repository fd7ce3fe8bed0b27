using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Crust.Storage;

/// <summary>
/// Opens files that a user named, and nothing else: opening a FIFO waits for its other end, perhaps for ever, and what opening or reading a
/// device does is the device's business. Symbolic links are followed.
/// </summary>
public static partial class RegularFile
{
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint TypeAndMode = 0x3;
    private const int TypeMask = 0xf000;
    private const int Regular = 0x8000;

    // Neither of them waits: for a FIFO's writer, for a lease to be given back, for a terminal.
    private const int ReadOnlyWithoutWaiting = 0 | 0x100 | 0x800 | 0x80000; // O_RDONLY, O_NOCTTY, O_NONBLOCK, O_CLOEXEC: the same on amd64 and arm64.

    private const int NoPermission = 13; // EACCES
    private const int NotPermitted = 1; // EPERM

    /// <summary>What a path leads to if that isn't a regular file, in words such as `a FIFO`; null for a regular file. It is not opened.</summary>
    /// <exception cref="IOException">It can't be looked at.</exception>
    /// <exception cref="FileNotFoundException">There is nothing.</exception>
    public static string? OtherKindOf(string path) => OtherKind(CurrentFolder, path, 0);

    /// <summary>Checks that a path leads to a regular file. It is not opened.</summary>
    /// <param name="path">The path, as the user gave it.</param>
    /// <param name="label">What the file should be, such as `image`.</param>
    /// <param name="remedy">What to do if it isn't.</param>
    /// <exception cref="CrustException">There is none, or it is something else: <see cref="FailureKind.BadInput"/>.</exception>
    public static void Require(string path, string label, string remedy) => Guarded(path, label, remedy, () => OtherKindOf(path) is { } other ? throw Special(path, label, other, remedy) : true);

    /// <summary>Opens a regular file for reading, without ever waiting.</summary>
    /// <param name="path">The path, as the user gave it.</param>
    /// <param name="label">What the file should be, such as `image`.</param>
    /// <param name="remedy">What to do if it isn't.</param>
    /// <exception cref="CrustException">There is none, it is something else, or it may not be read.</exception>
    public static SafeFileHandle Open(string path, string label, string remedy)
    {
        Require(path, label, remedy);
        return Guarded(path, label, remedy, () =>
        {
            var file = OpenFile(path, ReadOnlyWithoutWaiting, 0);
            if (file.IsInvalid)
            {
                throw Problem(path, Marshal.GetLastPInvokeError());
            }

            // Another file may have taken its place.
            if (OtherKind((int)file.DangerousGetHandle(), "", EmptyPath) is { } other)
            {
                file.Dispose();
                throw Special(path, label, other, remedy);
            }

            return file;
        });
    }

    private static string? OtherKind(int folder, string path, int flags)
    {
        if (path.Length == 0 && flags == 0)
        {
            throw new FileNotFoundException("an empty path");
        }

        if (StatX(folder, path, flags, TypeAndMode, out var stat) != 0)
        {
            throw Problem(path, Marshal.GetLastPInvokeError());
        }

        return (stat.Mode & TypeMask) switch
        {
            Regular => null,
            0x4000 => "a folder",
            0x1000 => "a FIFO (named pipe)",
            0xc000 => "a socket",
            0x2000 or 0x6000 => "a device",
            _ => "no regular file",
        };
    }

    private static T Guarded<T>(string path, string label, string remedy, Func<T> look)
    {
        try
        {
            return look();
        }
        catch (Exception e) when (e is FileNotFoundException)
        {
            throw new CrustException(FailureKind.BadInput, $"The {label} doesn't exist", path, remedy, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CrustException(FailureKind.HostLacks, $"The {label} may not be read by this user", path, "give this user the right to read it (chmod, chown)", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The {label} can't be opened: {e.Message}", path, "check the drive that it is on", e);
        }
    }

    private static CrustException Special(string path, string label, string other, string remedy) =>
        new(FailureKind.BadInput, $"The {label} is {other}, not a regular file", path, remedy);

    // ENOENT and ENOTDIR, also ENXIO, which a socket gives and a FIFO that nobody writes to; a loop of links and a name that is too long lead nowhere either.
    private static Exception Problem(string path, int error) => error switch
    {
        2 or 20 or 40 or 36 => new FileNotFoundException(Marshal.GetPInvokeErrorMessage(error), path),
        NoPermission or NotPermitted => new UnauthorizedAccessException(Marshal.GetPInvokeErrorMessage(error)),
        _ => new IOException(Marshal.GetPInvokeErrorMessage(error), error),
    };

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial SafeFileHandle OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out Stat stat);

    // struct statx of linux/stat.h, the same on every architecture; 256 bytes.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct Stat
    {
        [FieldOffset(28)]
        public readonly ushort Mode;
    }
}
