using System.Collections.Immutable;
using Crust.Disks;
using Crust.Machines;
using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>What the guest wrote and what QEMU used over time, one panel above the other on one axis of time, with the boots marked.</summary>
internal static class TraceSection
{
    private const double MiB = 1 << 20;

    // In percent of the width, at 400 pixels.
    private const double NarrowestLabel = 15;

    public static Markup Render(Template html, BuildStory story)
    {
        if (story.Install is not { Trace: { Boots.Length: > 0 } trace })
        {
            return Markup.None;
        }

        var moments = Moments(story.Install);
        var end = moments.IsEmpty ? 0 : moments[^1].End;
        return html.Of($"""
            <section id="trace" aria-labelledby="trace-title">
            <h2 id="trace-title">The run</h2>
            <div>
            {(moments.IsEmpty ? html.Of($"<p class=\"quiet\">The run was too short to draw.</p>") : Panels(html, moments, story.Install, end))}
            </div>
            </section>
            """);
    }

    private static Markup Panels(Template html, ImmutableArray<Moment> moments, InstallFacts install, double end)
    {
        var trace = install.Trace;
        var time = Axis.OfTime(end, 6);
        var busiest = moments.MaxBy(moment => moment.MiBPerSecond);
        var written = $"Disk writes in MiB/s. In all {Size.Format(install.BytesWritten)}, at most {Words.Number(busiest.MiBPerSecond)} MiB/s, at {Words.Clock(busiest.Start)}.";
        var cpu = $"Processor use of QEMU, in cores. In all {Words.Time(install.QemuCpuSeconds)}, at most {Words.Number(moments.Max(moment => moment.Cores))} cores.";
        return html.Of($"""
            <figure class="plot writes">
            <figcaption>{written}</figcaption>
            {Panel(html, moments, moment => moment.MiBPerSecond, time, trace.Boots, written)}
            </figure>
            <figure class="plot cpu">
            <figcaption>{cpu}</figcaption>
            {Panel(html, moments, moment => moment.Cores, time, trace.Boots, cpu)}
            </figure>
            {(trace.Boots.Length < 2 ? Markup.None : html.Of($"<p class=\"note\">{Words.Count(trace.Boots.Length, "boot")}, at {Words.List([.. trace.Boots.Select(Words.Clock)])}: the dashed lines.</p>"))}
            """);
    }

    // Positions are percentages of the plot's area, which lies inside its frame's padding: the text keeps its size at every width.
    private static Markup Panel(Template html, ImmutableArray<Moment> moments, Func<Moment, double> value, Axis time, ImmutableArray<double> boots, string says)
    {
        var axis = Axis.Of(moments.Max(value), 3);
        return html.Of($"""
            <svg class="frame" role="img" aria-label="{says}">
            {axis.Ticks.Select(tick => html.Of($"""<line class="grid" x2="100%" y1="{100 - axis.Percent(tick)}%" y2="{100 - axis.Percent(tick)}%"/><text x="-8" y="{100 - axis.Percent(tick)}%" dy="4" text-anchor="end">{Words.Number(tick)}</text>"""))}
            {time.Ticks.Select(tick => html.Of($"""<line class="tick" x1="{time.Percent(tick)}%" x2="{time.Percent(tick)}%" y1="100%" y2="100%"/><text x="{time.Percent(tick)}%" y="100%" dy="18" text-anchor="middle">{Words.Clock(tick)}</text>"""))}
            <svg class="area" width="100%" height="100%" viewBox="0 0 1000 100" preserveAspectRatio="none"><path d="{Area(html, moments, value, axis, time)}"/></svg>
            {boots.Select((boot, i) => html.Of($"""<g class="boot"><line x1="{time.Percent(boot)}%" x2="{time.Percent(boot)}%" y1="-14" y2="100%"/>{Label(html, boots, i, time)}</g>"""))}
            {moments.Select(moment => html.Of($"""<rect class="hover" x="{time.Percent(moment.Start)}%" width="{time.Percent(moment.End) - time.Percent(moment.Start)}%" height="100%"><title>{Words.Clock(moment.Start)} – {Words.Clock(moment.End)}: {Words.Number(moment.MiBPerSecond)} MiB/s written, {Words.Number(moment.Cores)} cores</title></rect>"""))}
            </svg>
            """);
    }

    // Steps, since each rate is that of a whole interval.
    private static Markup Area(Template html, ImmutableArray<Moment> moments, Func<Moment, double> value, Axis axis, Axis time) => html.Of($"""
        M{10 * time.Percent(moments[0].Start)} 100{moments.Select(moment => html.Of($"L{10 * time.Percent(moment.Start)} {100 - axis.Percent(value(moment))}H{10 * time.Percent(moment.End)}"))}V100Z
        """);

    // A boot that follows at once would write its label over that of the one before.
    private static Markup Label(Template html, ImmutableArray<double> boots, int i, Axis time) =>
        i > 0 && time.Percent(boots[i]) - time.Percent(boots[i - 1]) < NarrowestLabel
            ? Markup.None
            : html.Of($"""<text x="{time.Percent(boots[i])}%" dx="4" y="-5">boot {i + 1}</text>""");

    // Crust looks once a second; what was before the first look and after the last is known as well.
    private static ImmutableArray<Moment> Moments(InstallFacts install)
    {
        var looks = install.Trace.Samples.Where(sample => sample.Seconds > 0 && sample.Seconds < install.Seconds)
            .Prepend(new TraceSample(0, 0, 0)).Append(new TraceSample(install.Seconds, install.BytesWritten, install.QemuCpuSeconds)).ToList();
        return [.. looks.Zip(looks.Skip(1)).Where(pair => pair.Second.Seconds > pair.First.Seconds).Select(pair => Moment.Between(pair.First, pair.Second))];
    }

    private readonly record struct Moment(double Start, double End, double MiBPerSecond, double Cores)
    {
        public static Moment Between(TraceSample from, TraceSample to)
        {
            var seconds = to.Seconds - from.Seconds;
            return new(from.Seconds, to.Seconds,
                Math.Max(0, to.BytesWritten - from.BytesWritten) / MiB / seconds,
                Math.Max(0, to.CpuSeconds - from.CpuSeconds) / seconds);
        }
    }
}
