using System.Text;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Trees;

/// <summary>A file's bytes: in memory, or a range of a file on this host. Two entries that have the same one are two names of one file.</summary>
internal sealed class TreeContent
{
    private const int Piece = 1 << 20;

    private readonly byte[] _bytes = [];
    private readonly string? _path;
    private readonly long _offset;

    private TreeContent(byte[] bytes) => (_bytes, Length) = (bytes, bytes.Length);

    private TreeContent(string path, long offset, long length) => (_path, _offset, Length) = (path, offset, length);

    public static TreeContent Empty { get; } = new([]);

    public long Length { get; }

    public static TreeContent Of(byte[] bytes) => new(bytes);

    public static TreeContent Of(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>A range of a file, which is read when it is needed; a symbolic link at the path's end isn't followed.</summary>
    public static TreeContent OfFile(string path, long offset, long length) => new(path, offset, length);

    /// <summary>A part of it, or as much of that part as there is.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public byte[] Read(long offset, int length)
    {
        length = (int)Math.Clamp(Length - offset, 0, length);
        if (_path is null)
        {
            return _bytes.AsSpan((int)Math.Min(offset, Length), length).ToArray();
        }

        using var file = Open();
        var bytes = file.ReadUpTo(_offset + offset, length);
        return bytes.Length == length ? bytes : throw Changed();
    }

    /// <summary>All of it in pieces; each is good until the next is asked for.</summary>
    /// <exception cref="IOException">It can't be read, or is shorter by now.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Pieces()
    {
        if (_path is null)
        {
            yield return _bytes;
            yield break;
        }

        using var file = Open();
        var buffer = new byte[Math.Min(Piece, Length)];
        for (long done = 0; done < Length;)
        {
            var read = file.ReadUpTo(buffer.AsSpan(0, (int)Math.Min(buffer.Length, Length - done)), _offset + done);
            done += read > 0 ? read : throw Changed();
            yield return buffer.AsMemory(0, read);
        }
    }

    private SafeFileHandle Open() => Posix.TryOpen(_path!, Posix.ReadOnly | Posix.NonBlocking | Posix.NoFollow) ?? throw Posix.Error(_path!);

    private IOException Changed() => new($"{_path} became shorter while it was read");
}
