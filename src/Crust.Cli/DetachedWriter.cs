using System.Text;

namespace Crust.Cli;

/// <summary>
/// Standard error with a queue before it and a thread of its own: a write never waits for the reader. Behind a pager that isn't paged, or on a terminal that was
/// stopped (Ctrl-S), a write doesn't return, and a build that waited for it would stand still while its machine's deadline runs.
/// </summary>
/// <param name="inner">Gets what is written, in its order.</param>
/// <param name="time">Measures how long nothing was taken.</param>
internal sealed class DetachedWriter(TextWriter inner, TimeProvider time) : TextWriter
{
    /// <summary>How long a stream may take nothing at all before the end of the program is no longer put off for it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Some thousand lines of progress.
    private const int MostWaiting = 256 << 10;

    // What a pipe takes at once; that it takes something shows that somebody reads.
    private const int Slice = 4096;

    private readonly Lock _start = new();
    private readonly object _gate = new();
    private readonly Queue<string> _waiting = new();
    private Thread? _thread;
    private long _waitingChars;
    private long _slices;
    private long _lost;
    private bool _isWriting;

    /// <summary>The text that stands in the place of messages that were dropped, by their number.</summary>
    public Func<long, string> LossText { get; set; } = _ => "";

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <summary>Writes progress: it is dropped, and counted, where too much of it waits already.</summary>
    public override void Write(string? value) => Add(value ?? "", isKept: false);

    /// <summary>Writes what has to be seen, such as an error: it is never dropped.</summary>
    public void WriteKept(string value) => Add(value, isKept: true);

    /// <summary>Does nothing, as it would have to wait for the reader. <see cref="Drain"/> waits.</summary>
    public override void Flush()
    {
    }

    /// <summary>Waits until all is written, as long as the stream takes something from time to time.</summary>
    /// <param name="patience">How long it may take nothing.</param>
    /// <returns>Whether all is written.</returns>
    public bool Drain(TimeSpan patience)
    {
        lock (_gate)
        {
            var (seen, since) = (_slices, time.GetTimestamp());
            while (_isWriting || _waiting.Count > 0 || _lost > 0)
            {
                if (seen != _slices)
                    (seen, since) = (_slices, time.GetTimestamp());
                var left = patience - time.GetElapsedTime(since);
                if (left <= TimeSpan.Zero)
                    return false;
                Monitor.Wait(_gate, left);
            }

            return true;
        }
    }

    private void Add(string text, bool isKept)
    {
        if (text.Length == 0)
            return;
        EnsureThread();
        lock (_gate)
        {
            // What comes behind a gap stands behind the words that tell of it.
            if (!isKept && (_lost > 0 || _waitingChars + text.Length > MostWaiting))
            {
                _lost++;
            }
            else
            {
                if (_lost > 0)
                    Enqueue(TakeLoss());
                Enqueue(text);
            }

            Monitor.PulseAll(_gate);
        }
    }

    private void Enqueue(string text)
    {
        _waiting.Enqueue(text);
        _waitingChars += text.Length;
    }

    private string TakeLoss()
    {
        var text = LossText(_lost);
        _lost = 0;
        return text;
    }

    // It may be stuck in a write for ever, which isn't to keep the program from ending.
    private void EnsureThread()
    {
        lock (_start)
        {
            if (_thread is null)
            {
                _thread = new Thread(WriteAll) { IsBackground = true, Name = "standard error" };
                _thread.Start();
            }
        }
    }

    private void WriteAll()
    {
        while (true)
        {
            var text = Next();
            for (var at = 0; at < text.Length;)
            {
                var end = Math.Min(text.Length, at + Slice);
                if (end < text.Length && char.IsHighSurrogate(text[end - 1]))
                    end--;
                inner.Write(text[at..end]);
                at = end;
                lock (_gate)
                {
                    _slices++;
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    private string Next()
    {
        lock (_gate)
        {
            _isWriting = false;
            Monitor.PulseAll(_gate);
            while (_waiting.Count == 0 && _lost == 0)
                Monitor.Wait(_gate);
            _isWriting = true;
            if (_waiting.Count == 0)
                return TakeLoss();
            var text = _waiting.Dequeue();
            _waitingChars -= text.Length;
            return text;
        }
    }
}
