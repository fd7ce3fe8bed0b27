using System.Collections.Immutable;
using System.Diagnostics;
using Crust.Disks;
using Crust.Isos;
using Crust.Machines;
using Crust.Machines.Watching;
using Crust.Seeds;
using Crust.Spec;
using Serilog;

namespace Crust.Installers;

/// <param name="Disk">The empty raw disk.</param>
/// <param name="Machine">The machine's hardware and limits.</param>
/// <param name="Accelerator">What runs the guest, as the probe chose it.</param>
/// <param name="Files">Get the serial port's output and pictures of the screen.</param>
internal sealed record InstallRequest(InstallerIso Installer, SeedDelivery Seed, string Disk, MachineSpec Machine, Accelerator Accelerator, RunFiles Files)
{
    /// <summary>The kernel that the machine starts with; null for the ISO's own boot loader.</summary>
    public DirectBoot? DirectBoot { get; init; }

    /// <summary>Called once QEMU has opened the drives and read the files that it is given.</summary>
    public Action OnStarted { get; init; } = () => { };

    /// <summary>What is typed while it boots, in Packer's notation.</summary>
    public ImmutableArray<string> BootKeys { get; init; } = [];

    /// <summary>The text, on the serial port or on the screen, after which it is typed; null for at once.</summary>
    public string? BootKeysAfter { get; init; }
}

/// <summary>Runs an installer in a machine until the guest powers it off, and judges what happened.</summary>
internal sealed class InstallRun(MachineLauncher launcher, GuestScreen screen, IBuildObserver observer, TimeProvider time, ILogger log)
{
    // After a panic's first line, its trace follows.
    private static readonly TimeSpan PanicTrace = TimeSpan.FromSeconds(1);

    /// <exception cref="CrustException">Anything but a power-off by the guest that left something on the disk.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; QEMU is gone.</exception>
    public async Task<InstallFacts> RunAsync(InstallRequest request, CancellationToken cancellation)
    {
        using var extraDisks = ExtraDisks.Create(request.Machine.ExtraDisks, Path.GetDirectoryName(request.Disk)!);
        var description = Describe(request, extraDisks.Files) with { Display = await screen.ChooseAsync(request.Machine.Arch, cancellation) };
        var started = time.GetTimestamp();
        var ownCpu = OwnCpuTime();
        using var iso = new HeldIso(request.Seed.Iso ?? request.Installer.Path);
        await using var machine = await launcher.StartAsync(description, request.Files.SerialLog.Path, cancellation);
        request.OnStarted();
        if (description.Display is GuestDisplay.VncSocket)
        {
            observer.Observe(new BuildEvent.Noted($"the guest's screen: vncviewer {machine.VncSocket}"));
        }

        var progress = new InstallProgress(observer);
        var watch = new MachineWatch(machine, new WatchSettings(request.Machine.Stall, request.Files.ScreensFolder, Installs: true), time, log);
        machine.OnSignal = (signal, seen) =>
        {
            progress.Observe(signal, seen);
            watch.Observe(signal, seen);
        };

        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var looking = watch.RunAsync(watching.Token);
        var typing = new BootTyping(machine, time).RunAsync(request.BootKeys, request.BootKeysAfter, watching.Token);
        var facts = await machine.WaitAsync(_ => false, request.Machine.Deadline, cancellation);
        await watching.CancelAsync();
        await Task.WhenAll(typing, looking);
        if (facts.PanicText is not null)
        {
            await Task.Delay(PanicTrace, time, cancellation);
        }

        var diagnosis = await watch.ConcludeAsync(request.Files.Screen.Path);
        (var outcome, facts) = await machine.EndAsync(request.Machine.OnReboot);
        // Ctrl-C reaches QEMU too: its end by a signal is the user's doing then, not a failure.
        cancellation.ThrowIfCancellationRequested();
        var run = new InstallFacts
        {
            Accelerator = request.Accelerator.LowerName(),
            Seconds = time.GetElapsedTime(started).TotalSeconds,
            QemuCpuSeconds = facts.CpuTime.TotalSeconds,
            CrustCpuSeconds = (OwnCpuTime() - ownCpu).TotalSeconds,
            BytesWritten = facts.BytesWritten,
            Resets = facts.Resets,
            Finished = time.GetUtcNow(),
            CommandLine = machine.CommandLine,
            QemuVersion = machine.QemuVersion,
            Trace = watch.Trace,
        };
        try
        {
            iso.CheckUnchanged(MachineFailure.LastLines(machine.SerialTail));
            if (outcome is not (MachineOutcome.PoweredOff or MachineOutcome.Reset { Finished: true }))
            {
                throw MachineFailure.Of(outcome, $"the installer {Path.GetFileName(request.Installer.Path)}", RunEvidence.Of(machine, request.Files, facts, diagnosis));
            }

            CheckDisk(request, extraDisks, facts, RunEvidence.Of(machine, request.Files, facts, diagnosis));
            return run;
        }
        catch (CrustException e)
        {
            e.Add(run);
            throw;
        }
    }

    // Whatever the guest said of itself: the disk decides if it has installed, and the reason that is known is told.
    private static void CheckDisk(InstallRequest request, ExtraDisks extraDisks, MachineFacts facts, RunEvidence evidence)
    {
        try
        {
            DiskProof.Check(request.Disk);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            var what = $"the installer {Path.GetFileName(request.Installer.Path)}";
            throw extraDisks.FindInstalled() is { } size
                ? new CrustException(FailureKind.GuestFailed,
                    $"{what} installed on an extra disk of {Size.Format(size)}, which is thrown away, and not on the build's own disk of {Size.Format(request.Machine.Disk)}",
                    MachineFailure.Where(evidence), $"name the build's own disk in the seed ({request.Machine.DiskName}), or make machine.disk larger than machine.extraDisks", e)
                : facts.OutOfMemory is { } words ? MachineFailure.Of(new MachineOutcome.OutOfMemory(words), what, evidence)
                : e;
        }
    }

    private static MachineDescription Describe(InstallRequest request, IEnumerable<string> extraDisks) => new()
    {
        Name = "install",
        Arch = request.Machine.Arch,
        Firmware = request.Machine.Firmware,
        Accelerator = request.Accelerator,
        Cpus = request.Machine.Cpus,
        Memory = request.Machine.Memory,
        DirectBoot = request.DirectBoot,
        Tpm = request.Machine.Tpm,
        FirmwareFiles = request.Seed.FirmwareFiles,
        Network = request.Machine.Network,
        NetworkAllow = request.Machine.NetworkAllow,
        AllowReset = request.Machine.OnReboot is OnReboot.Continue,
        // The disk comes first: it is empty and passed over until the installer has made it bootable.
        Drives =
        [
            new Drive.Disk("raw") { File = request.Disk, Bus = request.Machine.DiskBus },
            new Drive.Cdrom { File = request.Seed.Iso ?? request.Installer.Path },
            .. SeedDrive(request.Seed),
            .. extraDisks.Select(file => new Drive.Disk("raw") { File = file, Bus = request.Machine.DiskBus }),
        ],
    };

    // A FAT volume on a USB stick is what people have at hand; and no installer takes a stick for the disk to install to.
    private static IEnumerable<Drive> SeedDrive(SeedDelivery seed) => seed.Volume is not { } volume ? []
        : seed.FileSystem is SeedFileSystem.Vfat ? [new Drive.UsbStick { File = volume }]
        : [new Drive.Cdrom { File = volume }];

    private static TimeSpan OwnCpuTime()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }
}

/// <summary>Reports an install's progress: by the guest's own word if it speaks, else by its writes and serial lines.</summary>
internal sealed class InstallProgress(IBuildObserver observer)
{
    // Who needs one private address seldom needs a dozen.
    private const int ToldAddresses = 5;

    private int _refused;

    private double? _fraction;
    private string _word = "";
    private string _line = "";

    public void Observe(MachineSignal signal, MachineFacts facts)
    {
        switch (signal)
        {
            case MachineSignal.Word { Said: GuestWord.Progress progress }:
                (_fraction, _word) = (progress.Fraction, GuestLine.Beginning(progress.Detail));
                return; // Shown with the next poll: a chatty guest must not flood the terminal.
            case MachineSignal.Word { Said: GuestWord.Warning warning }:
                observer.Observe(new BuildEvent.Warned($"the installer says: {warning.Message}", "the installer"));
                return;
            case MachineSignal.NetworkRefused { Why.CanBeAllowed: true } refused when _refused++ < ToldAddresses:
                observer.Observe(new BuildEvent.Warned($"the installer was kept from {refused.Address}, {refused.Why.What}. To let it through: machine.networkAllow: [{refused.Address}]"));
                return;
            case MachineSignal.Serial serial:
                _line = serial.Text.Split('\n').LastOrDefault(line => !string.IsNullOrWhiteSpace(line)) is { } line ? GuestLine.Beginning(line) : _line;
                return;
            case MachineSignal.Written:
                break;
            default:
                return;
        }

        var detail = _word.Length > 0 ? _word : _line;
        observer.Observe(new BuildEvent.Progressed(Stage.Install, null, _fraction, $"{Spec.Size.Format(facts.BytesWritten)} written  {detail}".Trim()));
    }
}
