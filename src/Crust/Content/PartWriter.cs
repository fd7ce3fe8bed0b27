using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Storage;

namespace Crust.Content;

/// <summary>Writes a stream into parts of a bounded length, each hashed on the way, and the whole, too.</summary>
/// <param name="folder">Where the parts are written.</param>
/// <param name="name">The bundle's name.</param>
/// <param name="split">The most bytes of a part; null for one file.</param>
internal sealed class PartWriter(string folder, string name, long? split) : IDisposable
{
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<ContentPart> _parts = [];
    private HashedFile? _file;

    /// <summary>How long all parts together are so far, in bytes.</summary>
    public long Length { get; private set; }

    /// <exception cref="IOException">It can't be written.</exception>
    public void Append(ReadOnlySpan<byte> data)
    {
        _whole.AppendData(data);
        Length += data.Length;
        while (!data.IsEmpty)
        {
            if (_file is not null && _file.Length == split)
            {
                EndPart();
            }

            _file ??= new HashedFile(Path.Combine(folder, NameOfNext()));
            var piece = data[..(int)Math.Min(data.Length, (split ?? long.MaxValue) - _file.Length)];
            _file.Append(piece);
            data = data[piece.Length..];
        }
    }

    /// <summary>Ends the last part. All are in the folder, none is placed yet.</summary>
    /// <returns>The parts in their order, and the SHA-256 of all of them joined, in hex.</returns>
    public (ImmutableArray<ContentPart> Parts, string Sha256) Finish()
    {
        EndPart();
        return ([.. _parts], Convert.ToHexStringLower(_whole.GetCurrentHash()));
    }

    public void Dispose()
    {
        _file?.Dispose();
        _whole.Dispose();
    }

    private string NameOfNext() => split is null ? PartNames.Whole(name) : PartNames.Of(name, _parts.Count);

    private void EndPart()
    {
        if (_file is { } file)
        {
            _parts.Add(new ContentPart(NameOfNext(), file.Length, file.Sha256()));
            file.Dispose();
            _file = null;
        }
    }
}
