using System.Text;
using Crust.Sanitizing;

namespace Crust.Machines;

/// <summary>
/// The text of a serial port as a person would read it: without escape sequences and control characters, the last part kept. Secrets are in it: it is judged, and
/// shown only through a <see cref="Redactor"/>. Bytes come in
/// arbitrary pieces; memory is bounded whatever the guest writes.
/// </summary>
internal sealed class SerialText
{
    private const int Kept = 64 << 10;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly TerminalText _seen = new();
    private readonly StringBuilder _tail = new();
    private long _received;

    public long Received => Interlocked.Read(ref _received);

    /// <summary>The last 64 KiB of text.</summary>
    public string Tail
    {
        get
        {
            lock (_tail)
            {
                return _tail.ToString();
            }
        }
    }

    /// <summary>Takes the next bytes and returns the text that is new, preceded by the unfinished line before it.</summary>
    public string Append(ReadOnlySpan<byte> bytes)
    {
        Interlocked.Add(ref _received, bytes.Length);
        var chars = new char[_decoder.GetCharCount(bytes, flush: false)];
        _decoder.GetChars(bytes, chars, flush: false);
        lock (_tail)
        {
            var lineStart = LastLineStart();
            _seen.Append(chars, _tail);
            var fresh = _tail.ToString(lineStart, _tail.Length - lineStart);
            if (_tail.Length > 2 * Kept)
            {
                _tail.Remove(0, _tail.Length - Kept);
            }

            return fresh;
        }
    }

    private int LastLineStart()
    {
        var i = _tail.Length;
        while (i > 0 && _tail[i - 1] != '\n' && _tail.Length - i < 1024)
        {
            i--;
        }

        return i;
    }
}
