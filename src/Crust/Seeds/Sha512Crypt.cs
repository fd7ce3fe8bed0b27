using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Crust.Seeds;

/// <summary>
/// SHA-512 crypt (`$6$`), the password hash of every Linux, by the host's own libcrypt: Ulrich Drepper, "Unix crypt using
/// SHA-256 and SHA-512", 5000 rounds.
/// </summary>
internal static unsafe class Sha512Crypt
{
    private const string SaltAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    // glibc's struct crypt_data had 131232 bytes, libxcrypt's has 32768. It must be zero at the first call.
    private const int CryptDataSize = 256 * 1024;

    private const string Library = "libcrypt.so.1";

    // A hash takes milliseconds, which is what it is for; and a plan of a thousand specs wants the same one for each.
    private const int MostKnown = 64;

    private static readonly ConcurrentDictionary<(string Password, string Salt), string> Known = new();

    /// <summary>A salt of 16 characters (96 bits) that is the same for the same words, and no other use of them gives away.</summary>
    /// <param name="words">What the salt belongs to. Never the password: see docs/decisions/password-salt.md.</param>
    public static string SaltFor(params IEnumerable<string> words)
    {
        // No word holds a line feed, so that no two lists of words are joined to the same text.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', words.Prepend("crust password salt"))));
        return string.Create(16, hash, (salt, bytes) =>
        {
            for (var i = 0; i < salt.Length; i++)
                salt[i] = SaltAlphabet[bytes[i] & 63];
        });
    }

    /// <summary>The hash of a password, as it stands in /etc/shadow: `$6$salt$…`.</summary>
    /// <param name="password">At most 511 bytes as UTF-8, without NUL.</param>
    /// <param name="salt">1 to 16 of the characters `./0-9A-Za-z`.</param>
    /// <exception cref="CrustException">The host has no libcrypt, or the password is too long for it.</exception>
    public static string Hash(string password, string salt)
    {
        if (Known.Count > MostKnown)
            Known.Clear();
        return Known.GetOrAdd((password, salt), one => Hash(one.Password, one.Salt, Library));
    }

    /// <summary>The same by a library of another name.</summary>
    internal static string Hash(string password, string salt, string library)
    {
        if (!NativeLibrary.TryLoad(library, out var handle) || !NativeLibrary.TryGetExport(handle, "crypt_r", out var export))
            throw new CrustException(FailureKind.HostLacks, "The password can't be hashed: the system's library for it isn't installed", library, "install it: apt-get install libcrypt1");

        var crypt = (delegate* unmanaged<byte*, byte*, void*, byte*>)export;
        var data = NativeMemory.AllocZeroed(CryptDataSize);
        var phrase = Encoding.UTF8.GetBytes(password + '\0');
        try
        {
            fixed (byte* key = phrase)
            fixed (byte* setting = Encoding.ASCII.GetBytes($"$6${salt}$\0"))
            {
                var hash = Marshal.PtrToStringUTF8((nint)crypt(key, setting, data));
                // libxcrypt reports failure by a text that is no hash and begins with an asterisk.
                return hash is not null && hash.StartsWith($"$6${salt}$", StringComparison.Ordinal)
                    ? hash
                    : throw new CrustException(FailureKind.BadInput, "The password can't be hashed", "seed.ssh.password or SSH_PASSWORD", "use at most 511 bytes");
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(phrase);
            NativeMemory.Clear(data, CryptDataSize);
            NativeMemory.Free(data);
        }
    }
}
