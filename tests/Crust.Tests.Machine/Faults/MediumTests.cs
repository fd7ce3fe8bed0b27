using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>The installer's ISO, when something happens to it.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class MediumTests : FaultFixture
{
    [Test]
    public async Task An_ISO_cut_off_in_its_middle_is_told_before_anything_runs()
    {
        var iso = await IsoAsync(StubGuest.Installs);
        using (var file = File.OpenHandle(iso, access: FileAccess.Write))
        {
            RandomAccess.SetLength(file, RandomAccess.GetLength(file) / 2);
        }

        var result = await Crust.RunAsync(Cancellation, Arguments(iso));

        Assert.That(result.ExitCode, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.Contain("The ISO is cut off").And.Contain("copy or download it again"));
        Assert.That(NewImages, Is.Empty);
    }

    [Test]
    public async Task An_ISO_that_is_removed_during_its_install_is_installed_all_the_same()
    {
        await using var running = await StartAsync(StubGuest.ReadsItsMedium, "--name", "removed");
        await running.FindQemuAsync(GuestRuns, Cancellation);

        File.Delete(Path.Combine(Crust.Folder, "reads-its-medium.iso"));
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(await LogAsync("removed.serial.log"), Does.Contain("stub: the medium is as it was"));
        ImagesMayChange();
    }

    // QEMU pads what is missing with zeros, so that neither it nor the guest need notice: this one goes on and powers off.
    [Test]
    public async Task An_ISO_that_is_cut_off_during_its_install_is_told_and_what_was_installed_from_it_is_not_used()
    {
        await using var running = await StartAsync(StubGuest.ReadsItsMedium);
        await running.FindQemuAsync(GuestRuns, Cancellation);

        using (var file = File.OpenHandle(Path.Combine(Crust.Folder, "reads-its-medium.iso"), access: FileAccess.Write))
        {
            RandomAccess.SetLength(file, 20_000);
        }

        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(5), result.Error);
        Assert.That(result.Error, Does.Match("The ISO was cut off from [0-9]+ to 20000 bytes while its installer ran").And.Contain("stub: the medium has changed"));
        Assert.That(NewImages, Is.Empty);
        Assert.That(Directory.GetDirectories(Path.Combine(Crust.Cache, "disks")), Is.Empty, "cached disks");
    }
}
