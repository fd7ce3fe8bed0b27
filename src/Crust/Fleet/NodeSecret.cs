using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Fleet;

/// <summary>
/// Where a secret of each node comes from: `NAME=file:PATH`, `NAME=env:VARIABLE` or `NAME=command:PROGRAM ARGUMENT…`; `{node}` in it stands for the node's name.
/// </summary>
/// <param name="Name">The variable in the user-data, `${NAME}`.</param>
/// <param name="Place">`file`, `env` or `command`.</param>
/// <param name="Value">What follows it.</param>
internal sealed partial record NodeSecret(string Name, string Place, string Value)
{
    private const string Node = "{node}";

    // Of the variables that are the node's own.
    private const string OwnPrefix = "NODE_";

    // The longest that a seed has room for.
    private const int Most = 64 << 10;

    private static readonly string[] Places = ["file", "env", "command"];

    private string Where => $"option --secret {Name}";

    /// <summary>Reads several, which have names of their own.</summary>
    /// <exception cref="CrustException">One can't be read, or its name is another's or a node's own variable.</exception>
    public static ImmutableArray<NodeSecret> ParseAll(IEnumerable<string> texts)
    {
        ImmutableArray<NodeSecret> secrets = [.. texts.Select(Parse)];
        return secrets.FirstOrDefault(secret => secret.Name.StartsWith(OwnPrefix, StringComparison.Ordinal)) is { } own
                ? throw new CrustException(FailureKind.BadInput, $"{own.Name} isn't a secret's name: names with {OwnPrefix} stand for what nodes.yaml has", own.Where, "choose another name")
            : secrets.GroupBy(secret => secret.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice
                ? throw new CrustException(FailureKind.BadInput, $"The secret {twice.Key} is given twice", twice.First().Where, "give each secret once")
            : secrets;
    }

    /// <exception cref="CrustException">It is something else. The message doesn't repeat it: somebody may have written the secret itself.</exception>
    public static NodeSecret Parse(string text) => Form().Match(text) is { Success: true } match
        ? new NodeSecret(match.Groups["name"].Value, match.Groups["place"].Value, match.Groups["value"].Value)
        : throw new CrustException(FailureKind.BadInput, "A secret's place can't be read", "option --secret",
            $"write NAME=PLACE:VALUE with a place of {Nearest.Or(Places)}, such as TOKEN=file:secrets/{Node}.token; {Node} stands for the node's name");

    /// <summary>The secret of one node.</summary>
    /// <param name="variables">Crust's own environment.</param>
    /// <param name="tools">Runs commands, without a shell.</param>
    /// <exception cref="CrustException">There is none, or it is too long.</exception>
    public async Task<Secret> OfAsync(string node, IReadOnlyDictionary<string, string> variables, ToolBox tools, CancellationToken cancellation)
    {
        var value = Value.Replace(Node, node, StringComparison.Ordinal);
        var secret = Place switch
        {
            "file" => UserFile.Read(value, value, "secret"),
            "env" => OfVariable(EnvironmentName(node), variables),
            _ => await OfCommandAsync(value.Split(' ', StringSplitOptions.RemoveEmptyEntries), node, tools, cancellation),
        };
        secret = secret.TrimEnd('\r', '\n');
        return secret.Length is > 0 and <= Most ? new Secret(secret)
            : throw new CrustException(FailureKind.BadInput,
                secret.Length == 0 ? $"The secret of {node} is empty" : $"The secret of {node} has more than {Size.Format(Most)}", Where,
                $"look at what {Place}:{(Place == "command" ? value.Split(' ')[0] : value)} gives");
    }

    // Names of variables have neither small letters nor dashes, by custom.
    private string EnvironmentName(string node) => Value.Replace(Node, node.ToUpperInvariant().Replace('-', '_'), StringComparison.Ordinal);

    private string OfVariable(string name, IReadOnlyDictionary<string, string> variables) => variables.TryGetValue(name, out var value) ? value
        : throw new CrustException(FailureKind.BadInput, $"There is no environment variable {name}", Where, "set it, or take the secret from a file");

    private async Task<string> OfCommandAsync(string[] words, string node, ToolBox tools, CancellationToken cancellation)
    {
        try
        {
            using var output = new MemoryStream();
            // Not as the result's output, which a failure would put into the log.
            await tools.RunAsync(ToolCommand.Of(words[0].Contains('/') ? Path.GetFullPath(words[0]) : words[0], words[1..]) with
            {
                OnOutput = bytes => output.Write(bytes.Span[..(int)Math.Min(bytes.Length, Math.Max(0, Most + 1 - output.Length))]),
            }, cancellation);
            return Encoding.UTF8.GetString(output.GetBuffer(), 0, (int)output.Length);
        }
        catch (ToolFailedException e)
        {
            // What it wrote may have the secret in it.
            throw new CrustException(FailureKind.BadInput, $"The command for the secret of {node} failed with exit code {e.Result.ExitCode}", Where,
                $"run {words[0]} yourself and see", e);
        }
    }

    [GeneratedRegex(@"\A(?<name>[A-Za-z_][A-Za-z0-9_]*)=(?<place>file|env|command):(?<value>\S.*)\z", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex Form();
}
