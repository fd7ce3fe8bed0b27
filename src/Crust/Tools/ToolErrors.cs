namespace Crust.Tools;

/// <summary>A program that Crust needs isn't on this host.</summary>
internal sealed class ToolMissingException(string program, string package)
    : CrustException(
        FailureKind.HostLacks,
        $"The program '{program}' isn't installed",
        $"searched in PATH and the sbin folders",
        $"install it: apt-get install {package}")
{
    public string Program { get; } = program;
}

/// <summary>A program ended with an exit code that means failure.</summary>
internal sealed class ToolFailedException(ToolCommand command, ToolResult result, FailureKind kind = FailureKind.InputOutput)
    : CrustException(
        kind,
        $"{Path.GetFileName(command.Program)} failed with exit code {result.ExitCode}: {LastWords(result)}",
        command.ToString(),
        HostFault.IsTooLarge(result.ExitCode, result.Error + result.Output) ? HostFault.FileSizeRemedy : "read the tool's own message; the build's log has all it said")
{
    public ToolCommand Command { get; } = command;

    public ToolResult Result { get; } = result;

    // Tools put the reason last; one line of it belongs into a message, the rest into the log.
    private static string LastWords(ToolResult result)
    {
        var text = result.Error.Trim().Length > 0 ? result.Error : result.Output;
        var last = text.Split('\n').Select(line => line.Trim()).LastOrDefault(line => line.Length > 0);
        return last is not null ? (last.Length > 300 ? last[..300] + "…" : last)
            : HostFault.IsTooLarge(result.ExitCode, "") ? "a file would become larger than it may write (SIGXFSZ)" : "it said nothing";
    }
}

/// <summary>A program took more time than its <see cref="ToolLimits"/> allow, and was ended.</summary>
internal sealed class ToolLimitException(ToolCommand command, string limit)
    : CrustException(
        FailureKind.InputOutput,
        $"{Path.GetFileName(command.Program)} took more than {limit}, and was ended",
        command.ToString(),
        "check what it was given; if that is all right, try again when this host has less to do");
