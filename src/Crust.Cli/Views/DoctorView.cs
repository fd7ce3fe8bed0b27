using Crust.Host;
using Crust.Sanitizing;
using Spectre.Console;

namespace Crust.Cli.Views;

internal static class DoctorView
{
    /// <summary>One line for each check, and one with the remedy where there is one.</summary>
    public static void WriteLines(Diagnosis diagnosis, TextWriter output)
    {
        foreach (var finding in diagnosis.Found.Findings)
        {
            output.WriteLine($"{Word(finding.Gravity),-8} {finding.Name,-18} {Says(finding)}");
            if (finding.Remedy is { } remedy)
            {
                output.WriteLine($"{"",-8} {"",-18} to do: {CleanText.Line(remedy, int.MaxValue)}");
            }
        }

        if (diagnosis.Install is { } install)
        {
            output.WriteLine($"To install all that is missing: {install}");
        }

        output.WriteLine(diagnosis.Summary);
    }

    public static void WriteTable(Diagnosis diagnosis, TextWriter output, bool color)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = color ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(output),
        });
        var table = new Table().Border(TableBorder.Rounded).AddColumn("").AddColumn("what").AddColumn("found");
        foreach (var area in diagnosis.Found.Findings.GroupBy(finding => finding.Area))
        {
            if (table.Rows.Count > 0)
            {
                table.AddEmptyRow();
            }

            foreach (var finding in area)
            {
                var remedy = finding.Remedy is { } text ? $"\n[bold]to do:[/] {Markup.Escape(CleanText.Line(text, int.MaxValue))}" : "";
                table.AddRow($"[{Color(finding.Gravity)}]{Mark(finding.Gravity)} {Word(finding.Gravity)}[/]", Markup.Escape(finding.Name), Markup.Escape(Says(finding)) + remedy);
            }
        }

        console.Write(table);
        if (diagnosis.Install is { } install)
        {
            console.MarkupLineInterpolated($"To install all that is missing: [bold]{install}[/]");
        }

        console.MarkupLineInterpolated($"[bold]{diagnosis.Summary}[/]");
    }

    private static string Says(Finding finding) => CleanText.Line(finding.Where is { } where ? $"{finding.What} ({where})" : finding.What, int.MaxValue);

    private static string Word(Gravity gravity) => gravity switch
    {
        Gravity.Fine => "ok",
        Gravity.Note => "note",
        Gravity.Warning => "warning",
        _ => "PROBLEM",
    };

    private static string Mark(Gravity gravity) => gravity switch
    {
        Gravity.Fine => "✓",
        Gravity.Note => "·",
        Gravity.Warning => "!",
        _ => "✗",
    };

    private static string Color(Gravity gravity) => gravity switch
    {
        Gravity.Fine => "green",
        Gravity.Note => "grey",
        Gravity.Warning => "yellow",
        _ => "red",
    };
}
