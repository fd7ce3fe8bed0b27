using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Crust.Disks;

/// <summary>
/// A name for what a disk holds: a SHA-256 over its size and its blocks that aren't zeros. Unlike a SHA-256 of the raw file
/// it takes no time for holes, and unlike the build key it differs where two installs of the same left different bytes.
/// </summary>
internal static class DiskContent
{
    private const int BlockSize = 64 * 1024;

    /// <summary>
    /// The content's SHA-256 in hex: over the size in bytes, and then, in ascending order, the number and the bytes of each block of
    /// 64 KiB that has a byte other than zero. Numbers are of 64 bits, the least significant byte first; the last block is filled up with zeros.
    /// </summary>
    /// <exception cref="IOException">The disk can't be read.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static string Hash(string path, CancellationToken cancellation)
    {
        using var disk = File.OpenHandle(path);
        using var blocks = new BlockReader(disk, BlockSize);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // A block's number stands before its bytes, so that both are hashed in one go.
        var numbered = new byte[sizeof(long) + BlockSize];
        BinaryPrimitives.WriteInt64LittleEndian(numbered, RandomAccess.GetLength(disk));
        hash.AppendData(numbered, 0, sizeof(long));
        while (blocks.TryRead(numbered.AsSpan(sizeof(long)), out var index))
        {
            cancellation.ThrowIfCancellationRequested();
            if (numbered.AsSpan(sizeof(long)).ContainsAnyExcept((byte)0))
            {
                BinaryPrimitives.WriteInt64LittleEndian(numbered, index);
                hash.AppendData(numbered);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
