using Crust.Installers;
using Crust.Machines;
using Crust.Spec;
using Crust.Tools;

namespace Crust;

/// <summary>What this host will do for a build.</summary>
/// <param name="Accelerator">What will run the guests.</param>
public sealed record HostReadiness(AcceleratorChoice Accelerator)
{
    /// <summary>The same in a few words; where the choice is worth a warning, that tells why.</summary>
    public string Describe() => Accelerator.Warning is null ? $"{Accelerator.Used.LowerName()}: {Accelerator.Reason}" : Accelerator.Used.LowerName();
}

/// <summary>Finds out, before anything dear is done, whether a spec can be built on this host.</summary>
public sealed class Preflight(ToolBox tools, FirmwareFinder firmware, AcceleratorProbe probe, Folders folders)
{
    // What an installer leaves is usually two to four times its ISO, which is compressed.
    private const int InstalledPerIso = 3;
    private const long Reserve = 512L << 20;

    /// <summary>Checks tools, firmware and folders, and chooses the accelerator.</summary>
    /// <exception cref="CrustException">Something is missing; its message says what, and the command that mends it.</exception>
    public async Task<HostReadiness> CheckAsync(MachineSpec machine, CancellationToken cancellation)
    {
        foreach (var program in new[] { QemuArguments.ProgramFor(machine.Arch), "qemu-img", "xorriso", "setpriv" })
        {
            tools.Require(program);
        }

        if (machine.Tpm)
        {
            tools.Require(TpmEmulator.Program);
        }

        if (machine.Firmware is not Firmware.Bios)
        {
            firmware.FindUefi(machine.Arch, machine.Firmware is Firmware.UefiSecure);
        }

        CheckWritable(folders.Images, "make it writable, or choose another with --output");
        CheckWritable(folders.Cache, "make it writable, or set CRUST_CACHE to a folder that is");
        return new HostReadiness(await probe.ChooseAsync(machine.Accelerator, machine.Arch, cancellation));
    }

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

        if (installer.MinimumDisk > machine.Disk)
        {
            throw new CrustException(FailureKind.BadInput,
                $"The disk of {Size.Format(machine.Disk)} is too small: this installer needs {Size.Format(installer.MinimumDisk.Value)}",
                "machine.disk", $"set machine.disk (DISK_SIZE, --disk-size) to {Size.ToSpecText(installer.MinimumDisk.Value)} or more");
        }
    }

    /// <summary>Checks that the file systems have room for an installed disk and its images.</summary>
    /// <exception cref="CrustException">They haven't.</exception>
    public void CheckSpace(InstallerIso installer)
    {
        var needed = (InstalledPerIso * installer.Size) + Reserve;
        var free = FreeSpace(folders.Cache);
        if (free < needed)
        {
            throw new CrustException(FailureKind.HostLacks,
                $"There is too little space for the installed disk: about {Size.Format(needed)} are needed, {Size.Format(free)} are free",
                folders.Cache, $"free {Size.Format(needed - free)}, for instance with 'crust clean', or set CRUST_CACHE to another file system");
        }
    }

    /// <summary>Bytes that may be written to the file system of a folder.</summary>
    internal static long FreeSpace(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    private static void CheckWritable(string folder, string remedy)
    {
        try
        {
            Directory.CreateDirectory(folder);
            using var probe = new FileStream(Path.Combine(folder, $".crust-probe-{Environment.ProcessId}"),
                new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The folder can't be written: {e.Message}", folder, remedy, e);
        }
    }
}
