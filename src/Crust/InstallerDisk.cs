using System.Collections.Immutable;
using Crust.Disks;
using Crust.Events;
using Crust.Formats;
using Crust.Host;
using Crust.Installers;
using Crust.Isos;
using Crust.Machines;
using Crust.Planning;
using Crust.Seeds;
using Crust.Spec;
using Crust.Storage;

namespace Crust;

/// <summary>What boots an installer: its seed's volume, its kernel where one is started directly, and the machine.</summary>
/// <param name="IsoFiles">Takes the kernel from the ISO.</param>
/// <param name="Folders">Where private files go meanwhile.</param>
internal sealed record InstallerMachine(SeedCourier Courier, IsoFiles IsoFiles, InstallRun Run, Folders Folders);

/// <summary>A disk that an installer fills, in a machine, beside its seed.</summary>
internal sealed class InstallerDisk(
    BuildTarget target, InstallerIso iso, Seed seed, SeedFiles files, Preflight preflight, InstallerMachine machine, BuildJournal journal) : IDiskSource
{
    public BuildTarget Target => target;

    public DiskOrigin Origin => iso;

    public Stage Filling => Stage.Install;

    public ImmutableArray<SeedFile> Files => files.Files;

    public ImmutableArray<string> SecretPaths => seed.SecretPaths;

    public void CheckSpace(IEnumerable<IImageFormat> toWrite) => preflight.CheckSpace(target.Spec, iso, files.SizeWith(target.Spec, iso.Size), toWrite);

    public async Task<InstallFacts> FillAsync(string disk, Accelerator accelerator, RunFiles run, CancellationToken cancellation)
    {
        var spec = target.Spec;
        var boot = KernelPlan.Choose(iso, spec, seed);
        journal.Warn(KernelPlan.WarningOf(boot, spec, seed));
        // Secrets: whatever happens to this process, the next command removes what is in there.
        using var scratch = new ScratchFolder(machine.Folders.Cache);
        using var told = await machine.Courier.PrepareAsync(seed, iso, scratch.Path, cancellation);
        using var kernel = await machine.IsoFiles.TakeKernelAsync(boot, told.Iso ?? iso.Path, told.Initramfs, scratch.Path, cancellation);
        return await machine.Run.RunAsync(new InstallRequest(iso, told, disk, spec.Machine, accelerator, run)
        {
            DirectBoot = kernel?.Boot,
            BootKeys = spec.Installer.BootKeys,
            BootKeysAfter = spec.Installer.BootKeysAfter,
            // QEMU has opened or read all of them by now: from here on not even SIGKILL leaves one.
            OnStarted = () =>
            {
                told.Dispose();
                kernel?.Dispose();
            },
        }, cancellation);
    }
}
