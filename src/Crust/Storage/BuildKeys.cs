using System.Security.Cryptography;
using System.Text;

namespace Crust.Storage;

/// <summary>
/// The keys of a build: one for everybody, which tells nothing of its secrets, and one for whoever has to tell whether they are the same
/// (docs/decisions/build-key-secrets.md). They are one and the same where there are no secrets, or machines share a secret key.
/// </summary>
/// <param name="Published">The build key: it stands in manifests, tags and annotations.</param>
/// <param name="Local">The key of its installed disk in this machine's cache.</param>
internal sealed record BuildKeys(string Published, string Local)
{
    private const int Digits = 16;

    /// <summary>Whether other machines have the same keys for the same secrets, and others for other ones.</summary>
    public bool IsShareable => Local == Published;

    /// <summary>What a manifest keeps, so that this machine knows the images of these secrets again: an HMAC under a key that never leaves it. Null where the build key says it.</summary>
    public string? Mark { get; private init; }

    /// <param name="material">All that decides the installed disk, with its secrets masked.</param>
    /// <param name="secrets">All of it; the same if there are none.</param>
    /// <param name="shared">A secret key that machines share; null for none.</param>
    /// <param name="local">Gets a secret key that only this machine has; null where it has none yet.</param>
    public static BuildKeys Of(string material, string secrets, string? shared, Func<byte[]?> local)
    {
        if (material == secrets)
            return Same(Hash(material));
        if (shared is not null)
            return Same(Hash($"{material}\nsecrets {Mac(Encoding.UTF8.GetBytes(shared), secrets)}\n"));
        // Without a key nothing was built here yet, so that nothing may be found.
        var key = local() ?? RandomNumberGenerator.GetBytes(32);
        var mac = Mac(key, secrets);
        return new BuildKeys(Hash(material), mac) { Mark = $"{Mac(key, "crust local key")[..Digits]}-{mac}" };
    }

    /// <summary>Whether two marks can be compared: one machine's key made both.</summary>
    public static bool AreOfOneMachine(string? a, string? b) => a?.Split('-')[0] == b?.Split('-')[0];

    private static BuildKeys Same(string key) => new(key, key);

    private static string Hash(string material) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(material)));

    private static string Mac(byte[] key, string material) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(material)));
}
