using Crust.Storage;

namespace Crust.Bases;

/// <summary>Whether a file begins as a tar archive does (POSIX.1-2001, pax, "ustar Interchange Format": the header's field `magic`).</summary>
internal static class TarSign
{
    private const long Place = 257;

    public static bool IsIn(string path)
    {
        using var file = RegularFile.Open(path, "archive", "name a tar archive: a regular file");
        return file.ReadUpTo(Place, 5).AsSpan().SequenceEqual("ustar"u8);
    }

    /// <param name="key">The key that names the file.</param>
    public static CrustException Missing(string where, string key) => key == "base.oci"
        ? new(FailureKind.BadInput, "This is no OCI archive", where, "make one as skopeo copy docker://REGISTRY/NAME:TAG oci-archive:FILE does; a root file system goes in base.rootfs")
        : new(FailureKind.BadInput, "This is no tar archive of a root file system", where, "make one as tar --numeric-owner --xattrs -c does; a disk image goes in base.image");
}
