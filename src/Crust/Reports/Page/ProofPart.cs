using Crust.Formats;
using Crust.Machines;

namespace Crust.Reports.Page;

/// <summary>Which proof an image has.</summary>
internal static class ProofPart
{
    public static Markup Render(Template html, ManifestImage image) => image switch
    {
        { Verified: { SameAs: { } other } proof } => html.Of($"""
            <span class="good">✓ {(IsMedium(image) ? "writes" : "holds")} the same disk</span> as {other}, byte for byte, which came up under {Where(proof)}{Unproven(image)}
            """),
        { Verified: { } proof } => html.Of($"<span class=\"good\">✓ came up</span> under {Where(proof)} after {Words.Time(proof.Seconds)}: {Seen(proof)}{Unproven(image)}"),
        { Unproven: { SameAs: { } other } } => html.Of($"<span class=\"bad\">unproven</span>: it holds the same disk as {other}, which was booted and showed nothing either way"),
        { Unproven: { } unproven } => html.Of($"<span class=\"bad\">unproven</span>, booted under {Where(unproven.Firmware, unproven.DiskBus)}: {unproven.What}"),
        _ => html.Of($"<span class=\"quiet\">not booted</span>"),
    };

    /// <summary>The last lines and the last screen of an image of which nobody knows whether it boots.</summary>
    public static Markup LastWords(Template html, ManifestImage image, string imagesFolder) => image.Unproven is { SameAs: null } unproven ? html.Of($"""
        {(unproven.LastLines.IsEmpty ? Markup.None : html.Of($"<pre class=\"words\">{string.Join('\n', unproven.LastLines)}</pre>\n"))}
        {LastScreen(html, EmbeddedScreen.TryRead(0, Path.Combine(imagesFolder, image.File + LogFile.ScreenExtension)))}
        """) : Markup.None;

    private static Markup LastScreen(Template html, EmbeddedScreen? screen) => screen is null ? Markup.None : html.Of($"""
        <figure class="last">
        <img src="{new Markup(screen.DataUri)}" width="{screen.Width}" height="{screen.Height}" alt="The last screen of the image that is unproven">
        <figcaption>Its last screen</figcaption>
        </figure>
        """);

    private static string Where(ManifestProof proof) => Where(proof.Firmware, proof.DiskBus);

    private static string Where(string firmware, string? bus) => bus is null ? Words.Firmware(firmware) : $"{Words.Firmware(firmware)} with its disk on {bus}";

    private static string Seen(ManifestProof proof) => proof.Sign switch
    {
        "login-prompt" => $"it showed the login prompt ‘{proof.Expected}’",
        "cloud-init" => $"cloud-init said ‘{proof.Expected}’",
        "ssh-banner" => $"its SSH server answered ‘{proof.Expected}’",
        _ => $"it showed ‘{proof.Expected}’",
    };

    private static string Unproven(ManifestImage image) => IsMedium(image) ? "; that is the disk in it: the medium itself isn’t booted"
        : image.Verified?.UnprovenController is { } controller ? $"; not proven on {controller}, the disk controller that it asks for: QEMU has none" : "";

    private static bool IsMedium(ManifestImage image) => ImageFormats.All.FirstOrDefault(format => format.Name == image.Format) is { QemuDriver: null, HoldsDisk: true };
}
