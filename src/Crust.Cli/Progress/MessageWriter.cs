using System.CommandLine;
using System.Text;
using Crust.Sanitizing;

namespace Crust.Cli.Progress;

/// <summary>
/// Standard error: progress, warnings and errors. Each text is cleaned and redacted here, whatever it was made of, and a text of several lines is one of Crust's alone:
/// all lines but the first are indented. What can't be written (a full disk, a terminal that went away) is lost, and never ends what is told of.
/// </summary>
internal sealed class MessageWriter(TextWriter inner) : TextWriter
{
    // What guests have a say in is bounded where that is put together; a fleet's specs may have many errors.
    private const int MostLines = 20_000;
    private const int LongestLine = 8000;

    /// <summary>Takes secrets out of all that is written.</summary>
    public Redactor Hidden { get; } = new();

    /// <summary>That of a command.</summary>
    public static MessageWriter Of(ParseResult parse) => (MessageWriter)parse.InvocationConfiguration.Error;

    /// <summary>The same without cleaning, for displays that draw with escape sequences and clean what they show by themselves.</summary>
    public TextWriter Raw { get; } = new GuardedWriter(inner, _ => { });

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value) => Raw.Write(Text(value ?? ""));

    public override void WriteLine() => Raw.Write("\n");

    public override void WriteLine(string? value) => Raw.Write(Text((value ?? "").TrimEnd('\n')) + "\n");

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }

    public override void Flush() => Raw.Flush();

    private string Text(string text) => string.Join('\n', Hidden.Lines(text, MostLines, LongestLine)
        .Select((line, i) => i > 0 && line.Length > 0 && !line.StartsWith("  ", StringComparison.Ordinal) ? $"  {line}" : line));
}
