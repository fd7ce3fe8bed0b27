using System.Formats.Tar;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Appliance;

/// <summary>
/// A file system in a tar file, as mmdebstrap writes it, read without unpacking it: that needs no rights, and only a
/// small part of it is wanted.
/// </summary>
internal sealed class PackageTree : IDisposable
{
    private const int MostLinks = 40;

    private readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private readonly SafeFileHandle _file;
    private readonly string _tar;

    private PackageTree(string tar)
    {
        _tar = tar;
        _file = File.OpenHandle(tar);
    }

    private sealed record Node(long Offset, long Length, string? Link);

    /// <summary>Reads the table of contents.</summary>
    public static async Task<PackageTree> OpenAsync(string tar, CancellationToken cancellation)
    {
        var tree = new PackageTree(tar);
        try
        {
            await using var stream = File.OpenRead(tar);
            await using var reader = new TarReader(stream);
            while (await reader.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
            {
                var path = "/" + entry.Name.TrimStart('.').Trim('/');
                switch (entry.EntryType)
                {
                    case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                        tree._nodes[path] = new Node(entry.DataOffset, entry.Length, null);
                        break;
                    case TarEntryType.SymbolicLink:
                        tree._nodes[path] = new Node(0, 0, entry.LinkName);
                        break;
                    case TarEntryType.HardLink:
                        tree._nodes[path] = new Node(0, 0, "/" + entry.LinkName.TrimStart('.').Trim('/'));
                        break;
                }
            }

            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <summary>The paths of all files and links below a folder; sorted.</summary>
    public IReadOnlyList<string> Below(string folder) =>
        [.. _nodes.Keys.Where(path => path.StartsWith(folder + "/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>
    /// The path of the file that a path leads to, through links, or null if there is none. `/bin/x` and `/usr/bin/x` are taken
    /// for the same, as on every Debian system since the folders were merged; packages still use both.
    /// </summary>
    public string? Resolve(string path)
    {
        for (var links = 0; links < MostLinks; links++)
        {
            var here = _nodes.ContainsKey(path) ? path : _nodes.ContainsKey(OtherName(path)) ? OtherName(path) : null;
            if (here is null || _nodes[here].Link is not { } target)
            {
                return here;
            }

            path = Path.GetFullPath(target, Path.GetDirectoryName(here)!);
        }

        return null;
    }

    /// <summary>The content of the file that a path leads to.</summary>
    /// <exception cref="CrustException">There is none.</exception>
    public byte[] Read(string path)
    {
        var node = _nodes[Resolve(path) ?? throw Missing(path)];
        var content = new byte[node.Length];
        return _file.ReadUpTo(content, node.Offset) == content.Length ? content : throw new EndOfStreamException($"{_tar} ends within {path}");
    }

    /// <summary>The error for a file that isn't there.</summary>
    public static CrustException Missing(string path) => new(FailureKind.BadInput, $"Debian's packages have no file '{path}'",
        "builder/appliance", "add its package to packages.list, or correct the path");

    public void Dispose() => _file.Dispose();

    private static string OtherName(string path) => path.StartsWith("/usr/", StringComparison.Ordinal) ? path[4..] : "/usr" + path;
}
