namespace Crust.Cache;

/// <summary>A private folder (mode 0700) that is removed with all in it.</summary>
public sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "scratch-";

    /// <summary>Makes it inside another folder, a part of the cache, which is made if need be; those of processes that were killed are removed.</summary>
    /// <exception cref="CrustException">It can't be made.</exception>
    public ScratchFolder(string parent)
    {
        Path = System.IO.Path.Combine(parent, $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..12]}");
        BuildCache.CreateFolder(Path);
        RemoveAbandoned(parent);
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Removes it.</summary>
    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static void RemoveAbandoned(string parent)
    {
        foreach (var folder in Directory.EnumerateDirectories(parent, Prefix + "*"))
        {
            if (int.TryParse(System.IO.Path.GetFileName(folder)[Prefix.Length..].Split('-')[0], out var process) && !Directory.Exists($"/proc/{process}"))
            {
                BuildCache.TryDelete(folder);
            }
        }
    }
}
