using Crust.Disks;
using Crust.Downloads;
using Crust.Formats;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Bases;

/// <summary>Gets the disk image that a spec starts from, from a path or a URL, and checks it.</summary>
/// <param name="tools">Reads headers of images.</param>
internal sealed class BaseSource(SourceFetcher fetcher, ToolBox tools)
{
    // What names of images end with, before what they are compressed with.
    private static readonly string[] Extensions = [".img", ".raw", ".qcow2", ".vmdk", ".vhdx", ".vhd", ".vdi", ".bin", ".tar", ".ova"];

    /// <summary>The image on this host: downloaded if need be, checked against its checksum or signature, and a disk image that is complete in itself, as far as that shows.</summary>
    /// <exception cref="CrustException">It can't be had, isn't the right one, or is no disk image.</exception>
    public async Task<BaseImage> GetAsync(SourceFile file, CancellationToken cancellation)
    {
        IImageKind? kind = null;
        Compression? compression = null;
        var fetched = await fetcher.GetAsync(file, NameInCache(file), (path, _) => (kind, compression) = Identify(path), cancellation);
        if (compression is null)
        {
            await ForeignImage.CheckAsync(fetched.Path, kind!, tools, cancellation);
        }

        return Describe(file, fetched.Path, fetched.Sha256, compression?.Name ?? kind!.Name);
    }

    /// <summary>What is known of the image at once: nothing is fetched, no checksum is computed.</summary>
    /// <exception cref="CrustException">It can't be had, or is no disk image, as far as that shows.</exception>
    public SourceGlance Glance(SourceFile file)
    {
        var glance = fetcher.Glance(file, NameInCache(file));
        if (glance.Path is not { } path)
        {
            return new SourceGlance(null, null, BaseNameOf(file.Source)) { Promised = glance.Promised };
        }

        var (kind, compression) = Identify(path);
        var image = glance.Sha256 is { } sha256 ? Describe(file, path, sha256, compression?.Name ?? kind!.Name) : null;
        return new SourceGlance(new FileInfo(path).Length, image, BaseNameOf(file.Source)) { Promised = glance.Promised };
    }

    /// <summary>A file's name without what says that it is an image, and how it is compressed.</summary>
    public static string TitleOf(string source)
    {
        var name = SourceNames.FileOf(source);
        foreach (var extensions in new[] { [.. Compression.All.Select(known => known.Extension)], Extensions })
        {
            name = extensions.FirstOrDefault(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)) is { } found ? name[..^found.Length] : name;
        }

        return name;
    }

    /// <summary>What images are called after a base.</summary>
    public static string BaseNameOf(string source) => SourceNames.Clean(TitleOf(source), "base");

    // One of the two is known.
    private static (IImageKind? Kind, Compression? Compression) Identify(string path)
    {
        if (!Path.Exists(path))
        {
            throw new CrustException(FailureKind.BadInput, "There is no such image", path, "check base.image");
        }

        if (Compression.Of(path) is { } compression)
        {
            return (null, compression);
        }

        var kind = ForeignImage.KindOf(path);
        return kind.QemuDriver is not null ? (kind, null)
            : throw new CrustException(FailureKind.BadInput, $"A base is a disk image, and this is an {kind.Name}", path, "name an installer's ISO in installer.iso (ISO_URL, --iso)");
    }

    private static BaseImage Describe(SourceFile file, string path, string sha256, string kind) => new()
    {
        Source = file.Shown,
        Path = path,
        Sha256 = sha256,
        Size = new FileInfo(path).Length,
        BaseName = BaseNameOf(file.Source),
        FileKind = kind,
    };

    // Beside a download there are files of the downloader's own.
    private static string NameInCache(SourceFile file) => SourceNames.Clean(SourceNames.FileOf(file.Source), "base") is var name && (name is "lock" || name.StartsWith("partial", StringComparison.Ordinal)) ? $"base-{name}" : name;
}
