using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Zstd;

/// <summary>Buffers for one slot of a disk, used again and again: what is read, and the frame that it becomes.</summary>
internal sealed class ZstdSlot(SafeFileHandle disk, int size, int level) : IDisposable
{
    // What file systems allocate by, and disks are written by.
    private const int Block = 4096;

    private readonly ZstdCompressor _compressor = new(level);
    private readonly byte[] _content = new byte[size];
    private readonly byte[] _frame = new byte[ZstdCompressor.Bound(size)];
    private int _frameLength;

    /// <summary>Where the slot starts on the disk.</summary>
    public long Start { get; set; }

    /// <summary>Where its data starts on the disk.</summary>
    public long Offset { get; private set; }

    /// <summary>From the first block with data to the last; 0 if there are only zeros.</summary>
    public int Length { get; private set; }

    /// <summary>The data, compressed.</summary>
    public ReadOnlyMemory<byte> Frame => _frame.AsMemory(0, _frameLength);

    /// <summary>The data's SHA-256 in hex.</summary>
    public string Sha256 { get; private set; } = "";

    /// <summary>Reads the slot, drops zeros at both ends, hashes and compresses.</summary>
    public void Pack()
    {
        var filled = 0;
        for (var read = -1; read != 0 && filled < size; filled += read)
        {
            read = RandomAccess.Read(disk, _content.AsSpan(filled), Start + filled);
        }

        var content = _content.AsSpan(0, filled);
        var first = content.IndexOfAnyExcept((byte)0) / Block * Block;
        var last = content.LastIndexOfAnyExcept((byte)0);
        Offset = Start + first;
        Length = last < 0 ? 0 : Math.Min(filled, (last / Block + 1) * Block) - first;
        if (Length > 0)
        {
            var data = content.Slice(first, Length);
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(data));
            _frameLength = _compressor.Compress(data, _frame);
        }
    }

    public void Dispose() => _compressor.Dispose();
}
