using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>What must hold between the keys of a spec, and defaults of one that depend on another.</summary>
internal static class SpecRules
{
    // q35's AHCI controller has 6 ports; the installed disk, the installer and the seed take 3.
    private const int MostExtraSataDisks = 3;

    private static readonly ImmutableArray<(string One, string Other)> TwoWays =
    [
        ("seed.ssh.password", "seed.ssh.passwordFile"),
        ("seed.ssh.password", "seed.ssh.passwordHash"),
        ("seed.ssh.passwordFile", "seed.ssh.passwordHash"),
        ("seed.palette.edgeHostToken", "seed.palette.edgeHostTokenFile"),
        ("sign.passphrase", "sign.passphraseFile"),
    ];

    /// <summary>Fills in what isn't given and depends on what is.</summary>
    public static BuildSpec Complete(BuildSpec spec)
    {
        var machine = SourceRules.CompleteMachine(spec);
        machine = machine.Arch is Arch.Arm64 && !spec.Origins.ContainsKey("machine.firmware") ? machine with { Firmware = Firmware.Uefi } : machine;
        return spec with { Machine = machine, Seed = SourceRules.Complete(spec), Verify = VerifyRules.Complete(spec) };
    }

    /// <exception cref="CrustException">Two keys contradict each other.</exception>
    public static void Check(BuildSpec spec)
    {
        string WhereIs(string key) => spec.Origins.GetValueOrDefault(key, key);
        SourceRules.Check(spec, WhereIs);
        InstallerRules.Check(spec, WhereIs);
        CheckAccount(spec.Seed.Ssh, WhereIs);
        CheckTwoWays(spec);
        CheckSeedKind(spec.Seed, WhereIs);
        CheckDirectBoot(spec, WhereIs);
        CheckPreseed(spec, WhereIs);
        CheckMachine(spec, WhereIs);
        CheckSign(spec, WhereIs);
        CheckKeySecret(spec, WhereIs);
        VerifyRules.Check(spec, WhereIs);
    }

    // Which of two would win is nothing that a user should have to know.
    private static void CheckTwoWays(BuildSpec spec)
    {
        foreach (var (one, other) in TwoWays.Where(pair => spec.Origins.ContainsKey(pair.One) && spec.Origins.ContainsKey(pair.Other)))
            throw Bad($"The same is said twice, by {one} and by {other}", $"{spec.Origins[one]}; {spec.Origins[other]}", "leave out one of the two");
    }

    private static void CheckSeedKind(SeedSpec seed, Func<string, string> whereIs)
    {
        var kind = seed.Kind.LowerName();
        if (seed.Kind is SeedKind.None && !seed.UserData.IsEmpty)
            throw Bad("There is user-data, and no seed that would carry it (seed.kind is none)", whereIs("seed.userData"), "leave out one of the two");
        if (seed.Kind is SeedKind.None or SeedKind.Ignition && !seed.Files.IsEmpty)
            throw Bad($"There are seed.files, and no volume that would carry them (seed.kind is {kind})", whereIs("seed.files"), "leave out one of the two");
        if (seed.Kind is SeedKind.Kickstart or SeedKind.Preseed or SeedKind.Ignition && seed.UserData.Length != 1)
            throw Bad($"There are {seed.UserData.Length} files in seed.userData, and seed.kind {kind} takes one", whereIs("seed.userData"), $"name the one file of {kind} in seed.userData");
        if (seed.Kind is not (SeedKind.Nocloud or SeedKind.Autoinstall) && seed.NetworkConfig is not null)
            throw Bad($"A network-config is cloud-init's, and seed.kind {kind} isn't read by cloud-init", whereIs("seed.networkConfig"), "say it in the installer's own file");
        if (seed.FileSystem is SeedFileSystem.Vfat && seed.Kind is SeedKind.Ignition or SeedKind.Embedded or SeedKind.None)
            throw Bad($"There is no seed volume that could be vfat (seed.kind is {kind})", whereIs("seed.fileSystem"), "leave it out");
    }

    private static void CheckAccount(SshSpec ssh, Func<string, string> whereIs)
    {
        if (ssh.User is not null)
            return;

        if (ssh.Password is not null)
            throw WithoutAccount("A password is given without an account", whereIs("seed.ssh.password"));
        if (ssh.PasswordHash is not null)
            throw WithoutAccount("A password's hash is given without an account", whereIs("seed.ssh.passwordHash"));
        if (!ssh.AuthorizedKeys.IsEmpty)
            throw WithoutAccount("Public keys are given without an account", whereIs("seed.ssh.authorizedKeys"));
    }

    private static void CheckDirectBoot(BuildSpec spec, Func<string, string> whereIs)
    {
        var installer = spec.Installer;
        if (installer.BootKernel is null)
        {
            if ((installer.BootInitrd is not null ? "initrd" : installer.BootAppend is not null ? "append" : null) is { } key)
                throw Bad($"There is an installer.boot.{key}, and no kernel that it is for", whereIs($"installer.boot.{key}"), "set installer.boot.kernel to the kernel's path in the ISO");
        }
        else if (spec.Machine.OnReboot is OnReboot.Continue)
        {
            throw Bad("A machine that starts with installer.boot.kernel would start with it after each reboot, and install for ever", whereIs("machine.onReboot"),
                "set machine.onReboot to finish if the reboot is the installer's end; else leave out installer.boot.kernel and type at the ISO's own boot menu (installer.boot.keys)");
        }
    }

    private static void CheckPreseed(BuildSpec spec, Func<string, string> whereIs)
    {
        if (spec.Seed.Kind is not SeedKind.Preseed)
            return;

        if (spec.Installer is { BootKernel: not null, BootInitrd: null })
            throw Bad("There is no installer.boot.initrd, and that is what Debian's installer reads its preseed file from", whereIs("installer.boot.kernel"),
                "set installer.boot.initrd to the initramfs' path in the ISO");
        if (spec.Machine.OnReboot is OnReboot.Continue)
            throw Bad("seed.kind preseed has the machine start with the installer's kernel, after each reboot, too: it would install for ever", whereIs("machine.onReboot"),
                "set machine.onReboot to fail or finish");
    }

    private static void CheckMachine(BuildSpec spec, Func<string, string> whereIs)
    {
        var machine = spec.Machine;
        if (machine.Firmware is Firmware.Bios && machine.Arch is Arch.Arm64)
            throw Bad("An arm64 machine has no BIOS", whereIs("machine.firmware"), "set machine.firmware to uefi or uefi-secure, or leave it out");
        if (machine.DiskBus is DiskBus.Sata && machine.Arch is Arch.Arm64)
            throw Bad("An arm64 machine has no SATA", whereIs("machine.diskBus"), "set machine.diskBus to virtio, scsi or nvme");
        if (machine.DiskBus is DiskBus.Sata && machine.ExtraDisks.Length > MostExtraSataDisks)
            throw Bad($"There are {machine.ExtraDisks.Length} extra disks, and SATA has ports for {MostExtraSataDisks}", whereIs("machine.extraDisks"),
                "take fewer, or set machine.diskBus to virtio, scsi or nvme");
        if (machine.Network is not MachineNetwork.Internet && !machine.NetworkAllow.IsEmpty)
            throw Bad($"machine.networkAllow adds to what a guest of machine.network: internet reaches, and that is {machine.Network.LowerName()}", whereIs("machine.networkAllow"),
                "leave out one of the two");
    }

    // Short of that it could be guessed, and with it the secrets that it guards.
    private static void CheckKeySecret(BuildSpec spec, Func<string, string> whereIs)
    {
        const int least = 32;
        if (spec.Publish.KeySecret is { } key && key.Reveal().Length < least)
            throw Bad($"The secret of the build key is shorter than {least} characters", whereIs(spec.Origins.ContainsKey("publish.keySecret") ? "publish.keySecret" : "publish.keySecretFile"),
                "make one: openssl rand -hex 32");
    }

    private static void CheckSign(BuildSpec spec, Func<string, string> whereIs)
    {
        var sign = spec.Sign;
        if (sign is { Key: not null, GpgKey: not null })
            throw Bad("Two keys would sign, an OpenSSH key and a GPG key", $"{whereIs("sign.key")}; {whereIs("sign.gpgKey")}", "leave out one of the two");
        if (sign.Passphrase is not null && sign.GpgKey is null)
            throw Bad(sign.Key is null ? "There is a passphrase, and no key that it is for" : "ssh-keygen takes no passphrase from a program",
                spec.Origins.ContainsKey("sign.passphrase") ? whereIs("sign.passphrase") : whereIs("sign.passphraseFile"),
                sign.Key is null ? "name the key in sign.gpgKey" : "put the key into ssh-agent (ssh-add), and leave the passphrase out");
    }

    private static CrustException WithoutAccount(string what, string where) => Bad(what, where, "name the account in seed.ssh.user or SSH_USER");

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
