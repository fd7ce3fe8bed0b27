using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>Builds or fetches the extensions of layers, and lays them out for their disks.</summary>
/// <param name="reader">Looks into those that somebody else has built.</param>
internal sealed class SysextMaker(RecipeTrees recipes, SysextBuilder builder, SysextReader reader, IndexedSysexts index)
{
    // Without these no system merges the file; what else the rules object to is its maker's business.
    private static readonly string[] Fatal = ["release-name", "release-id", "os-release"];

    /// <returns>What is put onto the disk, and the SHA-256 of the extension in it.</returns>
    /// <param name="scratch">A folder from which the tree reads as long as it is used.</param>
    /// <exception cref="CrustException">It can't be had, isn't the right one, or no such system would merge it.</exception>
    public async Task<(FileTree Tree, string Sha256)> MakeAsync(SysextLayer layer, string scratch, CancellationToken cancellation)
    {
        var (file, sha256) = layer.Spec.Source switch
        {
            SysextOrigin.Built => await BuildAsync(layer, scratch, cancellation),
            SysextOrigin.Local local => await OpenAsync(local.Path, Path.GetFileName(local.Path), layer, scratch, cancellation),
            SysextOrigin.Published published => await FetchAsync(published, layer, scratch, cancellation),
            _ => throw new ArgumentOutOfRangeException(nameof(layer)),
        };
        return (SysextPlace.TreeOf(file, layer.Spec, layer.Profile), sha256);
    }

    private async Task<(SysextToPlace File, string Sha256)> BuildAsync(SysextLayer layer, string scratch, CancellationToken cancellation)
    {
        var recipe = layer.Recipe!;
        var plan = layer.PlanOf(new RecipePicks(recipe.Book, recipe.Locked).Of(recipe.Wish.Name, recipe.Wish.Version));
        var built = await builder.BuildAsync(plan, SysextContent.Of(await recipe.BuildAsync(recipes, cancellation)), new SignSpec(), scratch, cancellation);
        return (new SysextToPlace(plan.Name, plan.FileName, TreeContent.OfFile(built.Path, 0, built.Length), null, null), built.Sha256);
    }

    private async Task<(SysextToPlace File, string Sha256)> FetchAsync(SysextOrigin.Published published, SysextLayer layer, string scratch, CancellationToken cancellation)
    {
        var wanted = SysextLayer.FileOf(published, layer.Spec, layer.Arch);
        var path = await index.FetchAsync(published, wanted, layer.Spec.Where, cancellation);
        var (file, sha256) = await OpenAsync(path, wanted.FileName, layer, scratch, cancellation);
        return (file with { Index = published.Url, Keyring = published.Key is { } key ? IndexedSysexts.KeyringOf(key, layer.Spec.Where) : null }, sha256);
    }

    private async Task<(SysextToPlace File, string Sha256)> OpenAsync(string path, string fileName, SysextLayer layer, string scratch, CancellationToken cancellation)
    {
        var name = SysextFile.Of(fileName)?.Name ?? (fileName.EndsWith(".sysext.raw", StringComparison.Ordinal) ? fileName[..^".sysext.raw".Length] : fileName[..^".raw".Length]);
        if (!SysextPlan.IsName(name))
        {
            throw new CrustException(FailureKind.BadInput, $"'{name}' can't be an extension's name", $"{layer.Spec.Where}: {path}", "rename the file: letters, digits, dots, dashes, underscores and plus signs");
        }

        var read = await reader.ReadAsync(path, scratch, cancellation);
        var extension = new Extension(SysextPlace.MergedName(name, layer.Profile), read.Tree);
        if (SysextCheck.Check(extension, layer.Profile).FirstOrDefault(finding => Fatal.Contains(finding.Rule)) is { } error)
        {
            throw new CrustException(FailureKind.BadInput, error.What, $"{layer.Spec.Where}: {path}: {error.Path} ({error.Rule})", error.Remedy);
        }

        if (extension.Release?.Architecture is { } architecture && architecture != SysextFile.ArchName(layer.Arch))
        {
            throw new CrustException(FailureKind.BadInput, $"The extension is for {architecture}, and machine.arch is {layer.Arch.LowerName()}", $"{layer.Spec.Where}: {path}", "take the one for the other architecture");
        }

        return (new SysextToPlace(name, fileName, TreeContent.OfFile(Path.GetFullPath(path), 0, new FileInfo(path).Length), null, null), await Checksum.OfFileAsync(path, cancellation));
    }
}
