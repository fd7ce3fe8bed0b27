using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>
/// Reads a sparse file in blocks of one size, in ascending order, and passes over those that lie in a hole: the time that it takes
/// grows with the data, not with the file. Blocks are counted from the file's start.
/// </summary>
/// <param name="file">The file; nobody else may use the handle's own position meanwhile.</param>
/// <param name="blockSize">The size of a block in bytes.</param>
internal sealed class BlockReader(SafeFileHandle file, int blockSize) : IDisposable
{
    private readonly IEnumerator<Extent> _extents = SparseFile.ReadExtents(file).GetEnumerator();
    private Extent _extent;
    private long _next;

    /// <summary>Finds the next block of which any byte is allocated, without reading it.</summary>
    /// <param name="index">The block's number; its offset is that times the block's size.</param>
    /// <returns>False if there is no further block.</returns>
    /// <exception cref="IOException">The file can't be read.</exception>
    public bool TryFind(out long index)
    {
        // Two extents may lie in one block, which is taken once.
        while (_next * blockSize >= _extent.End)
        {
            if (!_extents.MoveNext())
            {
                index = -1;
                return false;
            }

            _extent = _extents.Current;
            _next = Math.Max(_next, _extent.Offset / blockSize);
        }

        index = _next++;
        return true;
    }

    /// <summary>Reads the next block of which any byte is allocated. What lies behind the file's end reads as zeros.</summary>
    /// <param name="block">Filled with the block; as long as a block.</param>
    /// <param name="index">The block's number; its offset is that times the block's size.</param>
    /// <returns>False if there is no further block.</returns>
    /// <exception cref="IOException">The file can't be read.</exception>
    public bool TryRead(Span<byte> block, out long index)
    {
        if (!TryFind(out index))
        {
            return false;
        }

        block[file.ReadUpTo(block[..blockSize], index * blockSize)..blockSize].Clear();
        return true;
    }

    public void Dispose() => _extents.Dispose();
}
