using Crust.Formats;
using Crust.Spec;

namespace Crust.Verification;

/// <summary>The proof that a spec asks for.</summary>
internal sealed record ExpectedProof(Firmware Firmware, VerifySpec Verify)
{
    public bool IsGivenBy(ManifestProof? proof) => proof is not null && proof.Firmware == Firmware.LowerName()
        && (Verify.Ssh ? proof.Expected.StartsWith("SSH-", StringComparison.Ordinal) : proof.Expected == Verify.Expect);
}
