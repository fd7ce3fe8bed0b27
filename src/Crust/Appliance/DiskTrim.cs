using System.Text.Json;
using Crust.Disks;
using Crust.Machines;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Appliance;

/// <summary>
/// Takes out of an installed disk what its file systems don't use any more: packages that were unpacked and removed, logs, caches. The
/// appliance discards free space on an overlay, and what it discarded there becomes holes in the disk; nothing else of the disk changes.
/// </summary>
/// <param name="tools">Needs qemu-img.</param>
/// <param name="appliance">Runs the job.</param>
/// <param name="observer">Hears how far it is, and what had to be left as it is.</param>
public sealed class DiskTrim(ToolBox tools, ApplianceRun appliance, IBuildObserver observer)
{
    /// <summary>Changes whenever the same disk would be trimmed otherwise.</summary>
    internal const int Version = 1;

    // The unit of discarding. With 64 KiB, more of what lies in small gaps would stay; with 4 KiB, a disk of 100 GiB has tables of 200 MiB.
    private const string ClusterSize = "16k";

    /// <summary>Trims a disk in place. If that fails, the disk is as it was, and a warning says why.</summary>
    /// <param name="disk">The raw disk. Nobody else uses it.</param>
    /// <param name="arch">Its architecture.</param>
    /// <param name="accelerator">What runs guests of that architecture, as the probe chose it.</param>
    /// <param name="cancellation">Gives up; the disk is as it was.</param>
    /// <returns>Bytes that the disk occupies less on the host; null if it couldn't be trimmed.</returns>
    public async Task<long?> TrimAsync(string disk, Arch arch, Accelerator accelerator, CancellationToken cancellation)
    {
        var overlay = disk + ".trim";
        var serialLog = disk + ".trim.log";
        observer.Observe(new BuildEvent.Progressed(Stage.Trim, null, 0, "booting the appliance"));
        try
        {
            await tools.RunAsync(ToolCommand.Of("qemu-img", "create", "-q", "-f", "qcow2", "-o", $"cluster_size={ClusterSize}", "-F", "raw", "-b", disk, overlay), cancellation);
            await appliance.RunAsync(new ApplianceJob("trim", new Drive.Disk("qcow2") { File = overlay }, accelerator, serialLog)
            {
                // File systems are the same everywhere, and the appliance is quickest on a processor like this host's. KVM was chosen only if the disk's is, too.
                Arch = HostArch.Current is { } host && tools.Find(QemuArguments.ProgramFor(host)) is not null ? host : arch,
                OnProgress = (fraction, detail) => observer.Observe(new BuildEvent.Progressed(Stage.Trim, null, fraction, detail)),
                OnWarning = warning => observer.Observe(new BuildEvent.Warned($"trim: {warning}")),
            }, cancellation);
            return SparseFile.PunchHoles(disk, await FindDiscardedAsync(overlay, cancellation));
        }
        catch (Exception e) when (e is CrustException or IOException)
        {
            var reason = e is CrustException known ? known.What : e.Message;
            observer.Observe(new BuildEvent.Warned($"The disk's free space couldn't be discarded, and is shipped as the installer left it ({reason}); trim: false doesn't try it"));
            return null;
        }
        finally
        {
            File.Delete(overlay);
            File.Delete(serialLog);
        }
    }

    private async Task<List<Extent>> FindDiscardedAsync(string overlay, CancellationToken cancellation)
    {
        var discarded = new List<Extent>();
        await tools.RunAsync(ToolCommand.Of("qemu-img", "map", "--output=json", "-f", "qcow2", overlay) with
        {
            WatchOutput = true,
            // A line for each range, since a fragmented disk has many: [{ … },
            OnLine = line => discarded.AddRange(ReadDiscarded(line)),
        }, cancellation);
        return discarded;
    }

    /// <summary>What a line of `qemu-img map` says to be discarded: zeros of the overlay's own (depth 0). Those of the disk below it are holes already.</summary>
    internal static IEnumerable<Extent> ReadDiscarded(string line)
    {
        if (line.IndexOf('{') is var start and >= 0 && line.LastIndexOf('}') is var end && end > start)
        {
            using var json = JsonDocument.Parse(line.AsMemory(start, end - start + 1));
            var range = json.RootElement;
            if (range.GetProperty("depth").GetInt32() == 0 && range.GetProperty("zero").GetBoolean())
            {
                yield return new Extent(range.GetProperty("start").GetInt64(), range.GetProperty("length").GetInt64());
            }
        }
    }
}
