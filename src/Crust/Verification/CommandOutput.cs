using System.Runtime.InteropServices;
using System.Text;
using Crust.Sanitizing;

namespace Crust.Verification;

/// <summary>The last bytes of streams that are read side by side, in the order in which they come, without secrets.</summary>
/// <param name="most">How many are kept at least, where there are as many.</param>
/// <param name="hidden">Takes the secrets out, before anything is cut off: a part of one can't be told for what it is.</param>
internal sealed class CommandOutput(int most, Redactor hidden)
{
    private readonly List<byte> _kept = [];
    private readonly Lock _lock = new();

    /// <summary>Reads a stream to its end, on a thread of its own: SSH.NET's streams wait in it.</summary>
    public Task ReadAsync(Stream stream) => Task.Factory.StartNew(() =>
    {
        var filter = hidden.Filter();
        var buffer = new byte[1 << 14];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            Keep(filter.Pass(buffer.AsMemory(0, read)).Span);
        }

        Keep(filter.End().Span);
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public override string ToString()
    {
        lock (_lock)
        {
            return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(_kept));
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _kept.AddRange(bytes);
            if (_kept.Count > 2 * most)
            {
                _kept.RemoveRange(0, _kept.Count - most);
            }
        }
    }
}
