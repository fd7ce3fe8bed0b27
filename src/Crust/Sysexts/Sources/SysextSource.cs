using System.Collections.Immutable;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Sources;

/// <summary>Where an extension's files come from: a folder, an archive, an OCI image, or Debian packages.</summary>
/// <param name="builder">The folder with Crust's own scripts.</param>
internal sealed class SysextSource(ToolBox tools, string builder)
{
    private readonly OciSource _images = new(tools);
    private readonly PackageSource _packages = new(tools, builder);

    /// <summary>Reads them. The tree reads from the source and the scratch folder as long as it is used.</summary>
    /// <param name="source">A folder, a tar archive, an OCI layout or archive, `docker://NAME`; null for packages.</param>
    /// <param name="packages">Debian packages in place of it.</param>
    /// <exception cref="CrustException">They can't be read, or aren't what they should be.</exception>
    public async Task<FileTree> ReadAsync(string? source, ImmutableArray<string> packages, SysextPlan plan, string scratch, CancellationToken cancellation)
    {
        if (source is null)
        {
            return await _packages.ReadAsync(packages, plan.Name, plan.Arch, scratch, cancellation);
        }

        var tree = OciSource.IsRegistry(source) ? await _images.FetchAsync(source, plan.Arch, scratch, cancellation) : Directory.Exists(source) ? FileTree.FromFolder(source) : FileTree.FromTar(source);
        return OciSource.IsLayout(tree) ? await _images.ReadAsync(tree, source, plan.Name, plan.Arch, scratch, cancellation) : tree;
    }
}
