using System.CommandLine;
using System.CommandLine.Parsing;
using Crust.Cli.Progress;
using Crust.Formats;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>The argument and options by which a command is given a spec: one option for each key of the table that has one.</summary>
internal sealed class SpecOptions
{
    /// <summary>The keys that say how registries are pulled from: logins, certificates and patience.</summary>
    public static readonly string[] PullKeys = ["publish.authFile", "publish.certDir", "publish.tls", "publish.retries", "publish.stall"];

    private const string DefaultFile = "crust.yaml";

    private readonly Argument<string?> _file = new("SPEC")
    {
        Description = $"The spec's file; without it, {DefaultFile} where there is one.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly List<(SpecKey Key, Option<string[]> Option)> _options;

    /// <param name="which">The keys that have an option; null for all.</param>
    /// <param name="shorter">A shorter name of an option, where the command knows only one thing that it may be; null for none.</param>
    public SpecOptions(Func<SpecKey, bool>? which = null, Func<SpecKey, string?>? shorter = null) =>
        _options = [.. SpecKeys.For(ImageFormats.ForSpec).Where(key => key.Option is not null && (which?.Invoke(key) ?? true)).Select(key => (key, OptionFor(key, shorter?.Invoke(key))))];

    public void AddTo(Command command)
    {
        command.Add(_file);
        AddOptionsTo(command);
    }

    /// <summary>Adds only the options, for commands whose arguments are something else.</summary>
    public void AddOptionsTo(Command command)
    {
        foreach (var (_, option) in _options)
        {
            command.Add(option);
        }
    }

    /// <summary>The spec of options, environment and file. No message shows its secrets from now on.</summary>
    public BuildSpec Read(ParseResult parse, HostEnvironment environment) => Read(Sources(parse, environment), parse);

    /// <summary>The same of sources that a command has looked at before.</summary>
    public static BuildSpec Read(SpecSources sources, ParseResult parse)
    {
        var spec = new SpecReader(ImageFormats.ForSpec).Read(sources);
        MessageWriter.Of(parse).Hidden.Hide(spec);
        return spec;
    }

    public SpecSources Sources(ParseResult parse, HostEnvironment environment) => new()
    {
        File = parse.GetValue(_file) ?? (File.Exists(DefaultFile) ? DefaultFile : null),
        IsFileGiven = parse.GetValue(_file) is not null,
        CurrentFolder = Environment.CurrentDirectory,
        Environment = environment.Variables,
        Options = _options
            .Select(row => (row.Key.Path, Values: ValuesOf(parse.GetResult(row.Option))))
            .Where(row => row.Values is not null)
            .ToDictionary(row => row.Path, row => row.Values!),
    };

    private static IReadOnlyList<string>? ValuesOf(OptionResult? result) => result is null || result.Implicit
        ? null
        : result.Tokens.Count == 0 ? ["true"] : [.. result.Tokens.Select(token => token.Value)];

    private static Option<string[]> OptionFor(SpecKey key, string? shorter)
    {
        var help = key.Description
            + (key.Default is { Length: > 0 } preset ? $" Default: {preset}." : "")
            + (key.Variable is { } variable ? $" Environment: {variable}." : "");
        return new Option<string[]>(key.Option!, shorter is null ? [] : [shorter])
        {
            Description = help,
            HelpName = key.Placeholder,
            Arity = key.IsSwitch ? ArgumentArity.ZeroOrOne : key.IsList ? ArgumentArity.OneOrMore : ArgumentArity.ExactlyOne,
            AllowMultipleArgumentsPerToken = false,
            // The spec's reader understands the values: its errors say more.
            CustomParser = result => [.. result.Tokens.Select(token => token.Value)],
        };
    }
}
