using Crust.Disks;
using Crust.Formats;
using Crust.Inspection;
using Crust.Sanitizing;
using Spectre.Console;
using Size = Crust.Spec.Size;

namespace Crust.Cli.Views;

/// <summary>Shows what is on images: a page for each.</summary>
internal static class InspectView
{
    private const int Margin = 12;
    private const int LongestValue = 8000;

    /// <summary>One page after the other, with an empty line between them.</summary>
    public static void WriteLines(IReadOnlyList<Inspected> files, TextWriter output)
    {
        foreach (var (file, i) in files.Select((file, i) => (file, i)))
        {
            if (i > 0)
            {
                output.WriteLine();
            }

            output.WriteLine(CleanText.Line(file.File, int.MaxValue));
            foreach (var (name, value) in Lines(file))
            {
                output.WriteLine($"{name.PadRight(Margin)}{Clean(value)}".TrimEnd());
            }
        }
    }

    /// <summary>The same for a terminal: what is long is wrapped under its beginning.</summary>
    public static void WriteGrids(IReadOnlyList<Inspected> files, TextWriter output, bool color)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = color ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(output),
        });
        foreach (var file in files)
        {
            var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn();
            foreach (var (name, said) in Lines(file))
            {
                var value = Clean(said);
                grid.AddRow($"[bold]{Markup.Escape(name)}[/]", value.StartsWith(DiskFinding.Warning, StringComparison.Ordinal) ? $"[yellow]{Markup.Escape(value)}[/]" : Markup.Escape(value));
            }

            console.MarkupLineInterpolated($"[bold]{CleanText.Line(file.File, int.MaxValue)}[/]");
            console.Write(grid);
        }
    }

    // What stands under something else is indented.
    private static string Clean(string value) => value[..^value.TrimStart(' ').Length] + CleanText.Line(value, LongestValue);

    private static IEnumerable<(string Name, string Value)> Lines(Inspected file) =>
        file.Disk is { } disk ? Disk(disk, file) : file.Archive is { } archive ? Archive(archive, file) : Iso(file.Iso!, file);

    private static IEnumerable<(string Name, string Value)> Archive(ArchiveContents archive, Inspected file) =>
    [
        ("", $"{archive.What} ({file.Kind}), {Size.Format(file.Size)}"),
        ("system", archive.System ?? "it doesn't say which"),
        ("kernels", archive.Kernels.IsEmpty ? "none in /boot" : string.Join(", ", archive.Kernels)),
        ("contents", $"{archive.Members} files, folders and links, {Size.Format(archive.Bytes)}"),
    ];

    private static IEnumerable<(string Name, string Value)> Iso(IsoInspection iso, Inspected file)
    {
        yield return ("", $"an ISO, {Size.Format(file.Size)}");
        yield return ("volume", iso.VolumeId.Length > 0 ? iso.VolumeId : "without an id");
        if (iso.Title is not null)
        {
            yield return ("title", iso.Title);
        }

        yield return ("boots", (iso.BootsBios, iso.BootsUefi) switch
        {
            (true, true) => "from CD under BIOS and UEFI",
            (true, false) => "from CD under BIOS",
            (false, true) => "from CD under UEFI",
            _ => "not: it has no boot image for a PC",
        } + (iso.Hybrid == "none" ? "" : $"; from a USB stick ({iso.Hybrid})"));
        yield return ("whole", iso.Missing == 0 ? "yes" : $"NO: {Size.Format(iso.Missing)} are missing at its end; copy or download it again");
        yield return ("installs", iso.Profile is null ? "it doesn't say what" : $"{iso.Profile}, by {iso.ProfileSign}");
        yield return ("seeds", iso.Seeds.IsEmpty ? "not known" : string.Join(", ", iso.Seeds));
    }

    private static IEnumerable<(string Name, string Value)> Disk(DiskInspection disk, Inspected file) =>
    [
        ("", $"a disk of {Size.Format(disk.Size)} ({file.Kind}), {Size.Format(file.Size)}"),
        .. disk.Systems.SelectMany(InspectionWords.Of),
        ("boots", InspectionWords.Of(disk.Boot)),
        .. Volumes(disk).Select((line, i) => (i == 0 ? disk.Table == "none" ? "volumes" : disk.Table : "", line)),
        .. Findings(disk).Select((line, i) => (i == 0 ? "findings" : "", line)),
    ];

    private static IEnumerable<string> Volumes(DiskInspection disk)
    {
        if (disk.Volumes.IsEmpty)
        {
            return ["nothing: no partition and no file system that is known"];
        }

        var rows = disk.Volumes.Select(volume => new[]
        {
            InspectionWords.NameOf(volume), volume.PartitionType ?? "", Size.Format(volume.Size), InspectionWords.ContentOf(volume), InspectionWords.UseOf(volume),
        }).ToList();
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToList();
        // Sizes stand under each other at their right ends.
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => column == 2 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
    }

    private static IEnumerable<string> Findings(DiskInspection disk) => disk.Findings.IsEmpty ? ["none"] : disk.Findings.SelectMany(finding =>
        new[] { $"{finding.Gravity,-8} {finding.What} ({finding.Where})" }.Concat(finding.Remedy is { } remedy ? [$"{"",-8} to do: {remedy}"] : []));
}
