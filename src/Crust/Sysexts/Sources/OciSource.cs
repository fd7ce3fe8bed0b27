using Crust.Bases;
using Crust.Spec;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Sources;

/// <summary>The files of an OCI image's last layer, from a layout in a folder or an archive, or from a registry.</summary>
/// <param name="tools">Needs what unpacks the layer.</param>
internal sealed class OciSource(ToolBox tools, IRegistryImages registries)
{
    private const long LargestLayer = 16L << 30;

    /// <summary>Whether a source names an image in a registry.</summary>
    public static bool IsRegistry(string source) => RegistryReference.IsImage(source);

    /// <summary>Fetches an image: its layout.</summary>
    /// <param name="pull">Logins, certificates and patience.</param>
    /// <exception cref="CrustException">It can't be fetched.</exception>
    public async Task<FileTree> FetchAsync(string source, Arch arch, PublishSpec pull, CancellationToken cancellation) =>
        OciImageReader.Open((await registries.PullAsync(RegistryReference.ParseImage(source, source), arch, pull, cancellation)).Archive);

    /// <summary>The last layer's files, as an extension may have them.</summary>
    /// <param name="layout">A layout.</param>
    /// <param name="source">What it is called in errors.</param>
    /// <exception cref="CrustException">It has no image for the architecture, or isn't whole.</exception>
    public async Task<SysextContent> ReadAsync(FileTree layout, string source, string name, Arch arch, string scratch, CancellationToken cancellation)
    {
        var (files, digest) = await new OciImageReader(tools).ReadLastAsync(layout, source, arch, scratch, LargestLayer, cancellation);
        try
        {
            return new SysextContent(SystemTree.ToExtension([files], name),
                [new SysextPart(IsRegistry(source) ? RegistryReference.ParseImage(source, source).ToString() : Path.GetFileName(Path.TrimEndingDirectorySeparator(source))) { Files = [new PartFile("layer", digest, null)] }]);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image's last layer can't be an extension: {e.Message}", source, "give an image whose last layer has the extension's files", e);
        }
    }
}
