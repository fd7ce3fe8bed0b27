using System.Text.Json.Nodes;
using Crust.Disks;

namespace Crust.Tests.Machine.Guests;

/// <summary>Puts data onto the disk that a stub guest has installed: what no guest of some hundred bytes would write.</summary>
internal static class LargeDisk
{
    /// <summary>Fills the one disk in the program's cache, and notes that as if the installer had done it.</summary>
    /// <param name="crust">The program, after a build.</param>
    /// <param name="noise">Bytes that don't compress.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task FillAsync(CrustProcess crust, int noise, CancellationToken cancellation)
    {
        var folder = Directory.GetDirectories(Path.Combine(crust.Cache, "disks")).Single();
        var path = Path.Combine(folder, "disk.raw");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using (var disk = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
        {
            var bytes = new byte[noise];
            new Random(1).NextBytes(bytes);
            RandomAccess.Write(disk, bytes, 4 << 20);
        }

        BmapFile.Write(await BlockMap.OfAsync(path, cancellation), Path.Combine(folder, "disk.bmap"));
        var file = Path.Combine(folder, "disk.json");
        var record = JsonNode.Parse(await File.ReadAllTextAsync(file, cancellation))!;
        record["modifiedTicks"] = File.GetLastWriteTimeUtc(path).Ticks;
        await File.WriteAllTextAsync(file, record.ToJsonString(), cancellation);
    }
}
