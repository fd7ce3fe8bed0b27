using System.Collections.Immutable;
using Crust.Bases;
using Crust.Disks;
using Crust.Formats;
using Crust.Host;
using Crust.Machines;
using Crust.Planning;
using Crust.Seeds;
using Crust.Spec;

namespace Crust;

/// <summary>A disk that a base image is put onto. No machine runs for it.</summary>
internal sealed class BaseDisk(BuildTarget target, BaseImage image, BaseWriter writer, Preflight preflight, TimeProvider time) : IDiskSource
{
    public BuildTarget Target => target;

    public DiskOrigin Origin => image;

    public Stage Filling => Stage.Unpack;

    public ImmutableArray<SeedFile> Files => [];

    public ImmutableArray<string> SecretPaths => [];

    public void CheckSpace(IEnumerable<IImageFormat> toWrite) => preflight.CheckSpace(target.Spec, image, 0, toWrite);

    public async Task<InstallFacts> FillAsync(string disk, Accelerator accelerator, RunFiles files, CancellationToken cancellation)
    {
        var (started, cpu) = (time.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await writer.WriteAsync(image, disk, target.Spec.Machine.Disk, target.Spec.WhereIs("machine.disk"), cancellation);
        return InstallFacts.None with
        {
            Seconds = time.GetElapsedTime(started).TotalSeconds,
            CrustCpuSeconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds,
            BytesWritten = SparseFile.AllocatedBytes(disk),
            Finished = time.GetUtcNow(),
        };
    }
}
