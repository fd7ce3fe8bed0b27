namespace Crust.Reports;

/// <summary>The build's own log: written in a folder of its own until the images' name is known and the build has ended.</summary>
/// <param name="Path">Where it is written.</param>
public sealed record BuildLog(string Path)
{
    /// <summary>This process's log in a folder of such, where those of processes that were killed are removed.</summary>
    public static BuildLog In(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                foreach (var log in Directory.EnumerateFiles(folder, "*.log").Where(log => !Directory.Exists($"/proc/{System.IO.Path.GetFileNameWithoutExtension(log)}")))
                {
                    File.Delete(log);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next one may succeed.
        }

        return new BuildLog(System.IO.Path.Combine(folder, $"{Environment.ProcessId}.log"));
    }

    /// <summary>Removes it, if that can be: on a file system that can't be written it never was there.</summary>
    public void Remove()
    {
        try
        {
            File.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A log must not hide how its build ended.
        }
    }

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
