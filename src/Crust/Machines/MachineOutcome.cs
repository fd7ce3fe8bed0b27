using Crust.Machines.Watching;
using Crust.Spec;

namespace Crust.Machines;

internal abstract record MachineOutcome
{
    private MachineOutcome()
    {
    }

    /// <summary>The guest powered itself off, QEMU ended cleanly, and no guest of Crust's own said otherwise. The only success of an install.</summary>
    public sealed record PoweredOff : MachineOutcome;

    /// <summary>The guest reset itself, <paramref name="Finished"/> if the spec takes that for the installer's end.</summary>
    public sealed record Reset(bool Finished) : MachineOutcome;

    public sealed record Panicked(string Text) : MachineOutcome;

    /// <summary>The guest's job said that it failed, or went away without saying that it is done.</summary>
    public sealed record JobFailed(string Message) : MachineOutcome;

    /// <summary>The guest failed after its kernel had run out of memory; <paramref name="Words"/> are the kernel's.</summary>
    public sealed record OutOfMemory(string Words) : MachineOutcome;

    /// <summary>QEMU ended, or stopped answering, without the guest's doing.</summary>
    public sealed record QemuDied(string How, string Stderr) : MachineOutcome;

    /// <summary>Somebody on the host ended the machine: a signal to QEMU, another QMP client.</summary>
    public sealed record EndedByHost(string Reason) : MachineOutcome;

    /// <summary>The host couldn't read or write the disk.</summary>
    public sealed record DiskError(string Reason, bool NoSpace) : MachineOutcome;

    /// <summary>The emulator of the machine's TPM ended without QEMU's doing.</summary>
    public sealed record TpmDied(string How, string Stderr) : MachineOutcome;

    /// <summary>Secure Boot refused what the machine was to boot from, and there was nothing else.</summary>
    public sealed record BootRefused(string From) : MachineOutcome;

    public sealed record DeadlineExpired(TimeSpan Deadline) : MachineOutcome;

    internal sealed record Stalled(Stall Stall) : MachineOutcome;

    /// <summary>What was to boot failed to, and waits.</summary>
    internal sealed record BootFailed(MachineDiagnosis Cause) : MachineOutcome;

    /// <summary>It booted and reset over and over, and wrote nothing in between.</summary>
    public sealed record BootLoop(int Boots) : MachineOutcome;

    /// <summary>None of these: Crust ended the machine when it had seen what it wanted.</summary>
    public sealed record Stopped : MachineOutcome;
}

/// <summary>Decides from the facts of a run how it ended. A pure function: each failure is its own, and none is ever taken for success.</summary>
internal static class Verdict
{
    public static MachineOutcome Of(MachineFacts facts, OnReboot onReboot) => OfRun(facts, onReboot) is var outcome && facts.OutOfMemory is { } words && MayBeOfMemory(outcome)
        ? new MachineOutcome.OutOfMemory(words)
        : outcome;

    // What a guest does whose kernel has killed a program of it, or found no room for itself.
    private static bool MayBeOfMemory(MachineOutcome outcome) => outcome is MachineOutcome.JobFailed or MachineOutcome.Panicked or MachineOutcome.Stalled or MachineOutcome.DeadlineExpired
        or MachineOutcome.BootFailed or MachineOutcome.BootLoop or MachineOutcome.Reset { Finished: false };

    private static MachineOutcome OfRun(MachineFacts facts, OnReboot onReboot) => facts switch
    {
        // Causes before consequences: a panic may reset the machine, a full disk stops it until the deadline.
        { DiskError: { } error } => new MachineOutcome.DiskError(error.Reason, error.NoSpace),
        { TpmEnded: { } tpm } => new MachineOutcome.TpmDied(HowEnded("swtpm, the machine's TPM,", tpm.Code), tpm.Stderr),
        { PanicText: { } text } => new MachineOutcome.Panicked(text),
        { PanicEvent: true } or { Shutdown: { Guest: true, Reason: "guest-panic" } } =>
            new MachineOutcome.Panicked("the guest reported a kernel panic"),
        { JobFailed: { } message } => new MachineOutcome.JobFailed(message),
        { Shutdown: { Guest: true, Reason: "guest-shutdown" } } => OfPowerOff(facts),
        { Shutdown: { Guest: true, Reason: "guest-reset" } } => OfReset(facts, onReboot),
        { NothingSignedBoots: true, BootRefused: { } from } => new MachineOutcome.BootRefused(from),
        { Shutdown: { Reason: not "host-qmp-quit" } shutdown } => new MachineOutcome.EndedByHost(shutdown.Reason),
        { QmpBroke: { } reason } => new MachineOutcome.QemuDied(reason, facts.Exit?.Stderr ?? ""),
        { IsBootLoop: true } => new MachineOutcome.BootLoop(facts.Resets + 1),
        { BootFailed: { } cause } => new MachineOutcome.BootFailed(cause),
        { Stalled: { } stall } => new MachineOutcome.Stalled(stall),
        { DeadlineExpired: { } deadline } => new MachineOutcome.DeadlineExpired(deadline),
        { Shutdown: not null } => new MachineOutcome.Stopped(),
        { Exit: { } exit } => Died(exit),
        _ => new MachineOutcome.Stopped(),
    };

    private static MachineOutcome OfPowerOff(MachineFacts facts) =>
        facts.Exit is { Code: not 0 } exit ? Died(exit) : Unfinished(facts) ?? (MachineOutcome)new MachineOutcome.PoweredOff();

    private static MachineOutcome OfReset(MachineFacts facts, OnReboot onReboot) =>
        Unfinished(facts) ?? (MachineOutcome)new MachineOutcome.Reset(onReboot is OnReboot.Finish);

    private static MachineOutcome.JobFailed? Unfinished(MachineFacts facts) => facts is { Job: { } job, JobDone: null }
        ? new MachineOutcome.JobFailed($"the guest ended before its job '{job}' said that it is done")
        : null;

    private static MachineOutcome.QemuDied Died(MachineSignal.Exited exit) => new(HowEnded("QEMU", exit.Code), exit.Stderr);

    private static string HowEnded(string who, int code) =>
        code > 128 ? $"{who} was ended by signal {code - 128}{NameOf(code - 128)}" : $"{who} ended with exit code {code}";

    private static string NameOf(int signal) => signal switch
    {
        6 => " (SIGABRT)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        25 => " (SIGXFSZ: a file would have become larger than ulimit -f allows)",
        _ => "",
    };
}
