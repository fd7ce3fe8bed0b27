using System.Text;
using Crust.Tools;

namespace Crust.Cli;

/// <summary>A stream of text that may not be writable: a full disk, a pipe that nobody reads, a terminal that went away.</summary>
/// <param name="inner">Gets what is written.</param>
/// <param name="before">Called before each write.</param>
/// <param name="failed">Says what it means that something couldn't be written; if it returns, that is lost.</param>
internal sealed class GuardedWriter(TextWriter inner, Action before, Action<Exception> failed) : TextWriter
{
    /// <summary>One that does nothing before a write.</summary>
    public GuardedWriter(TextWriter inner, Action<Exception> failed)
        : this(inner, () => { }, failed)
    {
    }

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }

    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        before();
        try
        {
            write();
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            failed(e);
        }
    }
}
