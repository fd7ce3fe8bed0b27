using System.Security.Cryptography;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Splicing;

/// <summary>
/// The SHA-256 of a splice, read where its pieces are and not from the file that is written: by another core, which waits for nobody, while the pieces are copied and synced.
/// </summary>
internal static class SpliceHash
{
    // Stays in a core's own cache between the read and the hash.
    private const int BufferLength = 256 << 10;

    /// <param name="pieces">Runs of the source, or new bytes.</param>
    /// <returns>In hex.</returns>
    /// <exception cref="IOException">The source can't be read or became shorter.</exception>
    public static string Of(IReadOnlyList<SplicePiece> pieces, SafeFileHandle? source, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = pieces.Any(piece => piece.IsCopy) ? new byte[BufferLength] : [];
        foreach (var piece in pieces)
        {
            hash.AppendData(piece.Fresh.Span);
            for (var done = 0L; done < piece.Length;)
            {
                cancellation.ThrowIfCancellationRequested();
                var part = buffer.AsSpan(0, (int)Math.Min(BufferLength, piece.Length - done));
                if (source!.ReadUpTo(part, piece.Offset + done) < part.Length)
                {
                    throw new EndOfStreamException(Splice.BecameShorter);
                }

                hash.AppendData(part);
                done += part.Length;
            }
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}
