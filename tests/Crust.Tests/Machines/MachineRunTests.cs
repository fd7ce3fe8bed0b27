using Crust.Machines;
using Crust.Spec;
using Serilog.Core;

namespace Crust.Tests.Machines;

/// <summary>Whole runs of a machine against a QEMU that plays a script.</summary>
[CancelAfter(60_000)]
public sealed class MachineRunTests
{
    private const string Start = "connect\ngreet\nexpect qmp_capabilities\nreply qmp_capabilities {}\nexpect cont\nreply cont {}";
    private const string PowerOff = """event SHUTDOWN {"guest": true, "reason": "guest-shutdown"}""";
    private const string Quit = "expect quit\nreply quit {}";

    private FakeTools _fakes = null!;
    private string _runtime = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp()
    {
        _fakes = new FakeTools();
        _runtime = Directory.CreateTempSubdirectory("crust-run-").FullName;
    }

    [TearDown]
    public void TearDown()
    {
        Assert.That(Directory.EnumerateFileSystemEntries(_runtime), Is.Empty, "a run leaves nothing in the runtime folder");
        Directory.Delete(_runtime, recursive: true);
        _fakes.Dispose();
    }

    [Test]
    public async Task A_guest_that_powers_off_ends_well() =>
        Assert.That(await RunAsync(Start, PowerOff, Quit, "exit 0"), Is.TypeOf<MachineOutcome.PoweredOff>());

    [Test]
    public async Task An_event_split_into_single_bytes_is_read() =>
        Assert.That(await RunAsync(Start, """pieces 1 {"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}""", Quit, "exit 0"),
            Is.TypeOf<MachineOutcome.PoweredOff>());

    [Test]
    public async Task A_word_that_arrives_before_the_power_off_counts_although_it_comes_by_another_socket() =>
        Assert.That(await RunAsync(Start, """word {"hello": "install"}""", """word {"failed": "no disk"}""", PowerOff, Quit, "exit 0"),
            Is.EqualTo(new MachineOutcome.JobFailed("no disk")));

    [Test]
    public async Task QEMU_that_is_killed_is_told_with_its_signal() =>
        Assert.That(await RunAsync(Start, "signal 9"), Is.EqualTo(new MachineOutcome.QemuDied("QEMU was ended by signal 9 (SIGKILL)", "")));

    [Test]
    public async Task QEMU_that_crashes_is_told_with_its_last_words() =>
        Assert.That(await RunAsync(Start, "error assertion failed", "signal 11"),
            Is.EqualTo(new MachineOutcome.QemuDied("QEMU was ended by signal 11 (SIGSEGV)", "assertion failed\n")));

    [Test]
    public async Task Garbage_over_QMP_ends_the_run() =>
        Assert.That(await RunAsync(Start, "send garbage", "sleep"), Is.TypeOf<MachineOutcome.QemuDied>());

    [Test]
    public async Task QEMU_that_closes_its_connection_in_the_middle_of_an_event_and_ends_is_no_success() =>
        Assert.That(await RunAsync(Start, """raw {"event": "SHUTDOWN", "data": {"guest": true, "rea""", "close", "exit 0"), Is.TypeOf<MachineOutcome.QemuDied>());

    [Test]
    public async Task QEMU_that_does_not_quit_is_killed() =>
        Assert.That(await RunAsync(Start, PowerOff, "expect quit", """refuse quit no""", "sleep"), Is.TypeOf<MachineOutcome.QemuDied>());

    [Test]
    public async Task QEMU_that_refuses_to_start_is_told_in_its_own_words()
    {
        _fakes.Add("qemu-system-x86_64", "error qemu-system-x86_64: -cpu host: needs KVM", "exit 1");

        var error = await Assert.ThrowsAsync<CrustException>(async () => await LaunchAsync());

        Assert.That(error!.What, Does.Contain("exit code 1").And.Contain("-cpu host: needs KVM"));
        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
        Assert.That(error.Where, Does.Contain("-sandbox on"));
    }

    [Test]
    public async Task QEMU_that_can_not_hand_over_the_guests_frames_is_told_with_what_to_do()
    {
        _fakes.Add("qemu-system-x86_64", "error qemu-system-x86_64: -object filter-redirector,id=gate: invalid object type: filter-redirector", "exit 1");

        var error = await Assert.ThrowsAsync<CrustException>(async () => await LaunchAsync());

        Assert.That((error!.Kind, error.Where), Is.EqualTo((FailureKind.HostLacks, "machine.network: internet")));
        Assert.That(error.What, Does.StartWith("This host's QEMU lacks filter-redirector"));
    }

    [Test]
    public async Task QEMU_that_never_opens_its_control_connection_is_ended_and_told()
    {
        _fakes.Add("qemu-system-x86_64", "sleep");

        var error = await Assert.ThrowsAsync<CrustException>(async () => await LaunchAsync(TimeSpan.FromMilliseconds(200)));

        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.HostLacks, "QEMU never opened its control connection")));
        Assert.That(error.Remedy, Does.Contain("the host's load"));
        AssertNoProcess();
    }

    [Test]
    public async Task QEMU_that_connects_and_never_greets_is_ended_and_told()
    {
        _fakes.Add("qemu-system-x86_64", "connect\nsleep");

        var error = await Assert.ThrowsAsync<CrustException>(async () => await LaunchAsync(TimeSpan.FromSeconds(8)));

        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.HostLacks, "QEMU never greeted on its control connection")));
        AssertNoProcess();
    }

    [Test]
    public async Task QEMU_that_stops_answering_is_ended_and_told_without_being_asked_to_quit()
    {
        _fakes.Add("qemu-system-x86_64", $"{Start}\nsleep");
        await using var machine = await LaunchAsync(replyTimeout: TimeSpan.FromMilliseconds(100));

        await machine.WaitAsync(_ => false, TimeSpan.FromMinutes(1), Cancellation);

        Assert.That(((MachineOutcome.QemuDied)(await machine.EndAsync(OnReboot.Fail)).Outcome).How, Does.Match(@"^QEMU hasn't answered for [0-9.]+ ?s"));
        AssertNoProcess();
    }

    [Test]
    public async Task QEMU_that_this_host_holds_up_is_waited_for_until_the_deadline()
    {
        _fakes.Add("qemu-system-x86_64", $"{Start}\nsleep");
        var looks = 0;
        await using var machine = await LaunchAsync(replyTimeout: TimeSpan.FromMilliseconds(50), lookAtHost: _ => new HostShortage(looks++ < 1_000_000 ? "memory (60 % of the time)" : null));

        await machine.WaitAsync(_ => looks >= 10, TimeSpan.FromSeconds(3), Cancellation);

        Assert.That(machine.Facts.QmpBroke, Is.Null);
        Assert.That(looks, Is.GreaterThan(1));
    }

    [Test]
    public async Task Without_QEMU_the_package_to_install_is_named()
    {
        var launcher = new MachineLauncher(_fakes.ToolBoxWithNothingElse, FirmwareFinder.OfHost, _runtime, TimeProvider.System, Logger.None);

        var error = await Assert.ThrowsAsync<Crust.Tools.ToolMissingException>(async () => await launcher.StartAsync(Description, _fakes.FileFor("serial.log"), Cancellation));

        Assert.That(error!.Remedy, Does.Contain("apt-get install qemu-system-x86"));
        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
    }

    [Test]
    public async Task Without_firmware_the_package_to_install_is_named()
    {
        _fakes.Add("qemu-system-x86_64", "exit 0");
        var launcher = new MachineLauncher(_fakes.ToolBox, new FirmwareFinder(_fakes.FileFor("no-descriptors")), _runtime, TimeProvider.System, Logger.None);

        var error = await Assert.ThrowsAsync<CrustException>(async () =>
            await launcher.StartAsync(Description with { Firmware = Firmware.Uefi }, _fakes.FileFor("serial.log"), Cancellation));

        Assert.That(error!.What, Is.EqualTo("No UEFI firmware for x86_64 is installed"));
        Assert.That(error.Remedy, Does.Contain("apt-get install ovmf"));
        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
    }

    [Test]
    public async Task Cancelling_leaves_no_process()
    {
        _fakes.Add("qemu-system-x86_64", $"{Start}\nsleep");
        var machine = await LaunchAsync();
        using var cancelling = new CancellationTokenSource();

        var waiting = machine.WaitAsync(_ => false, TimeSpan.FromMinutes(5), cancelling.Token);
        await cancelling.CancelAsync();

        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        await machine.DisposeAsync();
        Assert.That(Directory.Exists($"/proc/{machine.ProcessId}"), Is.False);
    }

    [Test]
    public async Task The_serial_port_is_logged_as_it_comes_and_read_as_text()
    {
        _fakes.Add("qemu-system-x86_64", $"{Start}\nserial \e[1;32mgreen\e[0m login:\n{PowerOff}\n{Quit}\nexit 0");
        await using var machine = await LaunchAsync();
        var seen = new List<string>();
        machine.OnSignal = (signal, _) => seen.Add(signal is MachineSignal.Serial serial ? serial.Text : "");

        await machine.WaitAsync(_ => false, TimeSpan.FromMinutes(1), Cancellation);
        await machine.EndAsync(OnReboot.Fail);

        Assert.That(machine.SerialTail, Is.EqualTo("green login:\n"));
        Assert.That(await File.ReadAllTextAsync(_fakes.FileFor("serial.log"), Cancellation), Is.EqualTo("\e[1;32mgreen\e[0m login:\n"));
    }

    private static MachineDescription Description => new() { Name = "test", Accelerator = Accelerator.Tcg, Drives = [] };

    private async Task<MachineOutcome> RunAsync(params string[] script)
    {
        _fakes.Add("qemu-system-x86_64", string.Join('\n', script));
        await using var machine = await LaunchAsync();
        await machine.WaitAsync(_ => false, TimeSpan.FromMinutes(1), Cancellation);
        return (await machine.EndAsync(OnReboot.Fail)).Outcome;
    }

    private Task<RunningMachine> LaunchAsync(TimeSpan? startTimeout = null, TimeSpan? replyTimeout = null, Func<int, HostShortage>? lookAtHost = null) =>
        new MachineLauncher(_fakes.ToolBox, FirmwareFinder.OfHost, _runtime, TimeProvider.System, Logger.None)
        {
            StartTimeout = startTimeout ?? TimeSpan.FromSeconds(30),
            ReplyTimeout = replyTimeout ?? TimeSpan.FromSeconds(30),
            LookAtHost = lookAtHost ?? (_ => new HostShortage((string?)null)),
        }.StartAsync(Description, _fakes.FileFor("serial.log"), Cancellation);

    // All that was started has a path of this test's folder in its arguments.
    private void AssertNoProcess() => Assert.That(Directory.EnumerateFiles("/proc", "cmdline", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
        .Where(file => char.IsAsciiDigit(file["/proc/".Length]) && Read(file).Contains(_fakes.Folder, StringComparison.Ordinal)), Is.Empty);

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
