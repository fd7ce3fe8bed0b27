using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Crust.Storage;

/// <summary>A new file that is written from front to back and hashed on the way, so that nobody reads it again for its SHA-256.</summary>
/// <exception cref="IOException">It can't be made.</exception>
internal sealed class HashedFile(string path) : IDisposable
{
    private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>How long it is so far, in bytes.</summary>
    public long Length { get; private set; }

    /// <exception cref="IOException">It can't be written.</exception>
    public void Append(ReadOnlySpan<byte> data)
    {
        RandomAccess.Write(_file, data, Length);
        _hash.AppendData(data);
        Length += data.Length;
    }

    /// <summary>Writes pieces at the end, one after the other.</summary>
    /// <exception cref="IOException">They can't be written.</exception>
    public void Append(IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        foreach (var piece in pieces)
        {
            Append(piece.Span);
        }
    }

    /// <summary>The SHA-256 of all that was written, in hex.</summary>
    public string Sha256() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }
}
