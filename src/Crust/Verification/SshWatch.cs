using Crust.Machines;
using Crust.Machines.Qmp;
using Crust.Spec;

namespace Crust.Verification;

/// <summary>Does over SSH what the proof of an image asks for, beside the machine's run, and signals how that ended.</summary>
internal sealed class SshWatch(RunningMachine machine, TimeProvider time)
{
    // A machine that panics or powers off takes the connection with it, and tells that a moment later.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits for the banner, or logs in and runs the checks.</summary>
    /// <param name="login">The log-in; set where it is wanted.</param>
    /// <param name="cancellation">The machine's run is over; its outcome is decided elsewhere.</param>
    public async Task RunAsync(SshProof wanted, LoginRun? login, CancellationToken cancellation)
    {
        if (wanted is SshProof.None)
        {
            return;
        }

        try
        {
            var port = await machine.FindSshPortAsync(cancellation);
            if (login is null)
            {
                machine.Signal(new MachineSignal.SshBanner(await SshBanner.WaitAsync(port, cancellation)));
                return;
            }

            await login.RunAsync(port, cancellation);
            if (login.Failure is not null)
            {
                await HearOutAsync(cancellation);
            }

            machine.Signal(new MachineSignal.SshEnded(login.Failure is null));
        }
        catch (Exception e) when (e is OperationCanceledException or QmpException)
        {
            // The run is over; its outcome is decided elsewhere.
        }
    }

    private async Task HearOutAsync(CancellationToken cancellation)
    {
        for (var waited = TimeSpan.Zero; waited < LastWords && !machine.Facts.IsOver; waited += Step)
        {
            await Task.Delay(Step, time, cancellation);
        }
    }
}
