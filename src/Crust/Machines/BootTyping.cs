using Crust.Machines.Qmp;
using Crust.Machines.Watching;
using Crust.Spec;

namespace Crust.Machines;

/// <summary>Types what an installer has to be told at its boot menu, once the menu is there.</summary>
internal sealed class BootTyping(RunningMachine machine, TimeProvider time)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits for the text, if there is one, and types. Ends early and without an error when the machine does, or when it is cancelled: how the run ended is judged elsewhere.</summary>
    public async Task RunAsync(IReadOnlyCollection<string> keys, string? after, CancellationToken cancellation)
    {
        if (keys.Count == 0)
        {
            return;
        }

        try
        {
            if (after is not null)
            {
                await WaitAsync(after, cancellation);
            }

            await new Keyboard(machine.Qmp, time).TypeAsync(BootKeys.Parse(keys), cancellation);
        }
        catch (Exception e) when (e is QmpException or OperationCanceledException)
        {
            // The machine has ended.
        }
    }

    private async Task WaitAsync(string text, CancellationToken cancellation)
    {
        while (!machine.SerialTail.Contains(text, StringComparison.Ordinal)
            && !(await ScreenText.ReadAsync(machine, cancellation)).Contains(text, StringComparison.Ordinal))
        {
            await Task.Delay(LookInterval, time, cancellation);
        }
    }
}
