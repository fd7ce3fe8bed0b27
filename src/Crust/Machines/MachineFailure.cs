using Crust.Machines.Watching;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Machines;

/// <summary>What is left of a run to find out from why it failed.</summary>
/// <param name="SerialTail">The last text on its serial port.</param>
/// <param name="SerialLog">Where the serial log is kept.</param>
internal sealed record RunEvidence(string SerialTail, string SerialLog)
{
    /// <summary>Where the last picture of its screen is kept; null if there is none.</summary>
    public string? Screen { get; init; }

    /// <summary>What the guest seems to wait for; null if that can't be told.</summary>
    public MachineDiagnosis? Diagnosis { get; init; }

    /// <summary>How often it booted.</summary>
    public int Boots { get; init; } = 1;

    public static RunEvidence Of(RunningMachine machine, RunFiles files, MachineFacts facts, MachineDiagnosis? diagnosis) => new(machine.SerialTail, files.SerialLog.KeptAs)
    {
        Screen = File.Exists(files.Screen.Path) ? files.Screen.KeptAs : null,
        Diagnosis = diagnosis,
        Boots = facts.Resets + 1,
    };
}

/// <summary>Turns a run's bad end into the error that a user reads. Each way to fail has its own words.</summary>
internal static class MachineFailure
{
    private const int QuotedLines = 15;

    public static CrustException Of(MachineOutcome outcome, string what, RunEvidence evidence)
    {
        var (kind, sentence, remedy) = Describe(outcome, what, evidence);
        return new CrustException(kind, sentence, Where(evidence), remedy) { Detail = LastLines(evidence.SerialTail) };
    }

    /// <summary>Where to look for more.</summary>
    public static string Where(RunEvidence evidence) =>
        $"serial log: {evidence.SerialLog}{(evidence.Screen is { } screen ? $"; its screen: {screen}" : "")}";

    private static (FailureKind Kind, string Sentence, string Remedy) Describe(MachineOutcome outcome, string what, RunEvidence evidence) => outcome switch
    {
        MachineOutcome.Reset => (FailureKind.GuestFailed, $"{what} reset the machine instead of powering it off",
            "let the installer power off (install.poweroff: true), or set machine.onReboot to 'finish' if the reset is its end, or 'continue' if it boots again to go on; a crash of the "
                + "guest's processor (a triple fault) looks the same: the serial log's last lines tell them apart"),
        MachineOutcome.Panicked panic => (FailureKind.GuestFailed, $"{what} ended in a kernel panic: {panic.Text}",
            "read the lines before the panic in the serial log; more machine.memory or another machine.firmware often helps"),
        MachineOutcome.OutOfMemory memory => (FailureKind.GuestFailed, $"{what} ran out of memory: its kernel says \"{memory.Words}\"",
            "raise machine.memory (--memory)"),
        MachineOutcome.JobFailed job => (FailureKind.GuestFailed, $"{what} failed: {job.Message}",
            "mend what it names, then build again; the serial log has each of its steps"),
        MachineOutcome.QemuDied died => (FailureKind.GuestFailed, $"{died.How} while {what} was running{Quote(died.Stderr)}",
            "look for the cause in the host's log (out of memory? a crash?), then build again"),
        MachineOutcome.TpmDied died => (FailureKind.GuestFailed, $"{died.How} while {what} was running{Quote(died.Stderr)}",
            "look for the cause in the host's log (out of memory? somebody's kill?), then build again"),
        MachineOutcome.BootRefused refused =>
            (FailureKind.GuestFailed, $"Secure Boot refused to start {what} from \"{refused.From}\": what it boots isn't signed with a key that the firmware knows, Microsoft's",
            "take one with a signed boot loader (shim), or set machine.firmware to uefi"),
        MachineOutcome.EndedByHost ended => (FailureKind.GuestFailed, $"Somebody on this host ended QEMU ({ended.Reason}) while {what} was running",
            "build again, and leave QEMU's process alone"),
        MachineOutcome.DiskError { NoSpace: true } => (FailureKind.InputOutput, $"This host's disk became full while {what} was writing",
            "free space on the cache's file system, or set CRUST_CACHE to one that has more"),
        MachineOutcome.DiskError error when HostFault.IsTooLarge(0, error.Reason) => (FailureKind.InputOutput, $"The disk of {what} would become larger than QEMU may write: {error.Reason}",
            HostFault.FileSizeRemedy),
        MachineOutcome.DiskError error => (FailureKind.InputOutput, $"This host couldn't read or write a drive of {what}: {error.Reason}",
            "check the file system of the cache and of the installer ISO, and the host's log"),
        MachineOutcome.Stalled { Stall: var stall } => (FailureKind.GuestFailed,
            $"{what} did nothing for {Duration.Format(stall.Quiet)}{(stall.Busy ? " but keep a processor busy" : "")}: {evidence.Diagnosis?.Sentence ?? "what it waits for can't be determined"}",
            $"{evidence.Diagnosis?.Remedy ?? "look at the picture of its screen, and at the serial log"}; if it only needs longer, raise machine.stall (--stall)"),
        MachineOutcome.BootFailed { Cause: var cause } => (FailureKind.GuestFailed, $"{what} {cause.Sentence}", cause.Remedy),
        MachineOutcome.BootLoop loop => (FailureKind.GuestFailed, $"{what} booted {loop.Boots} times over and wrote nothing to the disk in between: it is in a boot loop",
            "read in the serial log why it resets: more machine.memory or another machine.firmware often helps; the installed system may not boot, and the installer be started again"),
        MachineOutcome.DeadlineExpired late => (FailureKind.GuestFailed,
            $"{what} hadn't finished after "
                + $"{Duration.Format(late.Deadline)}{(evidence.Boots > 1 ? $" and {evidence.Boots} boots" : "")}{(evidence.Diagnosis is { } seems ? $": {seems.Sentence}" : "")}",
            $"{(evidence.Diagnosis is { } known ? known.Remedy : "read in the serial log what it waited for")}; if it only needs longer, raise the deadline (machine.deadline, --deadline)"),
        _ => (FailureKind.GuestFailed, $"{what} ended without a reason that Crust knows ({outcome})", "read the serial log"),
    };

    private static string Quote(string stderr) => stderr.Trim() is { Length: > 0 } text ? $": {text.Split('\n')[^1].Trim()}" : "";

    /// <summary>The last lines of a serial port's text, which often tell more than any verdict.</summary>
    public static string LastLines(string tail) => string.Join('\n', tail.Split('\n').Select(line => line.TrimEnd())
        .Where(line => line.Length > 0).TakeLast(QuotedLines));
}
