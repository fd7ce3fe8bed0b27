using System.Security.Cryptography;
using Crust.Storage;

namespace Crust.Disks;

/// <summary>SHA-256 of a file; holes are hashed as the zeros they are, without being read.</summary>
internal static class SparseHash
{
    private const int BufferSize = 1 << 20;

    public static Task<string> ComputeAsync(string path, CancellationToken cancellation) => Task.Run(() =>
    {
        // Whatever stands in an image's place now, a FIFO would never be read to its end.
        using var file = RegularFile.Open(path, other => new IOException($"{path} is {other}"));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferSize];
        var zeros = new byte[BufferSize];
        long position = 0;
        foreach (var extent in SparseFile.ReadExtents(file).Append(new Extent(RandomAccess.GetLength(file), 0)))
        {
            for (; position < extent.Offset; position += Math.Min(BufferSize, extent.Offset - position))
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(zeros, 0, (int)Math.Min(BufferSize, extent.Offset - position));
            }

            while (position < extent.End)
            {
                cancellation.ThrowIfCancellationRequested();
                var piece = buffer.AsSpan(0, (int)Math.Min(BufferSize, extent.End - position));
                if (file.ReadUpTo(piece, position) < piece.Length)
                {
                    throw new EndOfStreamException($"{path} became shorter while it was read.");
                }

                hash.AppendData(piece);
                position += piece.Length;
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }, cancellation);
}
