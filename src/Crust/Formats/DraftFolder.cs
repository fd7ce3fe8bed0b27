namespace Crust.Formats;

/// <summary>
/// A hidden folder inside the images folder in which images get ready. It is removed with whatever is left in it, so
/// that a failed or cancelled build leaves nothing.
/// </summary>
public sealed class DraftFolder : IDisposable
{
    private const string Prefix = ".crust-";

    private DraftFolder(string path) => Path = path;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Makes a draft folder, after removing those of builds that were killed.</summary>
    /// <exception cref="CrustException">The images folder can't be written.</exception>
    public static DraftFolder Create(string imagesFolder)
    {
        var path = System.IO.Path.Combine(imagesFolder, Prefix + Environment.ProcessId);
        try
        {
            Directory.CreateDirectory(imagesFolder);
            RemoveAbandoned(imagesFolder);
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new DraftFolder(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The images folder can't be written: {e.Message}", imagesFolder,
                "make it writable, or choose another with --output", e);
        }
    }

    /// <summary>Removes the folder and all in it.</summary>
    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    private static void RemoveAbandoned(string imagesFolder)
    {
        foreach (var folder in Directory.EnumerateDirectories(imagesFolder, Prefix + "*"))
        {
            if (int.TryParse(System.IO.Path.GetFileName(folder)[Prefix.Length..], out var process) && !Directory.Exists($"/proc/{process}"))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }
}
