using System.Security.Cryptography;
using Crust.Storage;

namespace Crust.Formats.Netboot;

/// <summary>The scripts of `builder/netboot`.</summary>
internal static class NetbootScripts
{
    /// <summary>What runs on the server.</summary>
    public static byte[] Server { get; } = Read("netboot");

    /// <summary>What runs in the initramfs of machines that share a root.</summary>
    public static byte[] Root { get; } = Read("root.sh");

    /// <summary>The SHA-256 of both, in hex.</summary>
    public static string Digest { get; } = Convert.ToHexStringLower(SHA256.HashData([.. Server, .. Root]));

    private static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folders.BuilderBesideProgram, "netboot", name));
}
