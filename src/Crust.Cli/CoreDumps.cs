using System.Runtime.InteropServices;

namespace Crust.Cli;

/// <summary>Core dumps hold all secrets of a process in plain sight.</summary>
internal static partial class CoreDumps
{
    // Linux, asm-generic/resource.h.
    private const int Core = 4;

    /// <summary>Keeps the kernel from writing one of this process, and of those that it starts.</summary>
    public static void Forbid() => _ = SetLimit(Core, default);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    private readonly record struct Limit(nuint Soft, nuint Hard);
}
