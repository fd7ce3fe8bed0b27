using System.Runtime.InteropServices;

namespace Crust.Storage;

/// <summary>
/// What tells that a file is still the one that was read before: device, inode, size, and the times of its last change
/// (statx(2)). A replaced file has another inode; a file that was written to has another change time, which can't be set back.
/// </summary>
internal sealed partial record FileIdentity(ulong Device, ulong Inode, ulong Size, long Modified, long Changed)
{
    private const int CurrentFolder = -100;
    private const uint BasicStats = 0x7ff;

    /// <summary>Of the file that a path leads to.</summary>
    /// <exception cref="IOException">It can't be looked at.</exception>
    public static FileIdentity Of(string path)
    {
        if (StatX(CurrentFolder, path, 0, BasicStats, out var stat) != 0)
        {
            throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
        }

        return new FileIdentity(((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor, stat.Inode, stat.Size, stat.Modified.Nanoseconds, stat.Changed.Nanoseconds);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out Stat stat);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Timestamp
    {
        private readonly long _seconds;
        private readonly uint _nanoseconds;
        private readonly int _reserved;

        public long Nanoseconds => (_seconds * 1_000_000_000) + _nanoseconds;
    }

    // struct statx of linux/stat.h, the same on every architecture; 256 bytes.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct Stat
    {
        [FieldOffset(32)]
        public readonly ulong Inode;

        [FieldOffset(40)]
        public readonly ulong Size;

        [FieldOffset(96)]
        public readonly Timestamp Changed;

        [FieldOffset(112)]
        public readonly Timestamp Modified;

        [FieldOffset(136)]
        public readonly uint DeviceMajor;

        [FieldOffset(140)]
        public readonly uint DeviceMinor;
    }
}
