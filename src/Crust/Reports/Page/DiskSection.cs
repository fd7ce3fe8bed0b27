using Crust.Disks;
using Crust.Inspection;
using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>What is on the installed disk, and what was tidied on it.</summary>
internal static class DiskSection
{
    public static Markup Render(Template html, BuildStory story) => story.Install is not { } install || (install.Inspection is null && install.Tidied.IsEmpty) ? Markup.None : html.Of($"""
        <section id="disk" aria-labelledby="disk-title">
        <h2 id="disk-title">What is on the disk</h2>
        <div>
        {(install.Inspection is { } inspection ? Inspected(html, inspection) : Markup.None)}
        {Tidied(html, install)}
        </div>
        </section>
        """);

    private static Markup Inspected(Template html, DiskInspection disk) => html.Of($"""
        <dl class="facts">
        {disk.Systems.SelectMany(InspectionWords.Of).Append((Name: "boots", Value: InspectionWords.Of(disk.Boot))).Select(fact => html.Of($"<dt>{Capital(fact.Name)}</dt><dd>{fact.Value}</dd>\n"))}
        </dl>
        <h3>{(disk.Table == "none" ? "Volumes" : $"Volumes ({disk.Table})")}</h3>
        {(disk.Volumes.IsEmpty ? html.Of($"<p>Nothing: no partition and no file system that is known.</p>") : html.Of($"""
        <ul class="rows">
        {disk.Volumes.Select(volume => html.Of($"<li><strong>{InspectionWords.NameOf(volume)}</strong> <span class=\"meta\">{Details(volume)}</span></li>\n"))}
        </ul>
        """))}
        <h3>Findings</h3>
        {(disk.Findings.IsEmpty ? html.Of($"<p class=\"good\">Nothing that clones of this disk would share and mustn’t.</p>") : html.Of($"""
        <ul class="rows">
        {disk.Findings.Select(finding => html.Of($"<li><strong>{Capital(finding.Gravity)}</strong> {Words.Sentence($"{finding.What} ({finding.Where})")} <span class=\"meta\">{(finding.Remedy is { } remedy ? $"To do: {remedy}" : "")}</span></li>\n"))}
        </ul>
        """))}
        """);

    private static Markup Tidied(Template html, InstallFacts install) => install.Tidied.IsEmpty ? Markup.None : html.Of($"""
        <h3>Tidied</h3>
        <ul class="rows">
        {install.Tidied.Select(part => html.Of($"<li>{InspectionWords.Of(part)}</li>\n"))}
        </ul>
        """);

    private static string Details(VolumeFacts volume) => string.Join(", ", new[]
    {
        InspectionWords.ContentOf(volume) is var content and not "-" ? content : volume.PartitionType ?? "nothing known",
        Size.Format(volume.Size),
        InspectionWords.UseOf(volume),
    }.Where(text => text.Length > 0));

    private static string Capital(string text) => text.Length == 0 ? "" : char.ToUpperInvariant(text[0]) + text[1..];
}
