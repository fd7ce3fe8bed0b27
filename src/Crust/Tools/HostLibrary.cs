using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Crust.Tools;

/// <summary>A library of the host that Crust calls if it is there.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="File">Its file's name, with the version of its interface.</param>
/// <param name="Package">The Debian package that brings it.</param>
/// <param name="Fallback">What is done without it; null if nothing can be.</param>
internal sealed record HostLibrary(string Name, string File, string Package, string? Fallback)
{
    private const int Digits = 12;

    private static readonly ConcurrentDictionary<string, string> Identities = new(StringComparer.Ordinal);

    private string? VersionFunction { get; init; }

    /// <summary>Compresses whole pieces of data in zlib's format.</summary>
    public static HostLibrary Deflate { get; } = new("libdeflate", "libdeflate.so.0", "libdeflate0", ".NET's zlib compresses in its place, which takes two to six times as long");

    public static HostLibrary Zstd { get; } = new("libzstd", "libzstd.so.1", "libzstd1", null) { VersionFunction = "ZSTD_versionString" };

    public static HostLibrary Crypt { get; } = new("libcrypt", "libcrypt.so.1", "libcrypt1", null);

    public static IReadOnlyList<HostLibrary> All { get; } = [Deflate, Zstd, Crypt];

    public bool IsThere() => NativeLibrary.TryLoad(File, out _);

    /// <summary>
    /// What decides the bytes that it makes: its version or, where it can't say that, the digest of its file. Without the library, what is used in its place.
    /// </summary>
    public string Identity => Identities.GetOrAdd(File, _ => Identify());

    private string Identify()
    {
        if (!NativeLibrary.TryLoad(File, out var library))
        {
            return $".NET {Environment.Version}";
        }

        return $"{Name} {(VersionFunction is { } function ? VersionBy(NativeLibrary.GetExport(library, function)) : DigestOf(LoadedFrom()))}";
    }

    private static unsafe string? VersionBy(nint function) => Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)function)());

    // proc(5): the sixth column of each mapping. Where the file is looked for depends on the host.
    private string LoadedFrom() => System.IO.File.ReadLines("/proc/self/maps").Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(5))
        .First(path => path is not null && Path.GetFileName(path).StartsWith(File, StringComparison.Ordinal))!;

    private static string DigestOf(string file)
    {
        using var stream = System.IO.File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream))[..Digits];
    }
}
