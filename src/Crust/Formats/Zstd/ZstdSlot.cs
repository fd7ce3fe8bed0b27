using Crust.Disks;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Zstd;

/// <summary>Buffers for one range of a disk, used again and again: what is read, and the frame that it becomes.</summary>
internal sealed class ZstdSlot(SafeFileHandle disk, int level) : IDisposable
{
    private readonly ZstdCompressor _compressor = new(level);
    private readonly byte[] _content = new byte[BlockMap.Slot];
    private readonly byte[] _frame = new byte[ZstdCompressor.Bound(BlockMap.Slot)];
    private int _frameLength;

    public BlockRange Range { get; set; }

    /// <summary>The data, compressed.</summary>
    public ReadOnlyMemory<byte> Frame => _frame.AsMemory(0, _frameLength);

    /// <exception cref="EndOfStreamException">The disk has become shorter.</exception>
    public void Pack()
    {
        var content = _content.AsSpan(0, Range.Length);
        if (disk.ReadUpTo(content, Range.Offset) < content.Length)
        {
            throw new EndOfStreamException("The installed disk became shorter while it was read.");
        }

        _frameLength = _compressor.Compress(content, _frame);
    }

    public void Dispose() => _compressor.Dispose();
}
