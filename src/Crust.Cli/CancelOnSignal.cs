using System.Runtime.InteropServices;

namespace Crust.Cli;

/// <summary>Ctrl-C, a terminal that goes away, and `kill` cancel what runs; a second signal ends Crust at once, and the kernel ends its machines.</summary>
internal sealed class CancelOnSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public CancelOnSignal() => _registrations =
        [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, Handle))];

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested)
        {
            Environment.Exit((int)ExitCode.Cancelled);
        }

        context.Cancel = true;
        _source.Cancel();
    }
}
