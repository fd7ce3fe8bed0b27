using System.Collections.Immutable;
using System.Text;
using Crust.Trees;

namespace Crust.Formats.Netboot;

/// <summary>Says what is in an archive of the format netboot.</summary>
internal static class NetbootFacts
{
    private const int MostOfVersion = 16 << 10;

    /// <exception cref="InvalidDataException">It is damaged, or cut off.</exception>
    public static ArchiveContents Read(Stream file, CancellationToken cancellation)
    {
        var archive = new TarArchive(file, file.Length);
        var kernels = ImmutableArray.CreateBuilder<string>();
        var (members, bytes, isWhole) = (0, 0L, false);
        string? name = null;
        while (archive.Next() is { } entry)
        {
            cancellation.ThrowIfCancellationRequested();
            members++;
            bytes += entry.Length;
            isWhole |= entry.Name.EndsWith("/root.tar.zst", StringComparison.Ordinal);
            if (entry.Name.EndsWith("/version", StringComparison.Ordinal) && entry.Length <= MostOfVersion)
            {
                var text = new byte[entry.Length];
                archive.Read(text);
                var facts = Encoding.UTF8.GetString(text).Split('\n').Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2).ToLookup(pair => pair[0], pair => pair[1]);
                name = $"{facts["name"].FirstOrDefault()}, {facts["arch"].FirstOrDefault()}, version {entry.Name.Split('/').ElementAtOrDefault(2)}";
                kernels.AddRange(facts["kernel"]);
            }
        }

        return isWhole ? new ArchiveContents("a tree for starting over the network") { System = name, Kernels = kernels.ToImmutable(), Members = members, Bytes = bytes }
            : throw new InvalidDataException("it has no root file system");
    }
}
