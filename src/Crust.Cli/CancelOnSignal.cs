using System.Globalization;
using System.Runtime.InteropServices;

namespace Crust.Cli;

/// <summary>Ctrl-C, a terminal that goes away, and `kill` cancel what runs; a second Ctrl-C or `kill` ends Crust at once, and the kernel ends its machines.</summary>
internal sealed class CancelOnSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public CancelOnSignal()
    {
        // What whoever started Crust ignores stays ignored: nohup means that.
        var ignored = Ignored();
        _registrations = [.. new[] { (PosixSignal.SIGINT, 2), (PosixSignal.SIGTERM, 15), (PosixSignal.SIGHUP, 1) }
            .Where(signal => (ignored & (1UL << (signal.Item2 - 1))) == 0).Select(signal => PosixSignalRegistration.Create(signal.Item1, Handle))];
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    // proc(5): SigIgn, a mask in hex.
    private static ulong Ignored() => File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } line
        && ulong.TryParse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var mask) ? mask : 0;

    private void Handle(PosixSignalContext context)
    {
        // Of a terminal that goes away both the kernel and the shell tell.
        if (_source.IsCancellationRequested && context.Signal is not PosixSignal.SIGHUP)
        {
            Environment.Exit((int)ExitCode.Cancelled);
        }

        context.Cancel = true;
        _source.Cancel();
    }
}
