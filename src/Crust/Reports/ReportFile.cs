using Crust.Reports.Page;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Reports;

/// <summary>A build's report: `images/&lt;name&gt;.report.html`.</summary>
internal static class ReportFile
{
    /// <summary>Writes the report, whole or not at all. It must not hide how its build ended: what can't be written isn't there.</summary>
    /// <param name="drafts">A folder on the same file system that is removed with what is left in it.</param>
    /// <returns>The path; null if it couldn't be written.</returns>
    public static string? TryWrite(BuildStory story, string path, string drafts)
    {
        try
        {
            var page = ReportPage.Render(story, SerialExcerpt.Read(story.SerialLog), EmbeddedScreen.ReadAll(story.Install?.Trace, story.Screens), EmbeddedScreen.TryRead(0, story.LastScreen));
            OutputFile.Write(drafts, path, page);
            return path;
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            return null;
        }
    }

    /// <summary>Whether a report tells of a build that went well; a later one that failed leaves its own in the same place.</summary>
    public static bool IsOfSuccess(string path) => File.ReadAllText(path).Contains(Headline.Success, StringComparison.Ordinal);
}
