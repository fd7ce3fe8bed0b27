using System.Security.Cryptography;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Splicing;

/// <summary>
/// A new file that is written from front to back, and hashed by another core meanwhile: of a whole image, which is mostly copied, hashing would take as long as all else.
/// Where no other core is free, the waiting one does it.
/// </summary>
/// <param name="path">The file to make, or to replace.</param>
internal sealed class SpliceWriter(string path) : IDisposable
{
    private const int BufferLength = 1 << 20;

    private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    // One is filled while the other is hashed.
    private readonly byte[][] _buffers = [new byte[BufferLength], new byte[BufferLength]];
    private Task _hashing = Task.CompletedTask;
    private long _length;
    private int _next;

    /// <summary>Writes new bytes, which nobody changes any more.</summary>
    /// <exception cref="IOException">They can't be written.</exception>
    public void Add(ReadOnlyMemory<byte> bytes)
    {
        _hashing.Wait();
        _hashing = Task.Run(() => _hash.AppendData(bytes.Span));
        Write(bytes.Span);
    }

    /// <summary>Writes a run of another file.</summary>
    /// <exception cref="IOException">It can't be read or became shorter, or this one can't be written.</exception>
    public void Copy(SafeFileHandle source, long offset, long length, CancellationToken cancellation)
    {
        for (var done = 0L; done < length;)
        {
            cancellation.ThrowIfCancellationRequested();
            var part = _buffers[_next].AsMemory(0, (int)Math.Min(BufferLength, length - done));
            if (source.ReadUpTo(part.Span, offset + done) < part.Length)
            {
                throw new EndOfStreamException("The base image became shorter while it was read.");
            }

            Add(part);
            _next = 1 - _next;
            done += part.Length;
        }
    }

    /// <summary>The SHA-256 of all that was written, in hex.</summary>
    public string Sha256()
    {
        _hashing.Wait();
        return Convert.ToHexStringLower(_hash.GetCurrentHash());
    }

    public void Dispose()
    {
        // It reads a buffer, and the hash isn't for two at once.
        _hashing.Wait();
        _file.Dispose();
        _hash.Dispose();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(_file, bytes, _length);
        _length += bytes.Length;
    }
}
