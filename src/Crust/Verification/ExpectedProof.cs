using Crust.Formats;
using Crust.Spec;

namespace Crust.Verification;

/// <summary>The proof that a spec asks for.</summary>
/// <param name="Machine">The machine that boots the images.</param>
/// <param name="Verify">What has to be seen.</param>
internal sealed record ExpectedProof(MachineSpec Machine, VerifySpec Verify)
{
    /// <summary>Who logs in; null if nobody does.</summary>
    public SshLogin? Login { get; init; }

    /// <summary>What an image's disk has to hang on when it is booted: what the image's format promises, or what the machine has.</summary>
    public DiskBus BusOf(IImageFormat format) => format.Bus ?? Machine.DiskBus;

    /// <summary>Whether nothing is left to find out of an image: it is proven, or it has shown nothing in as much time as it would be given now.</summary>
    public bool IsSettled(IImageFormat format, ManifestProof? proof, ManifestUnproven? unproven) => IsGivenBy(format, proof)
        || (Verify is { Boot: VerifyBoot.Auto } && unproven is not null && IsOf(format, unproven.Firmware, unproven.DiskBus) && unproven.Deadline >= Verify.Deadline.TotalSeconds);

    /// <summary>Whether a proof is what is asked for.</summary>
    public bool IsGivenBy(IImageFormat format, ManifestProof? proof) => proof is not null && IsOf(format, proof.Firmware, proof.DiskBus) && Verify.Ssh switch
    {
        SshProof.Banner => proof.Ssh is not null || proof.Expected.StartsWith("SSH-", StringComparison.Ordinal),
        SshProof.Login => Login is not null && proof.Ssh is { } ssh && (ssh.User, ssh.Key) == (Login.User, Login.Key) && ssh.Checks.Select(check => check.Command).SequenceEqual(Login.ShownChecks)
            && (Verify.Expect is null || proof.Expected == Verify.Expect),
        _ => Verify.Expect is null || proof.Expected == Verify.Expect,
    };

    // Manifests of a Crust that booted everything on the machine's own bus didn't name it.
    private bool IsOf(IImageFormat format, string firmware, string? bus) =>
        firmware == Machine.Firmware.LowerName() && (bus ?? Machine.DiskBus.LowerName()) == BusOf(format).LowerName();
}
