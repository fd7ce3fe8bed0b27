using System.Collections.Immutable;

namespace Crust.Tools;

/// <summary>How a program is ended when a build is cancelled, and when Crust itself dies, however it dies.</summary>
public enum Ending
{
    /// <summary>SIGKILL for it and all that it started: what it wrote so far is a draft anyway.</summary>
    Kill,

    /// <summary>SIGTERM, for a program that has mounts or files elsewhere to clean up; after 20 s, SIGKILL.</summary>
    Terminate,
}

/// <summary>One call of another program, as an immutable value. No shell is involved.</summary>
internal sealed record ToolCommand
{
    /// <summary>The program's name, found in the search path of the <see cref="ToolBox"/>, or an absolute path.</summary>
    public required string Program { get; init; }

    /// <summary>The arguments, one by one. Never a secret: an argv is public to the whole host.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];

    /// <summary>The folder in which the program starts; null for Crust's own.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>
    /// Which variables of Crust's own environment the program gets, beyond those that every program does (its home, its search path, where temporary files
    /// are): one of the lists of <see cref="ToolEnvironment"/>.
    /// </summary>
    public ImmutableArray<string> Inherits { get; init; } = [];

    /// <summary>Variables set on top of those.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>What the program reads on its standard input, as UTF-8. Without it, the program reads an empty stream.</summary>
    public string Input { get; init; } = "";

    /// <summary>A file that the program reads on its standard input, in place of <see cref="Input"/>; null for none.</summary>
    public string? InputFile { get; init; }

    public Ending Ending { get; init; } = Ending.Kill;

    public ImmutableArray<int> SuccessCodes { get; init; } = [0];

    /// <summary>The most that the program may take; null for no limit.</summary>
    public ToolLimits? Limits { get; init; }

    /// <summary>
    /// Called with each line the program writes to standard error (and output, if <see cref="WatchOutput"/>), as it comes; lines end at CR or LF. If it throws,
    /// it is as with <see cref="OnOutput"/>.
    /// </summary>
    public Action<string>? OnLine { get; init; }

    /// <summary>Whether <see cref="OnLine"/> sees standard output too.</summary>
    public bool WatchOutput { get; init; }

    /// <summary>
    /// Given the bytes of standard output as they come, in place of <see cref="ToolResult.Output"/>. If it throws, the program is killed, and whoever
    /// waits for its end gets the exception.
    /// </summary>
    public Action<ReadOnlyMemory<byte>>? OnOutput { get; init; }

    /// <summary>A command from a program and its arguments.</summary>
    public static ToolCommand Of(string program, params IEnumerable<string> arguments) =>
        new() { Program = program, Arguments = [.. arguments] };

    /// <summary>The command line as a person would type it into a shell.</summary>
    public override string ToString() => string.Join(' ', Arguments.Prepend(Program).Select(Quote));

    private static string Quote(string argument) =>
        argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_=+,.:/@%".Contains(c))
            ? argument
            : $"'{argument.Replace("'", "'\\''")}'";
}

/// <summary>How a program ended, and what it wrote.</summary>
/// <param name="ExitCode">Its exit code; 128 + the signal's number if a signal ended it.</param>
/// <param name="Output">The last MiB of its standard output, as UTF-8.</param>
/// <param name="Error">The last MiB of its standard error, as UTF-8.</param>
internal sealed record ToolResult(int ExitCode, string Output, string Error, TimeSpan Elapsed)
{
    /// <summary>What <see cref="ToolCommand.OnOutput"/> or <see cref="ToolCommand.OnLine"/> has thrown; null if nothing.</summary>
    internal Exception? CallbackProblem { get; init; }
}
