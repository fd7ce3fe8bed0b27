using System.Buffers;
using System.Text;

namespace Crust.Sanitizing;

/// <summary>
/// Takes secrets out of a stream of bytes whose pieces may be cut anywhere, also inside a secret. All else passes as it is, whatever it is: only its text in UTF-8 is
/// looked at.
/// </summary>
internal sealed class RedactingFilter(Redactor redactor)
{
    private static readonly byte[] Mask = Encoding.UTF8.GetBytes(Redactor.Mask);

    private byte[] _held = [];

    /// <summary>What may be passed on of the stream so far. What may be the beginning of a secret is held back until more is known.</summary>
    public ReadOnlyMemory<byte> Pass(ReadOnlyMemory<byte> piece) => Filter(piece, isEnd: false);

    /// <summary>What was held back, at the stream's end.</summary>
    public ReadOnlyMemory<byte> End() => Filter(ReadOnlyMemory<byte>.Empty, isEnd: true);

    private ReadOnlyMemory<byte> Filter(ReadOnlyMemory<byte> piece, bool isEnd)
    {
        var bytes = _held.Length == 0 ? piece : (byte[])[.. _held, .. piece.Span];
        var spellings = redactor.Spellings;
        if (spellings == SecretSpellings.None || bytes.IsEmpty)
        {
            _held = [];
            return bytes;
        }

        var (text, places) = Read(bytes.Span, isEnd);
        var found = spellings.FindIn(text, isEnd, out var decided);
        _held = bytes[places[decided]..].ToArray();
        bytes = bytes[..places[decided]];
        if (found.Count == 0)
        {
            return bytes;
        }

        var masked = new MemoryStream(bytes.Length);
        var end = 0;
        foreach (var secret in found)
        {
            masked.Write(bytes.Span[end..places[secret.Start.Value]]);
            masked.Write(Mask);
            end = places[secret.End.Value];
            // Lines stay lines.
            for (var breaks = bytes.Span[places[secret.Start.Value]..end].Count((byte)'\n'); breaks > 0; breaks--)
            {
                masked.WriteByte((byte)'\n');
            }
        }

        masked.Write(bytes.Span[end..]);
        return masked.ToArray();
    }

    // The characters, and where the bytes of each begin; behind the last one's place stands where the text ends. A character that is cut off waits for its rest.
    private static (char[] Text, int[] Places) Read(ReadOnlySpan<byte> bytes, bool isEnd)
    {
        var (text, places) = (new char[bytes.Length], new int[bytes.Length + 1]);
        var (count, at) = (0, 0);
        while (at < bytes.Length)
        {
            places[count] = at;
            if (bytes[at] < 0x80)
            {
                text[count++] = (char)bytes[at++];
                continue;
            }

            var status = Rune.DecodeFromUtf8(bytes[at..], out var rune, out var length);
            if (status is OperationStatus.NeedMoreData && !isEnd)
            {
                break;
            }

            // As many bytes as characters at least: a rune of two characters has four bytes.
            count += rune.EncodeToUtf16(text.AsSpan(count));
            places[count - 1] = at;
            at += length;
        }

        places[count] = at;
        return (text[..count], places[..(count + 1)]);
    }
}
