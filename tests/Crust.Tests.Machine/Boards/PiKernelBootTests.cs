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

    [TestCase(false)]
    [TestCase(true, Category = "Long")]
    public async Task A_newer_kernel_is_started_once_and_kept(bool knowsTryboot)
    {
        var pi = await MakeAsync(knowsTryboot, breaks: false);

        var first = await pi.StartAsync(Cancellation);
        Assert.That(first, Does.Contain($"{pi.Newer} is newer than {pi.Older}, which runs").And.Contain(knowsTryboot ? "restarts: tryboot" : "restarts: plainly").And.Not.Contain("stays:"));
        Assert.That(await pi.ReadAsync("config.txt", Cancellation), knowsTryboot ? Does.Not.Contain("os_prefix") : Does.Contain($"os_prefix=crust-{pi.Newer}/"));

        var second = await pi.StartAsync(Cancellation);
        Assert.That(second, Does.Contain($"{pi.Newer} runs, and is kept").And.Contain($"stays: {pi.Newer}").And.Not.Contain("restarts:"));

        var third = await pi.StartAsync(Cancellation);
        Assert.That(third, Does.Contain($"stays: {pi.Newer}").And.Not.Contain("restarts:").And.Not.Contain("crust: kernel"));
        Assert.That(await pi.ListAsync(Cancellation), Has.None.EqualTo("tryboot.txt").And.Contain($"vmlinuz-{pi.Older}"), "the older kernel's files stay");
    }

    [Test]
    public async Task One_that_panics_is_left_by_tryboot_and_never_tried_again()
    {
        var pi = await MakeAsync(knowsTryboot: true, breaks: true);

        Assert.That(await pi.StartAsync(Cancellation), Does.Contain("restarts: tryboot"));
        Assert.That(await pi.StartAsync(Cancellation), Does.Contain("dies").And.Contain("Kernel panic").And.Not.Contain("stays:"));

        var third = await pi.StartAsync(Cancellation);
        Assert.That(third, Does.Contain($"{pi.Newer} was tried and doesn't run: {pi.Older} does").And.Contain($"stays: {pi.Older}").And.Not.Contain("restarts:"));
        Assert.That(await pi.ReadAsync("config.txt", Cancellation), Is.EqualTo($"kernel=vmlinuz-{pi.Older}\ninitramfs initrd.img-{pi.Older}\n"), "it was never touched");
    }

    private Task<PiFirmware> MakeAsync(bool knowsTryboot, bool breaks) => PiFirmware.MakeAsync(Directory.CreateDirectory(Path.Combine(_folder, $"{knowsTryboot}-{breaks}")).FullName, knowsTryboot, breaks, Cancellation);
}
