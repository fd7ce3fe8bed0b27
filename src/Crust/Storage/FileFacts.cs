using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Crust.Storage;

internal enum FileKind
{
    File,

    Folder,

    Link,

    /// <summary>A named pipe, or the end of one without a name.</summary>
    Pipe,

    Socket,

    /// <summary>A character or block device.</summary>
    Device,
}

/// <summary>What the kernel tells of a file (statx(2)), of which .NET tells only a part: above all its owner.</summary>
/// <param name="Device">Identifies the file system.</param>
/// <param name="Inode">Identifies the file in its file system.</param>
internal sealed partial record FileFacts(FileKind Kind, uint Owner, uint Group, UnixFileMode Mode, ulong Device, ulong Inode)
{
    private const int CurrentFolder = -100;
    private const int DoNotFollow = 0x100;
    private const int OfDescriptor = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const int NoSuchFile = 2;
    private const int NotAFolder = 20;

    public static uint User { get; } = EffectiveUser();

    /// <summary>Whether it belongs to the user that this process acts as.</summary>
    public bool IsOwn => Owner == User;

    /// <summary>In a word, for messages.</summary>
    public string Describe() => Kind switch
    {
        FileKind.File => "a file",
        FileKind.Folder => "a folder",
        FileKind.Link => "a symbolic link",
        FileKind.Pipe => "a pipe",
        FileKind.Socket => "a socket",
        _ => "a device",
    };

    /// <summary>Whether both are the same file, perhaps under two names.</summary>
    public bool IsSameAs(FileFacts? other) => other is not null && (Device, Inode) == (other.Device, other.Inode);

    /// <summary>Of what a path leads to; null if there is nothing.</summary>
    /// <param name="follow">Whether a symbolic link at its end stands for its target.</param>
    /// <exception cref="IOException">It can't be looked at.</exception>
    public static FileFacts? TryOf(string path, bool follow) =>
        StatX(CurrentFolder, path, follow ? 0 : DoNotFollow, BasicStats, out var stat) == 0 ? From(stat)
        : Marshal.GetLastPInvokeError() is NoSuchFile or NotAFolder ? null
        : throw Posix.Error(path);

    /// <exception cref="IOException">It can't be looked at.</exception>
    public static FileFacts Of(SafeFileHandle file)
    {
        var added = false;
        try
        {
            file.DangerousAddRef(ref added);
            return StatX((int)file.DangerousGetHandle(), "", OfDescriptor, BasicStats, out var stat) == 0 ? From(stat) : throw Posix.Error("the file");
        }
        finally
        {
            if (added)
            {
                file.DangerousRelease();
            }
        }
    }

    // The file's type is in the mode's upper bits (inode(7)).
    private static FileFacts From(Stat stat) => new((stat.Mode & 0xf000) switch
    {
        0x8000 => FileKind.File,
        0x4000 => FileKind.Folder,
        0xa000 => FileKind.Link,
        0x1000 => FileKind.Pipe,
        0xc000 => FileKind.Socket,
        _ => FileKind.Device,
    }, stat.Owner, stat.Group, (UnixFileMode)(stat.Mode & 0xfff), ((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor, stat.Inode);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out Stat stat);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    // struct statx of linux/stat.h, the same on every architecture; 256 bytes.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct Stat
    {
        [FieldOffset(20)]
        public readonly uint Owner;

        [FieldOffset(24)]
        public readonly uint Group;

        [FieldOffset(28)]
        public readonly ushort Mode;

        [FieldOffset(32)]
        public readonly ulong Inode;

        [FieldOffset(136)]
        public readonly uint DeviceMajor;

        [FieldOffset(140)]
        public readonly uint DeviceMinor;
    }
}
