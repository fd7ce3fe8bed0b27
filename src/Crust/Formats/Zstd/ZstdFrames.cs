using System.Collections.Immutable;

namespace Crust.Formats.Zstd;

/// <summary>Reads what a stream in zstd's seekable format unpacks to, frame by frame, from front to back.</summary>
/// <param name="file">The stream; it is closed with this one.</param>
/// <param name="path">Its path.</param>
/// <exception cref="InvalidDataException">It has no table of its frames.</exception>
internal sealed class ZstdFrames(FileStream file, string path) : Stream
{
    private const int MostInFrame = 128 << 20;

    private readonly ImmutableArray<ZstdFrame> _frames = SeekTable.Read(path);
    private byte[] _content = [];
    private int _length;
    private int _position;
    private int _next;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="InvalidDataException">A frame is damaged, or isn't there.</exception>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        while (_position == _length && _next < _frames.Length)
        {
            Unpack(_frames[_next++]);
        }

        var count = Math.Min(buffer.Length, _length - _position);
        _content.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Unpack(ZstdFrame frame)
    {
        if (frame.ContentLength > MostInFrame || frame.Offset + frame.Length > file.Length)
        {
            throw new InvalidDataException("the table at its end names a frame that isn't there");
        }

        var packed = new byte[frame.Length];
        file.Position = frame.Offset;
        file.ReadExactly(packed);
        _content = _content.Length >= frame.ContentLength ? _content : new byte[frame.ContentLength];
        ZstdDecompressor.Decompress(packed, _content.AsSpan(0, frame.ContentLength));
        (_length, _position) = (frame.ContentLength, 0);
    }
}
