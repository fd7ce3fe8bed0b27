using System.CommandLine;
using System.Text;
using Crust.Sanitizing;
using Serilog.Events;

namespace Crust.Cli.Progress;

/// <summary>
/// Standard error: progress, warnings and errors. Each text is cleaned and redacted here, whatever it was made of, and a text of several lines is one of Crust's alone:
/// all lines but the first are indented. As events, each text is one of them. What can't be written (a full disk, a terminal that went away) is lost, and never ends what is told of.
/// </summary>
internal sealed class MessageWriter(TextWriter inner) : TextWriter
{
    // What guests have a say in is bounded where that is put together; a fleet's specs may have many errors.
    private const int MostLines = 20_000;
    private const int LongestLine = 8000;

    /// <summary>Takes secrets out of all that is written.</summary>
    public Redactor Hidden { get; } = new();

    /// <summary>Whether messages are text or events.</summary>
    public LogFormat Format { get; set; }

    public static MessageWriter Of(ParseResult parse) => Of(parse.InvocationConfiguration);

    public static MessageWriter Of(InvocationConfiguration configuration) => (MessageWriter)configuration.Error;

    /// <summary>The same without cleaning, for displays that draw with escape sequences and clean what they show by themselves.</summary>
    public TextWriter Raw { get; } = new GuardedWriter(inner, _ => { });

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value)
    {
        if (Format is LogFormat.Json)
        {
            WriteLine(value);
        }
        else
        {
            Raw.Write(Text(value ?? ""));
        }
    }

    public override void WriteLine() => WriteLine("");

    public override void WriteLine(string? value)
    {
        var text = (value ?? "").TrimEnd('\n');
        if (Format is LogFormat.Text)
        {
            Raw.Write(Text(text) + "\n");
        }
        else if (text.Length > 0)
        {
            WriteEvent(LogEventLevel.Information, "Message", "{Message:l}", null, ("Message", text));
        }
    }

    /// <summary>Writes a message: a text for people, or an event for log collectors.</summary>
    /// <param name="text">The text, which may have several lines.</param>
    /// <param name="template">The event's message, with properties in braces.</param>
    /// <param name="properties">The event's properties; those that are null are left out.</param>
    public void Write(LogEventLevel level, string kind, string text, string template, params IEnumerable<(string Name, object? Value)> properties) =>
        Write(level, kind, text, template, null, properties);

    /// <summary>The same with an error, which the event tells with its stack trace.</summary>
    public void Write(LogEventLevel level, string kind, string text, string template, Exception? error, params IEnumerable<(string Name, object? Value)> properties)
    {
        if (Format is LogFormat.Text)
        {
            WriteLine(text);
        }
        else
        {
            WriteEvent(level, kind, template, error, properties);
        }
    }

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

    private void WriteEvent(LogEventLevel level, string kind, string template, Exception? error, params IEnumerable<(string Name, object? Value)> properties) =>
        new EventWriter(Raw, Hidden).Write(level, kind, template, properties, error);

    private string Text(string text) => string.Join('\n', Hidden.Lines(text, MostLines, LongestLine)
        .Select((line, i) => i > 0 && line.Length > 0 && !line.StartsWith("  ", StringComparison.Ordinal) ? $"  {line}" : line));
}
