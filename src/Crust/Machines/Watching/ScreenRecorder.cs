using System.Collections.Immutable;
using Crust.Machines.Qmp;

namespace Crust.Machines.Watching;

/// <summary>
/// Keeps pictures of a machine's screen as PNG files: one whenever it changed noticeably, at most one each five seconds. There are never more
/// than 200: beyond that every second one is dropped, and new ones are taken half as often, so that they are spread over the whole run.
/// </summary>
/// <param name="dump">Writes a picture of the screen to a path, as `ppm` or `png`.</param>
/// <param name="elapsed">Time since the machine's start.</param>
/// <param name="scratch">The path of a file that nobody else uses.</param>
/// <param name="folder">The folder for the PNG files.</param>
internal sealed class ScreenRecorder(Func<string, string, CancellationToken, Task> dump, Func<TimeSpan> elapsed, string scratch, string folder)
{
    internal const int Most = 200;

    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(5);

    private readonly List<TraceScreen> _screens = [];
    private TimeSpan _interval = ShortestInterval;
    private ScreenPicture? _kept;
    private int _count;

    /// <summary>The pictures so far, in the order of time.</summary>
    public ImmutableArray<TraceScreen> Screens => [.. _screens];

    /// <summary>The path of the newest picture; null if there is none.</summary>
    public string? Newest => _screens.Count == 0 ? null : Path.Combine(folder, _screens[^1].File);

    /// <summary>Looks at the screen, and keeps a picture if it is time for one.</summary>
    /// <exception cref="QmpException">QEMU has gone, or can't do it.</exception>
    public async Task<ScreenPicture> LookAsync(CancellationToken cancellation)
    {
        var picture = await TakeAsync(cancellation);
        var now = elapsed();
        if (picture.DiffersFrom(_kept) && (_screens.Count == 0 || now.TotalSeconds - _screens[^1].Seconds >= _interval.TotalSeconds))
        {
            await KeepAsync(picture, now, cancellation);
        }

        return picture;
    }

    /// <summary>Looks at the screen for the last time: what it shows is kept, unless the newest picture is the same.</summary>
    /// <exception cref="QmpException">QEMU has gone, or can't do it.</exception>
    public async Task<ScreenPicture> KeepLastAsync(CancellationToken cancellation)
    {
        var picture = await TakeAsync(cancellation);
        if (picture.Hash != _kept?.Hash)
        {
            await KeepAsync(picture, elapsed(), cancellation);
        }

        return picture;
    }

    private async Task<ScreenPicture> TakeAsync(CancellationToken cancellation)
    {
        await dump(scratch, "ppm", cancellation);
        return ScreenPicture.Parse(await File.ReadAllBytesAsync(scratch, cancellation));
    }

    private async Task KeepAsync(ScreenPicture picture, TimeSpan now, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var file = $"{_count:0000}.png";
        await dump(Path.Combine(folder, file), "png", cancellation);
        (_kept, _count) = (picture, _count + 1);
        _screens.Add(new TraceScreen(Math.Round(now.TotalSeconds, 1), file));
        if (_screens.Count >= Most)
        {
            Thin();
        }
    }

    private void Thin()
    {
        // The newest stays, so the others go from it backwards.
        for (var i = _screens.Count - 2; i >= 0; i -= 2)
        {
            File.Delete(Path.Combine(folder, _screens[i].File));
            _screens.RemoveAt(i);
        }

        _interval *= 2;
    }
}
