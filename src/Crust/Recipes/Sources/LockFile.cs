using System.Collections.Immutable;
using System.Text;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Recipes.Sources;

/// <summary>A file of upstream's with the SHA-256 that it has to have.</summary>
/// <param name="Download">What the recipe calls it.</param>
/// <param name="From">Where the sum came from: the URL of upstream's list, or one of the words of <see cref="LockFile"/>.</param>
internal sealed record LockEntry(string Recipe, string Version, Arch Arch, string Download, string Url, string Sha256, string From)
{
    /// <summary>The fingerprint of the key that signed the list; null where it isn't signed, or the recipe names no key.</summary>
    public string? Key { get; init; }
}

/// <summary>`crust.lock`: which files of upstream's a project uses. Whoever has it and the recipes gets the same bytes.</summary>
internal sealed class LockFile
{
    public const string DefaultName = "crust.lock";

    /// <summary>The sum is the recipe's: upstream publishes none.</summary>
    public const string FromRecipe = "recipe";

    /// <summary>The sum is that of the file as it was when it was locked: nobody publishes one.</summary>
    public const string FromDownload = "download";

    /// <summary>The sum is that of apt's lists, which Debian signs.</summary>
    public const string FromApt = "apt";

    private const string Format = "1";

    private LockFile(string path, ImmutableArray<LockEntry> entries) => (Path, Entries) = (path, entries);

    public string Path { get; }

    /// <summary>In ordinal order of recipe, version, architecture and download.</summary>
    public ImmutableArray<LockEntry> Entries { get; }

    /// <summary>A lock file without entries, which need not be there.</summary>
    public static LockFile Empty(string path) => new(path, []);

    /// <summary>Reads a lock file; one that isn't there has no entries.</summary>
    /// <exception cref="CrustException">It can't be read, or something in it is wrong.</exception>
    public static LockFile ReadIfThere(string path) => File.Exists(path) ? Parse(UserFile.Read(path, path, "lock"), path) : Empty(path);

    public static LockFile Parse(string text, string path)
    {
        var root = YamlMapping.Parse(text, path, "a lock file");
        if (root.Required("version") is not Format)
        {
            throw root.Wrong("version", "The lock file is of another version of Crust", $"write it anew with this one: crust recipe lock; it has version: {Format}");
        }

        var entries = root.Mappings("files").Select(Read).ToList();
        root.End();
        var twice = entries.GroupBy(entry => (entry.Recipe, entry.Version, entry.Arch, entry.Download)).FirstOrDefault(group => group.Count() > 1);
        return twice is null ? Empty(path).With(entries) : throw root.Wrong("files",
            $"There are two entries of {twice.Key.Download} of {twice.Key.Recipe} {twice.Key.Version} for {twice.Key.Arch.LowerName()}", "remove the wrong one, and lock it again");
    }

    /// <summary>The entry of a file; null if there is none.</summary>
    public LockEntry? Find(string recipe, string version, Arch arch, string download) =>
        Entries.FirstOrDefault(entry => entry.Recipe == recipe && entry.Version == version && entry.Arch == arch && entry.Download == download);

    /// <summary>The versions of a recipe that have entries.</summary>
    public ImmutableArray<string> VersionsOf(string recipe) => [.. Entries.Where(entry => entry.Recipe == recipe).Select(entry => entry.Version).Distinct()];

    /// <summary>With entries in place of those of the same file.</summary>
    public LockFile With(IEnumerable<LockEntry> entries)
    {
        var all = Entries.ToDictionary(KeyOf);
        foreach (var entry in entries)
        {
            all[KeyOf(entry)] = entry;
        }

        return new LockFile(Path, [.. all.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => one.Value)]);
    }

    /// <summary>Without the entries of a version.</summary>
    public LockFile Without(string recipe, string version) => new(Path, [.. Entries.Where(entry => (entry.Recipe, entry.Version) != (recipe, version))]);

    /// <summary>Writes it whole or not at all.</summary>
    /// <exception cref="CrustException">It can't be written.</exception>
    public void Write()
    {
        try
        {
            WholeFile.Replace(Path, ToText());
            // It belongs into version control beside the spec.
            File.SetUnixFileMode(Path, RecipeConfig.Plain);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The lock file can't be written: {e.Message}", Path, "make its folder writable, or name another place with --lock", e);
        }
    }

    public string ToText()
    {
        var text = new StringBuilder("# Written by crust recipe lock: which files of upstream's are used. Keep it in version control.\nversion: 1\nfiles:\n");
        foreach (var entry in Entries)
        {
            text.Append(null, $"  - recipe: {entry.Recipe}\n    version: {Quoted(entry.Version)}\n    arch: {entry.Arch.LowerName()}\n    download: {entry.Download}\n");
            text.Append(null, $"    url: {Quoted(entry.Url)}\n    sha256: {Quoted(entry.Sha256)}\n    from: {Quoted(entry.From)}\n");
            text.Append(entry.Key is { } key ? $"    key: {key}\n" : "");
        }

        return Entries.IsEmpty ? text.Append("  []\n").ToString() : text.ToString();
    }

    private static string KeyOf(LockEntry entry) => $"{entry.Recipe}\0{entry.Version}\0{entry.Arch.LowerName()}\0{entry.Download}";

    private static LockEntry Read(YamlMapping keys)
    {
        var entry = new LockEntry(keys.Required("recipe"), keys.Required("version"), RecipeValues.Arch(keys, "arch", keys.Required("arch")), keys.Required("download"),
            keys.Required("url"), keys.Required("sha256"), keys.Required("from"))
        {
            Key = keys.Text("key"),
        };
        if (Checksum.ValueOf(entry.Sha256) != entry.Sha256)
        {
            throw keys.Wrong("sha256", "This isn't a SHA-256", "write its 64 hex digits in lower case, or remove the entry and lock it again");
        }

        keys.End();
        return entry;
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "''")}'";
}
