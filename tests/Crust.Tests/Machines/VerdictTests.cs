using Crust.Machines;
using Crust.Machines.Watching;
using Crust.Spec;

namespace Crust.Tests.Machines;

public sealed class VerdictTests
{
    private static readonly MachineSignal.Shutdown PowerOff = new(Guest: true, "guest-shutdown");
    private static readonly MachineSignal.Shutdown GuestReset = new(Guest: true, "guest-reset");
    private static readonly MachineSignal.Exited CleanExit = new(0, "");

    [Test]
    public void A_power_off_by_the_guest_and_a_clean_exit_of_QEMU_is_success() =>
        Assert.That(Of(PowerOff, CleanExit), Is.TypeOf<MachineOutcome.PoweredOff>());

    [Test]
    public void Crusts_own_quit_after_the_power_off_changes_nothing() =>
        Assert.That(Of(PowerOff, new MachineSignal.Shutdown(false, "host-qmp-quit"), CleanExit), Is.TypeOf<MachineOutcome.PoweredOff>());

    [Test]
    public void A_power_off_is_no_success_if_QEMU_then_crashes() =>
        Assert.That(Of(PowerOff, new MachineSignal.Exited(139, "oh")), Is.EqualTo(new MachineOutcome.QemuDied("QEMU was ended by signal 11 (SIGSEGV)", "oh")));

    [Test]
    public void QEMU_that_is_killed_is_no_success() =>
        Assert.That(Of(new MachineSignal.Exited(137, "")), Is.EqualTo(new MachineOutcome.QemuDied("QEMU was ended by signal 9 (SIGKILL)", "")));

    [Test]
    public void QEMU_that_exits_by_itself_is_no_success_even_with_code_0() =>
        Assert.That(Of(CleanExit), Is.EqualTo(new MachineOutcome.QemuDied("QEMU ended with exit code 0", "")));

    [TestCase(OnReboot.Fail, false)]
    [TestCase(OnReboot.Finish, true)]
    public void A_reset_means_what_the_spec_says(OnReboot onReboot, bool finished) =>
        Assert.That(Of(onReboot, GuestReset, CleanExit), Is.EqualTo(new MachineOutcome.Reset(finished)));

    [Test]
    public void A_panic_event_is_a_panic() =>
        Assert.That(Of(new MachineSignal.Panicked(), new MachineSignal.Shutdown(true, "guest-panic"), CleanExit), Is.TypeOf<MachineOutcome.Panicked>());

    [Test]
    public void The_kernels_words_on_the_serial_port_are_a_panic_even_if_the_guest_then_resets() =>
        Assert.That(Of(new MachineSignal.Serial("[    1.234567] Kernel panic - not syncing: VFS: Unable to mount root fs\n"), GuestReset, CleanExit),
            Is.EqualTo(new MachineOutcome.Panicked("Kernel panic - not syncing: VFS: Unable to mount root fs")));

    [TestCase("[   80.125] Out of memory: Killed process 411 (unsquashfs) total-vm:912kB, anon-rss:1kB\n", "Out of memory: Killed process 411 (unsquashfs)")]
    [TestCase("<3>[   80.125][   T9] Out of memory: Kill process 411 (dpkg) score 900 or sacrifice child\n", "Out of memory: Kill process 411 (dpkg)")]
    [TestCase("[    0.9] Initramfs unpacking failed: write error\n", "Initramfs unpacking failed: write error")]
    public void A_failure_after_the_guests_kernel_ran_out_of_memory_is_told_as_such(string serial, string words)
    {
        var said = new MachineSignal.Serial(serial);
        MachineSignal[] failures = [new MachineSignal.Word(new GuestWord.Failed("unpacking failed with 137: Killed")), new MachineSignal.Serial("Kernel panic - not syncing: x\n"), new MachineSignal.DeadlineExpired(TimeSpan.FromMinutes(1)), GuestReset];

        Assert.That(failures.Select(failure => Of(said, failure, CleanExit)), Is.All.EqualTo(new MachineOutcome.OutOfMemory(words)));
        Assert.That(Of(said, PowerOff, CleanExit), Is.TypeOf<MachineOutcome.PoweredOff>(), "it lived on");
        Assert.That(Of(said, new MachineSignal.Exited(137, "")), Is.TypeOf<MachineOutcome.QemuDied>());
    }

    [TestCase("[   80.1] Memory cgroup out of memory: Killed process 411 (x) total-vm:9kB\n")]
    [TestCase("a manual says: Out of memory: Killed process 411 (x)\n")]
    public void A_limit_within_the_guest_or_a_text_is_no_lack_of_the_machines_memory(string serial) =>
        Assert.That(Of(new MachineSignal.Serial(serial), new MachineSignal.Word(new GuestWord.Failed("x")), CleanExit), Is.TypeOf<MachineOutcome.JobFailed>());

    [Test]
    public void A_guest_without_memory_is_told_what_to_raise()
    {
        var error = MachineFailure.Of(new MachineOutcome.OutOfMemory("Out of memory: Killed process 411 (unsquashfs)"), "the installer x.iso", new RunEvidence("", "x.serial.log"));

        Assert.That((error.Kind, error.What, error.Remedy), Is.EqualTo((FailureKind.GuestFailed,
            "the installer x.iso ran out of memory: its kernel says \"Out of memory: Killed process 411 (unsquashfs)\"", "raise machine.memory (--memory)")));
    }

    [TestCase("the text 'Kernel panic - not syncing: x' in a manual\n")]
    [TestCase("Kernel panic - not syncing: still being writ")]
    public void Text_that_only_looks_like_a_panic_is_none(string text) =>
        Assert.That(Of(new MachineSignal.Serial(text), PowerOff, CleanExit), Is.TypeOf<MachineOutcome.PoweredOff>());

    [TestCase("Kernel panic - not syncing: a\n")]
    [TestCase("[    0.500000] Kernel panic - not syncing: a\n")]
    [TestCase("[    0.500000][    T1] Kernel panic - not syncing: a\n")]
    [TestCase("booting\n[   12.500000] Kernel panic - not syncing: a\n[   12.6] CPU: 0\n")]
    public void A_panic_is_found_behind_timestamps_and_other_lines(string text) =>
        Assert.That(Of(new MachineSignal.Serial(text)), Is.EqualTo(new MachineOutcome.Panicked("Kernel panic - not syncing: a")));

    [Test]
    public void A_signal_to_QEMU_is_told_as_such() =>
        Assert.That(Of(new MachineSignal.Shutdown(false, "host-signal"), CleanExit), Is.EqualTo(new MachineOutcome.EndedByHost("host-signal")));

    [Test]
    public void A_full_disk_counts_more_than_the_deadline_it_leads_to() =>
        Assert.That(Of(new MachineSignal.DiskError("No space left on device", NoSpace: true), new MachineSignal.DeadlineExpired(TimeSpan.FromMinutes(1))),
            Is.EqualTo(new MachineOutcome.DiskError("No space left on device", NoSpace: true)));

    [Test]
    public void A_passed_deadline_is_told_even_though_Crust_quits_QEMU_then() =>
        Assert.That(Of(new MachineSignal.DeadlineExpired(TimeSpan.FromMinutes(1)), new MachineSignal.Shutdown(false, "host-qmp-quit"), CleanExit),
            Is.EqualTo(new MachineOutcome.DeadlineExpired(TimeSpan.FromMinutes(1))));

    [Test]
    public void A_guest_that_said_hello_must_say_that_it_is_done() =>
        Assert.That(Of(Hello, PowerOff, CleanExit), Is.TypeOf<MachineOutcome.JobFailed>());

    [Test]
    public void A_guest_that_said_hello_and_resets_without_being_done_has_failed() =>
        Assert.That(Of(OnReboot.Finish, Hello, GuestReset, CleanExit), Is.TypeOf<MachineOutcome.JobFailed>());

    [Test]
    public void A_guest_that_said_that_it_is_done_has_succeeded() =>
        Assert.That(Of(Hello, new MachineSignal.Word(new GuestWord.Done("installed")), PowerOff, CleanExit), Is.TypeOf<MachineOutcome.PoweredOff>());

    [Test]
    public void A_guests_own_word_of_failure_counts_more_than_its_clean_power_off() =>
        Assert.That(Of(Hello, new MachineSignal.Word(new GuestWord.Failed("no disk")), PowerOff, CleanExit), Is.EqualTo(new MachineOutcome.JobFailed("no disk")));

    [Test]
    public void Broken_QMP_is_told_with_QEMUs_last_words() =>
        Assert.That(Of(new MachineSignal.QmpBroke("not QMP"), new MachineSignal.Exited(137, "words")), Is.EqualTo(new MachineOutcome.QemuDied("not QMP", "words")));

    [Test]
    public void A_TPM_that_ends_by_itself_is_told_but_not_one_that_QEMU_ends()
    {
        Assert.That(Of(new MachineSignal.TpmEnded(137, "")), Is.EqualTo(new MachineOutcome.TpmDied("swtpm, the machine's TPM, was ended by signal 9 (SIGKILL)", "")));
        Assert.That(Of(PowerOff, new MachineSignal.TpmEnded(0, ""), CleanExit), Is.TypeOf<MachineOutcome.PoweredOff>());
    }

    [Test]
    public void A_loader_that_Secure_Boot_refuses_ends_a_run_only_when_nothing_else_boots()
    {
        const string Refused = "BdsDxe: failed to load Boot0001 \"UEFI QEMU DVD-ROM QM00003 \" from PciRoot(0x0)/Pci(0x1F,0x2)/Sata(0x1,0xFFFF,0x0): Access Denied\r\n";
        const string Empty = "BdsDxe: failed to load Boot0002 \"UEFI Misc Device\" from PciRoot(0x0)/Pci(0x2,0x0): Not Found\r\n";
        const string Shell = "BdsDxe: failed to start Boot0003 \"EFI Internal Shell\" from Fv(7CB8BDC9)/FvFile(7C04A583): Security Violation\r\n";
        const string Nothing = "BdsDxe: No bootable option or device was found.\r\n";

        MachineSignal.Serial Said(string text) => new(text);
        Assert.That(Of(Said(Empty), Said(Refused), Said(Shell), Said(Nothing)), Is.EqualTo(new MachineOutcome.BootRefused("UEFI QEMU DVD-ROM QM00003")));
        Assert.That(Of(Said(Refused), Said("booting from something else"), PowerOff, CleanExit), Is.TypeOf<MachineOutcome.PoweredOff>());
        Assert.That(Of(Said(Empty), Said(Shell), Said(Nothing)), Is.TypeOf<MachineOutcome.Stopped>());
    }

    [Test]
    public void What_the_firmware_resets_on_its_way_up_counts_as_one_reset()
    {
        var first = DateTimeOffset.UnixEpoch;
        var seen = new[] { 0, 0.1, 0.9, 60, 60.5 }.Aggregate(new MachineFacts(), (facts, at) => facts.With(new MachineSignal.Reset(first.AddSeconds(at))));

        Assert.That(seen.Resets, Is.EqualTo(2));
    }

    [Test]
    public void Resets_with_nothing_written_in_between_are_a_boot_loop_and_those_of_an_installer_that_works_in_steps_are_none()
    {
        Assert.That(Boot(written: 0), Is.EqualTo(new MachineOutcome.BootLoop(7)));
        Assert.That(Boot(written: 512), Is.TypeOf<MachineOutcome.Stopped>());

        static MachineOutcome Boot(long written) => Of(OnReboot.Continue, [.. Enumerable.Range(1, 6).SelectMany(boot => new MachineSignal[]
        {
            new MachineSignal.Written(boot * written, TimeSpan.Zero, TimeSpan.Zero), new MachineSignal.Reset(DateTimeOffset.UnixEpoch.AddMinutes(boot)),
        })]);
    }

    [Test]
    public void None_of_the_failures_reads_like_another()
    {
        MachineOutcome[] failures =
        [
            new MachineOutcome.Reset(false), new MachineOutcome.Panicked("p"), new MachineOutcome.JobFailed("j"), new MachineOutcome.QemuDied("d", ""),
            new MachineOutcome.EndedByHost("h"), new MachineOutcome.TpmDied("t", ""), new MachineOutcome.BootRefused("b"), new MachineOutcome.DiskError("e", false), new MachineOutcome.DiskError("e", true), new MachineOutcome.DeadlineExpired(TimeSpan.FromMinutes(1)),
            new MachineOutcome.Stalled(new Stall(TimeSpan.FromMinutes(10), false)), new MachineOutcome.BootLoop(7),
        ];
        var errors = failures.Select(outcome => MachineFailure.Of(outcome, "the installer", new RunEvidence("last words\n", "/serial.log"))).ToList();

        Assert.That(errors.Select(error => error.What), Is.Unique);
        Assert.That(errors, Has.All.Matches<CrustException>(error => error!.Where.Contains("/serial.log") && error.Remedy.Length > 10 && error.Detail == "last words"));
        Assert.That(errors.Select(error => error.Kind).Distinct(), Is.EquivalentTo(new[] { FailureKind.GuestFailed, FailureKind.InputOutput }));
    }

    private static MachineSignal.Word Hello => new(new GuestWord.Hello("install"));

    private static MachineOutcome Of(params MachineSignal[] signals) => Of(OnReboot.Fail, signals);

    private static MachineOutcome Of(OnReboot onReboot, params MachineSignal[] signals) =>
        Verdict.Of(signals.Aggregate(new MachineFacts(), (facts, signal) => facts.With(signal)), onReboot);
}
