using System.Collections.Immutable;
using Crust.Recipes;
using Crust.Spec;

namespace Crust.Providers;

/// <summary>Reads `provider.yaml`: each error names the file with line and column, what is wrong and what to write.</summary>
internal static class ProviderReader
{
    private const string Format = "1";
    private const int MostLayers = 64;

    private static readonly ImmutableArray<string> Kinds = ["files", "file", "text", "image", "recipe"];

    /// <exception cref="CrustException">It can't be read, or something in it is wrong.</exception>
    public static ProviderSpec Read(string path) => Parse(UserFile.Read(path, path, "provider"), path);

    /// <exception cref="CrustException">Something in it is wrong.</exception>
    public static ProviderSpec Parse(string text, string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var root = YamlMapping.Parse(text, path, "a list of provider images");
        if (root.Required("version") is not Format)
        {
            throw root.Wrong("version", "The file is of another version of Crust", $"write version: {Format}");
        }

        var repository = root.Text("repository");
        var spec = new ProviderSpec
        {
            Path = path,
            Folder = folder,
            Base = ImageOf(root, "base", folder),
            Archs = root.Texts("archs") is { Length: > 0 } some ? [.. some.Select(arch => RecipeValues.Arch(root, "archs", arch)).Distinct()] : [Arch.Amd64],
            Kubernetes = KubernetesOf(root.Mapping("kubernetes") ?? throw root.Wrong("kubernetes", "Nothing says which Kubernetes the images have",
                "write kubernetes: { distribution: k3s, versions: ['1.36.4'] }")),
            PeVersion = Word(root, "peVersion", root.Required("peVersion")),
            CustomTag = root.Text("customTag") is { Length: > 0 } tag ? Word(root, "customTag", tag) : null,
            OsName = root.Text("osName"),
            OsVersion = root.Text("osVersion"),
            Site = root.Mapping("site") is { } site ? SiteOf(site, folder) : new SiteSpec(),
            Layers = LayersOf(root, folder),
            Publish = new PublishSpec { Repository = repository is null ? null : RegistryReference.ParseRepository(repository, root.WhereOf("repository")) },
        };
        root.End();
        return spec;
    }

    private static KubernetesWish KubernetesOf(YamlMapping keys)
    {
        var name = keys.Required("distribution");
        var distribution = Distribution.Find(name)
            ?? throw keys.Wrong("distribution", $"'{name}' is no distribution of Kubernetes that is known",
                Nearest.Suggest(name, [.. Distribution.All.Select(known => known.Name)]));
        var recipe = keys.Text("recipe") ?? distribution.Recipe;
        var isBundled = keys.Text("bundle") switch
        {
            null or "true" => true,
            "false" => false,
            var other => throw keys.Wrong("bundle", $"'{other}' is neither true nor false", "write true, or false where Kubernetes comes by a system extension"),
        };
        if (isBundled && recipe is null)
        {
            throw keys.Wrong("distribution", $"Crust has no recipe of {name}",
                "write one beside this file, in recipes/, and name it in recipe:; or write bundle: false where Kubernetes comes by a system extension");
        }

        var versions = keys.Texts("versions");
        if (versions.IsEmpty)
        {
            throw keys.Wrong("versions", "No version of Kubernetes is listed", "write versions: ['VERSION'], in quotes where it looks like a number");
        }

        var flavor = keys.Text("flavor");
        var wish = new KubernetesWish(name, isBundled ? recipe : null, keys.Text("variant"),
            [.. versions.Select(version => distribution.VersionOf(version, flavor, keys.WhereOf("versions")))]);
        keys.End();
        return wish;
    }

    private static SiteSpec SiteOf(YamlMapping keys, string folder)
    {
        string? Text(string key, Func<string, string, string> check) => keys.Text(key) is { Length: > 0 } given ? check(given, keys.WhereOf(key)) : null;
        var site = new SiteSpec
        {
            HttpProxy = Text("httpProxy", SiteTypes.ProxyOf),
            HttpsProxy = Text("httpsProxy", SiteTypes.ProxyOf),
            NoProxy = Text("noProxy", SiteTypes.WithoutOf),
            Certificates = [.. keys.Texts("certificates").Select(path => LayerType.PathOf(keys, "certificates", path, folder))],
            Mirrors = SiteTypes.MirrorsOf(keys.Texts("registryMirrors"), keys.WhereOf("registryMirrors")),
            Where = keys.Where,
        };
        keys.End();
        return site;
    }

    private static ImmutableArray<ProviderLayer> LayersOf(YamlMapping root, string folder)
    {
        var entries = root.Mappings("layers");
        return entries.Length <= MostLayers ? [.. entries.Select(entry => LayerOf(entry, folder))]
            : throw root.Wrong("layers", $"There are {entries.Length} layers, and at most {MostLayers} may be", $"leave {MostLayers} of them");
    }

    private static ProviderLayer LayerOf(YamlMapping entry, string folder)
    {
        var named = Kinds.Where(kind => entry.Keys.Contains(kind)).ToList();
        if (named is not [var kind])
        {
            throw named.Count > 1
                ? new CrustException(FailureKind.BadInput, $"A layer has two kinds, {named[0]} and {named[1]}", entry.Where,
                    "make two layers of it, each with a dash of its own")
                : entry.Keys is [var unknown, ..] ? entry.Wrong(unknown, $"'{unknown}' isn't a kind of layer", Nearest.Suggest(unknown, Kinds))
                : new CrustException(FailureKind.BadInput, "A layer says nothing", entry.Where, $"name its kind: {Nearest.Or(Kinds)}");
        }

        ProviderLayer layer = kind switch
        {
            "files" => new ProviderLayer.Files(LayerType.PathOf(entry, kind, entry.Required(kind), folder), IntoOf(entry)) { Where = entry.Where },
            "file" => new ProviderLayer.OneFile(LayerType.PathOf(entry, kind, entry.Required(kind), folder), Inside(entry, "to", entry.Required("to"))) { Where = entry.Where },
            "text" => new ProviderLayer.Note(Inside(entry, "to", entry.Required("to")), entry.Text(kind) ?? "") { Where = entry.Where },
            "image" => new ProviderLayer.Image(ImageOf(entry, kind, folder), [.. entry.Texts("take").Select(path => Inside(entry, "take", path))], IntoOf(entry)) { Where = entry.Where },
            _ => new ProviderLayer.Software(SoftwareOf(entry, kind, folder)) { Where = entry.Where },
        };
        entry.End();
        return layer;
    }

    private static LayerSpec.Recipe SoftwareOf(YamlMapping entry, string kind, string folder) => LayerType.RecipeOf(entry, entry.Required(kind), folder)
        ?? throw entry.Wrong(kind, $"'{entry.Text(kind)}' is no recipe", "write a recipe's name, or NAME@VERSION: etcd@3.5.13");

    private static string ImageOf(YamlMapping keys, string key, string folder)
    {
        var text = keys.Required(key);
        if (!RegistryReference.IsImage(text))
        {
            return LayerType.PathOf(keys, key, text, folder);
        }

        _ = RegistryReference.ParseImage(LayerTrees.SourceFor(text, Arch.Amd64), keys.WhereOf(key));
        return text;
    }

    private static string IntoOf(YamlMapping keys) => keys.Text("into") is { Length: > 0 } into && into != "/" ? Inside(keys, "into", into) : "";

    private static string Inside(YamlMapping keys, string key, string path) => path.Length > 1 && path[0] == '/' && RecipeValues.IsInside(path[1..]) ? path.Trim('/')
        : throw keys.Wrong(key, $"'{path}' is no path in an image", "write an absolute path without ..");

    private static string Word(YamlMapping keys, string key, string text)
    {
        RegistryReference.CheckTag(text, keys.WhereOf(key));
        return text;
    }
}
