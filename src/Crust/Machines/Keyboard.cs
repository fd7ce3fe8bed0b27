using System.Text.Json.Nodes;
using Crust.Machines.Qmp;
using Crust.Spec;

namespace Crust.Machines;

/// <summary>
/// A machine's keyboard, over QMP (`send-key` and `input-send-event`). Keys are held, and follow one another, as slowly as the slowest
/// reader needs: a boot menu under emulation polls its keyboard, and QEMU's queue takes no more than some keys.
/// </summary>
internal sealed class Keyboard(QmpClient qmp, TimeProvider time)
{
    private static readonly TimeSpan Held = TimeSpan.FromMilliseconds(80);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(120);

    /// <summary>Does the steps, one after the other.</summary>
    /// <exception cref="QmpException">QEMU has gone, or doesn't know a key.</exception>
    public async Task TypeAsync(IEnumerable<KeyStep> steps, CancellationToken cancellation)
    {
        foreach (var step in steps)
        {
            switch (step)
            {
                case KeyStep.Wait wait:
                    await Task.Delay(wait.Time, time, cancellation);
                    break;
                case KeyStep.Press press:
                    await qmp.ExecuteAsync("send-key", new JsonObject
                    {
                        ["keys"] = new JsonArray([.. press.Keys.Select(KeyOf)]),
                        ["hold-time"] = (int)Held.TotalMilliseconds,
                    }, cancellation);
                    await Task.Delay(Held + Between, time, cancellation);
                    break;
                case KeyStep.Hold hold:
                    await qmp.ExecuteAsync("input-send-event", new JsonObject
                    {
                        ["events"] = new JsonArray(new JsonObject
                        {
                            ["type"] = "key",
                            ["data"] = new JsonObject { ["down"] = hold.Down, ["key"] = KeyOf(hold.Key) },
                        }),
                    }, cancellation);
                    await Task.Delay(Between, time, cancellation);
                    break;
            }
        }
    }

    private static JsonNode KeyOf(string name) => new JsonObject { ["type"] = "qcode", ["data"] = name };
}
