namespace Crust.Reports.Page;

/// <summary>What didn't stop the build, but its user should know.</summary>
internal static class WarningsSection
{
    public static Markup Render(Template html, BuildStory story) => story.Warnings.IsEmpty ? Markup.None : html.Of($"""
        <section id="warnings" aria-labelledby="warnings-title">
        <h2 id="warnings-title">Warnings</h2>
        <ul class="warnings">{story.Warnings.Select(warning => html.Of($"<li>{Words.Sentence(warning)}</li>\n"))}</ul>
        </section>
        """);
}
