namespace Crust.Reports;

/// <summary>The build's own log: written in a folder of its own until the images' name is known and the build has ended.</summary>
/// <param name="Path">Where it is written.</param>
public sealed record BuildLog(string Path)
{
    /// <summary>Leaves a copy of what was logged so far beside the images.</summary>
    public void KeepAs(string finalPath)
    {
        if (File.Exists(Path))
        {
            File.Copy(Path, finalPath, overwrite: true);
        }
    }
}
