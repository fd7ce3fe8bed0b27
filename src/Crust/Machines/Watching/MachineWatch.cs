using Crust.Machines.Qmp;
using Crust.Tools;
using Serilog;

namespace Crust.Machines.Watching;

/// <summary>What a machine is watched for.</summary>
/// <param name="Stall">How long it may do nothing.</param>
/// <param name="ScreensFolder">Where pictures of its screen are put.</param>
/// <param name="Installs">Whether an installer runs in it, rather than an installed system.</param>
internal sealed record WatchSettings(TimeSpan Stall, string ScreensFolder, bool Installs)
{
    /// <summary>Whether what a screen in text mode shows is signalled at each look.</summary>
    public bool ReadsScreen { get; init; }
}

/// <summary>Watches a machine while somebody waits for it: keeps pictures of its screen and its course over time, and tells when it does nothing any more.</summary>
internal sealed class MachineWatch(RunningMachine machine, WatchSettings settings, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastLook = TimeSpan.FromSeconds(5);

    private readonly ScreenRecorder _screens = new(machine.DumpScreenAsync, () => machine.Elapsed, Path.Combine(machine.Folder, "screen.ppm"), settings.ScreensFolder);
    private readonly TraceRecorder _trace = new();
    private bool _blind;

    public InstallTrace Trace => _trace.Trace(_screens.Screens);

    /// <summary>Takes a signal of the machine.</summary>
    public void Observe(MachineSignal signal, MachineFacts facts) => _trace.Observe(signal, facts, machine.Elapsed);

    /// <summary>Watches until the machine stalls, which it is told as a signal, or until cancelled. Ends without an error in any case.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var stalls = new StallWatch(settings.Stall);
        var interval = settings.Stall / 8;
        interval = interval > LongestInterval ? LongestInterval : interval < ShortestInterval ? ShortestInterval : interval;
        try
        {
            while (true)
            {
                await Task.Delay(interval, time, cancellation);
                var picture = await TryAsync(_screens.LookAsync, cancellation);
                if (settings.ReadsScreen && picture is not null)
                {
                    machine.Signal(new MachineSignal.ScreenShows(await TextOfAsync(picture, cancellation)));
                }

                var facts = machine.Facts;
                if (stalls.Look(new SignsOfLife(machine.Elapsed, facts.BytesWritten, machine.SerialReceived, picture?.Hash, facts.WantedTime)) is { } stall)
                {
                    machine.Signal(new MachineSignal.Stalled(stall));
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody waits any more.
        }
    }

    /// <summary>
    /// Looks at the screen for the last time, before the machine is ended, copies that picture to <paramref name="lastScreen"/>, and says what the guest
    /// seems to wait for, if that can be told.
    /// </summary>
    public async Task<MachineDiagnosis?> ConcludeAsync(string lastScreen)
    {
        using var timeout = new CancellationTokenSource(LastLook);
        try
        {
            var picture = await TryAsync(_screens.KeepLastAsync, timeout.Token);
            return MachineDiagnosis.Of(machine.SerialTail, picture is null ? "" : await TextOfAsync(picture, timeout.Token), settings.Installs);
        }
        catch (OperationCanceledException)
        {
            // QEMU doesn't answer any more; that is told elsewhere.
            return MachineDiagnosis.Of(machine.SerialTail, "", settings.Installs);
        }
        finally
        {
            CopyNewest(lastScreen);
        }
    }

    private async Task<string> TextOfAsync(ScreenPicture picture, CancellationToken cancellation) =>
        (picture.IsText ? await TryAsync(token => ScreenText.ReadAsync(machine, token), cancellation) : null) ?? "";

    private void CopyNewest(string path)
    {
        try
        {
            if (_screens.Newest is { } newest)
            {
                File.Copy(newest, path, overwrite: true);
            }
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            log.Warning("The last picture of {Name} can't be kept: {Reason}", machine.Description.Name, e.Message);
        }
    }

    // Pictures are for people: a machine whose screen can't be seen is judged all the same.
    private async Task<T?> TryAsync<T>(Func<CancellationToken, Task<T>> look, CancellationToken cancellation)
        where T : class
    {
        if (_blind)
        {
            return null;
        }

        try
        {
            return await look(cancellation);
        }
        catch (Exception e) when (e is QmpException or InvalidDataException || HostFault.IsOfOutput(e))
        {
            log.Warning("The screen of {Name} can't be seen: {Reason}", machine.Description.Name, e.Message);
            _blind = true;
            return null;
        }
    }
}
