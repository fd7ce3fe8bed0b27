using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>Reads the entries of `layers`: mappings, each with one key that says its kind.</summary>
internal static partial class LayerType
{
    private const int Most = 64;

    // Where k3s and RKE2 import all archives from when they start.
    private static readonly ImmutableDictionary<string, string> ImageFolders = ImmutableDictionary<string, string>.Empty
        .Add("k3s", "/var/lib/rancher/k3s/agent/images").Add("rke2", "/var/lib/rancher/rke2/agent/images");

    private static readonly ImmutableArray<Kind> Kinds =
    [
        new("files", "A folder or a tar archive: what is in it goes onto the disk's root.", [], () => Text("string")),
        new("script", "A script that runs in the disk's root.", [], () => Text("string")),
        new("recipe", "Upstream software, NAME or NAME@VERSION, as a recipe says.", ["variant"], () => Text("string")),
        new(SysextLayerReader.Kind, "A system extension: of a recipe, from a file, or from a published index.", ["partition", "profile", "variant"], SysextLayerReader.Schema),
        new("images", "Archives of container images, put where something on the disk imports them from.", ["into"], Texts),
        new(UsersLayerReader.Kind, "Accounts that cloud-init makes on the first boot, with keys and without passwords.", [], UsersLayerReader.Schema),
        new("config", "A file of cloud-init's configuration, put into /etc/cloud/cloud.cfg.d.", [], () => Text("string")),
        new(FirstBootLayerReader.Kind, "What finds out on the first boot which node of nodes.yaml a machine is, and runs setup.sh of a bootstrap repository there.", [], FirstBootLayerReader.Schema),
        new(K3sLayerReader.Kind, "What makes a machine a k3s node on its first boot, as its user-data says, or as is said here.", [], K3sLayerReader.Schema),
        new("packages", "Packages that the disk's own package manager installs.", ["upgrade"], Texts),
    ];

    public static readonly ValueType<ImmutableArray<LayerSpec>> Layers = new(
        "LAYER",
        given => given.Mappings.Length <= Most
            ? [.. given.Mappings.Select(entry => Read(entry, given.BaseFolder))]
            : throw new CrustException(FailureKind.BadInput, $"There are {given.Mappings.Length} layers, and at most {Most} may be", given.Where, $"leave {Most} of them"),
        _ => null,
        Schema)
    { IsList = true, TakesMappings = true };

    private static LayerSpec Read(YamlMapping entry, string folder)
    {
        var named = Kinds.Where(kind => entry.Keys.Contains(kind.Name)).ToList();
        if (named is not [var kind])
        {
            throw named.Count > 1
                ? new CrustException(FailureKind.BadInput, $"A layer has two kinds, {named[0].Name} and {named[1].Name}", entry.Where, "make two layers of it, each with a dash of its own")
                : entry.Keys is [var unknown, ..] ? entry.Wrong(unknown, $"'{unknown}' isn't a kind of layer", Nearest.Suggest(unknown, [.. Kinds.Select(kind => kind.Name)]))
                : new CrustException(FailureKind.BadInput, "A layer says nothing", entry.Where, $"name its kind: {Nearest.Or([.. Kinds.Select(kind => kind.Name)])}");
        }

        LayerSpec layer = kind.Name switch
        {
            "files" => new LayerSpec.Files(PathOf(entry, "files", entry.Required("files"), folder)) { Where = entry.Where },
            "script" => new LayerSpec.Script(PathOf(entry, "script", entry.Required("script"), folder)) { Where = entry.Where },
            "config" => Config(entry, folder),
            "images" => Images(entry, folder),
            "recipe" => Recipe(entry, folder),
            SysextLayerReader.Kind => SysextLayerReader.Read(entry, folder),
            UsersLayerReader.Kind => UsersLayerReader.Read(entry, folder),
            FirstBootLayerReader.Kind => FirstBootLayerReader.Read(entry, folder),
            K3sLayerReader.Kind => K3sLayerReader.Read(entry),
            _ => Packages(entry),
        };
        entry.End();
        return layer;
    }

    private static LayerSpec.Packages Packages(YamlMapping entry)
    {
        var names = entry.Texts("packages");
        if (names.FirstOrDefault(name => !PackagePattern().IsMatch(name)) is { } wrong)
        {
            throw entry.Wrong("packages", $"'{wrong}' can't be a package's name", "write names as the package manager has them, such as htop, libc6:amd64 or nginx=1.22.1-9");
        }

        var upgrade = Flag(entry, "upgrade");
        return names.IsEmpty && !upgrade
            ? throw entry.Wrong("packages", "There are no packages, and nothing is upgraded", "name packages, or write upgrade: true beside packages: []")
            : new LayerSpec.Packages(names, upgrade) { Where = entry.Where };
    }

    private static LayerSpec.Config Config(YamlMapping entry, string folder)
    {
        var path = PathOf(entry, "config", entry.Required("config"), folder);
        return DropInPattern().IsMatch(Path.GetFileName(path)) ? new LayerSpec.Config(path) { Where = entry.Where }
            : throw entry.Wrong("config", $"cloud-init doesn't read a file called '{Path.GetFileName(path)}'", "name one that ends in .cfg, such as 50-site.cfg");
    }

    private static LayerSpec.Recipe Recipe(YamlMapping entry, string folder) => entry.Required("recipe") is var text && RecipeOf(entry, text, folder) is { } recipe ? recipe
        : throw entry.Wrong("recipe", $"'{text}' is no recipe", "write a recipe's name, or NAME@VERSION: k3s@v1.36.4+k3s1");

    /// <summary>The recipe that a text names; null if it can't be one's name.</summary>
    public static LayerSpec.Recipe? RecipeOf(YamlMapping entry, string text, string folder) => RecipePattern().IsMatch(text)
        ? new LayerSpec.Recipe(text.Split('@')[0], text.Split('@', 2).ElementAtOrDefault(1), entry.Text("variant"), folder) { Where = entry.Where }
        : null;

    /// <summary>A key's true or false; false where it isn't there.</summary>
    public static bool Flag(YamlMapping entry, string key) => entry.Text(key) switch
    {
        null or "false" => false,
        "true" => true,
        var other => throw entry.Wrong(key, $"'{other}' is neither true nor false", "write true or false"),
    };

    private static LayerSpec.Images Images(YamlMapping entry, string folder)
    {
        var archives = entry.Texts("images");
        if (archives.IsEmpty)
        {
            throw entry.Wrong("images", "There are no images", "name archives of images, such as app.tar");
        }

        if (archives.FirstOrDefault(archive => !ArchivePattern().IsMatch(Path.GetFileName(archive))) is { } wrong)
        {
            throw entry.Wrong("images", $"'{wrong}' has no name of an archive of images", "name a file that ends in .tar, .tar.gz or .tar.zst, as docker save, skopeo and crust write it");
        }

        if (archives.GroupBy(Path.GetFileName).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw entry.Wrong("images", $"Two archives are called {twice.Key}", "rename one of them");
        }

        var into = entry.Required("into");
        var place = ImageFolders.GetValueOrDefault(into) ?? (FolderPattern().IsMatch(into) && !into.Split('/').Contains("..") ? into.TrimEnd('/')
            : throw entry.Wrong("into", $"'{into}' is no folder on the disk", $"write {Nearest.Or([.. ImageFolders.Keys.Order()])}, or an absolute path"));
        return new LayerSpec.Images([.. archives.Select(archive => PathOf(entry, "images", archive, folder))], place) { Where = entry.Where };
    }

    /// <summary>A path as it was written, absolute.</summary>
    public static string PathOf(YamlMapping entry, string key, string text, string folder) => text.Any(char.IsControl)
        ? throw entry.Wrong(key, "The path holds a line break or another control character", "write it on one line")
        : Path.TrimEndingDirectorySeparator(Path.GetFullPath(text, folder));

    private static JsonObject Schema() => new()
    {
        ["type"] = "array",
        ["maxItems"] = Most,
        ["items"] = new JsonObject { ["anyOf"] = new JsonArray([.. Kinds.Select(kind => kind.Schema())]) },
    };

    private static JsonObject Texts() => new() { ["anyOf"] = new JsonArray(Text("string"), new JsonObject { ["type"] = "array", ["items"] = Text("string") }) };

    private static JsonObject Text(string type) => new() { ["type"] = type };

    // A name never begins with a dash, and so is no option of the package manager's.
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9+._:=~^<>@/-]{0,199}\z")]
    private static partial Regex PackagePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,99}\.cfg\z")]
    private static partial Regex DropInPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._+@-]{0,199}\.tar(\.gz|\.zst)?\z")]
    private static partial Regex ArchivePattern();

    [GeneratedRegex(@"\A(/[A-Za-z0-9._+-]+)+/?\z")]
    private static partial Regex FolderPattern();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,63}(@[A-Za-z0-9][A-Za-z0-9._+-]{0,99})?\z")]
    private static partial Regex RecipePattern();

    /// <param name="Others">The keys that an entry of this kind may have beside its own.</param>
    private sealed record Kind(string Name, string Description, ImmutableArray<string> Others, Func<JsonObject> Value)
    {
        public JsonObject Schema()
        {
            var value = Value();
            value["description"] = Description;
            var properties = new JsonObject { [Name] = value };
            foreach (var other in Others)
            {
                properties[other] = Text(other == "upgrade" ? "boolean" : "string");
            }

            return new JsonObject { ["type"] = "object", ["required"] = new JsonArray(Name), ["additionalProperties"] = false, ["properties"] = properties };
        }
    }
}
