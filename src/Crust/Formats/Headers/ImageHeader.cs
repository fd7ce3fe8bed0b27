using Crust.Storage;

namespace Crust.Formats.Headers;

/// <summary>
/// Reads the header of a disk image before any program of QEMU's opens it: an image, whoever made it, may not name another file, since whoever reads the image reads
/// that file of this host as well. What is refused, and why, stands in docs/inspect.md.
/// </summary>
internal static class ImageHeader
{
    private const string Remedy = "give an image that is whole, of the kind that its name says";

    /// <param name="path">The file that the user named: the disk's own, or the one that it was unpacked from.</param>
    /// <exception cref="CrustException">The disk isn't complete in itself, or isn't what its driver reads; its file isn't a regular one.</exception>
    public static void Check(QemuDisk disk, string path)
    {
        using var file = RegularFile.Open(disk.Path, "image", "name a disk image: a regular file");
        try
        {
            var whole = RandomAccess.GetLength(file);
            var (offset, length) = disk.Part is { } part ? (part.Offset, part.Length) : (0, whole);
            if (offset < 0 || length < 0 || offset > whole || length > whole - offset)
            {
                throw new InvalidDataException("the disk in it ends behind the file");
            }

            Check(disk.Driver, new ImageBytes(file, offset, length));
        }
        catch (NeedsOtherFilesException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image isn't complete in itself: it needs {e.Message}", path,
                "get one that is; anyone who has all of its files makes it with qemu-img convert -O qcow2", e);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image can't be read as {disk.Driver}: {e.Message}", path, Remedy, e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be read: {e.Message}", path, "check the drive that it is on", e);
        }
    }

    private static void Check(string driver, ImageBytes image)
    {
        // Read as it is: whatever it looks like, QEMU is told that it is raw.
        if (driver != QemuDisk.Raw)
        {
            var check = ImageFormats.Readable.Where(kind => kind.QemuDriver == driver).Select(kind => kind.HeaderCheck).FirstOrDefault(check => check is not null)
                ?? throw new ArgumentOutOfRangeException(nameof(driver), driver, "no header of that kind is read");
            check(image);
        }
    }
}
