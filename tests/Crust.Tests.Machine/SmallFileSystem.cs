namespace Crust.Tests.Machine;

/// <summary>A file system of its own, to fill up.</summary>
internal sealed class SmallFileSystem : IDisposable
{
    private SmallFileSystem(string path) => Path = path;

    public string Path { get; }

    /// <summary>Mounts one of the given size; a test that isn't run by root is ignored.</summary>
    public static async Task<SmallFileSystem> MountAsync(string path, string size, CancellationToken cancellation)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("mounting a file system takes root");
        }

        Directory.CreateDirectory(path);
        await Host.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={size}", "crust-test", path], cancellation);
        return new(path);
    }

    public void Dispose() => Host.RunAsync("umount", ["-l", Path], CancellationToken.None).GetAwaiter().GetResult();
}
