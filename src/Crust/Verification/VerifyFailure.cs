using Crust.Machines;
using Crust.Spec;

namespace Crust.Verification;

/// <summary>An image came up, and failed a check.</summary>
internal sealed class CheckFailedException(string what, string where, string remedy) : CrustException(FailureKind.GuestFailed, what, where, remedy);

/// <summary>Turns the bad end of an image's boot into the error that a user reads.</summary>
internal sealed class VerifyFailure(BootRequest request, RunEvidence evidence)
{
    private string Image => $"the image {Path.GetFileName(request.Image)}{(request.For is { } other ? $", on {request.Machine.DiskBus.LowerName()} as {other} is made for," : "")}";

    /// <param name="facts">What is known of the machine.</param>
    /// <param name="login">The log-in; null if there was none.</param>
    public CrustException Of(MachineFacts facts, MachineOutcome outcome, LoginRun? login)
    {
        // A machine that ended by itself is the better cause of a connection that was lost.
        if (login?.Failure is { } failure && !facts.IsOver)
        {
            return new CheckFailedException($"{Image} came up, and {failure.What}", Where(), failure.Remedy) { Detail = string.Join('\n', failure.Output) };
        }

        return outcome switch
        {
            MachineOutcome.DeadlineExpired late when login is not null => Late(late.Deadline, login),
            MachineOutcome.DeadlineExpired late => Failed(
                $"{Image} didn't show {request.Verify.Describe()} within {Duration.Format(late.Deadline)}{Seems()}",
                "read in the serial log how far it came; set verify.expect to what this system prints, or raise verify.deadline (--verify-deadline)"),
            MachineOutcome.PoweredOff when login?.Check is { } check => Failed($"{Image} powered off while {check} ran", "read in the serial log why"),
            MachineOutcome.PoweredOff => Failed($"{Image} powered off instead of coming up", "read in the serial log why"),
            _ => MachineFailure.Of(outcome, Image, evidence),
        };
    }

    private CrustException Late(TimeSpan deadline, LoginRun login)
    {
        var within = Duration.Format(deadline);
        return login switch
        {
            { Proof: not null } => Failed($"{Image} let {request.Login!.User} in, and didn't show '{request.Verify.Expect}' on the serial port within {within}",
                "set verify.expect to what this system prints, leave it out since a log-in proves more, or raise verify.deadline"),
            { Check: { } check } => new CheckFailedException($"{Image} came up, and {check} hadn't ended after {within}", Where(), "mend the check that waits (verify.checks), or raise verify.deadline (--verify-deadline)") { Detail = MachineFailure.LastLines(evidence.SerialTail) },
            _ => Failed($"{Image} let nobody in by SSH within {within}: {login.Waiting}{Seems()}",
                "read in the serial log how far it came; look whether it has this account with this key or password, and an SSH server that takes it; or raise verify.deadline (--verify-deadline)"),
        };
    }

    private string Seems() => evidence.Diagnosis is { } seems ? $": {seems.Sentence}" : "";

    private string Where() => MachineFailure.Where(evidence);

    private CrustException Failed(string what, string remedy) => new(FailureKind.GuestFailed, what, Where(), remedy) { Detail = MachineFailure.LastLines(evidence.SerialTail) };
}
