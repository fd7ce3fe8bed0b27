using System.Text;
using System.Text.RegularExpressions;

namespace Crust.Machines;

/// <summary>
/// The text of a serial port as a person would read it: escape sequences removed, the last part kept. Bytes come in
/// arbitrary pieces; memory is bounded whatever the guest writes.
/// </summary>
internal sealed partial class SerialText
{
    private const int Kept = 64 << 10;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _tail = new();
    private string _unfinished = "";
    private long _received;

    /// <summary>Bytes that came.</summary>
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

    /// <summary>A text without escape sequences, with one kind of line breaks.</summary>
    public static string Clean(string raw) => EscapeSequence().Replace(raw, "").Replace("\r\n", "\n").Replace('\r', '\n').Replace("\0", "");

    /// <summary>Takes the next bytes and returns the text that is new, preceded by the unfinished line before it.</summary>
    public string Append(ReadOnlySpan<byte> bytes)
    {
        Interlocked.Add(ref _received, bytes.Length);
        var chars = new char[_decoder.GetCharCount(bytes, flush: false)];
        _decoder.GetChars(bytes, chars, flush: false);
        var raw = _unfinished + new string(chars);

        // An escape sequence may be cut in two; what may be the start of one waits for the rest.
        var escape = raw.LastIndexOf('\e');
        var cut = escape >= 0 && raw.Length - escape < 32 && !EscapeSequence().IsMatch(raw.AsSpan(escape)) ? escape : raw.Length;
        _unfinished = raw[cut..];
        var text = Clean(raw[..cut]);
        lock (_tail)
        {
            var lineStart = LastLineStart();
            _tail.Append(text);
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

    // ECMA-48: CSI sequences, OSC strings, and two-character escapes.
    [GeneratedRegex(@"\e(\[[0-?]*[ -/]*[@-~]|\][^\a\e]*(\a|\e\\)|[()][0-9A-Za-z]|[ -/]*[0-Z\\-~])")]
    private static partial Regex EscapeSequence();
}
