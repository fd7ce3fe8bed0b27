using Crust.Formats.Headers;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>Opens images that somebody else may have made. Inspecting, verifying and pulling all go through here, and no other code asks a format for the disk in an image.</summary>
internal static class ForeignImage
{
    /// <summary>Finds the disk in an image and checks that the image is what it is taken for and names no other file.</summary>
    /// <param name="path">The image.</param>
    /// <param name="format">Its format.</param>
    /// <param name="scratch">A private folder for what has to be unpacked.</param>
    /// <param name="tools">Other programs.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="CrustException">There is no disk in it, it isn't a regular file, or it isn't complete in itself.</exception>
    public static async Task<QemuDisk> OpenAsync(string path, IImageFormat format, string scratch, ToolBox tools, CancellationToken cancellation)
    {
        RegularFile.Require(path, "image", "name a disk image: a regular file");
        var disk = await format.OpenAsync(path, scratch, tools, cancellation);
        Check(disk, path);
        return disk;
    }

    /// <summary>Checks a disk that was found in an image.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="path">The image that the user named.</param>
    /// <exception cref="CrustException">It isn't what it is taken for, or isn't complete in itself.</exception>
    public static void Check(QemuDisk disk, string path)
    {
        ImageHeader.Check(disk, path);
        // QEMU is told that it is raw and reads no header. But nobody would want that.
        if (disk.Driver == "raw" && ImageContent.OfDisk(disk) is { } other)
        {
            throw new CrustException(FailureKind.BadInput, $"The disk is no raw one: it begins as a {other} does", path, $"give the image that it is, with the extension of its kind");
        }
    }

    /// <summary>Checks an image that needs no unpacking to be read; in one that does, there is a raw disk, which names nothing.</summary>
    /// <param name="path">The image.</param>
    /// <param name="format">Its format.</param>
    /// <param name="tools">Other programs.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="CrustException">It isn't what it is taken for, or isn't complete in itself.</exception>
    public static async Task CheckAsync(string path, IImageFormat format, ToolBox tools, CancellationToken cancellation)
    {
        if (format.QemuDriver is not (null or "raw"))
        {
            await OpenAsync(path, format, "", tools, cancellation);
        }
    }
}
