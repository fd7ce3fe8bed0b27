using Crust.Disks;
using Crust.Downloads;
using Crust.Formats;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Bases;

/// <summary>Gets the disk image or the root file system that a spec starts from, from a path, a URL or a registry, or makes it of packages; and checks it.</summary>
/// <param name="tools">Reads headers of images.</param>
internal sealed class BaseSource(SourceFetcher fetcher, IRegistryImages registries, DebianBase debian, ToolBox tools)
{
    private const string OciArchive = "OCI archive";

    // What names of images end with, before what they are compressed with.
    private static readonly string[] Extensions = [".raw", ".bin", ".tar", .. ImageFormats.Readable.Select(kind => $".{kind.Name}")];

    /// <summary>The file on this host: downloaded if need be, checked against its checksum or signature, and an archive, or a disk image that is complete in itself, as far as that shows.</summary>
    /// <exception cref="CrustException">It can't be had, isn't the right one, or is neither.</exception>
    public async Task<BaseImage> GetAsync(BuildSpec spec, CancellationToken cancellation)
    {
        if (spec.Base.Debian.Suite is not null)
        {
            return Describe(spec, await debian.GetAsync(spec.Base.Debian, spec.Machine.Arch, spec.Base.Layout, cancellation));
        }

        if (spec.Base.ImageInRegistry is { } image)
        {
            return Describe(spec, await registries.PullAsync(image, spec.Machine.Arch, spec.Publish, cancellation));
        }

        if (LayoutOf(spec) is { } layout)
        {
            return layout;
        }

        var file = spec.SourceFile!;
        Found? found = null;
        var fetched = await fetcher.GetAsync(file, NameInCache(file), (path, _) => found = Identify(path, spec.Base), cancellation);
        if (found!.Kind is { } kind)
        {
            await ForeignImage.CheckAsync(fetched.Path, kind, tools, cancellation);
        }

        return Describe(spec, fetched.Path, fetched.Sha256, found);
    }

    /// <summary>What is known of the image at once: nothing is fetched, no checksum is computed.</summary>
    /// <exception cref="CrustException">It can't be had, or is no disk image, as far as that shows.</exception>
    public SourceGlance Glance(BuildSpec spec)
    {
        if (spec.Base.Debian.Suite is not null)
        {
            return GlanceOf(debian.Find(spec.Base.Debian, spec.Machine.Arch, spec.Base.Layout) is { } root ? Describe(spec, root) : null, spec, null);
        }

        if (spec.Base.ImageInRegistry is { } named)
        {
            return GlanceOf(registries.Find(named, spec.Machine.Arch) is { } pulled ? Describe(spec, pulled) : null, spec, named.Sha256);
        }

        if (LayoutOf(spec) is { } layout)
        {
            return GlanceOf(layout, spec, null);
        }

        var file = spec.SourceFile!;
        var glance = fetcher.Glance(file, NameInCache(file));
        if (glance.Path is not { } path)
        {
            return new SourceGlance(null, null, BaseNameOf(file.Source)) { Promised = glance.Promised };
        }

        var found = Identify(path, spec.Base);
        var image = glance.Sha256 is { } sha256 ? Describe(spec, path, sha256, found) : null;
        return new SourceGlance(new FileInfo(path).Length, image, BaseNameOf(file.Source)) { Promised = glance.Promised };
    }

    /// <summary>A file's name without what says that it is an image, and how it is compressed.</summary>
    public static string TitleOf(string source)
    {
        if (RegistryReference.IsImage(source))
        {
            return RegistryReference.NameOf(source);
        }

        var name = SourceNames.FileOf(Path.TrimEndingDirectorySeparator(source));
        foreach (var extensions in new[] { [.. Compression.All.Select(known => known.Extension)], Extensions })
        {
            name = extensions.FirstOrDefault(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)) is { } found ? name[..^found.Length] : name;
        }

        return name;
    }

    /// <summary>What images are called after a base.</summary>
    public static string BaseNameOf(string source) => SourceNames.Clean(TitleOf(source), "base");

    /// <summary>What images are called where the spec doesn't name them.</summary>
    public static string NameOf(BaseSpec given) => given.File is { } file ? BaseNameOf(file) : $"debian-{given.Debian.Suite}";

    private static SourceGlance GlanceOf(BaseImage? image, BuildSpec spec, string? promised) => new(image?.Size, image, NameOf(spec.Base)) { Promised = promised };

    // Null where base.oci is no folder.
    private static BaseImage? LayoutOf(BuildSpec spec)
    {
        if (spec.Base.Oci is not { } path || !Directory.Exists(path))
        {
            return null;
        }

        if (spec.Base is { Sha256: not null } or { Signature: not null })
        {
            throw new CrustException(FailureKind.BadInput, "A checksum or a signature is of a file, and base.oci is a folder", path, "leave base.sha256 and base.signature out: a layout names all of its files by their digests");
        }

        var image = OciImageReader.Find(OciImageReader.Open(path), path, spec.Machine.Arch);
        return Describe(spec, path, image.Sha256, new Found("OCI layout", null)) with { Size = image.Size };
    }

    private static BaseImage Describe(BuildSpec spec, PulledImage image) => Describe(spec, image.Archive, image.Digest, new Found(OciArchive, null));

    private static BaseImage Describe(BuildSpec spec, DebianBase.Root root) => Describe(spec, root.Tar, root.Sha256, new Found("tar", null));

    private static Found Identify(string path, BaseSpec given)
    {
        if (!Path.Exists(path))
        {
            throw new CrustException(FailureKind.BadInput, $"There is no such {(given.IsRoot ? "archive" : "image")}", path, $"check {given.FileKey}");
        }

        // The layers in an OCI archive are compressed, and it isn't.
        if (given.Oci is null && Compression.Of(path) is { } compression)
        {
            return new Found(compression.Name, null);
        }

        if (given.IsRoot)
        {
            return !TarSign.IsIn(path) ? throw TarSign.Missing(path, given.FileKey) : new Found(given.Oci is null ? "tar" : OciArchive, null);
        }

        var kind = ForeignImage.KindOf(path);
        return kind.QemuDriver is not null ? new Found(kind.Name, kind)
            : throw new CrustException(FailureKind.BadInput, $"A base is a disk image, and this is an {kind.Name}", path,
                kind.HoldsDisk ? "name an installer's ISO in installer.iso (ISO_URL, --iso)" : "name a root file system in base.rootfs");
    }

    private static BaseImage Describe(BuildSpec spec, string path, string sha256, Found found) => new()
    {
        Source = spec.ShownSource,
        Path = path,
        Sha256 = sha256,
        Size = File.Exists(path) ? new FileInfo(path).Length : 0,
        // A raw disk's holes stay holes.
        Data = found.Kind?.QemuDriver == "raw" ? SparseFile.AllocatedBytes(path) : null,
        BaseName = NameOf(spec.Base),
        FileKind = found.Name,
        IsRoot = spec.Base.IsRoot,
        IsOci = spec.Base.Oci is not null,
    };

    // Beside a download there are files of the downloader's own.
    private static string NameInCache(SourceFile file) => SourceNames.Clean(SourceNames.FileOf(file.Source), "base") is var name && (name is "lock" || name.StartsWith("partial", StringComparison.Ordinal)) ? $"base-{name}" : name;

    /// <param name="Name">What the file is.</param>
    /// <param name="Kind">The kind of image; null for what is compressed, and for an archive.</param>
    private sealed record Found(string Name, IImageKind? Kind);
}
