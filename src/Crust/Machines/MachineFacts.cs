using System.Net;
using System.Text.RegularExpressions;
using Crust.Machines.Watching;

namespace Crust.Machines;

/// <summary>Something that was seen of a running machine.</summary>
internal abstract record MachineSignal
{
    private MachineSignal()
    {
    }

    /// <summary>QMP's SHUTDOWN: who asked (the guest or the host), and why.</summary>
    public sealed record Shutdown(bool Guest, string Reason) : MachineSignal;

    /// <summary>QMP's RESET by the guest, let through.</summary>
    public sealed record Reset(DateTimeOffset At) : MachineSignal;

    /// <summary>QMP's GUEST_PANICKED.</summary>
    public sealed record Panicked : MachineSignal;

    /// <summary>QMP's BLOCK_IO_ERROR that stopped the machine.</summary>
    public sealed record DiskError(string Reason, bool NoSpace) : MachineSignal;

    /// <summary>New text on the serial port, from the start of its line.</summary>
    public sealed record Serial(string Text) : MachineSignal;

    /// <summary>One of Crust's own guests spoke.</summary>
    public sealed record Word(GuestWord Said) : MachineSignal;

    /// <summary>QMP broke: garbage, or no answer.</summary>
    public sealed record QmpBroke(string Reason) : MachineSignal;

    public sealed record Exited(int Code, string Stderr) : MachineSignal;

    /// <summary>The emulator of its TPM ended while QEMU ran.</summary>
    public sealed record TpmEnded(int Code, string Stderr) : MachineSignal;

    /// <summary>Bytes the guest has written to its disks so far, and QEMU's CPU time.</summary>
    /// <param name="WantedTime">The CPU time with that for which QEMU waited for a processor.</param>
    public sealed record Written(long Bytes, TimeSpan CpuTime, TimeSpan WantedTime) : MachineSignal;

    public sealed record DeadlineExpired(TimeSpan Deadline) : MachineSignal;

    public sealed record Stalled(Stall Stall) : MachineSignal;

    /// <summary>What the screen shows in text mode; empty where it shows a picture.</summary>
    public sealed record ScreenShows(string Text) : MachineSignal;

    /// <summary>What was to boot has failed to, and won't come up any more.</summary>
    public sealed record BootFailed(MachineDiagnosis Cause) : MachineSignal;

    public sealed record NetworkRefused(IPAddress Address, Refusal Why) : MachineSignal;

    /// <summary>An SSH server answered with this banner.</summary>
    public sealed record SshBanner(string Banner) : MachineSignal;

    /// <summary>A log-in by SSH and its checks ended.</summary>
    public sealed record SshEnded(bool Passed) : MachineSignal;
}

/// <summary>All that is known of a machine's run: a fold over its signals.</summary>
internal sealed partial record MachineFacts
{
    // SeaBIOS resets a machine several times over on its way back up; no guest boots and resets again this fast.
    private static readonly TimeSpan OneReset = TimeSpan.FromSeconds(1);

    // An installer that boots in steps writes to its disk in each of them.
    private const int ResetsOfALoop = 5;

    public MachineSignal.Shutdown? Shutdown { get; init; }

    /// <summary>How often the guest reset and booted again.</summary>
    public int Resets { get; init; }

    public DateTimeOffset LastReset { get; init; }

    /// <summary>How many of the last resets came without anything having been written to a disk since the one before.</summary>
    public int IdleResets { get; init; }

    public long BytesAtReset { get; init; }

    /// <summary>Whether it boots and resets over and over, and nothing comes of it.</summary>
    public bool IsBootLoop => IdleResets >= ResetsOfALoop;

    public Stall? Stalled { get; init; }

    public bool PanicEvent { get; init; }

    /// <summary>The kernel's own words: an early panic comes before the pvpanic driver and gives no event.</summary>
    public string? PanicText { get; init; }

    /// <summary>What the guest's kernel said when it had no memory left; null if it didn't. The guest may live on.</summary>
    public string? OutOfMemory { get; init; }

    public MachineSignal.DiskError? DiskError { get; init; }

    public string? QmpBroke { get; init; }

    public MachineSignal.TpmEnded? TpmEnded { get; init; }

    /// <summary>What Secure Boot refused to boot from; the firmware may go on with something else.</summary>
    public string? BootRefused { get; init; }

    /// <summary>Whether Secure Boot refused, and there is nothing else to boot.</summary>
    public bool NothingSignedBoots { get; init; }

    public MachineSignal.Exited? Exit { get; init; }

    public TimeSpan? DeadlineExpired { get; init; }

    /// <summary>Whether one of Crust's own guests waits for its job.</summary>
    public bool IsReady { get; init; }

    /// <summary>The job that one of Crust's own guests said hello for.</summary>
    public string? Job { get; init; }

    public string? JobFailed { get; init; }

    public string? JobDone { get; init; }

    public string? SshBanner { get; init; }

    /// <summary>Whether the checks of a log-in by SSH were passed; null while they aren't through.</summary>
    public bool? SshPassed { get; init; }

    /// <summary>The newest serial text, from its line's start.</summary>
    public string FreshSerial { get; init; } = "";

    /// <summary>What the screen showed at the last look, in text mode; empty where it showed a picture, or isn't read.</summary>
    public string ScreenText { get; init; } = "";

    /// <summary>Why what was to boot won't come up; null while it still may.</summary>
    public MachineDiagnosis? BootFailed { get; init; }

    public long BytesWritten { get; init; }

    public TimeSpan CpuTime { get; init; }

    public TimeSpan WantedTime { get; init; }

    /// <summary>Whether nothing more is to be expected of this machine.</summary>
    public bool IsOver => Shutdown is not null || PanicEvent || PanicText is not null || DiskError is not null
        || QmpBroke is not null || TpmEnded is not null || NothingSignedBoots || Exit is not null || DeadlineExpired is not null || Stalled is not null || BootFailed is not null || IsBootLoop;

    public MachineFacts With(MachineSignal signal) => signal switch
    {
        // The first shutdown counts: QEMU's answer to Crust's own 'quit' comes after the guest's.
        MachineSignal.Shutdown shutdown => this with { Shutdown = Shutdown ?? shutdown },
        MachineSignal.Reset reset => (reset.At - LastReset).Duration() < OneReset ? this : this with
        {
            Resets = Resets + 1,
            LastReset = reset.At,
            IdleResets = Resets > 0 && BytesWritten == BytesAtReset ? IdleResets + 1 : 0,
            BytesAtReset = BytesWritten,
        },
        MachineSignal.Panicked => this with { PanicEvent = true },
        MachineSignal.DiskError error => this with { DiskError = DiskError ?? error },
        MachineSignal.Serial serial => WithSerial(serial.Text),
        MachineSignal.Word { Said: GuestWord.Ready } => this with { IsReady = true },
        MachineSignal.Word { Said: GuestWord.Hello hello } => this with { Job = hello.Job },
        MachineSignal.Word { Said: GuestWord.Failed failed } => this with { JobFailed = JobFailed ?? failed.Message },
        MachineSignal.Word { Said: GuestWord.Done done } => this with { JobDone = done.Message },
        MachineSignal.QmpBroke broke => this with { QmpBroke = QmpBroke ?? broke.Reason },
        // QEMU ends it on its own way out.
        MachineSignal.TpmEnded ended => this with { TpmEnded = Shutdown is null && Exit is null ? ended : TpmEnded },
        MachineSignal.Exited exited => this with { Exit = exited },
        MachineSignal.Written written => this with { BytesWritten = written.Bytes, CpuTime = written.CpuTime, WantedTime = written.WantedTime },
        MachineSignal.DeadlineExpired expired => this with { DeadlineExpired = expired.Deadline },
        MachineSignal.Stalled stalled => this with { Stalled = stalled.Stall },
        MachineSignal.ScreenShows screen => this with { ScreenText = screen.Text },
        MachineSignal.BootFailed failed => this with { BootFailed = BootFailed ?? failed.Cause },
        MachineSignal.SshBanner banner => this with { SshBanner = banner.Banner },
        MachineSignal.SshEnded ended => this with { SshPassed = ended.Passed },
        _ => this,
    };

    private MachineFacts WithSerial(string text)
    {
        var refused = BootRefused ?? FirmwareWords.FindRefused(text);
        return this with
        {
            FreshSerial = text,
            PanicText = PanicText ?? FindPanic(text),
            OutOfMemory = OutOfMemory ?? FindOutOfMemory(text),
            BootRefused = refused,
            NothingSignedBoots = NothingSignedBoots || (refused is not null && FirmwareWords.SaysNothingBoots(text)),
        };
    }

    private static string? FindPanic(string text) => KernelPanic().Match(text) is { Success: true } match ? match.Groups[1].Value.Trim() : null;

    private static string? FindOutOfMemory(string text) =>
        NoMemory().Match(text) is { Success: true } match ? match.Groups[1].Value.Trim() is { Length: > 200 } words ? words[..200] : match.Groups[1].Value.Trim() : null;

    // Linux' OOM killer (mm/oom_kill.c), not that of a memory cgroup, and an initramfs that finds no room (init/initramfs.c). Kernels before 5.1 say "Kill process".
    [GeneratedRegex(@"^(?:<\d>)?(?:\[ *\d+\.\d+\] ?)?(?:\[ *[TC]\d+\] ?)?(Out of memory(?: \(oom_kill_allocating_task\))?: Kill(?:ed)? process \d+ \([^\n]{0,64}\)|Initramfs unpacking failed: write error|rootfs image is not initramfs \(write error\)|Kernel panic - not syncing: (?:Out of memory|System is deadlocked on memory))[^\n]*\n", RegexOptions.Multiline)]
    private static partial Regex NoMemory();

    // Linux prints it at the start of a line, behind the timestamp where those are on; text quoted elsewhere is no panic.
    [GeneratedRegex(@"^(?:\[ *\d+\.\d+\] ?)?(?:\[ *[TC]\d+\] ?)?(Kernel panic - not syncing: [^\n]+)\n", RegexOptions.Multiline)]
    private static partial Regex KernelPanic();
}
