using System.Collections.Immutable;

namespace Crust.Reports.Page;

/// <summary>The film strip. A picture grows where it is when it is opened: it is a summary of details, so it needs no script.</summary>
internal static class ScreensSection
{
    public static Markup Render(Template html, ImmutableArray<EmbeddedScreen> screens) => screens.IsEmpty ? Markup.None : html.Of($"""
        <section id="screens" aria-labelledby="screens-title">
        <h2 id="screens-title">Screens</h2>
        <div>
        <ol class="film">
        {screens.Select((screen, i) => html.Of($"""
        <li><details name="screen"><summary><img src="{new Markup(screen.DataUri)}" width="{screen.Width}" height="{screen.Height}" alt="The machine's screen, {Words.Time(screen.Seconds)} after its start"></summary></details><span>{Words.Clock(screen.Seconds)}</span></li>

        """))}
        </ol>
        <p class="note">{Words.Count(screens.Length, "picture")}, taken when the screen had changed; the times count from QEMU's start. Each opens in full size.</p>
        </div>
        </section>
        """);
}
