using Crust.Formats;
using Crust.Spec;

namespace Crust.Verification;

internal sealed record ExpectedProof(Firmware Firmware, VerifySpec Verify)
{
    /// <summary>Who logs in; null if nobody does.</summary>
    public SshLogin? Login { get; init; }

    public bool IsGivenBy(ManifestProof? proof) => proof is not null && proof.Firmware == Firmware.LowerName() && Verify.Ssh switch
    {
        SshProof.Banner => proof.Ssh is not null || proof.Expected.StartsWith("SSH-", StringComparison.Ordinal),
        SshProof.Login => Login is not null && proof.Ssh is { } ssh && (ssh.User, ssh.Key) == (Login.User, Login.Key) && ssh.Checks.Select(check => check.Command).SequenceEqual(Login.ShownChecks)
            && (!Verify.LoginNeedsText || proof.Expected == Verify.Expect),
        _ => proof.Expected == Verify.Expect,
    };
}
