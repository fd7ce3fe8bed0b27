using System.Text;
using Crust.Machines.Watching;

namespace Crust.Tests.Machines.Watching;

/// <summary>Pictures of a screen of 100 by 100 pixels, of which the first <c>_shown</c> are white.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ScreenRecorderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("crust-screens-").FullName;
    private TimeSpan _now;
    private int _shown;

    private string Screens => Path.Combine(_folder, "screens");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_picture_is_kept_when_the_screen_has_changed_and_at_most_each_five_seconds()
    {
        var recorder = Recorder();
        await LookAsync(recorder, 0, shown: 0);
        await LookAsync(recorder, 1, shown: 100);
        await LookAsync(recorder, 5, shown: 200);
        await LookAsync(recorder, 20, shown: 200);

        Assert.That(recorder.Screens.Select(screen => screen.Seconds), Is.EqualTo(new[] { 0.0, 5.0 }));
        Assert.That(recorder.Screens.Select(screen => File.Exists(Path.Combine(Screens, screen.File))), Has.All.True);
    }

    [Test]
    public async Task A_blinking_cursor_is_no_change_worth_a_picture_but_the_last_one_is_kept_as_it_is()
    {
        var recorder = Recorder();
        await LookAsync(recorder, 0, shown: 0);
        await LookAsync(recorder, 10, shown: 5);
        Assert.That(recorder.Screens, Has.Length.EqualTo(1));

        await recorder.KeepLastAsync(CancellationToken.None);

        Assert.That(recorder.Screens, Has.Length.EqualTo(2));
        Assert.That(recorder.Newest, Does.EndWith("0001.png"));
    }

    [Test]
    public async Task A_long_run_has_at_most_200_pictures_spread_over_the_whole_of_it()
    {
        var recorder = Recorder();
        for (var look = 0; look < 2000; look++)
        {
            await LookAsync(recorder, look * 5, shown: look * 5);
        }

        await recorder.KeepLastAsync(CancellationToken.None);

        var times = recorder.Screens.Select(screen => screen.Seconds).ToList();
        Assert.That(times, Has.Count.InRange(ScreenRecorder.Most / 2, ScreenRecorder.Most));
        Assert.That(times[0], Is.LessThan(200));
        Assert.That(times[^1], Is.EqualTo(9995));
        Assert.That(times.Zip(times.Skip(1), (a, b) => b - a), Has.All.LessThanOrEqualTo(160));
        Assert.That(Directory.EnumerateFiles(Screens).Count(), Is.EqualTo(times.Count));
    }

    [TestCase("P5 1 1 255 a")]
    [TestCase("P6\n2 2\n255\nshort")]
    [TestCase("")]
    public void What_is_no_whole_picture_is_refused(string ppm) =>
        Assert.That(() => ScreenPicture.Parse(Encoding.ASCII.GetBytes(ppm)), Throws.InstanceOf<InvalidDataException>());

    private ScreenRecorder Recorder() => new(DumpAsync, () => _now, Path.Combine(_folder, "scratch"), Screens);

    private async Task LookAsync(ScreenRecorder recorder, double seconds, int shown)
    {
        (_now, _shown) = (TimeSpan.FromSeconds(seconds), shown);
        await recorder.LookAsync(CancellationToken.None);
    }

    private Task DumpAsync(string path, string format, CancellationToken cancellation)
    {
        var pixels = new byte[100 * 100 * 3];
        pixels.AsSpan(0, _shown * 3).Fill(255);
        return File.WriteAllBytesAsync(path, [.. Encoding.ASCII.GetBytes("P6\n100 100\n255\n"), .. pixels], cancellation);
    }
}
