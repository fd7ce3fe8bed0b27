using Crust.Disks;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Splicing;

/// <summary>A file that is put together of runs of another one, which are copied as they are, and of new bytes.</summary>
internal sealed class Splice
{
    internal const string BecameShorter = "The base image became shorter while it was read.";

    // Beyond this, another core hashes while this one copies.
    private const int Small = 1 << 20;

    private readonly List<SplicePiece> _pieces = [];

    /// <summary>How long it is so far, in bytes.</summary>
    public long Length { get; private set; }

    /// <summary>How many of its bytes are new.</summary>
    public long Fresh => _pieces.Sum(piece => (long)piece.Fresh.Length);

    /// <summary>The map of the disk in the file, for formats that have one beside them; null for none.</summary>
    public BlockMap? Map { get; init; }

    /// <summary>Adds a run of the other file.</summary>
    public void Copy(long offset, long length)
    {
        if (length <= 0)
        {
            return;
        }

        if (_pieces.Count > 0 && _pieces[^1] is { IsCopy: true } last && last.Offset + last.Length == offset)
        {
            _pieces[^1] = last with { Length = last.Length + length };
        }
        else
        {
            _pieces.Add(new SplicePiece(offset, length, ReadOnlyMemory<byte>.Empty));
        }

        Length += length;
    }

    /// <summary>Adds new bytes, which nobody changes any more.</summary>
    public void Add(ReadOnlyMemory<byte> fresh)
    {
        if (!fresh.IsEmpty)
        {
            _pieces.Add(new SplicePiece(0, 0, fresh));
            Length += fresh.Length;
        }
    }

    /// <summary>Writes the file.</summary>
    /// <param name="source">The other file.</param>
    /// <param name="path">The file to make, or to replace.</param>
    /// <returns>Its SHA-256 in hex.</returns>
    /// <exception cref="IOException">The other file can't be read or became shorter, or this one can't be written.</exception>
    public string WriteTo(string path, SafeFileHandle? source, CancellationToken cancellation)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        if (Length <= Small)
        {
            Write(file, source, cancellation);
            return SpliceHash.Of(_pieces, source, cancellation);
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var hashing = Task.Run(() => SpliceHash.Of(_pieces, source, stop.Token), CancellationToken.None);
        try
        {
            Write(file, source, cancellation);
            // It has to be on the disk before it gets its name, and takes no processor.
            RandomAccess.FlushToDisk(file);
        }
        catch
        {
            stop.Cancel();
            ((IAsyncResult)hashing).AsyncWaitHandle.WaitOne();
            throw;
        }

        return hashing.GetAwaiter().GetResult();
    }

    private void Write(SafeFileHandle file, SafeFileHandle? source, CancellationToken cancellation)
    {
        var at = 0L;
        foreach (var piece in _pieces)
        {
            if (piece.IsCopy)
            {
                FileRange.Copy(source ?? throw new InvalidOperationException("There is no other file."), piece.Offset, file, at, piece.Length, cancellation);
                at += piece.Length;
            }
            else
            {
                RandomAccess.Write(file, piece.Fresh.Span, at);
                at += piece.Fresh.Length;
            }
        }
    }
}

/// <summary>A run of another file, or new bytes.</summary>
internal sealed record SplicePiece(long Offset, long Length, ReadOnlyMemory<byte> Fresh)
{
    public bool IsCopy => Fresh.IsEmpty;
}
