using System.Text;

namespace Crust.Tools;

/// <summary>
/// Decodes what a program writes as UTF-8, keeps the last MiB, and hands out lines as they come. A line ends at CR or LF: progress displays rewrite
/// theirs with CR.
/// </summary>
internal sealed class OutputTail(Action<string>? onLine)
{
    private const int Kept = 1 << 20;
    private const int LongestLine = 1 << 16;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _tail = new();
    private readonly StringBuilder _line = new();
    private readonly char[] _text = new char[4096];

    public override string ToString() => _tail.ToString();

    /// <summary>Reads a pipe to its end, as <see cref="OutputPipe"/> does.</summary>
    public async Task ReadAsync(Stream pipe, Task overdue)
    {
        await OutputPipe.ReadAsync(pipe, overdue, bytes => Append(bytes.Span, isEnd: false));
        Append([], isEnd: true);
        // The last line may have no end.
        EndLine();
    }

    private void Append(ReadOnlySpan<byte> bytes, bool isEnd)
    {
        for (var all = false; !all;)
        {
            _decoder.Convert(bytes, _text, flush: isEnd, out var used, out var length, out all);
            bytes = bytes[used..];
            Keep(_text.AsSpan(0, length));
            SplitLines(_text.AsSpan(0, length));
        }
    }

    private void Keep(ReadOnlySpan<char> text)
    {
        _tail.Append(text);
        if (_tail.Length > 2 * Kept)
        {
            _tail.Remove(0, _tail.Length - Kept);
        }
    }

    private void SplitLines(ReadOnlySpan<char> text)
    {
        if (onLine is null)
        {
            return;
        }

        foreach (var c in text)
        {
            if (c is '\r' or '\n')
            {
                EndLine();
            }
            else if (_line.Length < LongestLine)
            {
                _line.Append(c);
            }
        }
    }

    private void EndLine()
    {
        if (_line.Length > 0)
        {
            var line = _line.ToString();
            _line.Clear();
            onLine?.Invoke(line);
        }
    }
}
