using System.Text.Json;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>The host's clock jumps by hours, forth and back, as when a board without a battery gets the time from the network.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ClockTests : FaultFixture
{
    private string Clock => Path.Combine(Crust.Folder, "clock");

    [Test]
    public async Task A_clock_that_jumps_does_not_make_a_deadline_come_too_early()
    {
        SetClock("+0");
        FakeClock();
        await using var running = await StartAsync(StubGuest.ReadsItsMedium, "--deadline", "90s", "--name", "jumped");
        await running.FindQemuAsync(GuestRuns, Cancellation);

        SetClock("+5h");
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(File.GetLastWriteTime(Crust.Image("jumped.img")), Is.LessThan(DateTime.Now.AddHours(1)), "file times are the file system's");
        Assert.That((await LogAsync("jumped.log"))[..2], Is.Not.EqualTo(LastHour(await LogAsync("jumped.log"))), "Crust's clock did jump");
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Crust.Image("jumped.manifest.json"), Cancellation));
        Assert.That(manifest.RootElement.GetProperty("install").GetProperty("seconds").GetDouble(), Is.InRange(0, 120));
        ImagesMayChange();
    }

    [Test]
    public async Task A_clock_that_jumps_back_does_not_put_off_a_deadline()
    {
        SetClock("+0");
        FakeClock();
        await using var running = await StartAsync(StubGuest.Hangs, "--deadline", "15s");
        await running.FindQemuAsync(GuestRuns, Cancellation);

        SetClock("-5h");
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("hadn't finished after 15s"));
    }

    [Test]
    public async Task An_ISO_from_the_future_is_built_and_found_unchanged_again()
    {
        var iso = await IsoAsync(StubGuest.Installs);
        ImagesMayChange();
        File.SetLastWriteTime(iso, DateTime.Now.AddYears(1));

        var first = await BuildAsync(iso);
        var second = await BuildAsync(iso);

        Assert.That((first.ExitCode, second.ExitCode), Is.EqualTo((0, 0)), first.Error + second.Error);
        Assert.That(second.Error, Does.Contain("up to date"));
    }

    private Task<CrustResult> BuildAsync(string iso) => Crust.RunAsync(Cancellation, Arguments(iso));

    private static string LastHour(string log) => log.TrimEnd().Split('\n')[^1][..2];

    // Renamed, so that nobody reads half of it.
    private void SetClock(string offset)
    {
        File.WriteAllText(Clock + ".new", offset + "\n");
        File.Move(Clock + ".new", Clock, overwrite: true);
    }

    // libfaketime gives Crust and QEMU another wall clock. Their monotonic one, and the times of files, stay what they are.
    private void FakeClock()
    {
        var library = Directory.EnumerateFiles("/usr/lib", "libfaketimeMT.so.1", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2, IgnoreInaccessible = true }).Order().FirstOrDefault();
        Assert.That(library, Is.Not.Null, "the package faketime is installed");
        Crust.Environment["LD_PRELOAD"] = library!;
        Crust.Environment["FAKETIME_TIMESTAMP_FILE"] = Clock;
        Crust.Environment["FAKETIME_NO_CACHE"] = "1";
        Crust.Environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        Crust.Environment["DONT_FAKE_MONOTONIC"] = "1";
        Crust.Environment["NO_FAKE_STAT"] = "1";
    }
}
