using System.Net;
using System.Net.Sockets;
using System.Text;
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
/// <param name="Format">Its format.</param>
/// <param name="Machine">The machine's hardware.</param>
/// <param name="Accelerator">What runs the guest, as the probe chose it.</param>
/// <param name="Verify">What to wait for, and how long.</param>
/// <param name="Files">Get the serial port's output and pictures of the screen.</param>
public sealed record BootRequest(string Image, IImageFormat Format, MachineSpec Machine, Accelerator Accelerator, VerifySpec Verify, RunFiles Files);

/// <summary>An image that came up.</summary>
/// <param name="Firmware">What it booted under.</param>
/// <param name="Expected">What was seen.</param>
/// <param name="Seconds">From QEMU's start until then.</param>
/// <param name="DiskBus">What its disk hung on.</param>
public sealed record BootProof(Firmware Firmware, string Expected, double Seconds, DiskBus DiskBus = DiskBus.Virtio)
{
    /// <summary>The same as a manifest has it.</summary>
    internal ManifestProof ToManifest() => new(Firmware.LowerName(), Expected, Math.Round(Seconds, 1)) { DiskBus = DiskBus.LowerName() };
}

/// <summary>Boots an image, on an overlay that is thrown away, and decides if it is alive.</summary>
public sealed class BootVerifier(MachineLauncher launcher, ToolBox tools, IBuildObserver observer, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(2);

    /// <summary>Boots the image and waits until it shows what was expected. The image isn't changed.</summary>
    /// <param name="request">What to boot.</param>
    /// <param name="folder">A private folder for the overlay.</param>
    /// <param name="cancellation">Ends QEMU and gives up.</param>
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
        var banner = request.Verify.Ssh ? WatchSshAsync(machine, watching.Token) : Task.CompletedTask;
        var looking = watch.RunAsync(watching.Token);
        var expect = request.Verify.Expect;
        if (request.Format.Controller is { } controller)
        {
            observer.Observe(new BuildEvent.Warned($"{item} asks for a disk controller of {controller}, which QEMU doesn't have: it is booted on {request.Machine.DiskBus.LowerName()}, and proves nothing of a system that lacks the driver for the other"));
        }

        var facts = await machine.WaitAsync(
            facts => request.Verify.Ssh ? facts.SshBanner is not null : facts.FreshSerial.Contains(expect, StringComparison.Ordinal),
            request.Verify.Deadline, cancellation);
        await watching.CancelAsync();
        await Task.WhenAll(banner, looking);
        var seconds = time.GetElapsedTime(started).TotalSeconds;
        var up = !facts.IsOver;
        var diagnosis = up ? null : await watch.ConcludeAsync(request.Files.Screen.Path);
        var (outcome, _) = await machine.EndAsync(OnReboot.Fail);
        cancellation.ThrowIfCancellationRequested();
        return up
            ? new BootProof(request.Machine.Firmware, facts.SshBanner is { } shown ? launcher.Hidden.Line(shown) : expect, seconds, request.Machine.DiskBus)
            : throw Failure(request, outcome, RunEvidence.Of(machine, request.Files, facts, diagnosis));
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
            ForwardSsh = request.Verify.Ssh,
            Tpm = request.Machine.Tpm,
            Network = request.Machine.Network,
            NetworkAllow = request.Machine.NetworkAllow,
            Drives = [new Drive.Disk("qcow2") { File = overlay, Bus = request.Machine.DiskBus }],
        }, request.Files.SerialLog.Path, cancellation);
    }

    /// <summary>Checks an image as far as that goes without unpacking or booting it.</summary>
    /// <param name="image">The image.</param>
    /// <param name="format">Its format.</param>
    /// <param name="cancellation">Ends it.</param>
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

    private static CrustException Failure(BootRequest request, MachineOutcome outcome, RunEvidence evidence)
    {
        var image = $"the image {Path.GetFileName(request.Image)}";
        var expected = request.Verify.Ssh ? "an SSH banner" : $"'{request.Verify.Expect}' on the serial port";
        return outcome switch
        {
            MachineOutcome.DeadlineExpired late => Of(
                $"{image} didn't show {expected} within {Duration.Format(late.Deadline)}{(evidence.Diagnosis is { } seems ? $": {seems.Sentence}" : "")}",
                "read in the serial log how far it came; set verify.expect to what this system prints, or raise verify.deadline"),
            MachineOutcome.PoweredOff => Of($"{image} powered off instead of coming up", "read in the serial log why"),
            _ => MachineFailure.Of(outcome, image, evidence),
        };

        CrustException Of(string what, string remedy) =>
            new(FailureKind.GuestFailed, what, MachineFailure.Where(evidence), remedy) { Detail = MachineFailure.LastLines(evidence.SerialTail) };
    }

    private static async Task WatchSshAsync(RunningMachine machine, CancellationToken cancellation)
    {
        try
        {
            var port = await machine.FindSshPortAsync(cancellation);
            while (true)
            {
                if (await TryReadBannerAsync(port, cancellation) is { } banner)
                {
                    machine.Signal(new MachineSignal.SshBanner(banner));
                    return;
                }

                await Task.Delay(ProbeInterval, cancellation);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or Machines.Qmp.QmpException)
        {
            // The run is over; its outcome is decided elsewhere.
        }
    }

    // RFC 4253, section 4.2: the server's identification string starts with "SSH-".
    private static async Task<string?> TryReadBannerAsync(int port, CancellationToken cancellation)
    {
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(ProbeInterval);
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            var buffer = new byte[256];
            var read = await client.GetStream().ReadAsync(buffer, timeout.Token);
            var text = Encoding.ASCII.GetString(buffer, 0, read);
            return text.StartsWith("SSH-", StringComparison.Ordinal) ? text.Split('\r', '\n')[0] : null;
        }
        catch (Exception e) when (e is IOException or SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }
}
