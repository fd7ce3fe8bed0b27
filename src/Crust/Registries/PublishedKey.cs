using System.Security.Cryptography;
using System.Text;

namespace Crust.Registries;

/// <summary>
/// The tag by which a finished image is found in a repository before anything is built: it is made of all that decides the image. One list of a
/// repository's tags says what is there.
/// </summary>
internal static class PublishedKey
{
    private const string Prefix = "key-";
    private const string DiskPrefix = "disk-";
    private const int Digits = 40;

    /// <param name="buildKey">The key of its installed disk.</param>
    /// <param name="recipe">What decided it beside the disk.</param>
    public static string TagOf(string buildKey, string format, string recipe) =>
        Prefix + DigitsOf($"crust published image 1\n{buildKey}\n{format}\n{recipe}");

    public static string TagOfDisk(string buildKey) => DiskPrefix + DigitsOf($"crust installed disk 1\n{buildKey}");

    private static string DigitsOf(string material) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(material)))[..Digits];
}
