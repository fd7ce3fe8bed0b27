using Crust.Tools;

namespace Crust.Machines;

/// <param name="SerialLog">What came over its serial port.</param>
/// <param name="Screen">A PNG of what its screen showed last; kept where the run failed.</param>
/// <param name="ScreensFolder">The folder with pictures of its screen, which the build's report embeds.</param>
internal sealed record RunFiles(LogFile SerialLog, LogFile Screen, string ScreensFolder)
{
    /// <summary>The name of the serial log where it stands in a folder with a run's files.</summary>
    public const string SerialLogName = "serial.log";

    /// <summary>The name of the folder of pictures there.</summary>
    public const string ScreensName = "screens";

    /// <summary>Files that are written into a draft folder, and get their places as `&lt;prefix&gt;.serial.log` and `&lt;prefix&gt;.screen.png` when the run is over.</summary>
    public static RunFiles Draft(string drafts, string prefix) => new(
        LogFile.Draft(drafts, prefix + LogFile.SerialLogExtension), LogFile.Draft(drafts, prefix + LogFile.ScreenExtension), Path.Combine(drafts, $"{Path.GetFileName(prefix)}.{ScreensName}"));

    /// <summary>Removes what earlier runs have left at their places.</summary>
    public void DropAll()
    {
        SerialLog.Drop();
        Screen.Drop();
    }

    /// <summary>Leaves the serial log, of a run that went well; a picture of an earlier one that didn't is removed.</summary>
    public void KeepLog()
    {
        SerialLog.Keep();
        Screen.Drop();
    }

    /// <summary>Leaves the serial log and the last picture, of a run that failed.</summary>
    public void KeepAll()
    {
        SerialLog.Keep();
        Screen.Drop();
        Screen.Keep();
    }

    /// <summary>Copies serial log and pictures into a folder, under the names that they have there. What can't be copied is missing in a later report, no more.</summary>
    public void CopyTo(string folder)
    {
        try
        {
            if (File.Exists(SerialLog.Path))
            {
                File.Copy(SerialLog.Path, Path.Combine(folder, SerialLogName), overwrite: true);
            }

            var screens = Directory.CreateDirectory(Path.Combine(folder, ScreensName)).FullName;
            foreach (var picture in Directory.Exists(ScreensFolder) ? Directory.EnumerateFiles(ScreensFolder, "*.png") : [])
            {
                File.Copy(picture, Path.Combine(screens, Path.GetFileName(picture)), overwrite: true);
            }
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            // The disk is what the build is about.
        }
    }
}
