using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Crust.Storage;

/// <summary>System calls that .NET has no way to: how a file is opened, locked and controlled, how a folder is made.</summary>
internal static partial class Posix
{
    public const int ReadOnly = 0;

    public const int WriteOnly = 1;

    public const int ReadWrite = 2;

    public const int Create = 0x40;

    public const int Exclusive = 0x80;

    /// <summary>A terminal doesn't become this process's own.</summary>
    public const int NoTerminal = 0x100;

    /// <summary>Waits for nobody: for a pipe, a device.</summary>
    public const int NonBlocking = 0x800;

    /// <summary>An event of poll(2): there is something to read, or the end.</summary>
    public const short CanRead = 1;

    /// <summary>An event of poll(2): a write won't wait.</summary>
    public const short CanWrite = 4;

    public const int NoSuchFile = 2;

    /// <summary>errno: it may not be done.</summary>
    public const int NotPermitted = 1;

    /// <summary>errno: the file's permissions forbid it.</summary>
    public const int AccessDenied = 13;

    /// <summary>errno: there is one already.</summary>
    public const int Exists = 17;

    /// <summary>errno: a file system that is only read.</summary>
    public const int ReadOnlyFileSystem = 30;

    /// <summary>errno: it would have to wait; flock(2)'s word for "another process has it".</summary>
    public const int WouldBlock = 11;

    /// <summary>fcntl(2): asks for a descriptor's own flags.</summary>
    public const int GetDescriptorFlags = 1;

    /// <summary>fcntl(2): sets a descriptor's own flags.</summary>
    public const int SetDescriptorFlags = 2;

    /// <summary>A descriptor's flag: programs that are started don't inherit it.</summary>
    public const int CloseOnExecFlag = 1;

    private const int Interrupted = 4;
    private const int CloseOnExec = 0x80000;

    /// <summary>Doesn't follow a symbolic link at the path's end; the flag's value differs between architectures.</summary>
    public static int NoFollow { get; } = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <summary>Opens a file; null, with <see cref="Marshal.GetLastPInvokeError"/>, if that fails. No program that is started inherits it.</summary>
    public static SafeFileHandle? TryOpen(string path, int flags, int mode = 0)
    {
        int file;
        while ((file = OpenFile(path, flags | CloseOnExec, mode)) < 0 && Marshal.GetLastPInvokeError() == Interrupted)
        {
        }

        return file < 0 ? null : new SafeFileHandle(file, ownsHandle: true);
    }

    /// <summary>Makes a folder that only this user can enter; false if something is there.</summary>
    /// <exception cref="IOException">It can't be made. The message is the system's alone: its name, which nobody chose, says nothing to a user.</exception>
    public static bool MakePrivateFolder(string path) =>
        MakeFolder(path, 0x1c0) == 0 || (Marshal.GetLastPInvokeError() == Exists ? false : throw new IOException(Marshal.GetLastPInvokeErrorMessage(), Marshal.GetLastPInvokeError()));

    /// <summary>The error of the last call that failed.</summary>
    public static IOException Error(string path) => new($"{path}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    internal static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int ChangeMode(SafeFileHandle file, int mode);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    internal static partial int ChangeOwner(SafeFileHandle file, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Link(string file, string name);

    /// <summary>Reads an extended attribute of a file, of the link itself where it is one: its length, negative if there is none.</summary>
    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint GetAttribute(string path, string name, byte[]? value, nuint size);

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int RemoveEmptyFolder(string path);

    /// <summary>Tells of the file system that a path is on; negative if that fails.</summary>
    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetFileSystem(string path, out FileSystem facts);

    /// <summary>Opens a file as the lowest descriptor that is free, which programs that are started inherit; negative if that fails.</summary>
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(int file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(SafeHandle file, int command, int argument);

    /// <summary>Waits until a file can be read or written: how many of the one can be, 0 when the time is up, negative if that fails.</summary>
    /// <param name="file">Its descriptor.</param>
    /// <param name="events"><see cref="CanRead"/> or <see cref="CanWrite"/>.</param>
    /// <param name="milliseconds">How long at most; -1 for ever.</param>
    internal static int Poll(int file, short events, int milliseconds)
    {
        var wanted = new PollRequest { File = file, Events = events };
        return Poll(ref wanted, 1, milliseconds);
    }

    /// <summary>The same of a handle, which isn't closed meanwhile.</summary>
    internal static int Poll(SafeHandle file, short events, int milliseconds)
    {
        var isHeld = false;
        try
        {
            file.DangerousAddRef(ref isHeld);
            return Poll((int)file.DangerousGetHandle(), events, milliseconds);
        }
        finally
        {
            if (isHeld)
            {
                file.DangerousRelease();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollRequest wanted, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFolder(string path, int mode);

    // struct statfs of statfs(2), as 64-bit Linux has it.
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct FileSystem
    {
        public long Type;
        public long BlockSize;
        public ulong Blocks;
        public ulong FreeBlocks;
        public ulong AvailableBlocks;
        private fixed long _others[10];
    }

    // struct pollfd of poll.h.
    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int File;
        public short Events;
        public short Returned;
    }
}
