using Crust.Formats;
using Crust.Isos;
using Crust.Spec;

namespace Crust.Planning;

/// <summary>Whether the parts of a build fit each other, on whatever host.</summary>
internal static class BuildRules
{
    /// <summary>Checks that an installer fits the machine that the spec describes.</summary>
    /// <exception cref="CrustException">It doesn't.</exception>
    public static void CheckInstaller(InstallerIso installer, BuildSpec spec)
    {
        var machine = spec.Machine;
        var usesItsLoader = spec.Installer.BootKernel is null;
        if (usesItsLoader && machine.Firmware is Firmware.Bios && !installer.BootsBios)
        {
            throw new CrustException(FailureKind.BadInput, "The installer ISO has no boot image for BIOS", installer.Path, "set machine.firmware to uefi (--firmware uefi)");
        }

        if (usesItsLoader && machine.Firmware is not Firmware.Bios && !installer.BootsUefi)
        {
            throw new CrustException(FailureKind.BadInput, "The installer ISO has no boot image for UEFI", installer.Path, "set machine.firmware to bios (--firmware bios)");
        }

        if (installer.MinimumMemory > machine.Memory)
        {
            throw new CrustException(FailureKind.BadInput,
                $"The machine's memory of {Size.Format(machine.Memory)} is too little: this installer needs {Size.Format(installer.MinimumMemory.Value)}",
                spec.WhereIs("machine.memory"), $"set machine.memory (--memory) to {Size.ToSpecText(installer.MinimumMemory.Value)} or more");
        }

        if (installer.MinimumDisk > machine.Disk)
        {
            throw new CrustException(FailureKind.BadInput,
                $"The disk of {Size.Format(machine.Disk)} is too small: this installer needs {Size.Format(installer.MinimumDisk.Value)}",
                "machine.disk", $"set machine.disk (DISK_SIZE, --disk-size) to {Size.ToSpecText(installer.MinimumDisk.Value)} or more");
        }
    }

    /// <summary>Checks that the formats can hold the disk that the spec describes.</summary>
    /// <exception cref="CrustException">One can't.</exception>
    public static void CheckFormats(BuildSpec spec)
    {
        foreach (var format in spec.Formats.Select(ImageFormats.Named))
        {
            if (format.NeedsOf(spec).LargestDisk is { } largest && spec.Machine.Disk > largest)
            {
                throw new CrustException(FailureKind.BadInput, $"The disk of {Size.Format(spec.Machine.Disk)} is too large: a {format.Name} can hold {largest >> 30} GiB", spec.WhereIs("machine.disk"),
                    $"set machine.disk (DISK_SIZE, --disk-size) to {Size.ToSpecText(largest)} or less, or leave {format.Name} out of the formats");
            }
        }
    }
}
