using Crust.Machines;
using Crust.Machines.Watching;

namespace Crust.Verification;

/// <summary>Looks at a booting machine once a second, and signals when its boot has failed: at a prompt that nobody will answer, or in a loop of resets.</summary>
internal sealed class BootWatch(RunningMachine machine, TimeProvider time)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    /// <summary>Watches until the boot has failed, or until cancelled. Ends without an error in any case.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var patience = new BootPatience();
        try
        {
            while (true)
            {
                await Task.Delay(Step, time, cancellation);
                var facts = machine.Facts;
                if (patience.Look(BootSigns.DownIn(machine.SerialTail, facts.ScreenText), facts.Resets) is { } cause)
                {
                    machine.Signal(new MachineSignal.BootFailed(cause));
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody waits any more.
        }
    }
}

/// <summary>Believes the sign of a failed boot once it has been seen in as many looks in a row as it says. Looks are counted, and no time: this host may stand still.</summary>
internal sealed class BootPatience
{
    // Some systems reset once or twice on their first boot; none does so more often and then comes up.
    private const int ResetsOfALoop = 5;

    private DownSign? _sign;
    private int _looks;

    /// <summary>Takes the next look; gives why the boot has failed, if it has.</summary>
    /// <param name="sign">What it shows.</param>
    /// <param name="resets">How often the machine has reset so far.</param>
    public MachineDiagnosis? Look(DownSign? sign, int resets)
    {
        (_looks, _sign) = (sign is not null && sign == _sign ? _looks + 1 : 1, sign);
        return sign is not null && _looks >= sign.Looks ? new MachineDiagnosis(sign.Sentence, sign.Remedy)
            : resets >= ResetsOfALoop ? new MachineDiagnosis($"reset {resets} times over and never came up",
                "read in the serial log why it resets: more machine.memory or another machine.firmware often helps")
            : null;
    }
}
