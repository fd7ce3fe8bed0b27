using System.Runtime.InteropServices;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Cli;

/// <summary>
/// Standard input, output and error where whoever started Crust has closed some of them (`2>&amp;-`). The next files to be opened would get their numbers, and messages be
/// written into an image.
/// </summary>
internal static partial class StandardStreams
{
    private const string CodeInFile = "DOTNET_EnableWriteXorExecute";

    /// <summary>
    /// Opens what is closed, so that reading and writing it fails. The runtime has opened files of its own by now: where one of these has such a number, the program is
    /// started again in its own place, with that number taken.
    /// </summary>
    public static void Open()
    {
        var taken = false;
        for (var stream = 0; stream <= 2; stream++)
        {
            var flags = Posix.Control(stream, Posix.GetDescriptorFlags, 0);
            if (flags < 0)
            {
                // The lowest number that is free.
                _ = OpenNull(stream);
            }
            else if ((flags & Posix.CloseOnExecFlag) != 0)
            {
                // What is inherited never has that flag; what the runtime opens always has.
                taken = true;
            }
        }

        if (taken)
        {
            TakeNumbers();
            StartAgain();
        }
    }

    /// <summary>
    /// Lets a write beyond a limit on the size of files fail in place of ending the program. Of such a limit the runtime needs more than nothing itself: it keeps
    /// compiled code in a file in memory, and ends with "Out of memory" at some time. Without that file (dotnet/runtime, clrconfignames.h: EnableWriteXorExecute)
    /// all goes well; but it asks for that before any of this code runs.
    /// </summary>
    public static void SurviveFileSizeLimit()
    {
        HostFault.SurviveFileSizeLimit();
        if (HostFault.FileSizeLimit is not null && Environment.GetEnvironmentVariable(CodeInFile) != "0")
        {
            _ = SetVariable(CodeInFile, "0", 1);
            StartAgain();
        }
    }

    // Input that can't be read, output that can't be written: the other way round, as GNU's programs have it.
    private static int OpenNull(int stream) => Posix.OpenFile("/dev/null", stream == 0 ? Posix.WriteOnly : Posix.ReadOnly, 0);

    private static void TakeNumbers()
    {
        for (var stream = 0; stream <= 2; stream++)
        {
            if ((Posix.Control(stream, Posix.GetDescriptorFlags, 0) & Posix.CloseOnExecFlag) != 0)
            {
                var file = OpenNull(stream);
                _ = Duplicate(file, stream);
                _ = Posix.Control(file, Posix.SetDescriptorFlags, Posix.CloseOnExecFlag);
            }
        }
    }

    private static void StartAgain()
    {
        var arguments = File.ReadAllText("/proc/self/cmdline").Split('\0')[..^1];
        _ = Execute(Environment.ProcessPath ?? "/proc/self/exe", [.. arguments, null]);
    }

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int file, int to);

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string program, string?[] arguments);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
