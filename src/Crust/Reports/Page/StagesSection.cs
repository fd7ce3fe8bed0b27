using Crust.Events;
using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>The stages on a line of time: each bar begins where its stage began.</summary>
internal static class StagesSection
{
    // A bar of no width can't be seen.
    private const double Narrowest = 0.4;

    public static Markup Render(Template html, BuildStory story)
    {
        var end = Math.Max(0.001, story.Stages.Select(stage => stage.Start + stage.Seconds).Append(story.Seconds).Max());
        return html.Of($"""
            <section id="stages" aria-labelledby="stages-title">
            <h2 id="stages-title">Stages</h2>
            <ol class="stages">
            {story.Stages.Select(stage => Row(html, stage, end))}
            </ol>
            </section>
            """);
    }

    private static Markup Row(Template html, StageRecord stage, double end)
    {
        var start = Math.Min(100 - Narrowest, 100 * stage.Start / end);
        var width = Math.Clamp(100 * stage.Seconds / end, Narrowest, 100 - start);
        var name = stage.Stage.LowerName();
        return html.Of($"""
            <li class="{(stage.Result is null ? "bad" : "")}">
            <span class="name">{name}</span>
            <span class="time">{Words.Time(stage.Seconds)}</span>
            <svg class="bar" aria-hidden="true"><rect class="rail" width="100%" height="100%" rx="3"/><rect class="run" x="{start}%" width="{width}%" height="100%" rx="3"><title>{name}: from {Words.Clock(stage.Start)} on, {Words.Time(stage.Seconds)}</title></rect></svg>
            <span class="detail">{(stage.Result is null ? html.Of($"<strong class=\"bad\">✗ failed</strong> ") : Markup.None)}{stage.Detail}{(string.IsNullOrEmpty(stage.Result) ? "" : $" → {stage.Result}")}</span>
            </li>

            """);
    }
}
