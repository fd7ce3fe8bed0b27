using System.Security.Cryptography;
using System.Text;

namespace Crust.Trees;

/// <summary>A SHA-256 over all of a tree: paths, modes, owners, links, attributes and contents. Times play no part.</summary>
internal static class TreeDigest
{
    /// <exception cref="IOException">A file can't be read.</exception>
    public static string Of(FileTree tree)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var entry in tree.Entries)
        {
            Add(hash, Encoding.UTF8.GetBytes($"{entry.Kind} {(int)entry.Mode} {entry.Uid} {entry.Gid} {entry.Device.Major} {entry.Device.Minor} {entry.Content.Length}"));
            Add(hash, Encoding.UTF8.GetBytes(entry.Path));
            Add(hash, Encoding.UTF8.GetBytes(entry.LinkTarget));
            Add(hash, Encoding.UTF8.GetBytes($"{entry.Xattrs.Count}"));
            foreach (var (name, value) in entry.Xattrs)
            {
                Add(hash, Encoding.UTF8.GetBytes(name));
                Add(hash, value.AsSpan());
            }

            foreach (var piece in entry.Content.Pieces())
            {
                hash.AppendData(piece.Span);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // With the length in front, no two trees give the same bytes.
    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> value)
    {
        hash.AppendData(BitConverter.GetBytes((long)value.Length));
        hash.AppendData(value);
    }
}
