using Crust.Layers;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Embedding;

/// <summary>Layers as an embedded spec writes them down: what they name lies beside it.</summary>
internal sealed class PortableLayers(EmbeddedFiles files)
{
    public ConfigList Of(IReadOnlyCollection<LayerSpec> layers)
    {
        foreach (var recipe in layers.Select(RecipeOf).OfType<LayerSpec.Recipe>())
        {
            foreach (var file in RecipeLayer.FilesBeside(recipe))
                files.AddAs(Path.GetRelativePath(recipe.Folder, file), file);
        }

        return ConfigTree.List([.. layers.Select(layer => (ConfigNode)ConfigTree.Map(ValuesOf(layer)))]);
    }

    private static LayerSpec.Recipe? RecipeOf(LayerSpec layer) => layer as LayerSpec.Recipe ?? ((layer as LayerSpec.Sysext)?.Source as SysextOrigin.Built)?.Recipe;

    private (string, ConfigNode?)[] ValuesOf(LayerSpec layer) => layer switch
    {
        LayerSpec.Sysext sysext =>
        [
            ("sysext", Portable(sysext.Source)),
            ("partition", Text(sysext.Partition)),
            ("profile", Text(sysext.Profile)),
            ("variant", Text(RecipeOf(sysext)?.Variant)),
        ],
        LayerSpec.Users users => [("users", ConfigTree.List([.. users.Accounts.Select(Portable)]))],
        LayerSpec.FirstBoot first => [("firstBoot", Portable(first))],
        LayerSpec.K3s k3s => [("k3s", Portable(k3s))],
        LayerSpec.Packages packages => [("packages", Texts(packages.Names)), ("upgrade", packages.Upgrade ? ConfigTree.Flag(true, Place.Default) : null)],
        LayerSpec.Recipe recipe =>
        [
            ("recipe", ConfigTree.Text(recipe.Version is null ? recipe.Name : $"{recipe.Name}@{recipe.Version}", Place.Default)),
            ("variant", recipe.Variant is { } variant ? ConfigTree.Text(variant, Place.Default) : null),
        ],
        LayerSpec.Images images => [("images", Texts(images.Archives.Select(files.Add))), ("into", ConfigTree.Text(images.Into, Place.Default))],
        // A folder's modes and links are its layer's, too: an archive keeps them.
        LayerSpec.Files { Path: var path } when Directory.Exists(path) => [("files", ConfigTree.Text(files.AddTree(path), Place.Default))],
        _ => [(layer.Kind, ConfigTree.Text(files.Add(layer.Paths[0]), Place.Default))],
    };

    private ConfigNode Portable(SysextOrigin source) => source switch
    {
        SysextOrigin.Local local => Text(files.Add(local.Path))!,
        SysextOrigin.Published published => ConfigTree.Map(("index", Text(published.Url.AbsoluteUri)), ("name", Text(published.Name)), ("version", Text(published.Version)),
            ("key", Text(NameOf(published.Key))), ("sha256", Text(published.Sha256)), ("allowUnverified", published.AllowUnverified ? ConfigTree.Flag(true, Place.Default) : null)),
        SysextOrigin.Built { Recipe: var recipe } => Text(recipe.Version is null ? recipe.Name : $"{recipe.Name}@{recipe.Version}")!,
        _ => throw new ArgumentOutOfRangeException(nameof(source)),
    };

    // Public keys are their text: nothing else of their files is meant.
    private static ConfigNode Portable(LayerUser user) => ConfigTree.Map(("name", Text(user.Name)), ("keys", Texts(user.Keys)), ("sudo", user.Sudo ? ConfigTree.Flag(true, Place.Default) : null),
        ("groups", user.Groups.IsEmpty ? null : Texts(user.Groups)), ("shell", Text(user.Shell)));

    private ConfigMap Portable(LayerSpec.FirstBoot first) => ConfigTree.Map(
        ("repository", Text(first.Repository)),
        ("commit", Text(first.Commit)),
        ("branch", Text(first.Branch)),
        ("sha256", Text(first.Sha256)),
        ("key", Text(NameOf(first.Key))),
        ("knownHosts", Text(NameOf(first.KnownHosts))),
        ("nodes", Text(files.Add(first.Nodes))),
        ("copy", Text(Directory.Exists(first.Copy) ? files.AddTree(first.Copy) : NameOf(first.Copy))),
        ("patience", Text(Duration.Format(first.Patience))),
        ("token", Text(first.Token)),
        ("webhook", Text(first.Webhook)));

    private string? NameOf(string? file) => file is null ? null : files.Add(file);

    private static ConfigMap Portable(LayerSpec.K3s k3s) => ConfigTree.Map(("role", Text(k3s.Role)), ("url", Text(k3s.Url)), ("tokenFile", Text(k3s.TokenFile)),
        ("config", k3s.Options.IsEmpty ? null : ConfigTree.Map(k3s.Options.Select(option => (option.Key, (ConfigNode?)Texts(option.Value))))),
        ("flux", k3s.Flux is not { } flux ? null : ConfigTree.Map(("repository", Text(flux.Repository)), ("branch", Text(flux.Branch)), ("path", Text(flux.Path)))));

    private static ConfigScalar? Text(string? text) => text is null ? null : ConfigTree.Text(text, Place.Default);

    private static ConfigList Texts(IEnumerable<string> texts) => ConfigTree.List([.. texts.Select(text => ConfigTree.Text(text, Place.Default))]);
}
