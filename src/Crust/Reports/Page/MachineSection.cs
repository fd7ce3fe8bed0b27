using System.Text;

namespace Crust.Reports.Page;

/// <summary>What ran it: versions, and QEMU's exact command line.</summary>
internal static class MachineSection
{
    public static Markup Render(Template html, BuildStory story) => html.Of($"""
        <section id="machine" aria-labelledby="machine-title">
        <h2 id="machine-title">Machine</h2>
        <div>
        <dl class="facts">
        {Facts(story).Select(fact => html.Of($"<dt>{fact.Name}</dt><dd>{fact.Value}</dd>\n"))}
        </dl>
        {(story.Install is { CommandLine.Length: > 0 } install ? html.Of($"""
        <h3>QEMU’s command line</h3>
        <pre class="command" tabindex="0" aria-label="QEMU’s command line">{Lines(install.CommandLine)}</pre>
        <p class="note">As it was run. It holds no secrets: these are on the seed volume, which is gone.</p>
        """) : Markup.None)}
        </div>
        </section>
        """);

    private static IEnumerable<(string Name, string Value)> Facts(BuildStory story)
    {
        yield return ("Crust", CrustVersion.Current);
        if (story.Install is { QemuVersion.Length: > 0 } run)
        {
            yield return ("QEMU", run.QemuVersion);
        }

        yield return ("Host", story.Host.ToString());
        if (story is { Install: { } install, Origin.IsBase: false })
        {
            yield return ("Processor time", $"QEMU {Words.Time(install.QemuCpuSeconds)}, Crust {Words.Time(install.CrustCpuSeconds)}, in a run of {Words.Time(install.Seconds)}");
        }
    }

    /// <summary>A command line with one option a line; pasted into a shell it is the same command.</summary>
    internal static string Lines(string command)
    {
        var lines = new StringBuilder(command.Length + 256);
        var quoted = false;
        for (var i = 0; i < command.Length; i++)
        {
            quoted ^= command[i] == '\'';
            if (!quoted && command[i] == ' ' && i + 1 < command.Length && command[i + 1] == '-')
            {
                lines.Append(" \\\n ");
            }

            lines.Append(command[i]);
        }

        return lines.ToString();
    }
}
