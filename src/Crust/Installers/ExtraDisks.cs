using System.Collections.Immutable;
using Crust.Disks;

namespace Crust.Installers;

/// <summary>The empty disks that an installer finds beside the one that it installs to. They go when the install is over.</summary>
internal sealed class ExtraDisks : IDisposable
{
    private ExtraDisks(ImmutableArray<string> files) => Files = files;

    public ImmutableArray<string> Files { get; }

    public static ExtraDisks Create(ImmutableArray<long> sizes, string folder)
    {
        ImmutableArray<string> files = [.. sizes.Select((_, index) => Path.Combine(folder, $"extra{index + 1}.raw"))];
        foreach (var (file, size) in files.Zip(sizes))
        {
            DiskStore.CreateSparse(file, size, "machine.extraDisks");
        }

        return new ExtraDisks(files);
    }

    /// <summary>The size in bytes of one that something was installed on; null if nothing was.</summary>
    public long? FindInstalled()
    {
        foreach (var file in Files)
        {
            try
            {
                DiskProof.Check(file);
                return new FileInfo(file).Length;
            }
            catch (CrustException)
            {
                // It is as empty as it was.
            }
        }

        return null;
    }

    public void Dispose()
    {
        foreach (var file in Files)
        {
            File.Delete(file);
        }
    }
}
