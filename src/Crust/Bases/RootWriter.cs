using System.Collections.Immutable;
using System.Globalization;
using Crust.Appliance;
using Crust.Formats;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Bases;

/// <summary>
/// Puts a root file system onto an empty raw disk, and makes that boot: in the appliance, which reads the root as a second disk, a squashfs. The same root makes the same disk, byte by byte.
/// </summary>
/// <param name="tools">Needs mksquashfs, and what unpacks the archive.</param>
/// <param name="observer">Hears how far it is.</param>
internal sealed class RootWriter(ToolBox tools, ApplianceRun appliance, IBuildObserver observer)
{
    /// <summary>Raise it when the same archive would make another disk.</summary>
    internal const int Version = 2;

    // What mksquashfs may hold in memory.
    private const string Memory = "256M";

    private const int Sector = 512;
    private const long ReportEvery = 64 << 20;

    /// <param name="disk">The path of the empty disk.</param>
    /// <param name="accelerator">What runs guests of the disk's architecture.</param>
    /// <exception cref="CrustException">The archive is damaged, doesn't fit, or holds no system that boots.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; no process is left, and the disk is of no use.</exception>
    public async Task WriteAsync(BaseImage archive, string disk, MachineSpec machine, DiskLayout layout, Accelerator accelerator, CancellationToken cancellation)
    {
        using var scratch = new ScratchFolder(Path.GetDirectoryName(disk)!);
        var tar = archive.IsOci ? await MergeAsync(archive, machine, scratch.Path, cancellation)
            : Compression.Of(archive.Path) is { } compression ? await UnpackAsync(compression, archive, machine.Disk, scratch.Path, cancellation)
            : archive.Path;
        CheckArchive(tar, archive.Source);
        var job = new ApplianceJob("layout", new Drive.Disk("raw") { File = disk }, accelerator, Path.Combine(scratch.Path, "serial.log"))
        {
            Title = "putting the root file system onto the disk",
            Data = await SquashAsync(tar, archive, scratch.Path, cancellation),
            Arguments = [.. LayoutIds.Of(archive, machine, layout), $"layout={layout.LowerName()}", string.Create(CultureInfo.InvariantCulture, $"epoch={Mmdebstrap.Epoch}")],
            // GRUB's programs are the root's own; a Raspberry Pi's disk takes none of the root's.
            Arch = layout is DiskLayout.RaspberryPi ? ApplianceJob.QuickestFor(machine.Arch, tools) : machine.Arch,
            Deadline = machine.Deadline,
            Time = DateTimeOffset.FromUnixTimeSeconds(Mmdebstrap.Epoch),
            OnProgress = Report,
            OnWarning = warning => observer.Observe(new BuildEvent.Warned(warning, "the root file system")),
        };
        try
        {
            Report(0, "starting the appliance");
            await appliance.RunAsync(job, cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw new CrustException(FailureKind.BadInput, e.What, archive.Source, "mend the root file system as it says, and build again", e) { Detail = e.Detail };
        }
    }

    private async Task<string> MergeAsync(BaseImage archive, MachineSpec machine, string scratch, CancellationToken cancellation)
    {
        Report(null, "merging the layers");
        var tree = await new OciImageReader(tools).ReadAsync(OciImageReader.Open(archive.Path), archive.Source, machine.Arch, scratch, machine.Disk, cancellation);
        var tar = Path.Combine(scratch, "root.tar");
        await using var file = PrivateFile.Create(tar);
        await tree.WriteTarAsync(file, Mmdebstrap.Epoch, cancellation);
        return tar;
    }

    // Not compressed: it is read once, and the appliance's processor may be an emulated one.
    private async Task<string> SquashAsync(string tar, BaseImage archive, string scratch, CancellationToken cancellation)
    {
        Report(null, "packing the root file system");
        var squashfs = Path.Combine(scratch, "root.squashfs");
        try
        {
            await tools.RunAsync(ToolCommand.Of("mksquashfs", "-", squashfs, "-tar", "-root-mode", "0755", "-noI", "-noD", "-noF", "-noX", "-mem", Memory, "-noappend", "-quiet", "-no-progress") with
            {
                InputFile = tar,
                Environment = ImmutableDictionary<string, string>.Empty.Add("SOURCE_DATE_EPOCH", Mmdebstrap.Epoch.ToString(CultureInfo.InvariantCulture)),
            }, cancellation);
        }
        catch (ToolFailedException e) when (!NoSpace.IsReasonOf(e))
        {
            throw new CrustException(FailureKind.BadInput, $"The archive can't be read: {e.What}", archive.Source, "give a plain tar archive of a root file system, without paths that leave it", e);
        }

        if (tar.StartsWith(scratch, StringComparison.Ordinal))
        {
            File.Delete(tar);
        }

        return squashfs;
    }

    private async Task<string> UnpackAsync(Compression compression, BaseImage archive, long disk, string scratch, CancellationToken cancellation)
    {
        var tar = Path.Combine(scratch, "root.tar");
        var reported = 0L;
        await compression.UnpackAsync(archive.Path, tar, disk,
            () => new CrustException(FailureKind.BadInput, $"More comes of the archive than the disk of {Size.Format(disk)} holds", archive.Source, "set machine.disk (DISK_SIZE, --disk-size) to more"),
            length =>
            {
                if (length - reported >= ReportEvery)
                {
                    reported = length;
                    Report(null, $"unpacking {Path.GetFileName(archive.Path)}: {Size.Format(length)}");
                }
            }, tools, cancellation);
        return tar;
    }

    /// <summary>Checks that a file is a tar archive of whole blocks.</summary>
    /// <exception cref="CrustException">It isn't.</exception>
    private static void CheckArchive(string tar, string source)
    {
        if (!TarSign.IsIn(tar))
        {
            throw TarSign.Missing(source, "base.rootfs");
        }

        if (new FileInfo(tar).Length % Sector != 0)
        {
            throw new CrustException(FailureKind.BadInput, "The archive is cut off: it has no whole number of tar's blocks", source, "get the file again");
        }
    }

    private void Report(double? fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Unpack, null, fraction, detail));

    private void Report(double fraction, string detail) => Report((double?)fraction, detail);
}
