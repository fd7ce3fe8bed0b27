using Crust.Sanitizing;
using Serilog.Events;

namespace Crust.Cli.Progress;

/// <summary>The messages of commands, beside what a view shows of a build.</summary>
internal static class Messages
{
    // Guests and tools have a say in those.
    private const int MostDetails = 300;

    /// <summary>Writes a notice that is no warning.</summary>
    public static void Inform(this MessageWriter messages, string text) => messages.Write(LogEventLevel.Information, "Message", text, "{Message:l}", ("Message", Unprefixed(text)));

    public static void Warn(this MessageWriter messages, string text) => messages.Write(LogEventLevel.Warning, "Warning", $"warning: {text}", "{Message:l}", ("Message", text));

    /// <summary>Writes an error that a user can cause or cure.</summary>
    public static void Fail(this MessageWriter messages, CrustException error) => messages.Write(LogEventLevel.Error, "Error", Describe(error), "{What:l}",
        ("What", error.What), ("Where", error.Where), ("Fix", error.Remedy), ("ExitCode", (int)error.Kind), ("Report", Shown(error.Report)),
            ("Detail", DetailsOf(error) is { Count: > 0 } lines ? lines : null));

    public static void Cancelled(this MessageWriter messages)
    {
        const string text = "cancelled; no process and no half-written image is left";
        messages.Write(LogEventLevel.Warning, "Cancelled", $"crust: {text}", text, ("ExitCode", (int)ExitCode.Cancelled));
    }

    /// <summary>Reports a bug, with its stack trace.</summary>
    public static void Bug(this MessageWriter messages, Exception error)
    {
        const string text = "this is a bug in Crust {Version:l}; please report it with what follows";
        messages.Write(LogEventLevel.Fatal, "Bug", $"crust: {text.Replace("{Version:l}", CrustVersion.Current, StringComparison.Ordinal)}\n{error}", text, error,
            ("Version", CrustVersion.Current), ("ExitCode", (int)ExitCode.Bug));
    }

    /// <summary>An error as its user reads it: what, where, and what to do. Each is one line, whoever had a say in it.</summary>
    internal static string Describe(CrustException error)
    {
        return $"crust: {Line(error.What)}\n  where: {Line(error.Where)}\n  to do: {Line(error.Remedy)}{(Shown(error.Report) is { } report ? $"\n  report: {report}" : "")}"
            + string.Concat(DetailsOf(error).Select(line => $"\n  | {line}"));

        static string Line(string text) => CleanText.Line(text, int.MaxValue);
    }

    private static List<string> DetailsOf(CrustException error) =>
        error.Detail.Length == 0 ? [] : [.. CleanText.Lines(error.Detail, error.Kind is FailureKind.BadInput ? int.MaxValue : MostDetails)];

    private static string? Shown(string? report) => report is null ? null : Path.GetRelativePath(Environment.CurrentDirectory, report);

    private static string Unprefixed(string text) => text.StartsWith("crust: ", StringComparison.Ordinal) ? text["crust: ".Length..] : text;
}
