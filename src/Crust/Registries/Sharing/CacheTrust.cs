using System.Collections.Immutable;
using System.Text;
using Crust.Attestation;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Registries.Sharing;

/// <summary>Whose signatures a build believes what is in a shared cache. Without keys it believes whoever may write there.</summary>
/// <param name="tools">Needs ssh-keygen or gpg.</param>
/// <param name="keys">The keys: lines of OpenSSH's public keys or allowed signers, and paths of files with these or with GPG's public keys.</param>
/// <param name="folder">The cache's folder: what is checked lies there for a while.</param>
internal sealed class CacheTrust(ToolBox tools, ImmutableArray<string> keys, string folder)
{
    /// <summary>What the signature of a disk is.</summary>
    private const string SignatureType = "application/vnd.crust.cache-signature.v1";

    private const string SshMark = "-----BEGIN SSH SIGNATURE-----";
    private const int LongestSignature = 1 << 16;

    private readonly SignatureChecker _checker = new(tools, "the artifact");

    /// <summary>Whether what isn't signed is refused.</summary>
    public bool IsWanted => !keys.IsEmpty;

    /// <exception cref="CrustException">A file of keys isn't there.</exception>
    public void CheckKeys()
    {
        foreach (var file in keys.Where(key => !CacheType.IsKey(key)))
        {
            RegularFile.Require(file, "file of keys in cache.trust", "name a file with OpenSSH's public keys or allowed signers, or with GPG's public keys");
        }
    }

    /// <summary>Checks that a disk's artifact is signed by one of the keys.</summary>
    /// <exception cref="InvalidDataException">It isn't.</exception>
    public async Task CheckAsync(Registry registry, RegistryReference name, string digest, string buildKey, CancellationToken cancellation)
    {
        if (!IsWanted)
        {
            return;
        }

        var at = name.With(TagOf(digest));
        if (await registry.ReadAsync(at, cancellation) is not { } signed || Attachments.FileOf(signed.Json, digest) is not { Size: <= LongestSignature } file)
        {
            throw new InvalidDataException("it isn't signed, and cache.trust says who has to have signed it");
        }

        var pulled = await registry.PullAsync(at.With(signed.Digest), _ => { }, cancellation);
        await CheckAsync(Statement(digest, buildKey), await File.ReadAllBytesAsync(Path.Combine(pulled, file.Sha256), cancellation), cancellation);
    }

    /// <summary>Checks that something is signed by one of the keys.</summary>
    /// <param name="signature">The signature; null if there is none.</param>
    /// <exception cref="InvalidDataException">It isn't.</exception>
    public async Task CheckAsync(byte[] content, byte[]? signature, CancellationToken cancellation)
    {
        if (!IsWanted)
        {
            return;
        }

        if (signature is null)
        {
            throw new InvalidDataException("it isn't signed, and cache.trust says who has to have signed it");
        }

        using var scratch = new ScratchFolder(folder);
        var isSsh = Encoding.UTF8.GetString(signature).Contains(SshMark, StringComparison.Ordinal);
        var file = Path.Combine(scratch.Path, "content");
        await File.WriteAllBytesAsync(file, content, cancellation);
        await File.WriteAllBytesAsync(file + (isSsh ? Signer.SshExtension : Signer.GpgExtension), signature, cancellation);
        CrustException? why = null;
        foreach (var (ring, i) in RingsFor(isSsh, scratch.Path).Select((ring, i) => (ring, i)))
        {
            try
            {
                await _checker.CheckAsync(file, ring, Directory.CreateDirectory(Path.Combine(scratch.Path, $"home-{i}")).FullName, cancellation);
                return;
            }
            catch (CrustException e) when (e.Kind is FailureKind.BadInput)
            {
                why = e;
            }
        }

        throw new InvalidDataException($"it isn't signed by a key of cache.trust: {why?.What ?? $"it is signed by {(isSsh ? "an OpenSSH" : "a GPG")} key, and there is none such"}", why);
    }

    /// <summary>Signs a disk that is in the registry, under a tag that is made of its digest.</summary>
    public static async Task SignAsync(Registry registry, RegistryReference name, Artifact disk, string buildKey, Signer signer, SignSpec sign, string scratch, CancellationToken cancellation)
    {
        var file = Path.Combine(scratch, "disk.statement");
        await File.WriteAllBytesAsync(file, Statement(disk.Manifest.Digest, buildKey), cancellation);
        var signature = await signer.SignAsync(sign, file, cancellation);
        var attached = Artifact.Attached(SignatureType, "text/plain", Path.GetFileName(signature.Path), await File.ReadAllBytesAsync(signature.Path, cancellation), disk.Descriptor, scratch);
        await registry.PushAsync(attached.Source, name.With(TagOf(disk.Manifest.Digest)), attached.Manifest, null, cancellation);
    }

    // The digest is that of the manifest, which names the disk and what lies beside it by theirs. A provenance, which the same key signs, never looks like this.
    private static byte[] Statement(string digest, string buildKey) => Encoding.UTF8.GetBytes($"crust cache disk 1\nkey {buildKey}\ndigest {digest}\n");

    private static string TagOf(string digest) => Attachments.ListOf(digest) + ".sig";

    private IEnumerable<string> RingsFor(bool isSsh, string scratch)
    {
        var files = keys.Where(key => !CacheType.IsKey(key)).ToLookup(SignatureChecker.HoldsGpgKeys);
        if (!isSsh)
        {
            return files[true];
        }

        var lines = keys.Where(CacheType.IsKey).Concat(files[false].SelectMany(File.ReadLines)).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')
            // Without a name before it, it is a public key.
            .Select(line => CacheType.IsPublicKey(line) ? $"trusted {line}" : line).ToList();
        if (lines.Count == 0)
        {
            return [];
        }

        var allowed = Path.Combine(scratch, "allowed");
        File.WriteAllLines(allowed, lines);
        return [allowed];
    }
}
