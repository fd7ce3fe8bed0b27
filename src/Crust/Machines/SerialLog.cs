using Crust.Sanitizing;
using Crust.Tools;

namespace Crust.Machines;

/// <summary>
/// The file that keeps what a guest wrote to its serial port, as it came but for secrets. It has a size limit: a guest must not fill
/// the host's disk.
/// </summary>
internal sealed class SerialLog(string path, Redactor hidden) : IDisposable
{
    private const long Limit = 64L << 20;

    private readonly FileStream _file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    private readonly RedactingFilter _filter = hidden.Filter();
    private long _written;

    /// <summary>Keeps what came. What can't be kept, on a full disk for instance, is lost: the guest is judged all the same.</summary>
    public void Append(ReadOnlyMemory<byte> bytes)
    {
        if (_written < Limit)
        {
            Write(_filter.Pass(bytes).Span);
        }
    }

    public void Dispose()
    {
        if (_written < Limit)
        {
            Write(_filter.End().Span);
        }

        _file.Dispose();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file.Write(bytes);
            _written += bytes.Length;
            if (_written >= Limit)
            {
                _file.Write("\n[the guest wrote more than 64 MiB; what followed was dropped]\n"u8);
            }
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            _written = Limit;
        }
    }
}
