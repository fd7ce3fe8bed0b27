namespace Crust.Tests.Disks;

/// <summary>A folder with a sparse file in it.</summary>
internal sealed class DiskFile : IDisposable
{
    private const int Mebi = 1 << 20;

    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-disk-").FullName;

    public string Path => System.IO.Path.Combine(Folder, "disk.raw");

    /// <summary>Makes the file: so many MiB of hole.</summary>
    public DiskFile Of(int mebibytes)
    {
        using var file = File.OpenHandle(Path, FileMode.Create, FileAccess.Write);
        RandomAccess.SetLength(file, (long)mebibytes * Mebi);
        return this;
    }

    /// <summary>Writes a MiB of data at each place, given in MiB.</summary>
    public DiskFile WithDataAt(params int[] places)
    {
        foreach (var place in places)
        {
            var data = new byte[Mebi];
            new Random(place).NextBytes(data);
            With(data, (long)place * Mebi);
        }

        return this;
    }

    /// <summary>Writes bytes.</summary>
    public DiskFile With(byte[] bytes, long offset = 0)
    {
        using var file = File.OpenHandle(Path, FileMode.OpenOrCreate, FileAccess.Write);
        RandomAccess.Write(file, bytes, offset);
        return this;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
