using System.Globalization;
using System.Text;
using Crust.Appliance;
using Crust.Disks;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>Packs root file systems of installed disks.</summary>
internal interface IRootPacker
{
    /// <summary>Packs the root file system of the one system on a disk, with all that its fstab mounts below it, as a tar archive (IEEE 1003.1, pax).</summary>
    /// <param name="machine">What guests of the disk are like.</param>
    /// <param name="path">The file to make; only its beginning is the archive.</param>
    /// <param name="progress">Receives the part that is done, from 0 to 1.</param>
    /// <returns>The archive's length in bytes.</returns>
    /// <exception cref="CrustException">There is no such system on the disk, or several; or the appliance failed.</exception>
    Task<long> PackAsync(InstalledDisk disk, MachineSpec machine, string path, Action<double> progress, CancellationToken cancellation);
}

/// <summary>Packs root file systems in the appliance, whose job `rootfs` writes the archive to a second disk. The installed disk is seen through an overlay: file systems that weren't unmounted
/// cleanly are mended there.</summary>
/// <param name="tools">Needs qemu-img and QEMU.</param>
/// <param name="observer">Hears warnings.</param>
internal sealed class RootPacker(ToolBox tools, ApplianceRun appliance, AcceleratorProbe probe, IBuildObserver observer) : IRootPacker
{
    // Headers and padding of many small files, and files that are sparse on the disk; only what is written takes room.
    private const long Slack = 1L << 30;

    public async Task<long> PackAsync(InstalledDisk disk, MachineSpec machine, string path, Action<double> progress, CancellationToken cancellation)
    {
        using var scratch = new ScratchFolder(Path.GetDirectoryName(path)!);
        var overlay = Path.Combine(scratch.Path, "disk.overlay");
        await QemuImg.CreateOverlayAsync(new QemuDisk(QemuDisk.Raw, disk.Path), overlay, [], tools, cancellation);
        var room = (2 * disk.Size) + Slack;
        using (var file = PrivateFile.Create(path))
        {
            file.SetLength(room);
        }

        var length = 0L;
        var arch = ApplianceJob.QuickestFor(machine.Arch, tools);
        var accelerator = await probe.ChooseAsync(machine.Accelerator is Accelerator.Tcg ? Accelerator.Tcg : Accelerator.Auto, arch, cancellation);
        try
        {
            await appliance.RunAsync(new ApplianceJob("rootfs", new Drive.Disk(QemuImg.OverlayDriver) { File = overlay }, accelerator.Used, Path.Combine(scratch.Path, "serial.log"))
            {
                Title = "packing the root file system",
                Output = path,
                Arch = arch,
                Deadline = machine.Deadline,
                Arguments = [string.Create(CultureInfo.InvariantCulture, $"output={room}")],
                OnProgress = (fraction, _) => progress(fraction),
                OnWarning = warning => observer.Observe(new BuildEvent.Warned($"the root file system: {warning}", "the root file system")),
                OnFound = found => length = found.Kind == "length" ? LengthIn(found) : length,
            }, cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw new CrustException(e.Kind, e.What, $"formats: a root file system of {disk.Path}",
                "leave the formats of root file systems out (formats, --format), or build a system whose root is a file system on the disk", e)
            {
                Detail = e.Detail,
            };
        }

        return length > 0 && length <= room && length % 512 == 0 ? length
            : throw new CrustException(FailureKind.GuestFailed, "The appliance didn't say how long the archive is that it has packed", disk.Path, "build again");
    }

    private static long LengthIn(GuestWord.Found found) => long.TryParse(Encoding.ASCII.GetString(found.Data.Span), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : 0;
}
