using Crust.Spec;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats;

/// <summary>
/// A raw disk that is unpacked from an image, perhaps one that is made to fill this host's disk: zeros become holes, and what it may hold is bounded by the length of
/// what it is unpacked from and by the free space.
/// </summary>
internal sealed class SparseDisk : IDisposable
{
    // A real disk's data shrinks to a tenth, one of nothing but repeated sectors to a hundredth.
    private const long MostPerByte = 1000;
    private const long Spared = 64 << 20;

    // What others on this file system need while it is unpacked.
    private const long Reserve = 64 << 20;
    private const long LookEvery = 64 << 20;
    private const int Block = 4 << 10;
    private const string Remedy = "free space, for instance with 'crust clean', or set CRUST_CACHE to another file system";

    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly string _image;
    private readonly Func<string, long> _freeSpace;
    private readonly long _most;
    private long _position;
    private long _data;
    private long _looked;

    /// <param name="path">Its path. There must be nothing.</param>
    /// <param name="image">The image that it is unpacked from.</param>
    /// <param name="freeSpace">Says how many bytes may be written to a folder's file system; null to ask the system.</param>
    public SparseDisk(string path, string image, Func<string, long>? freeSpace = null)
    {
        (_path, _image, _freeSpace) = (path, image, freeSpace ?? (folder => FolderSpace.Of(folder).Free));
        _most = Spared + Math.Min(new FileInfo(image).Length, long.MaxValue / MostPerByte / 2) * MostPerByte;
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
    }

    /// <exception cref="CrustException">There is no space for the data, it is more than an image of this length can hold, or the disk would be longer than a file can be.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            // A file system of 10 TiB has a block here and there: only these are data, whatever is between them.
            var zeros = Run(bytes, ofZeros: true);
            _position += zeros;
            bytes = bytes[zeros..];
            if (Run(bytes, ofZeros: false) is var length and > 0)
            {
                Require(length);
                Write(bytes[..length]);
                _position += length;
                bytes = bytes[length..];
            }
        }
    }

    /// <summary>Gives the disk its length, which is what was appended or more.</summary>
    /// <exception cref="CrustException">It is longer than a file can be.</exception>
    public void Finish(long length)
    {
        try
        {
            RandomAccess.SetLength(_file, Math.Max(length, _position));
        }
        catch (Exception e) when (e is IOException or ArgumentOutOfRangeException)
        {
            throw Failure(e);
        }
    }

    /// <summary>Gives the disk the length of what was appended.</summary>
    /// <exception cref="CrustException">It is longer than a file can be.</exception>
    public void Finish() => Finish(_position);

    public void Dispose() => _file.Dispose();

    private string Folder => Path.GetDirectoryName(_path)!;

    // Bytes in the blocks at the start that are all zeros, or all aren't.
    private static int Run(ReadOnlySpan<byte> bytes, bool ofZeros)
    {
        var length = 0;
        while (length < bytes.Length && !bytes.Slice(length, Math.Min(Block, bytes.Length - length)).ContainsAnyExcept((byte)0) == ofZeros)
        {
            length += Math.Min(Block, bytes.Length - length);
        }

        return length;
    }

    private void Write(ReadOnlySpan<byte> piece)
    {
        try
        {
            RandomAccess.Write(_file, piece, _position);
        }
        catch (Exception e) when (e is IOException or ArgumentOutOfRangeException)
        {
            throw Failure(e);
        }
    }

    private void Require(int more)
    {
        _data += more;
        if (_data > _most)
        {
            throw new CrustException(FailureKind.BadInput, $"The image unpacks to more than {MostPerByte} times its length, which is {Size.Format(new FileInfo(_image).Length)}: no disk does", _image,
                "don't use it unless you know why; unpack it yourself, where there is room for it, and give the raw disk");
        }

        if (_data - _looked >= LookEvery)
        {
            _looked = _data;
            if (_freeSpace(Folder) is var free && free < LookEvery + Reserve)
            {
                throw new CrustException(FailureKind.HostLacks, $"There is too little space to unpack the image: {Size.Format(free)} are left after {Size.Format(_data)} of its data", Folder, Remedy);
            }
        }
    }

    private CrustException Failure(Exception e) => NoSpace.IsReasonOf(e)
        ? new(FailureKind.HostLacks, $"There is too little space to unpack the image, after {Size.Format(_data)} of its data", Folder, Remedy, e)
        : new(FailureKind.InputOutput, $"The unpacked disk can't be written: {e.Message}", _path, "check that the cache's file system takes files as long as the image's disk", e);
}
