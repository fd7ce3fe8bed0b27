using System.Collections.Immutable;
using System.Text;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Recipes.Building;

/// <summary>A recipe's content as a tree: its files from upstream, and what it says itself.</summary>
/// <param name="pick">The recipe and its version.</param>
/// <param name="variant">Of <see cref="RecipePick.VariantOf"/>.</param>
/// <param name="fetched">The path on this host of each download that the use needs, and what is in it if it is an archive.</param>
internal sealed class RecipeTree(RecipePick pick, Arch arch, RecipeUse use, string? variant, IReadOnlyDictionary<string, (string Path, FileTree? Content)> fetched)
{
    private const string Factory = "usr/share/factory/";
    private const string Units = "usr/lib/systemd/system";
    private const string Local = "usr/local/";
    private const string Shared = "usr/";
    private const int LargestUnit = 1 << 20;

    // Where units that come with downloads may be, for those whose recipe only says what starts them (systemd.unit(5)).
    private static readonly ImmutableArray<string> UnitFolders = [Units, "usr/local/lib/systemd/system", "etc/systemd/system"];

    private readonly Recipe _recipe = pick.Recipe;
    private readonly List<string> _copies = [];

    /// <summary>All of it.</summary>
    /// <exception cref="CrustException">A download lacks what the recipe names, or has something that leaves the tree.</exception>
    public FileTree Build()
    {
        try
        {
            var tree = FileTree.Empty.With([.. _recipe.Files.Where(file => file.Scope.Has(use, variant)).SelectMany(Files)]);
            tree = tree.With(
            [
                .. _recipe.Links.Where(link => link.Scope.Has(use, variant)).Select(link => TreeEntry.Symlink(Shareable(Relative(link.Target)), Said(link.To))),
                .. _recipe.Config.Where(config => config.Scope.Has(use, variant)).Select(config => TreeEntry.File(Place(Relative(config.Target)), TreeContent.Of(Said(config.Text)), config.Mode)),
                .. _recipe.Units.Where(unit => unit.Scope.Has(use, variant)).Where(unit => unit.Text is not null).Select(Unit),
            ]);
            tree = tree.With(_recipe.Units.Where(unit => unit.Scope.Has(use, variant) && unit.WantedBy is not null).Select(unit => Start(unit, tree)));
            return tree.With([.. System(), .. Presets(tree)]);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"{pick.Label} can't be laid out: {e.Message}", _recipe.Path, "see what the recipe's files: and links: name, or take another version", e);
        }
    }

    private IEnumerable<TreeEntry> Files(RecipeFile file)
    {
        var (path, content) = fetched[file.Download];
        var target = Relative(Placeholders.Path(file.Target, _recipe, pick.Version.Version, arch));
        if (content is null)
        {
            return [TreeEntry.File(Place(target), TreeContent.OfFile(path, 0, new FileInfo(path).Length), file.Mode ?? TreeEntry.Readable)];
        }

        var inner = Placeholders.Path(file.Inner, _recipe, pick.Version.Version, arch);
        if (inner.EndsWith('/'))
        {
            var below = inner.TrimStart('/');
            var found = content.Entries.Where(entry => entry.Path.StartsWith(below, StringComparison.Ordinal) && entry.Path.Length > below.Length).ToList();
            return found.Count > 0 ? found.Select(entry => Plain(entry, target + entry.Path[below.Length..], file.Mode)) : throw Lacks(file, inner, content);
        }

        return content.Follow(inner) is { Kind: EntryKind.File } one ? [Plain(one, target, file.Mode)] : throw Lacks(file, inner, content);
    }

    // Owned by root, without set-user-ID bits and attributes: what upstream's archive says of them is that of who packed it.
    private TreeEntry Plain(TreeEntry entry, string path, UnixFileMode? mode) => new(entry.Kind is EntryKind.Folder ? PlaceOfFolder(path) : Place(path), entry.Kind,
        entry.Kind is EntryKind.Folder ? TreeEntry.Executable : entry.Kind is EntryKind.File && mode is { } said ? said
            : entry.Mode & (TreeEntry.Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite))
    {
        Content = IsUnit(path) && entry.Content.Length <= LargestUnit ? TreeContent.Of(Said(Encoding.UTF8.GetString(entry.Content.Read(0, LargestUnit)))) : entry.Content,
        LinkTarget = entry.LinkTarget,
    };

    // A unit that comes with a download names programs by the paths that they have where their makers put them.
    private bool IsUnit(string path) => use is RecipeUse.Provider && UnitFolders.Any(folder => path.StartsWith(folder + "/", StringComparison.Ordinal));

    // A text in which programs are named.
    private string Said(string text) => use is RecipeUse.Provider ? text.Replace("/" + Local, "/" + Shared, StringComparison.Ordinal) : text;

    private string Shareable(string path) => use is RecipeUse.Provider && path.StartsWith(Local, StringComparison.Ordinal) ? Shared + path[Local.Length..] : path;

    // A system extension has no /etc: systemd-tmpfiles copies from its factory what isn't there.
    private string Place(string path)
    {
        var place = PlaceOfFolder(path);
        if (!place.StartsWith(Factory, StringComparison.Ordinal) || path.StartsWith(Factory, StringComparison.Ordinal))
        {
            return place;
        }

        _copies.Add($"C {Quoted("/" + path)} - - - - {Quoted("/" + place)}");
        return place;
    }

    private string PlaceOfFolder(string path) => use is RecipeUse.Sysext && path.StartsWith("etc/", StringComparison.Ordinal) ? Factory + path : Shareable(path);

    private TreeEntry Unit(RecipeUnit unit) =>
        TreeEntry.File(unit.DropIn is null ? $"{Units}/{unit.Name}" : $"{Units}/{unit.Name}.d/{unit.DropIn}", TreeContent.Of(Said(unit.Text!)));

    // The target has started when an extension is merged, and what it wants isn't looked at again; what it upholds is (systemd.unit(5), since 249).
    private TreeEntry Start(RecipeUnit unit, FileTree tree)
    {
        var folder = UnitFolders.FirstOrDefault(folder => tree.Find($"{folder}/{unit.Name}") is not null)
            ?? throw new CrustException(FailureKind.BadInput, $"{pick.Label} has no unit {unit.Name} that {unit.WantedBy} could start", _recipe.Path,
                "write its text: in the recipe's units:, or see what the download has");
        return use is RecipeUse.Sysext
            ? TreeEntry.File($"{Units}/{unit.WantedBy}.d/10-{unit.Name}.conf", TreeContent.Of($"[Unit]\nUpholds={unit.Name}\n"))
            : TreeEntry.Symlink($"{Units}/{unit.WantedBy}.wants/{unit.Name}", folder == Units ? $"../{unit.Name}" : $"/{folder}/{unit.Name}");
    }

    // Where nothing else is said, systemd enables all units on the first boot of a system whose machine-id is missing or `uninitialized` (machine-id(5), systemd.preset(5)).
    private IEnumerable<TreeEntry> Presets(FileTree tree)
    {
        if (use is not RecipeUse.Layer)
        {
            return [];
        }

        var started = _recipe.Units.Where(unit => unit.Scope.Has(use, variant) && unit.WantedBy is not null).Select(unit => unit.Name).ToHashSet();
        var others = tree.Entries.Where(entry => entry.Kind is EntryKind.File && Path.GetDirectoryName(entry.Path) is { } folder && UnitFolders.Contains(folder) && entry.Content.Length <= LargestUnit
                && Encoding.UTF8.GetString(entry.Content.Read(0, LargestUnit)).Contains("[Install]", StringComparison.Ordinal))
            .Select(entry => Path.GetFileName(entry.Path)).Where(name => !started.Contains(name)).Distinct().Order(StringComparer.Ordinal).ToList();
        return others.Count == 0 ? []
            : [TreeEntry.File($"usr/lib/systemd/system-preset/80-crust-{_recipe.Name}.preset", TreeContent.Of(string.Concat(others.Select(name => $"disable {name}\n"))))];
    }

    private IEnumerable<TreeEntry> System()
    {
        if (_recipe.Users.Length > 0)
        {
            yield return Text($"usr/lib/sysusers.d/{_recipe.Name}.conf", _recipe.Users.Select(user => user.IsGroup ? $"g {user.Name} -" : $"u {user.Name} - \"{user.Comment}\" {user.Home ?? "-"}"));
        }

        string[] lines = [.. _copies.Order(StringComparer.Ordinal), .. _recipe.Tmpfiles.Where(line => line.Scope.Has(use, variant)).Select(line => Said(line.Line))];
        if (lines.Length > 0)
        {
            yield return Text($"usr/lib/tmpfiles.d/{_recipe.Name}.conf", lines);
        }
    }

    private CrustException Lacks(RecipeFile file, string inner, FileTree content)
    {
        var name = inner.TrimEnd('/').Split('/')[^1];
        var paths = content.Entries.Select(entry => entry.Kind is EntryKind.Folder ? entry.Path + "/" : entry.Path)
            .OrderByDescending(path => path.TrimEnd('/').Split('/')[^1] == name).ThenBy(path => Nearest.Distance(path, inner)).Take(5).Select(path => Sanitizing.CleanText.Line(path, 200)).ToList();
        return new CrustException(FailureKind.BadInput, $"{file.Download} of {pick.Label} for {arch.LowerName()} has no {(inner.EndsWith('/') ? "folder" : "file")} '{inner}'",
            $"{_recipe.Path}; {Path.GetFileName(fetched[file.Download].Path)}",
            paths.Count > 0 ? $"mend from: in the recipe; nearest in it are {string.Join(", ", paths)}" : "see what upstream serves there: there is nothing in it");
    }

    private static TreeEntry Text(string path, IEnumerable<string> lines) => TreeEntry.File(path, TreeContent.Of(string.Concat(lines.Select(line => line + "\n"))));

    private static string Relative(string path) => path[1..];

    // tmpfiles.d(5): specifiers begin with a percent sign, and blanks are quoted.
    private static string Quoted(string path) => path.Replace("%", "%%") is var plain && plain.Any(c => char.IsWhiteSpace(c) || c is '"' or '\\')
        ? $"\"{plain.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"" : plain;
}
