using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>The page's top: what happened in one sentence, and the figures that everybody asks for.</summary>
internal static class Headline
{
    /// <summary>The page's verdict on a build that went well.</summary>
    public const string Success = "✓ Built";

    public static Markup Render(Template html, BuildStory story)
    {
        var failed = story.Failure is not null;
        return html.Of($"""
            <header class="top">
            <p class="kind">Crust build report</p>
            <h1>{story.Name}</h1>
            <p class="verdict {(failed ? "bad" : "good")}">{(failed ? "✗ Failed" : Success)}</p>
            <p class="lead">{Sentence(story)}</p>
            <p class="when"><time datetime="{story.Started.ToString("u")}">{Words.Moment(story.Started)}</time></p>
            </header>
            """);
    }

    public static Markup Figures(Template html, BuildStory story) => html.Of($"""
        <dl class="figures" aria-label="Figures">{Figures(story).Select(figure => html.Of($"<div><dt>{figure.Name}</dt><dd>{figure.Value}</dd></div>\n"))}</dl>
        """);

    internal static string Sentence(BuildStory story)
    {
        if (story.Failure is { } failure)
        {
            var stage = story.Stages.LastOrDefault(stage => stage.Result is null)?.Stage.LowerName();
            return $"The build failed {(stage is null ? "" : $"in its stage {stage} ")}after {Words.Time(story.Seconds)}: {failure.What}.";
        }

        var source = Path.GetFileName(story.Origin.Path);
        var written = story.Stages.LastOrDefault(stage => stage.Stage is Stage.Formats) is null ? [] : story.Spec.Formats.ToList();
        var images = (story.Manifest?.Images ?? []).Where(image => written.Contains(image.Format)).ToList();
        var proven = images.Count(image => image.Verified is not null);
        var unproven = images.Count(image => image is { Verified: null, Unproven: not null });
        var installed = story.Origin.IsBase ? $"From the base image {source}"
            : story.FromCache || story.Install is null
            ? $"From the disk that {source} had installed{(story.Install is { } before ? $" on {Words.Moment(before.Finished)}" : "")}"
            : $"{source} installed its system in {Words.Time(story.Install.Seconds)}; from that disk";
        var proof = proven == 0 ? unproven == 0 ? "none was booted" : $"nobody knows whether {(unproven == 1 ? "it boots" : "they boot")}"
            : proven == images.Count ? $"{(proven switch { 1 => "it is", 2 => "both are", _ => $"all {proven} are" })} proven to boot under {Firmware(story)}"
            : $"{Words.Count(proven, "image")} {(proven == 1 ? "is" : "are")} proven to boot under {Firmware(story)}";
        return $"{installed}, Crust made {Words.List(written)}, and {proof}.";
    }

    private static string Firmware(BuildStory story) => Words.Firmware(story.Spec.Machine.Firmware.LowerName());

    private static IEnumerable<(string Name, string Value)> Figures(BuildStory story)
    {
        yield return ("in all", Words.Time(story.Seconds));
        if (story.Install is { } install)
        {
            if (story.Origin.IsBase)
            {
                yield return (story.FromCache ? "unpacked in, earlier" : "unpacking", Words.Time(install.Seconds));
                yield return ("data of the base", Size.Format(install.BytesWritten));
            }
            else
            {
                yield return (story.FromCache ? "installed in, earlier" : "in the machine", Words.Time(install.Seconds));
                yield return ("written by the guest", Size.Format(install.BytesWritten));
                yield return ("accelerator", install.Accelerator.ToUpperInvariant());
            }

            if (install.Resets > 0)
            {
                yield return ("boots", Words.Number(install.Resets + 1));
            }
        }

        if (story.Manifest is { } manifest)
        {
            yield return (manifest.Images.Length == 1 ? "image" : "images", Words.Number(manifest.Images.Length));
        }

        if (story.Warnings.Length > 0)
        {
            yield return (story.Warnings.Length == 1 ? "warning" : "warnings", Words.Number(story.Warnings.Length));
        }
    }
}
