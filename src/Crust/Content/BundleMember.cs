using System.Security.Cryptography;
using Crust.Trees;

namespace Crust.Content;

/// <summary>A file of the archive that a bundle is, once it is unpacked.</summary>
/// <param name="Header">What stands before its content.</param>
/// <param name="Content">Its bytes; none for folders and links.</param>
/// <param name="Sha256">The SHA-256 that they must have, in hex; null where there are none.</param>
/// <param name="Where">The path on this host, for errors; empty for what Crust wrote itself.</param>
internal sealed record BundleMember(TarMember Header, TreeContent Content, string? Sha256, string Where)
{
    /// <summary>Whether it is a blob of the cache, which may be removed and pulled again.</summary>
    public bool IsCached { get; init; }

    public static BundleMember Of(string name, byte[] content) => new(new TarMember(name, content.Length), TreeContent.Of(content), Convert.ToHexStringLower(SHA256.HashData(content)), "");

    /// <summary>All of it in pieces; each is good until the next is asked for.</summary>
    /// <exception cref="CrustException">The content isn't what it was, or can't be read.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Pieces()
    {
        yield return Header.Header();
        if (Sha256 is not null)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var piece in Guarded())
            {
                hash.AppendData(piece.Span);
                yield return piece;
            }

            if (Convert.ToHexStringLower(hash.GetCurrentHash()) is var actual && actual != Sha256)
            {
                throw Damaged(actual);
            }
        }

        yield return new byte[Header.Padding];
    }

    private IEnumerable<ReadOnlyMemory<byte>> Guarded()
    {
        using var pieces = Content.Pieces().GetEnumerator();
        while (Next(pieces))
        {
            yield return pieces.Current;
        }
    }

    private bool Next(IEnumerator<ReadOnlyMemory<byte>> pieces)
    {
        try
        {
            return pieces.MoveNext();
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"What is to be packed can't be read: {e.Message}", Where,
                "leave it where it is until the bundle is written, and check the drive that it is on", e);
        }
    }

    private CrustException Damaged(string actual)
    {
        if (IsCached)
        {
            File.Delete(Where);
            return new CrustException(FailureKind.InputOutput, $"A blob in the cache was damaged: it has the SHA-256 {actual}, and {Sha256} is expected", Where,
                "run it again, which pulls the blob anew; check the drive that the cache is on");
        }

        return new CrustException(FailureKind.InputOutput, "A file changed while it was packed", Where, "leave it alone until the bundle is written, and run it again");
    }
}
