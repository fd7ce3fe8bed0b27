using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;
using Tokens = YamlDotNet.Core.Tokens;

namespace Crust.Spec;

/// <summary>Reads YAML that a user wrote, and says where it is wrong.</summary>
internal static class YamlText
{
    /// <param name="file">The file's name as the user gave it.</param>
    /// <returns>Null for a file that holds nothing but comments.</returns>
    /// <exception cref="CrustException">It doesn't parse, has a key twice, holds several documents, or is beyond the bounds of <see cref="BoundedYaml"/>.</exception>
    public static YamlNode? Parse(string text, string file)
    {
        var parser = new BoundedYaml(text, file);
        var stream = new YamlStream();
        try
        {
            stream.Load(parser);
        }
        catch (YamlException e) when (e.Message.StartsWith("Duplicate key", StringComparison.Ordinal))
        {
            throw Bad("A key stands twice", At(file, e.Start), "keep one of the two", e, "duplicate-key");
        }
        catch (YamlException e)
        {
            var (line, column) = TabIndentation(text) ?? ((int)e.End.Line, (int)e.End.Column);
            throw e.Message.Contains("tab", StringComparison.Ordinal) && TabIndentation(text) is not null
                ? Bad("A tab indents a line, which YAML doesn't allow", $"{file}:{line}:{column}", "indent with spaces", e, "tab")
                : UnclosedBracket(text, e.End) is { } bracket
                ? Bad("This isn't YAML: a list in [ ] or a mapping in { } isn't closed", At(file, bracket), "close it", e)
                : Bad($"This isn't YAML: {Lower(e.Message)}", At(file, e.End), "mend the line, or the one before it", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet's parser loses its way after some errors inside [ ] and { }, and says so like this.
            throw Bad("This isn't YAML: a list in [ ] or a mapping in { } isn't closed", At(file, parser.Current?.End ?? Mark.Empty),
                "mend the line, or the one before it", e);
        }

        return stream.Documents.Count switch
        {
            0 => null,
            1 => stream.Documents[0].RootNode,
            _ => throw Bad($"It holds {stream.Documents.Count} YAML documents", At(file, stream.Documents[1].RootNode.Start), "keep one document"),
        };
    }

    /// <summary>A node's place: `file:line:column`.</summary>
    public static string At(string file, Mark mark) => $"{file}:{Math.Max(1, mark.Line)}:{Math.Max(1, mark.Column)}";

    /// <summary>Whether a node says "nothing": `key:`, `key: ~` or `key: null`.</summary>
    public static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain or ScalarStyle.Any, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    // The parser names the place where it gave up, which may be the end of the file.
    private static Mark? UnclosedBracket(string text, Mark end)
    {
        var open = new Stack<Mark>();
        var scanner = new Scanner(new StringReader(text));
        try
        {
            while (scanner.MoveNext() && scanner.Current!.Start.Index < end.Index)
            {
                if (scanner.Current is Tokens.FlowSequenceStart or Tokens.FlowMappingStart)
                    open.Push(scanner.Current.Start);
                else if (scanner.Current is Tokens.FlowSequenceEnd or Tokens.FlowMappingEnd)
                    open.TryPop(out _);
            }
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException or ArgumentException)
        {
            // What came before it counts.
        }

        return open.TryPeek(out var bracket) && bracket.Line < end.Line ? bracket : null;
    }

    // The parser names the mapping's start, not the tab's line.
    private static (int Line, int Column)? TabIndentation(string text)
    {
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var indentation = line.Length - line.TrimStart(' ', '\t').Length;
            if (line[..indentation].IndexOf('\t') is >= 0 and var column && indentation < line.Length)
                return (number, column + 1);
        }

        return null;
    }

    private static string Lower(string message) =>
        message.Length == 0 ? "the parser doesn't say why" : char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.');

    private static CrustException Bad(string what, string where, string remedy, Exception? inner = null, string rule = "yaml") =>
        new(FailureKind.BadInput, what, where, remedy, inner) { Rule = rule };
}
