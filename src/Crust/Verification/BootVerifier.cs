using Crust.Formats;
using Crust.Machines;
using Crust.Machines.Watching;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog;

namespace Crust.Verification;

/// <summary>What an image is booted on, and what proves that it is up.</summary>
/// <param name="Image">The image's path.</param>
/// <param name="Accelerator">What runs the guest, as the probe chose it.</param>
/// <param name="Verify">What to wait for, and how long.</param>
/// <param name="Files">Get the serial port's output and pictures of the screen.</param>
/// <param name="Login">Who logs in; null if nobody does.</param>
internal sealed record BootRequest(string Image, IImageFormat Format, MachineSpec Machine, Accelerator Accelerator, VerifySpec Verify, RunFiles Files, SshLogin? Login = null);

/// <param name="Expected">What was seen.</param>
/// <param name="Seconds">From QEMU's start until then.</param>
/// <param name="Login">Who logged in, and the checks; null if nobody did.</param>
internal sealed record BootProof(Firmware Firmware, string Expected, double Seconds, DiskBus DiskBus = DiskBus.Virtio, LoginProof? Login = null)
{
    internal ManifestProof ToManifest() => new(Firmware.LowerName(), Expected, Math.Round(Seconds, 1)) { DiskBus = DiskBus.LowerName(), Ssh = Login?.ToManifest() };
}

/// <summary>Boots an image, on an overlay that is thrown away, and decides if it is alive.</summary>
internal sealed class BootVerifier(MachineLauncher launcher, ToolBox tools, IBuildObserver observer, TimeProvider time, ILogger log)
{
    /// <summary>Boots the image and waits until it shows what was expected. The image isn't changed.</summary>
    /// <param name="folder">A private folder for the overlay.</param>
    /// <exception cref="CrustException">It didn't come up in time, panicked, or ended.</exception>
    public async Task<BootProof> VerifyAsync(BootRequest request, string folder, CancellationToken cancellation)
    {
        var item = Path.GetFileName(request.Image);
        var started = time.GetTimestamp();
        await using var machine = await StartAsync(request, folder, cancellation);
        var watch = new MachineWatch(machine, new WatchSettings(request.Machine.Stall, request.Files.ScreensFolder, Installs: false), time, log);
        machine.OnSignal = (signal, facts) =>
        {
            watch.Observe(signal, facts);
            if (signal is MachineSignal.Serial serial && serial.Text.Split('\n').LastOrDefault(line => !string.IsNullOrWhiteSpace(line)) is { } line)
            {
                observer.Observe(new BuildEvent.Progressed(Stage.Verify, item, null, GuestLine.Beginning(line)));
            }
        };

        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var login = request.Login is null ? null : new LoginRun(request.Login, launcher.Hidden, says => observer.Observe(new BuildEvent.Progressed(Stage.Verify, item, null, GuestLine.Beginning(says))), time, log);
        var ssh = new SshWatch(machine, time).RunAsync(request.Verify.Ssh, login, watching.Token);
        var looking = watch.RunAsync(watching.Token);
        if (request.Format.Controller is { } controller)
        {
            observer.Observe(new BuildEvent.Warned($"{item} asks for a disk controller of {controller}, which QEMU doesn't have: it is booted on {request.Machine.DiskBus.LowerName()}, and proves nothing of a system that lacks the driver for the other"));
        }

        var facts = await machine.WaitAsync(new Goal(request.Verify).IsReached, request.Verify.Deadline, cancellation);
        await watching.CancelAsync();
        await Task.WhenAll(ssh, looking);
        var seconds = time.GetElapsedTime(started).TotalSeconds;
        var up = !facts.IsOver && login?.Failure is null;
        var diagnosis = up ? null : await watch.ConcludeAsync(request.Files.Screen.Path);
        var (outcome, _) = await machine.EndAsync(OnReboot.Fail);
        cancellation.ThrowIfCancellationRequested();
        return up
            ? new BootProof(request.Machine.Firmware, Seen(request.Verify, facts, login), seconds, request.Machine.DiskBus, login?.Proof)
            : throw new VerifyFailure(request, RunEvidence.Of(machine, request.Files, facts, diagnosis)).Of(facts, outcome, login);
    }

    /// <summary>Starts a machine from the image; for tests that go on inside the guest.</summary>
    internal async Task<RunningMachine> StartAsync(BootRequest request, string folder, CancellationToken cancellation)
    {
        var overlay = Path.Combine(folder, $"{Path.GetFileName(request.Image)}.{Guid.NewGuid():N}.overlay");
        var disk = await ForeignImage.OpenAsync(request.Image, request.Format, folder, tools, cancellation);
        await QemuImg.CreateOverlayAsync(disk, overlay, [], tools, cancellation);
        return await launcher.StartAsync(new MachineDescription
        {
            Name = "verify",
            Arch = request.Machine.Arch,
            Firmware = request.Machine.Firmware,
            Accelerator = request.Accelerator,
            Cpus = request.Machine.Cpus,
            Memory = request.Machine.Memory,
            // Some systems reset once on their first boot.
            AllowReset = true,
            ForwardSsh = request.Verify.Ssh is not SshProof.None,
            Tpm = request.Machine.Tpm,
            Network = request.Machine.Network,
            NetworkAllow = request.Machine.NetworkAllow,
            Drives = [new Drive.Disk(QemuImg.OverlayDriver) { File = overlay, Bus = request.Machine.DiskBus }],
        }, request.Files.SerialLog.Path, cancellation);
    }

    /// <summary>Checks an image as far as that goes without unpacking or booting it.</summary>
    /// <exception cref="CrustException">It isn't what its name says, or names another file.</exception>
    public Task CheckAsync(string image, IImageFormat format, CancellationToken cancellation) => ForeignImage.CheckAsync(image, format, tools, cancellation);

    /// <summary>The format of an image that a user named, by its extension.</summary>
    /// <exception cref="CrustException">There is no such file, or its kind can't be booted.</exception>
    public static IImageFormat FormatOf(string path)
    {
        RegularFile.Require(path, "image", "name an image that exists, such as images/*.vmdk");
        var bootable = ImageFormats.All.Where(format => format.QemuDriver is not null).ToList();
        return bootable.FirstOrDefault(format => path.EndsWith(format.Extension, StringComparison.OrdinalIgnoreCase))
            ?? throw new CrustException(FailureKind.BadInput, "The image's name doesn't say that it is a disk of a kind that can be booted", path,
                $"name it with one of these extensions: {string.Join(" ", bootable.Select(format => format.Extension))}");
    }

    private string Seen(VerifySpec verify, MachineFacts facts, LoginRun? login) => verify switch
    {
        { Ssh: SshProof.Banner } => launcher.Hidden.Line(facts.SshBanner!),
        { Ssh: SshProof.Login, LoginNeedsText: false } => login!.Proof!.Server,
        _ => verify.Expect,
    };

    /// <summary>When an image is up, or it is known that it won't be.</summary>
    private sealed class Goal(VerifySpec verify)
    {
        private bool _sawText;

        public bool IsReached(MachineFacts facts)
        {
            // A fact holds only the newest text.
            _sawText |= facts.FreshSerial.Contains(verify.Expect, StringComparison.Ordinal);
            return verify.Ssh switch
            {
                SshProof.Banner => facts.SshBanner is not null,
                SshProof.Login => facts.SshPassed is { } passed && (!passed || !verify.LoginNeedsText || _sawText),
                _ => _sawText,
            };
        }
    }
}
