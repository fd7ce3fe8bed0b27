namespace Crust.Machines;

/// <summary>
/// The file that keeps what a guest wrote to its serial port, as it came. It has a size limit: a guest must not fill
/// the host's disk.
/// </summary>
internal sealed class SerialLog(string path) : IDisposable
{
    private const long Limit = 64L << 20;

    private readonly FileStream _file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    private long _written;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_written >= Limit)
        {
            return;
        }

        _file.Write(bytes);
        _written += bytes.Length;
        if (_written >= Limit)
        {
            _file.Write("\n[the guest wrote more than 64 MiB; what followed was dropped]\n"u8);
        }
    }

    public void Dispose() => _file.Dispose();
}
