using System.CommandLine;

namespace Crust.Cli.Progress;

internal enum LogFormat
{
    /// <summary>Lines for people: a live view on a terminal, plain lines elsewhere.</summary>
    Text,

    /// <summary>An event in compact JSON on each line, for log collectors.</summary>
    Json,
}

/// <summary>The option that all commands have.</summary>
internal static class LogFormatOption
{
    private const string Name = "--log-format";

    public static Option<string> Create() => new(Name)
    {
        Description = "How progress, warnings and errors are written to standard error: text, or json for log collectors, which is one event in compact JSON (CLEF) on each line, also on a terminal. "
            + "Standard output and the kept <name>.log are the same with both.",
        HelpName = "FORMAT",
        Recursive = true,
        DefaultValueFactory = _ => "text",
    };

    /// <summary>The format; null for one that there isn't. Also where something else on the command line is wrong: that is told in this format.</summary>
    public static LogFormat? Find(ParseResult parse) => ValueOf(parse) switch
    {
        null or "text" => LogFormat.Text,
        "json" => LogFormat.Json,
        _ => null,
    };

    /// <summary>The error to tell; null if there is none.</summary>
    public static CrustException? ErrorOf(ParseResult parse) => Find(parse) is null
        ? new(FailureKind.BadInput, $"There is no log format '{ValueOf(parse)}'", $"option {Name}", "give text or json")
        : null;

    private static string? ValueOf(ParseResult parse) =>
        parse.RootCommandResult.Command.Options.FirstOrDefault(option => option.Name == Name) is { } own && parse.GetResult(own) is { Tokens: [.., var last] } ? last.Value : null;
}
