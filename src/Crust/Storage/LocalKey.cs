using System.Security.Cryptography;

namespace Crust.Storage;

/// <summary>
/// A random key that never leaves this machine: what is made with it tells others nothing, and this machine whether secrets are the same as before
/// (docs/decisions/build-key-secrets.md). It lies in the cache, with mode 0600.
/// </summary>
internal sealed class LocalKey(string cache)
{
    public const string FileName = "secrets.key";

    private const int Length = 32;

    private string File => Path.Combine(cache, FileName);

    /// <summary>The key; null if there is none yet.</summary>
    public byte[]? Find()
    {
        try
        {
            // One that is cut short is none.
            return System.IO.File.ReadAllBytes(File) is { Length: Length } key ? key : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The key, made at its first use.</summary>
    /// <exception cref="CrustException">The cache can't be written.</exception>
    public byte[] Get()
    {
        if (Find() is { } there)
            return there;
        try
        {
            Directory.CreateDirectory(cache);
            var key = RandomNumberGenerator.GetBytes(Length);
            // Two builds may begin at once: the first one's stays. One that is no key is replaced.
            if (System.IO.File.Exists(File) && Find() is null)
                WholeFile.Replace(File, key);
            else
                WholeFile.Create(File, key);
        }
        catch (IOException) when (Find() is not null)
        {
            // It is the other build's.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The cache can't be written: {e.Message}", cache, "make it writable, or set CRUST_CACHE to another folder", e);
        }

        return Find() ?? throw new CrustException(FailureKind.InputOutput, "The key that this machine's secrets are compared with can't be read", File, "remove it; it is made again");
    }
}
