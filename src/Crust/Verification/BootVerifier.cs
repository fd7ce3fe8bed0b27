using System.Collections.Immutable;
using Crust.Formats;
using Crust.Machines;
using Crust.Machines.Watching;
using Crust.Sanitizing;
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
internal sealed record BootRequest(string Image, IImageFormat Format, MachineSpec Machine, Accelerator Accelerator, VerifySpec Verify, RunFiles Files, SshLogin? Login = null)
{
    /// <summary>The image for which this one is booted, on another disk bus than its own; null if it is for itself.</summary>
    public string? For { get; init; }
}

/// <param name="Expected">What was seen.</param>
/// <param name="Seconds">From QEMU's start until then.</param>
/// <param name="Login">Who logged in, and the checks; null if nobody did.</param>
internal sealed record BootProof(Firmware Firmware, string Expected, double Seconds, DiskBus DiskBus = DiskBus.Virtio, LoginProof? Login = null)
{
    /// <summary>What kind of sign was seen: <see cref="UpSign.Kind"/>.</summary>
    public string Sign { get; init; } = UpSign.Asked;

    internal ManifestProof ToManifest() => new(Firmware.LowerName(), Expected, Math.Round(Seconds, 1)) { DiskBus = DiskBus.LowerName(), Sign = Sign, Ssh = Login?.ToManifest() };
}

/// <summary>An image that showed neither that it is up nor that it won't be.</summary>
/// <param name="Firmware">What it was booted under.</param>
/// <param name="DiskBus">What its disk hung on.</param>
/// <param name="Deadline">How long it was given.</param>
/// <param name="What">What came of it, as a sentence without a full stop.</param>
/// <param name="Where">Where its serial log and the last picture of its screen are kept.</param>
/// <param name="LastLines">The last lines on its serial port or, where there are none, on its screen; clean and without secrets.</param>
internal sealed record UnprovenBoot(Firmware Firmware, DiskBus DiskBus, TimeSpan Deadline, string What, string Where, ImmutableArray<string> LastLines)
{
    internal ManifestUnproven ToManifest() => new(Firmware.LowerName(), DiskBus.LowerName(), Math.Round(Deadline.TotalSeconds, 1), What) { LastLines = LastLines };
}

/// <summary>What came of an image's boot: one of the two. A boot that failed is an error.</summary>
/// <param name="Proof">It came up.</param>
/// <param name="Unproven">Nobody knows.</param>
internal sealed record BootVerdict(BootProof? Proof, UnprovenBoot? Unproven);

/// <summary>Boots an image, on an overlay that is thrown away, and decides if it is alive.</summary>
internal sealed class BootVerifier(MachineLauncher launcher, ToolBox tools, IBuildObserver observer, TimeProvider time, ILogger log)
{
    private const int MostLastLines = 15;

    /// <summary>Boots the image and waits until it shows what was expected. The image isn't changed.</summary>
    /// <param name="folder">A private folder for the overlay.</param>
    /// <returns>That it is up; where <see cref="VerifyBoot.Auto"/> asks for no more than what it shows, perhaps that nobody knows.</returns>
    /// <exception cref="CrustException">It has failed to boot; or it had to come up, and didn't in time.</exception>
    public async Task<BootVerdict> VerifyAsync(BootRequest request, string folder, CancellationToken cancellation)
    {
        var item = Path.GetFileName(request.Image);
        var started = time.GetTimestamp();
        await using var machine = await StartAsync(request, folder, cancellation);
        var watch = new MachineWatch(machine, new WatchSettings(request.Machine.Stall, request.Files.ScreensFolder, Installs: false) { ReadsScreen = true }, time, log);
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
        var ssh = new SshWatch(machine, time).RunAsync(SshOf(request), login, watching.Token);
        var looking = watch.RunAsync(watching.Token);
        var judging = new BootWatch(machine, time).RunAsync(watching.Token);
        var goal = new BootGoal(request.Verify);
        var facts = await machine.WaitAsync(goal.IsReached, request.Verify.Deadline, cancellation);
        await watching.CancelAsync();
        await Task.WhenAll(ssh, looking, judging);
        var seconds = time.GetElapsedTime(started).TotalSeconds;
        var up = !facts.IsOver && login?.Failure is null;
        var diagnosis = up ? null : await watch.ConcludeAsync(request.Files.Screen.Path);
        var (outcome, _) = await machine.EndAsync(OnReboot.Fail);
        cancellation.ThrowIfCancellationRequested();
        if (up)
        {
            var sign = Seen(request.Verify, facts, goal.Sign, login);
            return new BootVerdict(new BootProof(request.Machine.Firmware, sign.Text, seconds, request.Machine.DiskBus, login?.Proof) { Sign = sign.Kind }, null);
        }

        var failure = new VerifyFailure(request, RunEvidence.Of(machine, request.Files, facts, diagnosis)).Of(facts, outcome, login);
        return request.Verify.Boot is VerifyBoot.Auto && IsUndecided(outcome)
            ? new BootVerdict(null, new UnprovenBoot(request.Machine.Firmware, request.Machine.DiskBus, request.Verify.Deadline,
                launcher.Hidden.Line(failure.What, int.MaxValue), failure.Where, LastLines(machine, facts)))
            : throw failure;
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
            ForwardSsh = SshOf(request) is not SshProof.None,
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
        // The longest counts: an archive's is another's end.
        return ImageFormats.All.Where(format => path.EndsWith(format.Extension, StringComparison.OrdinalIgnoreCase)).MaxBy(format => format.Extension.Length) is { QemuDriver: not null } found ? found
            : throw new CrustException(FailureKind.BadInput, "The image's name doesn't say that it is a disk of a kind that can be booted", path,
                $"name it with one of these extensions: {string.Join(" ", bootable.Select(format => format.Extension))}");
    }

    // What a system does that may be well: it takes its time, waits for somebody, or powers off once its first boot is done.
    private static bool IsUndecided(MachineOutcome outcome) => outcome is MachineOutcome.DeadlineExpired or MachineOutcome.Stalled or MachineOutcome.PoweredOff;

    // Where any sign will do, the server's banner is one of them.
    private static SshProof SshOf(BootRequest request) =>
        request.Verify.TakesAnySign && request.Machine.Network is not MachineNetwork.None ? SshProof.Banner : request.Verify.Ssh;

    private ImmutableArray<string> LastLines(RunningMachine machine, MachineFacts facts) =>
        [.. launcher.Hidden.Lines(string.IsNullOrWhiteSpace(machine.SerialTail) ? facts.ScreenText : machine.SerialTail, int.MaxValue, CleanText.Longest)
            .Where(line => !string.IsNullOrWhiteSpace(line)).TakeLast(MostLastLines)];

    private UpSign Seen(VerifySpec verify, MachineFacts facts, UpSign? sign, LoginRun? login) => verify switch
    {
        { TakesAnySign: true } => sign! with { Text = launcher.Hidden.Line(sign.Text) },
        { Ssh: SshProof.Banner } => new UpSign(UpSign.SshBanner, launcher.Hidden.Line(facts.SshBanner!)),
        { Ssh: SshProof.Login } => new UpSign(UpSign.SshLogin, verify.Expect ?? login!.Proof!.Server),
        _ => new UpSign(UpSign.Asked, verify.Expect!),
    };
}
