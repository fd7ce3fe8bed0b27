namespace Crust.Spec;

/// <summary>What must hold between the keys of the section `verify`, and defaults of one that depend on another.</summary>
internal static class VerifyRules
{
    private const string Boot = "verify.boot";
    private const string Deadline = "verify.deadline";
    private const string Ssh = "verify.ssh";
    private const string User = "verify.ssh.user";
    private const string Key = "verify.ssh.key";
    private const string Checks = "verify.checks";

    // Where an image has to come up, patience costs nothing but the time to a failure.
    private static readonly TimeSpan LongDeadline = TimeSpan.FromMinutes(15);

    /// <summary>Who logs in, and that what asks for a particular proof asks for a boot that gives it.</summary>
    public static VerifySpec Complete(BuildSpec spec)
    {
        var verify = spec.Verify;
        if (!spec.Origins.ContainsKey(Ssh) && (verify.SshUser is not null || verify.SshKey is not null))
            verify = verify with { Ssh = SshProof.Login };
        if (verify.Ssh is SshProof.Login)
            verify = verify with { SshUser = verify.SshUser ?? spec.Seed.Ssh.User };
        if (verify.Boot is VerifyBoot.Auto && verify.TakesAnySign && SourceRules.IsForPi(spec))
            return verify with { Boot = VerifyBoot.False };
        if (verify.Boot is VerifyBoot.Auto && !verify.TakesAnySign)
            verify = verify with { Boot = VerifyBoot.True };
        return verify.Boot is VerifyBoot.True && !spec.Origins.ContainsKey(Deadline) ? verify with { Deadline = LongDeadline } : verify;
    }

    /// <summary>Checks the section of a spec that is complete.</summary>
    /// <exception cref="CrustException">Two keys contradict each other.</exception>
    public static void Check(BuildSpec spec, Func<string, string> whereIs)
    {
        var verify = spec.Verify;
        if (SourceRules.IsForPi(spec) && verify.Boot is not VerifyBoot.False)
            throw Bad("A disk for Raspberry Pis is started by a Pi's firmware, and QEMU has none", whereIs(new[] { Boot, "verify.expect", Ssh, Key, Checks }.FirstOrDefault(spec.Origins.ContainsKey) ?? Boot),
                "leave the section verify out, or set verify.boot to false; docs/raspberry-pi.md says what was booted and what wasn't");
        if (verify.Ssh is not SshProof.None && spec.Machine.Network is MachineNetwork.None)
            throw Bad("An SSH server can't be reached in a machine without a network", whereIs(Ssh), "wait for a text on the serial port (verify.expect), or set machine.network to internet");
        if (verify.Ssh is SshProof.Banner && (verify.SshUser is not null ? User : verify.SshKey is not null ? Key : null) is { } needless)
            throw Bad($"{needless} is for a log-in, and verify.ssh: true only waits for the server's banner", $"{whereIs(needless)}; {whereIs(Ssh)}",
                "leave out one of the two (verify.ssh: login logs in)");
        if (verify.Ssh is not SshProof.Login && !verify.Checks.IsEmpty && !IsSwitchedOff(spec))
            throw Bad("There are checks, and nobody logs in to run them", whereIs(Checks),
                "say who does: user and key below verify.ssh (--verify-ssh-user, --verify-ssh-key), or verify.ssh: login for the seed's own account and its password");
        if (verify is { Ssh: SshProof.Login, SshUser: null })
            throw Bad("verify.ssh is to log in, and no account is named", whereIs(spec.Origins.ContainsKey(Ssh) ? Ssh : Key), "name it in verify.ssh.user, or in seed.ssh.user (SSH_USER)");
        if (verify is { Ssh: SshProof.Login, Boot: VerifyBoot.False } && !IsSwitchedOff(spec))
            throw Bad($"verify.boot is false, and {(verify.Checks.IsEmpty ? "verify.ssh logs in to the image that is booted" : "verify.checks run in the image that is booted")}",
                $"{whereIs(Boot)}; {whereIs(verify.Checks.IsEmpty ? Ssh : Checks)}", "leave out one of the two; for one build without the proof, crust build --verify false");
    }

    // An option switches the whole proof off for one build, whatever the file says of it.
    private static bool IsSwitchedOff(BuildSpec spec) => spec is { Verify.Boot: VerifyBoot.False } && spec.Origins[Boot].StartsWith("option ", StringComparison.Ordinal);

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
