namespace Crust.Machines.Watching;

/// <summary>What a look at a running machine shows of its being alive.</summary>
/// <param name="At">When, since QEMU's start.</param>
/// <param name="BytesWritten">Bytes that the guest has written to its disks.</param>
/// <param name="SerialReceived">Bytes that came over the serial port.</param>
/// <param name="Screen">What identifies the picture on its screen; null where there is none.</param>
/// <param name="WantedTime">For how long its processors had something to do.</param>
internal readonly record struct SignsOfLife(TimeSpan At, long BytesWritten, long SerialReceived, string? Screen, TimeSpan WantedTime);

/// <param name="Busy">Whether its processors were busy meanwhile.</param>
internal sealed record Stall(TimeSpan Quiet, bool Busy);

/// <summary>
/// Tells a machine that is at work from one that waits for ever: no disk write, no serial output and nothing new on the screen. Where its processors
/// are busy it is given twice the time: it may compute.
/// </summary>
/// <param name="limit">How long it may be quiet.</param>
internal sealed class StallWatch(TimeSpan limit)
{
    // A cursor that blinks and a spinner show the same few pictures over and over: only one that wasn't among the last ones is new.
    private const int RememberedScreens = 16;
    // An idle guest wants a few hundredths of a core, a busy one a whole one.
    private const double BusyCores = 0.2;

    private readonly List<string> _screens = [];
    private SignsOfLife _last;

    /// <summary>Takes the next look; gives the stall if that is what it shows.</summary>
    public Stall? Look(SignsOfLife now)
    {
        var newScreen = IsNew(now.Screen);
        if (now.BytesWritten != _last.BytesWritten || now.SerialReceived != _last.SerialReceived || newScreen)
        {
            _last = now;
            return null;
        }

        var quiet = now.At - _last.At;
        var busy = (now.WantedTime - _last.WantedTime).TotalSeconds > BusyCores * quiet.TotalSeconds;
        return quiet >= (busy ? 2 * limit : limit) ? new Stall(quiet, busy) : null;
    }

    private bool IsNew(string? screen)
    {
        if (screen is null || _screens.Contains(screen))
        {
            return false;
        }

        _screens.Add(screen);
        if (_screens.Count > RememberedScreens)
        {
            _screens.RemoveAt(0);
        }

        return true;
    }
}
