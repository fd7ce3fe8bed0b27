using System.CommandLine;
using System.CommandLine.Parsing;
using Crust.Spec;

namespace Crust.Cli;

/// <summary>What is wrong with a command line, in Crust's own words.</summary>
internal static class UsageError
{
    /// <summary>The error to tell; null if there is none.</summary>
    public static CrustException? Of(ParseResult parse, string[] args)
    {
        var where = string.Join(' ', args.Prepend("crust"));
        var command = parse.CommandResult.Command;
        var help = $"see 'crust {PathOf(command)}--help'";
        if (UnknownWord(parse) is { } word)
        {
            var (kind, known) = word.StartsWith('-')
                ? ("option", command.Options.Concat(parse.RootCommandResult.Command.Options.Where(option => option.Recursive)).SelectMany(option => option.Aliases.Append(option.Name)))
                : ("command", command.Subcommands.Select(subcommand => subcommand.Name));
            return new(FailureKind.BadInput, kind == "command" && command.Subcommands.Count == 0 ? $"The argument '{word}' is one too many" : $"There is no {kind} '{word}'",
                where, Nearest.Find(word, known) is { } near ? $"did you mean '{near}'? {help}" : help);
        }

        if (parse.Errors.Count == 0 && EmptyPath(parse) is { } empty)
        {
            return new(FailureKind.BadInput, $"{empty} is empty", where, help);
        }

        return parse.Errors.Count == 0 ? null
            : new(FailureKind.BadInput, args.Length == 0 ? "There is no command" : string.Join("; ", parse.Errors.Select(error => error.Message.TrimEnd('.'))), where, help);
    }

    // Keys of the spec are lists here, and empty ones count as none: an unset variable of a Makefile does no harm. A command's own options have no such default.
    private static string? EmptyPath(ParseResult parse) =>
        parse.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(option => option.Option is Option<string> && option.Tokens.Any(token => token.Value.Length == 0)) is { } wrong
            ? $"The value of {wrong.Option.Name}"
        : parse.CommandResult.Children.OfType<ArgumentResult>().FirstOrDefault(argument => argument.Tokens.Any(token => token.Value.Length == 0)) is { } argument
            ? $"The argument {argument.Argument.Name}"
        : null;

    // The parser takes an option that it doesn't know for an argument where one may stand; behind '--' all are arguments.
    private static string? UnknownWord(ParseResult parse)
    {
        var arguments = parse.Tokens.Any(token => token.Type is TokenType.DoubleDash) ? []
            : parse.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value);
        return arguments.Where(argument => argument.StartsWith('-') && argument.Length > 1).Concat(parse.UnmatchedTokens).FirstOrDefault();
    }

    // With a blank behind each name: "sysext build ".
    private static string PathOf(Command command) => command is RootCommand ? "" : string.Concat(command.Parents.OfType<Command>().Select(PathOf)) + command.Name + " ";
}
