using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>Crust itself is ended, by its user or by anybody, at any stage.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class EndingTests : FaultFixture
{
    [TestCase("INT")]
    [TestCase("TERM")]
    [TestCase("HUP")]
    public async Task A_signal_in_the_middle_of_an_install_leaves_no_process_and_no_file(string signal)
    {
        await using var running = await StartAsync(StubGuest.Hangs);
        await running.FindQemuAsync(GuestRuns, Cancellation);

        running.Signal(signal);

        await AssertCancelledAsync(running);
        Assert.That(Crust.ImageFiles, Has.None.EndsWith(".log"));
    }

    [TestCase("vmdk")]
    [TestCase("qcow2")]
    public async Task A_signal_while_an_image_is_written_leaves_nothing_of_it(string format)
    {
        var iso = await IsoAsync(StubGuest.Installs);
        string[] arguments = ["build", "--iso", iso, "--disk-size", "256M", "--memory", "256M", "--name", "large"];
        var first = await Crust.RunAsync(Cancellation, [.. arguments, "--format", "img.zst"]);
        Assert.That(first.ExitCode, Is.Zero, first.Error);
        await LargeDisk.FillAsync(Crust, 200 << 20, Cancellation);
        ImagesStay();

        await using var running = Crust.Start([.. arguments, "--format", format]);
        await WaitUntilAsync(() => IsBeingWritten($".{format}"), TimeSpan.FromSeconds(60), "no image is written");
        running.Signal("TERM");

        await AssertCancelledAsync(running);
    }

    [Test]
    public async Task A_signal_while_an_image_is_booted_leaves_nothing_of_it()
    {
        await using var running = await StartAsync(StubGuest.InstallsADeadSystem, "--verify");
        await running.FindQemuAsync(() => SerialHas("stub: booting from the disk"), Cancellation);

        running.Signal("TERM");

        await AssertCancelledAsync(running);
    }

    [Test]
    public async Task A_second_Ctrl_C_ends_Crust_at_once_and_the_next_build_cleans_up()
    {
        await using (var running = await StartAsync(StubGuest.Hangs))
        {
            await running.FindQemuAsync(GuestRuns, Cancellation);
            running.Signal("INT");
            running.Signal("INT");
            Assert.That((await running.WaitAsync(Cancellation)).ExitCode, Is.EqualTo(130));
            await AssertNoProcessAsync();
        }

        await AssertNextBuildCleansUpAsync();
    }

    [Test]
    public async Task Crust_killed_takes_QEMU_with_it_and_the_next_build_cleans_up()
    {
        await using (var running = await StartAsync(StubGuest.Hangs))
        {
            await running.FindQemuAsync(GuestRuns, Cancellation);
            running.Signal("KILL");
            await running.WaitAsync(Cancellation);
            await AssertNoProcessAsync();
            Assert.That(Directory.EnumerateFiles(Crust.Cache, "seed*", SearchOption.AllDirectories), Is.Empty, "the seed holds secrets");
        }

        await AssertNextBuildCleansUpAsync();
    }

    private bool IsBeingWritten(string extension) => CrustProcess.Below(Crust.Images)
        .Any(file => Path.GetFileName(file).Contains(extension, StringComparison.Ordinal) && file.Contains("/.crust-", StringComparison.Ordinal) && new FileInfo(file) is { Exists: true, Length: > 1 << 20 });

    private async Task AssertCancelledAsync(RunningCrust running)
    {
        var result = await running.WaitAsync(Cancellation);
        Assert.That(result.ExitCode, Is.EqualTo(130), result.Error);
        Assert.That(result.Error, Does.Contain("crust: cancelled; no process and no half-written image is left"));
        Assert.That(result.Output, Is.Empty);
        Assert.That(NewImages, Is.Empty);
    }

    // The kernel ends them; it has two seconds.
    private Task AssertNoProcessAsync() => WaitUntilAsync(() => !Leftovers.Processes(Crust).Any(), TimeSpan.FromSeconds(2), "a process outlives Crust");

    private async Task AssertNextBuildCleansUpAsync()
    {
        var before = Leftovers.Hashes(Crust).Where(image => !image.Key.StartsWith('.')).ToDictionary();
        var next = await BuildAsync(StubGuest.Installs, "--name", "next");

        Assert.That(next.ExitCode, Is.Zero, next.Error);
        var after = Leftovers.Hashes(Crust);
        Assert.That(before.Where(image => image.Key != "SHA256SUMS"), Is.SubsetOf(after));
        Assert.That(after.Keys.Except(before.Keys), Is.EquivalentTo(new[] { "next.img", "next.img.bmap", "next.manifest.json", "next.provenance.json" }));
        ImagesMayChange();
    }
}
