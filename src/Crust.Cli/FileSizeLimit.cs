using System.Runtime.InteropServices;

namespace Crust.Cli;

/// <summary>A limit of files' sizes (`ulimit -f`).</summary>
internal static partial class FileSizeLimit
{
    private const int SigXfsz = 25;
    private const nint Ignore = 1;

    /// <summary>Has the kernel tell of a file that would become too long by an error of the write, for this process and the programs that it starts, in place of ending them.</summary>
    public static void Tell() => _ = Signal(SigXfsz, Ignore);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);
}
