using System.Runtime.InteropServices;

namespace Crust.Tools;

/// <summary>A library of the host that Crust calls if it is there.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="File">Its file's name, with the version of its interface.</param>
/// <param name="Package">The Debian package that brings it.</param>
/// <param name="Fallback">What is done without it; null if nothing can be.</param>
public sealed record HostLibrary(string Name, string File, string Package, string? Fallback)
{
    /// <summary>Compresses whole pieces of data in zlib's format.</summary>
    public static HostLibrary Deflate { get; } = new("libdeflate", "libdeflate.so.0", "libdeflate0", ".NET's zlib compresses in its place, which takes two to six times as long");

    /// <summary>Compresses in zstd's format.</summary>
    public static HostLibrary Zstd { get; } = new("libzstd", "libzstd.so.1", "libzstd1", null);

    /// <summary>Hashes passwords.</summary>
    public static HostLibrary Crypt { get; } = new("libcrypt", "libcrypt.so.1", "libcrypt1", null);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<HostLibrary> All { get; } = [Deflate, Zstd, Crypt];

    /// <summary>Whether it can be loaded.</summary>
    public bool IsThere() => NativeLibrary.TryLoad(File, out _);
}
