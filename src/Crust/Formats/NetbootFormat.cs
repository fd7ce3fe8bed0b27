using System.Security.Cryptography;
using System.Text;
using Crust.Formats.Archives;
using Crust.Formats.Headers;
using Crust.Formats.Netboot;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Formats;

/// <summary>
/// What a server needs for machines that start over the network with this system: kernel, initramfs and firmware as they ask for them over TFTP, the root file system that they mount by NFS,
/// and the script that sets all of it up (`builder/netboot`). For PCs by PXE, iPXE and UEFI's HTTP boot, and for the Raspberry Pi 4 and 5.
/// </summary>
internal sealed class NetbootFormat : IImageFormat
{
    // Raise it when a change of Crust makes another tree of the same disk; the scripts' own changes are seen.
    private const int Version = 1;

    private const string Top = "netboot/";
    private const double ReadingPart = 0.5;

    private static readonly RootfsZstFormat Inner = new();

    public string Name => "netboot";

    public string Extension => ".netboot.tar";

    public string MediaType => "application/x-tar";

    public string? QemuDriver => null;

    public string RecipeOf(BuildSpec spec, FormatServices services) => $"netboot {Version} {NetbootScripts.Digest[..16]} {Inner.RecipeOf(spec, services)}";

    public FormatNeeds NeedsOf(BuildSpec spec) => Inner.NeedsOf(spec) with { Wraps = Inner.Name, Libraries = [HostLibrary.Zstd, HostLibrary.Deflate] };

    public ImageSign SignIn(ImageSample file) => file.IsTar && file.Has(0, "netboot/\0"u8) ? ImageSign.Member : ImageSign.None;

    public Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation) =>
        throw new CrustException(FailureKind.BadInput, "There is no disk in the archive, but what a server needs for machines that start over the network", image,
            "unpack it on that server (docs/netboot.md), or give an image of a disk");

    public Task<ArchiveContents?> ReadContentsAsync(string image, CancellationToken cancellation) => Task.Run<ArchiveContents?>(() =>
    {
        using var file = new FileStream(RegularFile.Open(image, "image", "name an image: a regular file"), FileAccess.Read);
        try
        {
            return NetbootFacts.Read(file, cancellation);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The archive is damaged: {e.Message}", image, "copy or download it again, or build it anew", e);
        }
    }, cancellation);

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var root = await request.Parts.GetAsync(Inner.Name);
        using var scratch = new ScratchFolder(Path.GetDirectoryName(request.Path)!);
        var boot = await Task.Run(() => BootFiles.Extract(root.Path, scratch.Path, read => request.Progress(ReadingPart * read), cancellation), cancellation);
        var tree = await new NetbootTree(request.Tools, boot).MakeAsync(request.Name, request.Spec.Machine.Arch, cancellation);
        // The same root with other scripts is another version: machines that run keep theirs.
        var version = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{root.Sha256} {RecipeOf(request.Spec, new FormatServices(request.Tools, request.Appliance))}")))[..12];
        var home = $"{Top}versions/{version}/";

        using var file = new HashedFile(request.Path);
        Folder(Top);
        file.Append(new TarMember($"{Top}netboot", NetbootScripts.Server.Length) { Mode = Executable }.With([NetbootScripts.Server]));
        Folder($"{Top}versions/");
        Folder(home);
        foreach (var folder in tree.Select(entry => Path.GetDirectoryName(entry.Path)!).Where(folder => folder.Length > 0).Distinct().Order(StringComparer.Ordinal))
        {
            Folder($"{home}{folder}/");
        }

        foreach (var (path, content) in tree)
        {
            file.Append(TarMember.File(home + path, content));
        }

        file.Append(new TarMember($"{home}root.tar.zst", root.Size).With(FilePieces.Of(root.Path, read => request.Progress(ReadingPart + ((1 - ReadingPart) * read / root.Size)), cancellation)));
        file.Append(TarMember.EndOfArchive.Span);
        return new WrittenImage(file.Sha256());

        void Folder(string name) => file.Append(new TarMember(name, 0) { Mode = Executable }.With([]));
    }

    private static UnixFileMode Executable => (UnixFileMode)0b111_101_101;
}
