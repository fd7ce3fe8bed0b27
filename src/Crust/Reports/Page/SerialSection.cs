using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>The serial log, folded. The search comes with the script; without it the browser's own finds text in it.</summary>
internal static class SerialSection
{
    public static Markup Render(Template html, BuildStory story, SerialExcerpt? serial) => html.Of($"""
        <section id="serial" aria-labelledby="serial-title">
        <h2 id="serial-title">Serial log</h2>
        <div>
        {(serial is null ? html.Of($"<p class=\"quiet\">Nothing came from the serial port.</p>") : Log(html, story, serial))}
        </div>
        </section>
        """);

    private static Markup Log(Template html, BuildStory story, SerialExcerpt serial)
    {
        var lines = serial.Beginning.AsSpan().Count('\n') + 1 + (serial.End.Length > 0 ? serial.End.AsSpan().Count('\n') + 1 : 0);
        return html.Of($"""
            <details class="log">
            <summary>{Path.GetFileName(story.SerialLogName)}: {Words.Count(lines, "line")}, {Size.Format(serial.Size)}</summary>
            <form class="search" role="search" hidden>
            <label for="find">Search</label> <input id="find" type="search" autocomplete="off" spellcheck="false" aria-describedby="found">
            <button type="button" data-step="-1" aria-label="Previous match">↑</button> <button type="button" data-step="1" aria-label="Next match">↓</button>
            <output id="found" for="find"></output>
            </form>
            <pre tabindex="0" aria-label="What came from the serial port">{serial.Beginning}{(serial.LeftOut == 0 ? Markup.None : html.Of($"""


            <em>… {Size.Format(serial.LeftOut)} are left out here; the whole log is in {story.SerialLogName} …</em>

            {serial.End}
            """))}</pre>
            </details>
            """);
    }
}
