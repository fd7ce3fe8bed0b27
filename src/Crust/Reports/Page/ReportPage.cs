using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Crust.Reports.Page;

/// <summary>
/// The report as one HTML page that needs nothing else: a pure function of a build's story. What comes first is what its reader came
/// for: the outcome in a sentence, after a failure its cause.
/// </summary>
internal static class ReportPage
{
    private static readonly string Style = Resource("report.css");
    private static readonly string Script = Resource("report.js");

    // Nothing is loaded from anywhere, and only this style and this script count, whatever a guest may have written.
    private static readonly string Policy =
        $"default-src 'none'; img-src data:; style-src '{Hash(Style)}'; script-src '{Hash(Script)}'; base-uri 'none'; form-action 'none'";

    public static string Render(BuildStory story, SerialExcerpt? serial, ImmutableArray<EmbeddedScreen> screens, EmbeddedScreen? lastScreen)
    {
        var html = new Template(story.Hidden);
        return html.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{new Markup(Policy)}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="Crust {CrustVersion.Current}">
            <title>{(story.Failure is null ? "✓" : "✗")} {story.Name} – build report</title>
            <link rel="icon" href="data:,">
            <style>{new Markup(Style)}</style>
            </head>
            <body>
            <a class="skip" href="#main">Skip to the report</a>
            {Headline.Render(html, story)}
            <main id="main">
            {CauseSection.Render(html, story, lastScreen)}
            {Headline.Figures(html, story)}
            {WarningsSection.Render(html, story)}
            {StagesSection.Render(html, story)}
            {TraceSection.Render(html, story)}
            {ScreensSection.Render(html, screens)}
            {SerialSection.Render(html, story, serial)}
            {DiskSection.Render(html, story)}
            {OutputsSection.Render(html, story)}
            {InputsSection.Render(html, story)}
            {MachineSection.Render(html, story)}
            </main>
            <footer>
            <p>Made by Crust {CrustVersion.Current}. This file needs nothing else: no network, no other file. Secrets of the spec are masked as •••.</p>
            </footer>
            <script>{new Markup(Script)}</script>
            </body>
            </html>

            """).Text;
    }

    // CSP Level 3, section 2.3.1: the digest of what stands between the tags.
    private static string Hash(string text) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";

    private static string Resource(string name)
    {
        using var stream = typeof(ReportPage).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"Crust was built without {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
