using System.Runtime.InteropServices;

namespace Crust.Cli;

/// <summary>The secrets of a process stand in its memory and in its environment, in plain sight of core dumps and of all that its user runs.</summary>
internal static partial class ProcessMemory
{
    // Linux, asm-generic/resource.h.
    private const int Core = 4;

    // Linux, linux/prctl.h.
    private const int SetDumpable = 4;

    /// <summary>
    /// Keeps the kernel from writing a core dump of this process and of those that it starts, and other processes of the same user from reading this one's
    /// memory and environment (prctl(2), PR_SET_DUMPABLE: /proc/PID/mem and /proc/PID/environ belong to root then, and ptrace is refused).
    /// </summary>
    public static void Protect()
    {
        _ = SetLimit(Core, default);
        _ = Control(SetDumpable, 0, 0, 0, 0);
        RemoveDiagnosticPorts();
    }

    // Through these sockets and pipes, all that the same user runs could have the .NET runtime write a dump, or load a library into this process. Only a variable
    // (DOTNET_EnableDiagnostics) keeps the runtime from opening them, and it reads it before any of this code runs.
    private static void RemoveDiagnosticPorts()
    {
        try
        {
            var temporary = Path.GetTempPath();
            foreach (var name in new[] { "dotnet-diagnostic", "clr-debug-pipe" })
            {
                foreach (var port in Directory.EnumerateFiles(temporary, $"{name}-{Environment.ProcessId}-*"))
                {
                    File.Delete(port);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They are this user's own, with rights for nobody else.
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    private readonly record struct Limit(nuint Soft, nuint Hard);
}
