using System.Text;

namespace Crust.Cli;

/// <summary>Standard output, on which results are printed. Who asked for a result and can't be given it has to know.</summary>
internal sealed class ResultWriter(TextWriter inner) : TextWriter
{
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

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            throw new CrustException(FailureKind.InputOutput, $"The result can't be printed: {HostFault.ReasonOf(e)}", "standard output",
                "redirect it to a file or a program that takes it; what the command has written elsewhere is there all the same", e);
        }
    }
}
