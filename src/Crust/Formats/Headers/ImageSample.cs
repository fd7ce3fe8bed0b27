using System.IO.Compression;
using Crust.Formats.Zstd;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Headers;

/// <summary>The bytes at a file's start and at its end, which show the kind of an image, whatever its name is.</summary>
internal sealed class ImageSample
{
    /// <summary>Bytes in a sector.</summary>
    public const int Sector = 512;

    // Up to the end of the last name that a file system has in it: btrfs's.
    private const int HeadLength = 0x10048;

    private readonly byte[] _head = new byte[HeadLength];
    private readonly byte[] _lastSector = new byte[Sector];
    private readonly int _length;

    private ImageSample(SafeFileHandle file, long offset, long end)
    {
        Size = end - offset;
        _length = (int)Math.Min(file.ReadUpTo(_head, offset), Math.Max(0, Size));
        if (Size > Sector && file.ReadUpTo(_lastSector, end - Sector) < Sector)
        {
            _lastSector = [];
        }
    }

    /// <summary>Length of the file, in bytes.</summary>
    public long Size { get; }

    /// <summary>Whether what was read holds nothing but zeros.</summary>
    public bool IsEmpty => !_head.AsSpan(0, _length).ContainsAnyExcept((byte)0);

    /// <exception cref="IOException">It can't be read.</exception>
    public static ImageSample Of(SafeFileHandle file, FilePart? part = null) =>
        part is null ? new(file, 0, RandomAccess.GetLength(file)) : new(file, part.Offset, part.Offset + part.Length);

    /// <summary>Whether the file has these bytes at an offset.</summary>
    public bool Has(int offset, ReadOnlySpan<byte> bytes) => _length >= offset + bytes.Length && _head.AsSpan(offset).StartsWith(bytes);

    /// <summary>Whether it begins with a member of a tar archive, in any of tar's formats since POSIX's.</summary>
    public bool IsTar => Has(257, "ustar"u8);

    /// <summary>Whether it is a tar archive, compressed with gzip or zstd, whose first member's name begins like this.</summary>
    public bool IsCompressedTarOf(ReadOnlySpan<byte> firstMember)
    {
        var start = Has(0, [0x1f, 0x8b]) ? GunzippedStart() : Has(0, ZstdMagic) ? ZstdDecompressor.FirstFrameIn(_head.AsSpan(0, _length)) : [];
        return start.AsSpan(Math.Min(257, start.Length)).StartsWith("ustar"u8) && start.AsSpan().StartsWith(firstMember);
    }

    private static ReadOnlySpan<byte> ZstdMagic => [0x28, 0xb5, 0x2f, 0xfd];

    private byte[] GunzippedStart()
    {
        var start = new byte[Sector];
        try
        {
            using var gzip = new GZipStream(new MemoryStream(_head, 0, _length), CompressionMode.Decompress);
            return start[..gzip.ReadAtLeast(start, Sector, throwOnEndOfStream: false)];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    /// <summary>Whether the file's last sector, before which there is something, begins with these bytes.</summary>
    public bool HasInLastSector(ReadOnlySpan<byte> bytes) => _lastSector.AsSpan().StartsWith(bytes);
}
