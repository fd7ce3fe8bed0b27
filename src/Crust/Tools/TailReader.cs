using System.Text;

namespace Crust.Tools;

/// <summary>
/// Reads a stream to its end on a thread of its own, keeps the last MiB, and hands out lines as they come.
/// A line ends at CR or LF: progress displays rewrite theirs with CR.
/// </summary>
internal sealed class TailReader
{
    private const int Kept = 1 << 20;
    private const int LongestLine = 1 << 16;

    private readonly StringBuilder _tail = new();
    private readonly StringBuilder _line = new();
    private readonly Action<string>? _onLine;
    private readonly Thread _thread;

    public TailReader(TextReader reader, Action<string>? onLine)
    {
        _onLine = onLine;
        _thread = new Thread(() => ReadAll(reader)) { IsBackground = true, Name = "tool output" };
        _thread.Start();
    }

    /// <summary>
    /// What was read. A grandchild may have inherited the stream and hold it open after the program's end,
    /// so the wait for its end is bounded.
    /// </summary>
    public string Finish()
    {
        _thread.Join(TimeSpan.FromSeconds(2));
        lock (_tail)
        {
            return _tail.ToString();
        }
    }

    private void ReadAll(TextReader reader)
    {
        var buffer = new char[4096];
        try
        {
            for (int read; (read = reader.Read(buffer, 0, buffer.Length)) > 0;)
            {
                Keep(buffer.AsSpan(0, read));
                SplitLines(buffer.AsSpan(0, read));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The program was killed while it wrote; what came before is kept.
        }
        finally
        {
            // Who has asked a Process for its streams has to close them.
            reader.Dispose();
        }

        EndLine();
    }

    private void Keep(ReadOnlySpan<char> text)
    {
        lock (_tail)
        {
            _tail.Append(text);
            if (_tail.Length > 2 * Kept)
            {
                _tail.Remove(0, _tail.Length - Kept);
            }
        }
    }

    private void SplitLines(ReadOnlySpan<char> text)
    {
        if (_onLine is null)
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
            _onLine?.Invoke(_line.ToString());
            _line.Clear();
        }
    }
}
