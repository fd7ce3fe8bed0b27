using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Crust.Storage;

/// <summary>
/// Opens files that a user named, and nothing else: opening a FIFO waits for its other end, perhaps for ever, and what opening or reading a
/// device does is the device's business. Symbolic links are followed.
/// </summary>
internal static partial class RegularFile
{
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint TypeAndMode = 0x3;
    private const int TypeMask = 0xf000;
    private const int Regular = 0x8000;

    private const int NameTooLong = 36; // ENAMETOOLONG
    private const int TooManyLinks = 40; // ELOOP
    private const int NotAFolder = 20; // ENOTDIR

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
    public static SafeFileHandle Open(string path, string label, string remedy) => Guarded(path, label, remedy, () => Open(path, other => Special(path, label, other, remedy)));

    /// <summary>The same, with the system's own errors.</summary>
    /// <param name="special">The error for what isn't a regular file: it is given words such as `a FIFO`.</param>
    /// <exception cref="FileNotFoundException">There is nothing.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="IOException">It can't be opened.</exception>
    internal static SafeFileHandle Open(string path, Func<string, Exception> special)
    {
        if (OtherKindOf(path) is { } there)
        {
            throw special(there);
        }

        // Neither of them waits: for a FIFO's writer, for a lease to be given back, for a terminal.
        if (Posix.TryOpen(path, Posix.ReadOnly | Posix.NoTerminal | Posix.NonBlocking) is not { } file)
        {
            throw Marshal.GetLastPInvokeError() is var error && IsDenial(error) ? new UnauthorizedAccessException($"Access to the path '{Path.GetFullPath(path)}' is denied.") : Problem(path, error);
        }

        // Another file may have taken its place.
        if (OtherKind((int)file.DangerousGetHandle(), "", EmptyPath) is { } other)
        {
            file.Dispose();
            throw special(other);
        }

        return file;
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
        Posix.NoSuchFile or NotAFolder or TooManyLinks or NameTooLong => new FileNotFoundException(Marshal.GetPInvokeErrorMessage(error), path),
        _ when IsDenial(error) => new UnauthorizedAccessException(Marshal.GetPInvokeErrorMessage(error)),
        _ => new IOException(Marshal.GetPInvokeErrorMessage(error), error),
    };

    private static bool IsDenial(int error) => error is Posix.AccessDenied or Posix.NotPermitted;

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
