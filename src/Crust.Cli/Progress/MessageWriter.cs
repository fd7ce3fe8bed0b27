using System.CommandLine;
using System.Globalization;
using System.Text;
using Crust.Sanitizing;
using Serilog.Events;

namespace Crust.Cli.Progress;

/// <summary>
/// Standard error: progress, warnings and errors. Each text is cleaned and redacted here, whatever it was made of, and a text of several lines is one of Crust's alone:
/// all lines but the first are indented. As events, each text is one of them. What can't be written (a full disk, a terminal that went away) is lost, and never ends what is told of; nor
/// does what nobody reads stop it (<see cref="DetachedWriter"/>).
/// </summary>
internal sealed class MessageWriter : TextWriter
{
    // What guests have a say in is bounded where that is put together; a fleet's specs may have many errors.
    private const int MostLines = 20_000;
    private const int LongestLine = 8000;

    // Of these the next one says as much; all others have to be seen.
    private static readonly string[] ProgressKinds = ["StageStarted", "StageFinished", "Progress"];

    private readonly DetachedWriter? _detached;
    private bool _isStuck;

    /// <param name="inner">A <see cref="DetachedWriter"/> may drop progress that nobody reads; all others get each message at once.</param>
    public MessageWriter(TextWriter inner)
    {
        _detached = inner as DetachedWriter;
        Raw = _detached is null ? new GuardedWriter(inner, _ => { }) : _detached;
        Encoding = inner.Encoding;
        if (_detached is not null)
        {
            _detached.LossText = LossOf;
        }
    }

    /// <summary>Takes secrets out of all that is written.</summary>
    public Redactor Hidden { get; } = new();

    /// <summary>Whether messages are text or events.</summary>
    public LogFormat Format { get; set; }

    public static MessageWriter Of(ParseResult parse) => Of(parse.InvocationConfiguration);

    public static MessageWriter Of(InvocationConfiguration configuration) => (MessageWriter)configuration.Error;

    /// <summary>The same without cleaning, for displays that draw with escape sequences and clean what they show by themselves.</summary>
    public TextWriter Raw { get; }

    public override Encoding Encoding { get; }

    /// <summary>Waits, for a while, until what was written has arrived: what comes next may go to the same terminal by another way, as results do.</summary>
    public void Drain() => _isStuck = _detached is not null && !_detached.Drain(_isStuck ? TimeSpan.Zero : DetachedWriter.Patience);

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value)
    {
        if (Format is LogFormat.Json)
        {
            WriteLine(value);
        }
        else
        {
            Keep(Text(value ?? ""));
        }
    }

    public override void WriteLine() => WriteLine("");

    public override void WriteLine(string? value)
    {
        var text = (value ?? "").TrimEnd('\n');
        if (Format is LogFormat.Text)
        {
            Keep(Text(text) + "\n");
        }
        else if (text.Length > 0)
        {
            Keep(Event(LogEventLevel.Information, "Message", "{Message:l}", [("Message", text)]));
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
        var shown = Format is LogFormat.Text ? Text(text.TrimEnd('\n')) + "\n" : Event(level, kind, template, properties, error);
        if (ProgressKinds.Contains(kind))
        {
            Raw.Write(shown);
        }
        else
        {
            Keep(shown);
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

    private string Event(LogEventLevel level, string kind, string template, IEnumerable<(string Name, object? Value)> properties, Exception? error = null)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        new EventWriter(line, Hidden).Write(level, kind, template, properties, error);
        return line.ToString();
    }

    private void Keep(string text)
    {
        if (_detached is { } detached)
        {
            detached.WriteKept(text);
        }
        else
        {
            Raw.Write(text);
        }
    }

    private string LossOf(long count)
    {
        var what = $"{count} {(count == 1 ? "line" : "lines")} of progress weren't shown, because nobody read them";
        return Format is LogFormat.Text ? $"warning: {what}\n" : Event(LogEventLevel.Warning, "Warning", "{Message:l}", [("Message", what)]);
    }

    private string Text(string text) => string.Join('\n', Hidden.Lines(text, MostLines, LongestLine)
        .Select((line, i) => i > 0 && line.Length > 0 && !line.StartsWith("  ", StringComparison.Ordinal) ? $"  {line}" : line));
}
