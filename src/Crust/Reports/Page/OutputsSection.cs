using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>The images with sizes, checksums and proofs.</summary>
internal static class OutputsSection
{
    public static Markup Render(Template html, BuildStory story) => html.Of($"""
        <section id="outputs" aria-labelledby="outputs-title">
        <h2 id="outputs-title">Outputs</h2>
        <div>
        {(story.Manifest is { } manifest ? Images(html, manifest, story) : html.Of($"<p>No image was written. Images of earlier builds are as they were.</p>"))}
        </div>
        </section>
        """);

    private static Markup Images(Template html, Manifest manifest, BuildStory story) => html.Of($"""
        <ul class="files">
        {manifest.Images.Select(image => html.Of($"""
        <li>
        <p><strong>{image.File}</strong> <span class="meta">{image.Format}, {Words.ExactSize(image.Size)}</span></p>
        {(image.Sha256 is { } sum ? Checksum(html, "SHA-256", sum) : Markup.None)}
        {(image.BlockMap is { } map ? html.Of($"<p class=\"sum\">block map {map.File} {Checksum(html, "SHA-256", map.Sha256)}</p>") : Markup.None)}
        <p class="proof">{ProofPart.Render(html, image)}{(image.BuildKey == manifest.BuildKey && image.SecretsMark == manifest.SecretsMark ? "" : "; of an earlier build")}</p>
        {ProofPart.LastWords(html, image, story.ImagesFolder)}
        {LoginPart.Render(html, image.Verified is { SameAs: null } booted ? booted.Ssh : null)}
        </li>

        """))}
        </ul>
        <dl class="facts">
        <dt>Folder</dt><dd>{story.ImagesFolder}</dd>
        <dt>Installed disk</dt><dd>{Trimmed(manifest)}content <code>{manifest.DiskContent}</code></dd>
        <dt>Build key</dt><dd><code>{manifest.BuildKey}</code></dd>
        </dl>
        """);

    internal static Markup Checksum(Template html, string kind, string sum) => html.Of($"<span class=\"sum\"><abbr>{kind}</abbr> <code>{sum}</code></span>");

    private static string Trimmed(Manifest manifest) => manifest.Install.TrimmedBytes is { } bytes ? $"{Size.Format(bytes)} of free space discarded; " : "";
}
