using Crust.Formats.Headers;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>Opens images that somebody else may have made. Inspecting, verifying and pulling all go through here, and no other code asks a format for the disk in an image.</summary>
internal static class ForeignImage
{
    /// <summary>The kind of an image, by its content, not by its name.</summary>
    /// <exception cref="CrustException">There is no such file, it can't be read, or it isn't an image.</exception>
    public static IImageKind KindOf(string path)
    {
        if (!Path.Exists(path))
        {
            throw Bad("There is no such image", path, "check the path");
        }

        using var file = RegularFile.Open(path, "image", "name an ISO or a disk image: a regular file");
        try
        {
            return RandomAccess.GetLength(file) == 0 ? throw Bad("The file is empty", path, "name an image with something in it")
                : KindOf(ImageSample.Of(file))
                ?? throw Bad("This is neither an ISO nor a disk image", path, "name an ISO, or an image such as img, qcow2, vmdk, vhd, vhdx, ova; unpack one that is compressed otherwise");
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be read: {e.Message}", path, "check the drive that it is on", e);
        }
    }

    /// <summary>Finds the disk in an image and checks that the image is what it is taken for and names no other file.</summary>
    /// <param name="scratch">A private folder for what has to be unpacked.</param>
    /// <exception cref="CrustException">There is no disk in it, it isn't a regular file, or it isn't complete in itself.</exception>
    public static async Task<QemuDisk> OpenAsync(string path, IImageKind kind, string scratch, ToolBox tools, CancellationToken cancellation)
    {
        RegularFile.Require(path, "image", "name a disk image: a regular file");
        var disk = await kind.OpenAsync(path, scratch, tools, cancellation);
        Check(disk, path);
        return disk;
    }

    /// <summary>Checks a disk that was found in an image.</summary>
    /// <exception cref="CrustException">It isn't what it is taken for, or isn't complete in itself.</exception>
    public static void Check(QemuDisk disk, string path)
    {
        ImageHeader.Check(disk, path);
        // QEMU is told that it is raw and reads no header. But nobody would want that.
        if (disk.Driver == QemuDisk.Raw && OtherKindOf(disk) is { } other)
        {
            throw new CrustException(FailureKind.BadInput, $"The disk is no raw one: it begins as a {other.Name} does", path, $"give the image that it is, with the extension of its kind");
        }
    }

    /// <summary>Checks an image that needs no unpacking to be read; in one that does, there is a raw disk, which names nothing.</summary>
    /// <exception cref="CrustException">It isn't what it is taken for, or isn't complete in itself.</exception>
    public static async Task CheckAsync(string path, IImageKind kind, ToolBox tools, CancellationToken cancellation)
    {
        if (kind.QemuDriver is not (null or QemuDisk.Raw))
        {
            await OpenAsync(path, kind, "", tools, cancellation);
        }
    }

    private static IImageKind? KindOf(ImageSample file) =>
        ImageFormats.Readable.MaxBy(kind => kind.SignIn(file)) is { } best && best.SignIn(file) is not ImageSign.None ? best : null;

    // What a disk that is taken for a raw one begins as.
    private static IImageKind? OtherKindOf(QemuDisk disk)
    {
        using var file = RegularFile.Open(disk.Path, "image", "name a disk image: a regular file");
        var sample = ImageSample.Of(file, disk.Part);
        return ImageFormats.Readable.FirstOrDefault(kind => kind.SignIn(sample) is ImageSign.Header);
    }

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
