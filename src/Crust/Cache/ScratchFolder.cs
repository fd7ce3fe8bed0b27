namespace Crust.Cache;

/// <summary>A private folder (mode 0700) that is removed with all in it.</summary>
public sealed class ScratchFolder : IDisposable
{
    /// <summary>Makes it inside another folder, a part of the cache, which is made if need be.</summary>
    /// <exception cref="CrustException">It can't be made.</exception>
    public ScratchFolder(string parent)
    {
        Path = System.IO.Path.Combine(parent, "scratch-" + Guid.NewGuid().ToString("N")[..12]);
        BuildCache.CreateFolder(Path);
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Removes it.</summary>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
