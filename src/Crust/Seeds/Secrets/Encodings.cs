using System.IO.Compression;
using System.Text;

namespace Crust.Seeds.Secrets;

/// <summary>Takes the encodings from contents that documents carry: base64, gzip, data URLs.</summary>
internal static class Encodings
{
    // What unpacks to more isn't looked at: it may do so without end.
    private const int Most = 4 << 20;

    /// <summary>The content that an encoding of cloud-init's, Kairos' or systemd's names was made of; null if it isn't text, or isn't so encoded.</summary>
    public static string? Decode(string text, string encoding)
    {
        var names = encoding.ToLowerInvariant();
        return names.Contains("b64", StringComparison.Ordinal) || names.Contains("base64", StringComparison.Ordinal) ? FromBase64(text, names.StartsWith('g')) : null;
    }

    /// <summary>The content of a data URL (RFC 2397), perhaps gzipped; null if it is none, or no text.</summary>
    public static string? OfDataUrl(string url)
    {
        if (!url.StartsWith("data:", StringComparison.OrdinalIgnoreCase) || url.IndexOf(',') is not (>= 0 and var comma))
            return null;
        var data = url[(comma + 1)..];
        return url.AsSpan(0, comma).EndsWith(";base64", StringComparison.OrdinalIgnoreCase) ? FromBase64(Uri.UnescapeDataString(data), isGzip: false) : Uri.UnescapeDataString(data);
    }

    /// <summary>What a base64 was made of; null if it is none, or no text.</summary>
    public static string? FromBase64(string text, bool isGzip)
    {
        var compact = string.Concat(text.Where(c => !char.IsWhiteSpace(c))).Replace('-', '+').Replace('_', '/');
        compact = compact.PadRight((compact.Length + 3) / 4 * 4, '=');
        var bytes = new byte[compact.Length];
        if (compact.Length is 0 or > Most || !Convert.TryFromBase64String(compact, bytes, out var length))
            return null;
        bytes = bytes[..length];
        return isGzip || bytes is [0x1f, 0x8b, ..] ? Unpack(bytes) is { } unpacked ? AsText(unpacked) : null : AsText(bytes);
    }

    /// <summary>Bytes as text; null if they aren't.</summary>
    public static string? AsText(byte[] bytes)
    {
        if (bytes.AsSpan().Contains((byte)0))
            return bytes is [0xff, 0xfe, ..] ? Encoding.Unicode.GetString(bytes) : bytes is [0xfe, 0xff, ..] ? Encoding.BigEndianUnicode.GetString(bytes) : null;
        return Encoding.UTF8.GetString(bytes);
    }

    private static byte[]? Unpack(byte[] bytes)
    {
        try
        {
            using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
            var content = new byte[Most];
            var length = gzip.ReadAtLeast(content, Most, throwOnEndOfStream: false);
            return content[..length];
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
