using Crust.Formats;
using Crust.Formats.Headers;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Inspection;

/// <summary>Tells by a file's content, not by its name, what kind of image it is, and finds the disk in it.</summary>
internal static class ImageFile
{
    /// <summary>What an ISO is called here.</summary>
    public const string Iso = ImageContent.Iso;

    /// <summary>The kind of an image: <see cref="Iso"/>, or the name of a format, of which `vdi` is one that Crust doesn't write.</summary>
    /// <exception cref="CrustException">There is no such file, it can't be read, or it isn't an image.</exception>
    public static string KindOf(string path)
    {
        if (!Path.Exists(path))
        {
            throw Bad("There is no such image", path, "check the path");
        }

        using var file = RegularFile.Open(path, "image", "name an ISO or a disk image: a regular file");
        try
        {
            return RandomAccess.GetLength(file) == 0 ? throw Bad("The file is empty", path, "name an image with something in it")
                : ImageContent.KindOf(file) ?? throw Bad("This is neither an ISO nor a disk image", path, "name an ISO, or an image such as img, qcow2, vmdk, vhd, vhdx, ova; unpack one that is compressed otherwise");
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be read: {e.Message}", path, "check the drive that it is on", e);
        }
    }

    /// <summary>Finds the disk in an image.</summary>
    /// <param name="path">The image.</param>
    /// <param name="kind">Its kind, not <see cref="Iso"/>.</param>
    /// <param name="scratch">A private folder for what has to be unpacked.</param>
    /// <param name="tools">Other programs.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="CrustException">There is none in it, or it needs other files.</exception>
    public static async Task<QemuDisk> OpenAsync(string path, string kind, string scratch, ToolBox tools, CancellationToken cancellation)
    {
        if (kind != "vdi")
        {
            return await ForeignImage.OpenAsync(path, ImageFormats.Named(kind), scratch, tools, cancellation);
        }

        var disk = new QemuDisk(kind, path);
        ForeignImage.Check(disk, path);
        return disk;
    }

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
