using System.Collections.Immutable;
using Crust.Isos;
using Crust.Seeds;
using Crust.Spec;

namespace Crust.Installers;

/// <summary>The kernel of an installer with which a machine starts, in place of the ISO's boot loader.</summary>
/// <param name="Kernel">Its path in the ISO.</param>
/// <param name="Initrd">Its initramfs' path in the ISO; null for none.</param>
/// <param name="Arguments">Its command line; empty for none.</param>
internal sealed record KernelPlan(string Kernel, string? Initrd, string Arguments)
{
    // Debian's installer on its media (debian-cd), on Ubuntu's until 20.04, and on the small ISO that fetches the rest.
    private static readonly ImmutableArray<(string Kernel, string Initrd)> DebianOfPc =
        [("/install.amd/vmlinuz", "/install.amd/initrd.gz"), ("/install/vmlinuz", "/install/initrd.gz"), ("/linux", "/initrd.gz")];

    private static readonly ImmutableArray<(string Kernel, string Initrd)> DebianOfArm = [("/install.a64/vmlinuz", "/install.a64/initrd.gz"), ("/linux", "/initrd.gz")];

    // Ubuntu's live installer. On arm64 its kernel is compressed, which no UEFI starts.
    private static readonly ImmutableArray<(string Kernel, string Initrd)> UbuntuOfPc = [("/casper/vmlinuz", "/casper/initrd")];

    /// <returns>Null for the ISO's own boot loader.</returns>
    /// <exception cref="CrustException">The installer can be told only through its kernel, and that isn't where such installers have it.</exception>
    public static KernelPlan? Choose(InstallerIso installer, BuildSpec spec, Seed seed)
    {
        if (spec.Installer.BootKernel is { } kernel)
            return new KernelPlan(kernel, spec.Installer.BootInitrd, Join(spec.Installer.BootAppend, seed.KernelArguments));
        if (seed.Kernel is KernelNeed.None || (seed.Kernel is KernelNeed.Wanted && !CanStartKernel(spec)))
            return null;

        var known = KnownFor(seed.Kind, spec.Machine.Arch);
        using var iso = new IsoTree(installer.Path);
        return known.FirstOrDefault(one => iso.Contains(one.Kernel) && iso.Contains(one.Initrd)) is { Kernel: { } path, Initrd: var initrd }
            ? new KernelPlan(path, initrd, seed.KernelArguments)
            : seed.Kernel is KernelNeed.Wanted ? null : throw new CrustException(FailureKind.BadInput,
                $"The installer's kernel isn't in the ISO where Crust looks for it: {Nearest.Or([.. known.Select(one => one.Kernel)])}", installer.Path,
                $"name it and its initramfs: installer.boot.kernel and installer.boot.initrd, by their paths in the ISO; seed.kind {seed.Kind.LowerName()} passes an installer its configuration through them");
    }

    /// <summary>What to warn of where a machine that had better start with the installer's kernel doesn't; null for nothing.</summary>
    public static string? WarningOf(KernelPlan? plan, BuildSpec spec, Seed seed) => plan is null && seed.Kernel is KernelNeed.Wanted && spec.Installer.BootKeys.IsEmpty
        ? $"seed.kind: the installer's kernel doesn't get '{seed.KernelArguments}', so the installer may wait for somebody to confirm. To mend it: "
            + $"name the kernel (installer.boot.kernel, installer.boot.initrd), or type it at the boot menu (installer.boot.keys); if the ISO's menu has it already, ignore this"
        : null;

    private static ImmutableArray<(string Kernel, string Initrd)> KnownFor(SeedKind kind, Arch arch) => (kind, arch) switch
    {
        (SeedKind.Preseed, Arch.Amd64) => DebianOfPc,
        (SeedKind.Preseed, _) => DebianOfArm,
        (SeedKind.Autoinstall, Arch.Amd64) => UbuntuOfPc,
        _ => [],
    };

    // What somebody types is for the ISO's menu. A kernel that the firmware's keys don't know can't start under Secure Boot without the ISO's shim;
    // and one that QEMU loads is started again after each reboot.
    private static bool CanStartKernel(BuildSpec spec) =>
        spec.Installer.BootKeys.IsEmpty && spec.Machine.Firmware is not Firmware.UefiSecure && spec.Machine.OnReboot is not OnReboot.Continue;

    // What the user says of an argument stands.
    private static string Join(string? given, string own)
    {
        var names = Words(given ?? "").Select(NameOf).ToHashSet();
        return string.Join(' ', Words(own).Where(word => !names.Contains(NameOf(word))).Append(given).Where(part => !string.IsNullOrEmpty(part)));

        static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        static string NameOf(string word) => word.Split('=')[0];
    }
}
