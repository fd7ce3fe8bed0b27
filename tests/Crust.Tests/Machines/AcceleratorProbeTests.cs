using Crust.Machines;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Machines;

[CancelAfter(60_000)]
public sealed class AcceleratorProbeTests
{
    private const string Fine = "exit 99";

    private FakeTools _fakes = null!;

    [SetUp]
    public void SetUp() => _fakes = new FakeTools();

    [TearDown]
    public void TearDown() => _fakes.Dispose();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    // /dev/null opens, whoever asks. Patience that never ends on a busy host, except where a test is about its end.
    private AcceleratorProbe Probe(string device = "/dev/null", Arch? host = Arch.Amd64, TimeSpan? patience = null) =>
        new(_fakes.ToolBoxWithNothingElse, _fakes.FileFor("cache"), Logger.None) { Device = device, Host = host, Patience = patience ?? TimeSpan.FromMinutes(1) };

    [Test]
    public async Task KVM_is_used_when_a_guest_runs_to_its_end_under_it()
    {
        _fakes.Add("qemu-system-x86_64", $"arguments {_fakes.FileFor("argv")}", Fine);

        var choice = await Probe().ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);

        Assert.That(choice, Is.EqualTo(new AcceleratorChoice(Accelerator.Kvm, "KVM ran a 64-bit guest to its end", null)));
        Assert.That(await File.ReadAllTextAsync(_fakes.FileFor("argv"), Cancellation),
            Does.Contain("-no-user-config\n-nodefaults\n-sandbox\non\n").And.Contain("-accel\nkvm\n-cpu\nhost\n"));
    }

    [Test]
    public async Task TCG_is_used_with_a_warning_when_a_guest_hangs_under_KVM()
    {
        _fakes.Add("qemu-system-x86_64", "sleep");

        var choice = await Probe(patience: TimeSpan.FromSeconds(0.2)).ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);

        Assert.That(choice.Used, Is.EqualTo(Accelerator.Tcg));
        Assert.That(choice.Reason, Is.EqualTo("it opens, but a guest that takes a fraction of a second wasn't done after 0.2 s"));
        Assert.That(choice.FullWarning, Does.StartWith("KVM can't be used: it opens, but").And.Contain("ten times slower").And.Contain("nested virtualisation"));
    }

    [TestCase("exit 97", "a guest computed wrongly")]
    [TestCase("error starting\nerror qemu: no KVM for you\nexit 1", "QEMU ended with exit code 1 (qemu: no KVM for you)")]
    [TestCase("signal 11", "QEMU ended with exit code 139 (it said nothing)")]
    public async Task TCG_is_used_when_the_guest_or_QEMU_fails_under_KVM(string script, string reason)
    {
        _fakes.Add("qemu-system-x86_64", script);

        var choice = await Probe().ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);

        Assert.That(choice.Used, Is.EqualTo(Accelerator.Tcg));
        Assert.That(choice.Reason, Is.EqualTo(reason));
        Assert.That(choice.Warning, Does.Contain(reason));
    }

    [Test]
    public async Task A_guest_is_run_only_once_for_each_boot_of_the_host_and_each_QEMU()
    {
        var qemu = _fakes.Add("qemu-system-x86_64", "exit 97");
        var first = await Probe().ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);
        _fakes.Add("qemu-system-x86_64", Fine);
        File.SetLastWriteTimeUtc(qemu, new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var second = await Probe().ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);
        _fakes.Add("qemu-system-x86_64", "exit 97");
        File.SetLastWriteTimeUtc(qemu, new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var third = await Probe().ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);

        Assert.That(first.Used, Is.EqualTo(Accelerator.Tcg));
        Assert.That(second.Used, Is.EqualTo(Accelerator.Kvm), "another QEMU is probed anew");
        Assert.That(third.Used, Is.EqualTo(Accelerator.Kvm), "the same QEMU isn't");
    }

    [Test]
    public async Task A_remembered_result_that_is_damaged_or_of_another_boot_is_not_believed([Values("", "garbage", "other-boot /x y\n\n")] string remembered)
    {
        _fakes.Add("qemu-system-x86_64", "exit 97");
        Directory.CreateDirectory(_fakes.FileFor("cache"));
        await File.WriteAllTextAsync(Path.Combine(_fakes.FileFor("cache"), "accelerator-probe"), remembered, Cancellation);

        Assert.That((await Probe().ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation)).Used, Is.EqualTo(Accelerator.Tcg));
    }

    [Test]
    public async Task A_host_without_KVM_gets_TCG_and_is_told_how_to_get_it()
    {
        var choice = await Probe("/dev/there-is-none").ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);

        Assert.That(choice.Used, Is.EqualTo(Accelerator.Tcg));
        Assert.That(choice.Reason, Is.EqualTo("there is no /dev/there-is-none"));
        Assert.That(choice.FullWarning, Does.Contain("--device /dev/kvm"));
    }

    [Test]
    public async Task A_user_who_may_not_open_KVM_is_told_which_group_to_join()
    {
        // Opening a folder to write is refused even to root, who may open everything else.
        var choice = await Probe(_fakes.Folder).ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);

        Assert.That(choice.Used, Is.EqualTo(Accelerator.Tcg));
        Assert.That(choice.Reason, Does.EndWith("may not be opened by this user"));
        Assert.That(choice.FullWarning, Does.Contain("usermod -aG kvm"));
    }

    [TestCase(Arch.Arm64, Arch.Amd64, "the guest is arm64 and this host is amd64")]
    [TestCase(Arch.Amd64, Arch.Arm64, "the guest is amd64 and this host is arm64")]
    public async Task A_guest_of_another_architecture_is_emulated_without_a_warning(Arch guest, Arch host, string reason)
    {
        var choice = await Probe(host: host).ChooseAsync(Accelerator.Auto, guest, Cancellation);

        Assert.That(choice, Is.EqualTo(new AcceleratorChoice(Accelerator.Tcg, reason, null)));
    }

    [Test]
    public async Task TCG_that_is_asked_for_is_not_questioned()
    {
        var choice = await Probe("/dev/there-is-none").ChooseAsync(Accelerator.Tcg, Arch.Amd64, Cancellation);

        Assert.That(choice, Is.EqualTo(new AcceleratorChoice(Accelerator.Tcg, "TCG was asked for", null)));
    }

    [Test]
    public async Task KVM_that_is_demanded_and_unusable_is_an_error()
    {
        _fakes.Add("qemu-system-x86_64", "exit 97");

        var error = await Assert.ThrowsAsync<CrustException>(() => Probe().ChooseAsync(Accelerator.Kvm, Arch.Amd64, Cancellation));

        Assert.That(error!.Kind, Is.EqualTo(FailureKind.HostLacks));
        Assert.That(error!.What, Is.EqualTo("KVM can't be used: a guest computed wrongly"));
        Assert.That(error!.Where, Is.EqualTo("machine.accelerator: kvm, /dev/null"));
        Assert.That(error!.Remedy, Does.EndWith("or set machine.accelerator to auto or tcg"));
    }

    [Test]
    public async Task A_missing_QEMU_is_named_with_its_package()
    {
        var error = await Assert.ThrowsAsync<ToolMissingException>(() => Probe().ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation));

        Assert.That(error!.Remedy, Does.Contain("qemu-system-x86"));
    }

    [Test]
    public void Cancelling_ends_the_probe()
    {
        _fakes.Add("qemu-system-x86_64", $"write {_fakes.FileFor("started")} now", "sleep");
        using var cancel = new CancellationTokenSource();
        var probing = Probe().ChooseAsync(Accelerator.Auto, Arch.Amd64, cancel.Token);
        SpinWait.SpinUntil(() => File.Exists(_fakes.FileFor("started")));

        cancel.Cancel();

        Assert.That(async () => await probing, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Path.Combine(_fakes.FileFor("cache"), "accelerator-probe"), Does.Not.Exist);
    }
}
