using System.Runtime.InteropServices;

namespace Crust.Tools;

/// <summary>
/// What the kernel says when a file can't be written, however .NET passes that on: it makes an <see cref="UnauthorizedAccessException"/> of EBADF, and of EFBIG an
/// <see cref="ArgumentOutOfRangeException"/> of an argument that nobody gave (dotnet/runtime, Interop.IOErrors.cs).
/// </summary>
internal static partial class HostFault
{
    private const string EfbigArgument = "value";
    private const string EfbigMessage = "file length was too large";
    private const string EfbigText = "File too large";

    // Linux, asm-generic/resource.h and signal.h.
    private const int FileSize = 1;
    private const int SigXfsz = 25;
    private static readonly nint Ignore = 1;

    /// <summary>The largest file that this process may write (`ulimit -f`), in bytes; null for no limit.</summary>
    public static long? FileSizeLimit => GetLimit(FileSize, out var limit) == 0 && limit.Soft <= long.MaxValue ? (long)limit.Soft : null;

    public static string FileSizeRemedy => FileSizeLimit is { } limit
        ? $"raise the limit, which is {Spec.Size.Format(limit)} (ulimit -f unlimited; LimitFSIZE= in a unit of systemd), and run it again"
        : "use a file system that holds files this large";

    /// <summary>Lets a write beyond the limit fail, in this process and in all that it starts, in place of ending the process without a word.</summary>
    public static void SurviveFileSizeLimit() => _ = SetSignal(SigXfsz, Ignore);

    /// <summary>Whether a file couldn't be written, or a stream such as a terminal.</summary>
    public static bool IsOfOutput(Exception error) => error is IOException or UnauthorizedAccessException or ObjectDisposedException || IsTooLarge(error);

    /// <summary>Whether a file would have become larger than this process may write, or than its file system holds, in this process or in a tool.</summary>
    public static bool IsTooLarge(Exception error) => error is ArgumentOutOfRangeException { ParamName: EfbigArgument } wrong && wrong.Message.Contains(EfbigMessage, StringComparison.Ordinal)
        || error is ToolFailedException { Result: var result } && IsTooLarge(result.ExitCode, result.Error + result.Output);

    /// <summary>The same of how a tool ended: some reset what they inherit, and are ended by the signal.</summary>
    public static bool IsTooLarge(int exitCode, string said) => exitCode == 128 + SigXfsz || said.Contains(EfbigText, StringComparison.Ordinal);

    /// <summary>Why, in a few words.</summary>
    public static string ReasonOf(Exception error) => IsTooLarge(error) ? FileSizeLimit is null ? "the file would become too large" : "the limit on the size of files (ulimit -f) is reached"
        : (error is UnauthorizedAccessException { InnerException: IOException inner } ? inner.Message : error.Message).TrimEnd('.');

    /// <summary>The error that a user reads, of a file that would have become too large.</summary>
    public static CrustException TooLarge(Exception error) => new(FailureKind.InputOutput,
        FileSizeLimit is null ? "A file would become larger than its file system allows" : "A file would become larger than this process may write",
        error is ToolFailedException tool ? tool.Where : FileSizeLimit is { } limit ? $"ulimit -f: {Spec.Size.Format(limit)}" : "the images folder or the cache",
        FileSizeRemedy, error);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetSignal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    private readonly record struct Limit(nuint Soft, nuint Hard);
}
