namespace Crust.Reports;

/// <summary>The build's own log: written in a folder of its own until the images' name is known and the build has ended.</summary>
/// <param name="Path">Where it is written.</param>
public sealed record BuildLog(string Path)
{
    /// <summary>Leaves a copy of what was logged so far beside the images, if these can be written: a log must not hide how its build ended.</summary>
    public void KeepAs(string finalPath)
    {
        try
        {
            if (File.Exists(Path))
            {
                File.Copy(Path, finalPath, overwrite: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whatever made it impossible is what the build's own error is about.
        }
    }
}
