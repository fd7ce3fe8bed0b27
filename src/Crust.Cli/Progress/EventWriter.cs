using System.Globalization;
using Crust.Sanitizing;
using Serilog.Events;
using Serilog.Formatting.Compact;
using Serilog.Parsing;

namespace Crust.Cli.Progress;

/// <summary>
/// Messages as events in compact JSON (CLEF, https://clef-json.org), one on each line. All texts in them are cleaned and redacted here, before they are escaped for JSON.
/// </summary>
internal sealed class EventWriter(TextWriter output, Redactor hidden)
{
    private const int MostLines = 300;
    private const int LongestLine = 8000;

    private static readonly MessageTemplateParser Templates = new();
    private static readonly RenderedCompactJsonFormatter Formatter = new();

    /// <param name="kind">What kind of event it is, for filters.</param>
    /// <param name="template">The message, with properties in braces.</param>
    /// <param name="properties">Texts become one clean line, lists of texts that of clean lines; null is left out.</param>
    /// <param name="error">Written with its stack trace; null for none.</param>
    public void Write(LogEventLevel level, string kind, string template, IEnumerable<(string Name, object? Value)> properties, Exception? error = null)
    {
        var values = properties.Prepend(("Event", kind)).Where(property => property.Value is not null).Select(property => new LogEventProperty(property.Name, ValueOf(property.Value!)));
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        Formatter.Format(new LogEvent(DateTimeOffset.Now, level, error is null ? null : new CleanError(string.Join('\n', Lines(error.ToString()))), Templates.Parse(template), values), line);
        output.Write(line.ToString());
    }

    private LogEventPropertyValue ValueOf(object value) => value switch
    {
        string text => new ScalarValue(hidden.Line(text, LongestLine)),
        IEnumerable<string> lines => new SequenceValue(lines.Select(line => new ScalarValue(hidden.Line(line, LongestLine)))),
        _ => new ScalarValue(value),
    };

    private IEnumerable<string> Lines(string text) => hidden.Lines(text, MostLines, LongestLine);

    // The formatter asks an exception for its text.
    private sealed class CleanError(string text) : Exception
    {
        public override string ToString() => text;
    }
}
