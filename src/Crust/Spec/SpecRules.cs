using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>What must hold between the keys of a spec, and defaults of one that depend on another.</summary>
internal static class SpecRules
{
    // q35's AHCI controller has 6 ports; the installed disk, the installer and the seed take 3.
    private const int MostExtraSataDisks = 3;

    /// <summary>Fills in what isn't given and depends on what is.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="origins">Where each given key stands.</param>
    public static BuildSpec Complete(BuildSpec spec, ImmutableDictionary<string, string> origins) =>
        spec.Machine.Arch is Arch.Arm64 && !origins.ContainsKey("machine.firmware")
            ? spec with { Machine = spec.Machine with { Firmware = Firmware.Uefi } }
            : spec;

    /// <summary>Checks a spec that is complete.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="origins">Where each given key stands.</param>
    /// <exception cref="CrustException">Two keys contradict each other.</exception>
    public static void Check(BuildSpec spec, ImmutableDictionary<string, string> origins)
    {
        CheckAccount(spec.Seed.Ssh, origins);
        CheckDirectBoot(spec, key => origins.GetValueOrDefault(key, key));
        CheckMachine(spec, key => origins.GetValueOrDefault(key, key));
    }

    private static void CheckAccount(SshSpec ssh, ImmutableDictionary<string, string> origins)
    {
        if (ssh.User is not null)
            return;

        if (ssh.Password is not null)
            throw WithoutAccount("A password is given without an account", origins["seed.ssh.password"]);
        if (!ssh.AuthorizedKeys.IsEmpty)
            throw WithoutAccount("Public keys are given without an account", origins["seed.ssh.authorizedKeys"]);
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
        if (machine.Network is MachineNetwork.None && spec.Verify.Ssh)
            throw Bad("An SSH server can't be reached in a machine without a network", whereIs("verify.ssh"),
                "wait for a text on the serial port (verify.expect), or set machine.network to user");
    }

    private static CrustException WithoutAccount(string what, string where) => Bad(what, where, "name the account in seed.ssh.user or SSH_USER");

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
