using System.Globalization;
using Crust.Sanitizing;
using Serilog.Events;
using Serilog.Formatting;

namespace Crust.Reports;

/// <summary>How the build's log is written: a line for each event, cleaned and redacted; what an event has to say in more lines stands below it, marked, so that nobody can forge one.</summary>
internal sealed class LogText(Redactor hidden) : ITextFormatter
{
    private const int MostLines = 300;
    private const int LongestLine = 8000;

    /// <inheritdoc/>
    public void Format(LogEvent logEvent, TextWriter output)
    {
        var level = logEvent.Level switch
        {
            LogEventLevel.Verbose => "VRB",
            LogEventLevel.Debug => "DBG",
            LogEventLevel.Information => "INF",
            LogEventLevel.Warning => "WRN",
            LogEventLevel.Error => "ERR",
            _ => "FTL",
        };
        output.Write($"{logEvent.Timestamp.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)} {level} ");
        var lines = hidden.Lines(Message(logEvent) + (logEvent.Exception is { } exception ? $"\n{exception}" : ""), MostLines, LongestLine);
        output.WriteLine(string.Join("\n  | ", lines));
    }

    // Strings as they are, without quotation marks: what ":lj" means in a template.
    private static string Message(LogEvent logEvent)
    {
        var message = new StringWriter(CultureInfo.InvariantCulture);
        foreach (var token in logEvent.MessageTemplate.Tokens)
        {
            if (token is Serilog.Parsing.PropertyToken { Format: null } property && logEvent.Properties.GetValueOrDefault(property.PropertyName) is ScalarValue { Value: string text })
            {
                message.Write(text);
            }
            else
            {
                token.Render(logEvent.Properties, message, CultureInfo.InvariantCulture);
            }
        }

        return message.ToString();
    }
}
