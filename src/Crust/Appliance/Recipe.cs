using System.Security.Cryptography;
using System.Text;

namespace Crust.Appliance;

/// <summary>A folder of `builder/` that says what something is made from.</summary>
/// <param name="folder">Its path.</param>
internal sealed class Recipe(string folder)
{
    public string Folder { get; } = folder;

    /// <summary>The path of one of its files.</summary>
    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>The lines of one of its lists, without comments and empty lines.</summary>
    public IReadOnlyList<string> List(string name) =>
        [.. Read(name).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && !line.StartsWith('#'))];

    /// <summary>One of its files as text.</summary>
    public string Read(string name)
    {
        try
        {
            return File.ReadAllText(PathOf(name));
        }
        catch (IOException e)
        {
            throw Missing(PathOf(name), e);
        }
    }

    /// <summary>All its files, with their paths below it (`/` between folders), in ordinal order.</summary>
    public IReadOnlyList<(string Name, string Path)> Files(string below = "")
    {
        var root = Path.Combine(Folder, below);
        try
        {
            return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
                .Select(path => (Path.GetRelativePath(root, path), path))
                .OrderBy(file => file.Item1, StringComparer.Ordinal)];
        }
        catch (IOException e)
        {
            throw Missing(root, e);
        }
    }

    /// <summary>
    /// A SHA-256 over the names and contents of all files of some recipes, and over <paramref name="facts"/>: whatever else
    /// decides what is made. File times and modes play no part.
    /// </summary>
    public static string Key(IEnumerable<Recipe> recipes, params IEnumerable<string> facts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(ReadOnlySpan<byte> data)
        {
            // With the length in front, no two lists of values give the same bytes.
            hash.AppendData(BitConverter.GetBytes((long)data.Length));
            hash.AppendData(data);
        }

        foreach (var fact in facts)
        {
            Add(Encoding.UTF8.GetBytes(fact));
        }

        foreach (var (name, path) in recipes.SelectMany(recipe => recipe.Files()))
        {
            Add(Encoding.UTF8.GetBytes(name));
            Add(File.ReadAllBytes(path));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static CrustException Missing(string path, Exception e) =>
        new(FailureKind.HostLacks, "A part of Crust is missing", path, "install Crust anew: its folder builder/ belongs beside the program", e);
}
