using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Bases;
using Crust.Spec;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Sources;

/// <summary>The root of a whole system, from which programs are taken.</summary>
internal sealed record SystemRoot(FileTree Tree)
{
    /// <summary>What it is made of, for the SBOM and the provenance.</summary>
    public ImmutableArray<SysextPart> Parts { get; init; } = [];

    /// <summary>What programs in it find in their environment, `NAME=VALUE`, as a container image says.</summary>
    public ImmutableArray<string> Environment { get; init; } = [];

    /// <summary>Where programs in it start, as a container image says.</summary>
    public string WorkingFolder { get; init; } = "/";
}

/// <summary>Reads roots, and packages as they are: folders, archives, OCI images, Debian packages with all that they depend on.</summary>
/// <param name="tools">Needs what unpacks archives and layers.</param>
/// <param name="builder">The folder with Crust's own scripts.</param>
/// <param name="registries">Has images that registries have.</param>
internal sealed class RootSource(ToolBox tools, string builder, IRegistryImages registries)
{
    // Of what is unpacked.
    private const long MostBytes = 64L << 30;

    private const int LongestDocument = 4 << 20;

    private readonly OciSource _images = new(tools, registries);
    private readonly PackageSource _packages = new(tools, builder);

    /// <summary>Reads a root. The tree reads from the source and the scratch folder as long as it is used.</summary>
    /// <param name="source">A folder, a tar archive, compressed or not, an OCI layout or archive, `docker://NAME`; null for packages.</param>
    /// <param name="packages">Debian packages in place of it, which come with all that they depend on.</param>
    /// <param name="suite">Their release of Debian; null for the one that Crust itself builds from.</param>
    /// <param name="pull">How registries are pulled from.</param>
    /// <exception cref="CrustException">It can't be read, or isn't what it should be.</exception>
    public async Task<SystemRoot> ReadAsync(string? source, ImmutableArray<string> packages, string? suite, Arch arch, PublishSpec pull, string scratch, CancellationToken cancellation)
    {
        if (source is null)
        {
            var content = await _packages.ReadRootAsync(packages, suite, arch, scratch, cancellation);
            return new SystemRoot(content.Tree) { Parts = content.Parts };
        }

        var tree = OciSource.IsRegistry(source) ? await _images.FetchAsync(source, arch, pull, cancellation)
            : Directory.Exists(source) ? FileTree.FromFolder(source) : await FromArchiveAsync(source, scratch, allowDevices: true, cancellation);
        var root = !OciImageReader.IsLayout(tree) ? new SystemRoot(tree)
            : Configured(new SystemRoot(await new OciImageReader(tools).ReadAsync(tree, source, arch, scratch, MostBytes, cancellation)), tree, arch);
        return root with { Parts = [await SysextSource.PartOfAsync(source, tree, cancellation)] };
    }

    /// <summary>Reads a package as it is: a folder, a squashfs, or a tar archive, compressed or not.</summary>
    /// <exception cref="CrustException">It can't be read.</exception>
    public async Task<SystemRoot> ReadPackageAsync(string path, string scratch, CancellationToken cancellation)
    {
        var tree = Directory.Exists(path) ? FileTree.FromFolder(path)
            : SysextReader.IsSquashfs(path) ? (await new SysextReader(tools).ReadAsync(path, scratch, cancellation)).Tree
            : await FromArchiveAsync(path, scratch, allowDevices: false, cancellation);
        return new SystemRoot(tree) { Parts = [await SysextSource.PartOfAsync(path, tree, cancellation)] };
    }

    private async Task<FileTree> FromArchiveAsync(string path, string scratch, bool allowDevices, CancellationToken cancellation)
    {
        if (Compression.Of(path) is not { } compression)
        {
            return FileTree.FromTar(path, allowDevices);
        }

        var plain = Path.Combine(scratch, "plain.tar");
        CrustException TooLarge() => new(FailureKind.BadInput, $"It unpacks to more than {Size.Format(MostBytes)}", path, "give a smaller archive");
        await compression.UnpackAsync(path, plain, MostBytes, TooLarge, _ => { }, tools, cancellation);
        try
        {
            return FileTree.FromTar(plain, allowDevices);
        }
        catch (CrustException e) when (e.Where == plain)
        {
            // Nobody has seen the copy.
            throw e.At(path);
        }
    }

    // Of an image that was read, so that its documents are sound; the configuration itself may be anything.
    private static SystemRoot Configured(SystemRoot root, FileTree layout, Arch arch)
    {
        try
        {
            var document = DocumentOf(layout, "index.json");
            while (document["manifests"] is JsonArray images)
            {
                document = DocumentOf(layout, Blob(images.FirstOrDefault(image => (string?)image!["platform"]?["architecture"] == arch.LowerName()) ?? images[0]!));
            }

            var config = document["config"] is { } descriptor ? DocumentOf(layout, Blob(descriptor))["config"] : null;
            return root with
            {
                Environment = [.. (config?["Env"]?.AsArray() ?? []).Select(variable => (string)variable!)],
                WorkingFolder = (string?)config?["WorkingDir"] is { Length: > 0 } folder ? folder : "/",
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            return root;
        }
    }

    private static string Blob(JsonNode descriptor) => $"blobs/{((string)descriptor["digest"]!).Replace(':', '/')}";

    private static JsonNode DocumentOf(FileTree layout, string path) => JsonNode.Parse(layout.Find(path)!.Content.Read(0, LongestDocument))!;
}
