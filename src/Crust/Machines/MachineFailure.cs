using Crust.Spec;

namespace Crust.Machines;

/// <summary>Turns a run's bad end into the error that a user reads. Each way to fail has its own words.</summary>
internal static class MachineFailure
{
    private const int QuotedLines = 15;

    public static CrustException Of(MachineOutcome outcome, string what, string serialTail, string serialLog)
    {
        var (kind, sentence, remedy) = Describe(outcome, what);
        return new CrustException(kind, sentence, $"serial log: {serialLog}", remedy) { Detail = LastLines(serialTail) };
    }

    private static (FailureKind Kind, string Sentence, string Remedy) Describe(MachineOutcome outcome, string what) => outcome switch
    {
        MachineOutcome.Reset => (FailureKind.GuestFailed, $"{what} reset the machine instead of powering it off",
            "let the installer power off (install.poweroff: true), or set machine.onReboot to 'finish' if the reset is its end, or 'continue' if it boots again to go on; a crash of the guest's processor (a triple fault) looks the same: the serial log's last lines tell them apart"),
        MachineOutcome.Panicked panic => (FailureKind.GuestFailed, $"{what} ended in a kernel panic: {panic.Text}",
            "read the lines before the panic in the serial log; more machine.memory or another machine.firmware often helps"),
        MachineOutcome.JobFailed job => (FailureKind.GuestFailed, $"{what} failed: {job.Message}",
            "mend what it names, then build again; the serial log has each of its steps"),
        MachineOutcome.QemuDied died => (FailureKind.GuestFailed, $"{died.How} while {what} was running{Quote(died.Stderr)}",
            "look for the cause in the host's log (out of memory? a crash?), then build again"),
        MachineOutcome.EndedByHost ended => (FailureKind.GuestFailed, $"Somebody on this host ended QEMU ({ended.Reason}) while {what} was running",
            "build again, and leave QEMU's process alone"),
        MachineOutcome.DiskError { NoSpace: true } => (FailureKind.InputOutput, $"This host's disk became full while {what} was writing",
            "free space on the cache's file system, or set CRUST_CACHE to one that has more"),
        MachineOutcome.DiskError error => (FailureKind.InputOutput, $"This host couldn't read or write a drive of {what}: {error.Reason}",
            "check the file system of the cache and of the installer ISO, and the host's log"),
        MachineOutcome.DeadlineExpired late => (FailureKind.GuestFailed, $"{what} hadn't finished after {Duration.Format(late.Deadline)}",
            "read in the serial log what it waited for; if it only needs longer, raise the deadline (machine.deadline, --deadline)"),
        _ => (FailureKind.GuestFailed, $"{what} ended without a reason that Crust knows ({outcome})", "read the serial log"),
    };

    private static string Quote(string stderr) => stderr.Trim() is { Length: > 0 } text ? $": {text.Split('\n')[^1].Trim()}" : "";

    /// <summary>The last lines of a serial port's text, which often tell more than any verdict.</summary>
    public static string LastLines(string tail) => string.Join('\n', tail.Split('\n').Select(line => line.TrimEnd())
        .Where(line => line.Length > 0).TakeLast(QuotedLines));
}
