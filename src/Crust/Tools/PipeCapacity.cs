using System.Runtime.InteropServices;
using Crust.Storage;

namespace Crust.Tools;

/// <summary>How much a pipe holds until its reader reads.</summary>
internal static class PipeCapacity
{
    /// <summary>Bytes; Linux' limit for users other than root (/proc/sys/fs/pipe-max-size).</summary>
    public const int Largest = 1 << 20;

    private const int SetPipeSize = 1031;

    /// <summary>Raises it from 64 KiB, Linux' default. Where the user has many pipes the kernel refuses, and 64 KiB have to do.</summary>
    public static void Raise(SafeHandle pipe) => _ = Posix.Control(pipe, SetPipeSize, Largest);
}
