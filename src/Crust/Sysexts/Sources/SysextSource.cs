using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Bases;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Sources;

/// <summary>Where an extension's files come from: a folder, an archive, an OCI image, or Debian packages.</summary>
/// <param name="builder">The folder with Crust's own scripts.</param>
/// <param name="registries">Has images that registries have.</param>
internal sealed class SysextSource(ToolBox tools, string builder, IRegistryImages registries)
{
    // Of what an archive unpacks to.
    private const long MostBytes = 16L << 30;

    private readonly OciSource _images = new(tools, registries);
    private readonly PackageSource _packages = new(tools, builder);

    /// <summary>Reads them. The tree reads from the source and the scratch folder as long as it is used.</summary>
    /// <param name="source">A folder, a tar archive, compressed or not, an OCI layout or archive, `docker://NAME`; null for packages.</param>
    /// <param name="packages">Debian packages in place of it.</param>
    /// <param name="suite">Their release of Debian; null for the one that Crust itself builds from.</param>
    /// <param name="pull">How registries are pulled from.</param>
    /// <exception cref="CrustException">They can't be read, or aren't what they should be.</exception>
    public async Task<SysextContent> ReadAsync(string? source, ImmutableArray<string> packages, string? suite, SysextPlan plan, PublishSpec pull, string scratch, CancellationToken cancellation)
    {
        if (source is null)
        {
            return await _packages.ReadAsync(packages, suite, plan.Name, plan.Arch, scratch, cancellation);
        }

        var tree = OciSource.IsRegistry(source) ? await _images.FetchAsync(source, plan.Arch, pull, cancellation)
            : Directory.Exists(source) ? FileTree.FromFolder(source) : await FromArchiveAsync(source, scratch, cancellation);
        return OciImageReader.IsLayout(tree) ? await _images.ReadAsync(tree, source, plan.Name, plan.Arch, scratch, cancellation)
            : new SysextContent(tree, [await PartOfAsync(source, tree, cancellation)]);
    }

    /// <summary>What is known of a source of which nothing else is known: its name and its checksum.</summary>
    /// <param name="tree">What is in it.</param>
    internal static async Task<SysextPart> PartOfAsync(string source, FileTree tree, CancellationToken cancellation) => OciSource.IsRegistry(source)
        ? new SysextPart(RegistryReference.ParseImage(source, source).ToString()) { Files = [new PartFile("image.tar", await SumOfAsync(tree, cancellation), null)] }
        : new SysextPart(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source)))) { Files = [await FileOfAsync(source, tree, cancellation)] };

    private async Task<FileTree> FromArchiveAsync(string path, string scratch, CancellationToken cancellation)
    {
        if (!File.Exists(path) || Compression.Of(path) is not { } compression)
        {
            return FileTree.FromTar(path);
        }

        var tar = Path.Combine(scratch, "source.tar");
        CrustException TooLarge() => new(FailureKind.BadInput, $"It unpacks to more than {Size.Format(MostBytes)}", path, "give a smaller archive");
        await compression.UnpackAsync(path, tar, MostBytes, TooLarge, _ => { }, tools, cancellation);
        try
        {
            return FileTree.FromTar(tar);
        }
        catch (CrustException e) when (e.Where.StartsWith(scratch, StringComparison.Ordinal))
        {
            // Nobody has seen the copy.
            throw e.At(path);
        }
    }

    // A folder has no bytes of its own: what it would be as an archive has.
    private static async Task<PartFile> FileOfAsync(string source, FileTree tree, CancellationToken cancellation)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source)));
        if (!Directory.Exists(source))
        {
            return new PartFile(name, await Checksum.OfFileAsync(source, cancellation), null);
        }

        return new PartFile(name + ".tar", await SumOfAsync(tree, cancellation), null);
    }

    private static async Task<string> SumOfAsync(FileTree tree, CancellationToken cancellation)
    {
        using var sum = SHA256.Create();
        await using (var hashed = new CryptoStream(Stream.Null, sum, CryptoStreamMode.Write))
        {
            await tree.WriteTarAsync(hashed, 0, cancellation);
        }

        return Convert.ToHexStringLower(sum.Hash!);
    }
}
