using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Disks;
using Crust.Recipes;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>A layer, read: what it puts onto a disk, and the digest that stands for it in keys, manifests and provenance.</summary>
/// <param name="Number">Its place among the layers, from 1.</param>
/// <param name="Digest">A SHA-256 in hex over all that decides what it does; the SHA-256 of the file itself for a script.</param>
internal sealed record Layer(LayerSpec Spec, int Number, string Digest)
{
    // Changes whenever the same layer would leave something else.
    private const int Version = 2;

    private const string CloudInitFolder = "etc/cloud/cloud.cfg.d";
    private const int LongestScript = 16 << 20;

    /// <summary>The name of the script in its archive, as builder/appliance/jobs/layer looks for it.</summary>
    private const string ScriptName = "script";

    /// <summary>What the job is given; null for nothing, or for what has to be fetched.</summary>
    public FileTree? Tree { get; private init; }

    /// <summary>What is fetched and laid out when it is needed; null for what is here.</summary>
    public RecipeLayer? Recipe { get; private init; }

    /// <summary>The extension that is built or fetched when it is needed; null for another kind.</summary>
    public SysextLayer? Sysext { get; private init; }

    /// <summary>Whether programs of the disk's system run for it.</summary>
    public bool Runs => Spec is LayerSpec.Script or LayerSpec.Packages;

    /// <summary>What has to be on the disk for it to be of use, by its path; empty for nothing.</summary>
    public string Requires => Spec is LayerSpec.FirstBoot { Repository: not null, Sha256: null } ? "/usr/bin/git" : Spec is LayerSpec.Config or LayerSpec.Users ? "/" + CloudInitFolder
        : Spec is LayerSpec.K3s ? K3sTree.Program
        : Sysext?.Profile is SysextProfile.Any or SysextProfile.Debian ? SysextPlace.Unit : "";

    /// <summary>What the build key has of it.</summary>
    public string Material => $"layer={Version} {Spec.Kind} {Digest}\n";

    /// <summary>What works and is probably not meant, each for one line.</summary>
    public ImmutableArray<string> Warnings { get; private init; } = [];

    public string Title => Spec is LayerSpec.Vendor ? $"base.vendor {Spec.Shown}" : $"layer {Number} ({Spec.Kind} {Spec.Shown})";

    public LayerFacts Facts => new(Spec.Kind, Spec.Shown, Digest);

    /// <summary>Reads what a spec's layers name.</summary>
    /// <exception cref="CrustException">A file or folder is missing, can't be read, or is no layer.</exception>
    public static ImmutableArray<Layer> ReadAll(BuildSpec spec) => LayerRules.Checked(spec.AllLayers)
        .Select((layer, i) => Read(layer, i + 1 - (spec.AllLayers.Length - spec.Layers.Length), spec.Machine.Arch)).ToImmutableArray();

    /// <summary>The key of a disk with a layer, of the key of the disk below it.</summary>
    public string KeyOver(string below) => Checksum.OfText($"{below}\n{Material}");

    private static Layer Read(LayerSpec spec, int number, Arch arch) => spec switch
    {
        LayerSpec.Files files => OfTree(spec, number, At(spec, () => Directory.Exists(files.Path) ? FileTree.FromFolder(files.Path) : FileTree.FromTar(files.Path))),
        LayerSpec.Images images => OfTree(spec, number, At(spec, () => FileTree.Empty.With(images.Archives.Select(archive => ImageArchive.In(images.Into, archive))))),
        LayerSpec.Config config => OfTree(spec, number, At(spec, () => FileTree.Empty.With(TreeEntry.File($"{CloudInitFolder}/{config.Shown}", TreeContent.Of(ReadConfig(config.Path)))))),
        LayerSpec.Script script => OfScript(spec, number, At(spec, () => ReadScript(script.Path))),
        LayerSpec.Recipe recipe => At(spec, () => RecipeLayer.Of(recipe, arch, RecipeUse.Layer) is var made ? new Layer(spec, number, Checksum.OfText(made.Material())) { Recipe = made } : null!),
        LayerSpec.Sysext sysext => At(spec, () => SysextLayer.Of(sysext, arch) is var made ? new Layer(spec, number, Checksum.OfText(made.Material())) { Sysext = made } : null!),
        LayerSpec.Users users => OfTree(spec, number, FileTree.Empty.With(TreeEntry.File($"{CloudInitFolder}/{UsersConfig.FileName}", TreeContent.Of(UsersConfig.Text(users))))),
        LayerSpec.FirstBoot first => At(spec, () => FirstBootTree.Of(first)) is var (tree, warnings)
            ? OfTree(spec, number, tree) with { Warnings = [.. warnings.Select(warning => $"{warning.What} ({warning.Where}): {warning.Remedy}")] } : null!,
        LayerSpec.K3s k3s => OfTree(spec, number, K3sTree.Of(k3s)),
        LayerSpec.Vendor vendor => new Layer(spec, number, Checksum.OfText(vendor.Id)),
        LayerSpec.Packages packages => new Layer(spec, number, Checksum.OfText($"{string.Join('\n', packages.Names)}\nupgrade={packages.Upgrade}\n")),
        _ => throw new ArgumentOutOfRangeException(nameof(spec)),
    };

    private static Layer OfTree(LayerSpec spec, int number, FileTree tree) => tree.Count == 0
        ? throw new CrustException(FailureKind.BadInput, "A layer of files has none", $"{spec.Where}: {spec.Paths[0]}", "put something into it, or leave the layer out")
        : new Layer(spec, number, At(spec, () => TreeDigest.Of(tree))) { Tree = tree };

    private static Layer OfScript(LayerSpec spec, int number, byte[] script) => new(spec, number, Convert.ToHexStringLower(SHA256.HashData(script)))
    {
        Tree = FileTree.Empty.With(TreeEntry.File(ScriptName, TreeContent.Of(script), TreeEntry.Executable)),
    };

    private static byte[] ReadScript(string path)
    {
        using var file = RegularFile.Open(path, "script", "name a script, such as ./customize.sh");
        var length = RandomAccess.GetLength(file);
        if (length is 0 or > LongestScript)
        {
            throw new CrustException(FailureKind.BadInput, length == 0 ? "The script is empty" : $"The script has {Size.Format(length)}, and at most {Size.Format(LongestScript)} are read",
                path, length == 0 ? "write something into it, or leave the layer out" : "put what it carries into a layer of files before it");
        }

        var script = new byte[length];
        _ = file.ReadUpTo(script, 0);
        return script;
    }

    private static string ReadConfig(string path)
    {
        var text = UserFile.Read(path, path, "configuration");
        return YamlText.Parse(text, path) is YamlDotNet.RepresentationModel.YamlMappingNode ? text
            : throw new CrustException(FailureKind.BadInput, "cloud-init's configuration has to be a mapping", path, "write keys as in /etc/cloud/cloud.cfg, such as runcmd: or users:");
    }

    // The error also says which layer it is.
    private static T At<T>(LayerSpec spec, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (CrustException e)
        {
            throw e.At($"{spec.Where}: {e.Where}");
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"A layer's files can't be read: {e.Message}", $"{spec.Where}: {spec.Paths[0]}", "look whether they are still there, and whether this user may read them", e);
        }
    }
}
