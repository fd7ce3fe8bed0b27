namespace Crust.Reports.Page;

/// <summary>Why a build failed: what, where, what to do, the last words, the last screen.</summary>
internal static class CauseSection
{
    public static Markup Render(Template html, BuildStory story, EmbeddedScreen? lastScreen)
    {
        if (story.Failure is not { } failure)
        {
            return Markup.None;
        }

        return html.Of($"""
            <section id="cause" class="cause" aria-labelledby="cause-title">
            <h2 id="cause-title">Cause</h2>
            <div>
            <dl class="facts">
            <dt>What</dt><dd class="what">{Words.Sentence(failure.What)}</dd>
            <dt>To do</dt><dd>{Words.Sentence(failure.Remedy)}</dd>
            <dt>Where</dt><dd>{failure.Where}</dd>
            </dl>
            {LastWords(html, failure)}
            {LastScreen(html, lastScreen)}
            </div>
            </section>
            """);
    }

    private static Markup LastWords(Template html, CrustException failure) => failure.Detail.Length == 0 ? Markup.None : html.Of($"""
        <h3>Last words</h3>
        <pre class="words">{failure.Detail}</pre>
        """);

    private static Markup LastScreen(Template html, EmbeddedScreen? screen) => screen is null ? Markup.None : html.Of($"""
        <figure class="last">
        <img src="{new Markup(screen.DataUri)}" width="{screen.Width}" height="{screen.Height}" alt="The last screen of the machine that failed">
        <figcaption>The last screen</figcaption>
        </figure>
        """);
}
