namespace Crust.Tests.Machine.Boards;

/// <summary>
/// The kernel on first start with two real kernels, Debian 12's and 13's for amd64, on a boot partition. What a Pi's firmware does is played by the test; `reboot "0 tryboot"` goes through the
/// script's own seam, since no kernel here passes it on.
/// </summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(900_000)]
public sealed class PiKernelBootTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("crust-pi-kernel-").FullName;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_newer_kernel_is_tried_once_and_kept_if_it_runs_and_left_if_it_panics()
    {
        var pi = await MakeAsync(knowsTryboot: true);

        var first = await pi.StartAsync(Cancellation);
        Assert.That(first, Does.Contain($"{pi.Newer} is newer than {pi.Older}, which runs").And.Contain("restarts: tryboot").And.Not.Contain("stays:"));
        Assert.That(await pi.ReadAsync("config.txt", Cancellation), Is.EqualTo(pi.OldConfig), "it isn't touched before the new kernel runs");
        var other = await pi.CopyAsync(Directory.CreateDirectory(Path.Combine(_folder, "panics")).FullName, Cancellation);

        var second = await pi.StartAsync(Cancellation);
        Assert.That(second, Does.Contain($"{pi.Newer} runs, and is kept").And.Contain($"stays: {pi.Newer}").And.Not.Contain("restarts:"));
        Assert.That(await pi.ReadAsync("config.txt", Cancellation), Does.Contain($"os_prefix=crust-{pi.Newer}/"));
        Assert.That(await pi.ListAsync(Cancellation), Has.None.EqualTo("tryboot.txt").And.Contain($"vmlinuz-{pi.Older}"), "the older kernel's files stay");

        await other.BreakAsync(Cancellation);
        Assert.That(await other.StartAsync(Cancellation), Does.Contain("dies").And.Contain("Kernel panic").And.Not.Contain("stays:"));
        var third = await other.StartAsync(Cancellation);
        Assert.That(third, Does.Contain($"{pi.Newer} was tried and doesn't run: {pi.Older} does").And.Contain($"stays: {pi.Older}").And.Not.Contain("restarts:"));
        Assert.That(await other.ReadAsync("config.txt", Cancellation), Is.EqualTo(pi.OldConfig), "it was never touched");
    }

    [Test]
    [Category("Long")]
    public async Task Where_the_kernel_knows_no_tryboot_config_txt_names_the_newer_one_and_the_start_after_that_changes_nothing()
    {
        var pi = await MakeAsync(knowsTryboot: false);

        Assert.That(await pi.StartAsync(Cancellation), Does.Contain("restarts: plainly").And.Not.Contain("stays:"));
        Assert.That(await pi.ReadAsync("config.txt", Cancellation), Does.Contain($"os_prefix=crust-{pi.Newer}/"));
        Assert.That(await pi.StartAsync(Cancellation), Does.Contain($"{pi.Newer} runs, and is kept").And.Contain($"stays: {pi.Newer}").And.Not.Contain("restarts:"));
        Assert.That(await pi.StartAsync(Cancellation), Does.Contain($"stays: {pi.Newer}").And.Not.Contain("restarts:").And.Not.Contain("crust: kernel"));
    }

    private Task<PiFirmware> MakeAsync(bool knowsTryboot) => PiFirmware.MakeAsync(Directory.CreateDirectory(Path.Combine(_folder, $"{knowsTryboot}")).FullName, knowsTryboot, Cancellation);
}
