using Crust.Appliance;
using Crust.Trees;

namespace Crust.Embedding;

/// <summary>The files that an embedded spec names, under the names that it has for them: relative to the spec's folder.</summary>
internal sealed class EmbeddedFiles
{
    private const string Folder = "files";

    private readonly Dictionary<string, string> _files = [];
    private readonly Dictionary<string, FileTree> _trees = [];

    /// <summary>Takes a file, or a folder's files, and says what the spec names it: two of one name get different ones.</summary>
    public string Add(string source)
    {
        var name = $"{Folder}/{Path.GetFileName(source)}";
        for (var i = 2; _files.TryGetValue(name, out var other) && other != source; i++)
            name = $"{Folder}/{i}-{Path.GetFileName(source)}";
        _files[name] = source;
        return name;
    }

    /// <summary>Takes a file that is looked for in a place of its own.</summary>
    public void AddAs(string name, string source) => _files[name] = source;

    /// <summary>Takes a folder with its modes and links, as a tar archive.</summary>
    public string AddTree(string path)
    {
        var name = $"layer-{_trees.Count + 1}-{Path.GetFileName(path)}.tar";
        _trees[name] = FileTree.FromFolder(path);
        return $"{Folder}/{name}";
    }

    /// <exception cref="IOException">A file can't be read, or written.</exception>
    public async Task WriteToAsync(string folder, CancellationToken cancellation)
    {
        foreach (var (name, source) in _files)
            Copy(source, Path.Combine(folder, name));
        foreach (var (name, tree) in _trees)
        {
            await using var archive = File.Create(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, Folder)).FullName, name));
            await tree.WriteTarAsync(archive, Mmdebstrap.Epoch, cancellation);
        }
    }

    private static void Copy(string source, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        foreach (var file in Directory.Exists(source) ? Directory.GetFiles(source) : [source])
        {
            var copy = Directory.Exists(source) ? Path.Combine(Directory.CreateDirectory(target).FullName, Path.GetFileName(file)) : target;
            File.Copy(file, copy);
            // The container's user has to read it, and may be any.
            File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }
    }
}
