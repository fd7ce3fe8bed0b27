using System.Text.Json;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Inspection;

/// <summary>A power-off alone proves nothing: builds with stub installers, whose disk is looked at by the real appliance.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(600_000)]
public sealed class InstallMarksTests
{
    private CrustProcess _crust = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp()
    {
        _crust = new CrustProcess();
        _crust.ShareDearThings();
    }

    [TearDown]
    public void TearDown() => _crust.Dispose();

    [Test]
    public async Task An_installer_that_powers_off_without_what_its_family_leaves_fails_the_build_and_the_error_says_what_is_there()
    {
        var result = await BuildAsync("--seed-profile", "kairos", "--inspect");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("The installer powered off without having installed Kairos: the disk lacks a file system labelled COS_STATE, a file system labelled COS_OEM, a file system labelled COS_PERSISTENT")
            .And.Contain("| partition 1: nothing known").And.Contain("the failed disk is kept as").And.Contain("inspect: false"));
        Assert.That(_crust.Products, Is.Empty);
    }

    [Test]
    public async Task An_installer_that_nobody_knows_is_only_warned_of_also_where_its_disk_was_cached_before_it_was_looked_at()
    {
        var before = await BuildAsync();
        var after = await BuildAsync("--inspect", "--format", "img,qcow2");
        var again = await BuildAsync("--inspect", "--format", "img,qcow2,vmdk");

        Assert.That((before.ExitCode, after.ExitCode, again.ExitCode), Is.EqualTo((0, 0, 0)), after.Error);
        Assert.That(after.Error, Does.Contain("from the cache").And.Contain("No operating system was found on the installed disk"));
        Assert.That(again.Error, Does.Not.Contain("looking at what is on it"), "once is enough");
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(_crust.Image("installs.manifest.json"), Cancellation));
        Assert.That(manifest.RootElement.GetProperty("install").GetProperty("inspection").GetProperty("table").GetString(), Is.EqualTo("mbr"));
        Assert.That(manifest.RootElement.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()), Has.Some.Contains("No operating system was found"));
    }

    private async Task<CrustResult> BuildAsync(params string[] arguments) =>
        await _crust.RunAsync(Cancellation, ["build", "--iso", await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation), "--disk-size", "64M", "--memory", "256M", "--verify", "false", .. arguments]);
}
