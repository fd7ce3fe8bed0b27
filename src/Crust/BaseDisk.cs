using System.Collections.Immutable;
using Crust.Bases;
using Crust.Disks;
using Crust.Formats;
using Crust.Machines;
using Crust.Planning;
using Crust.Seeds;
using Crust.Seeds.Volumes;
using Crust.Spec;

namespace Crust;

/// <summary>A disk that a base is put onto: an image as it is, or a root file system, for which the appliance runs.</summary>
internal sealed class BaseDisk(BuildTarget target, BaseImage image, DiskMakers makers, TimeProvider time) : IDiskSource
{
    public BuildTarget Target => target;

    public DiskOrigin Origin => image;

    public Stage Filling => Stage.Unpack;

    public ImmutableArray<SeedFile> Files => [];

    public ImmutableArray<string> SecretPaths => [];

    public void CheckSpace(IEnumerable<IImageFormat> toWrite) => makers.Preflight.CheckSpace(target.Spec, image, 0, toWrite);

    public async Task<InstallFacts> FillAsync(string disk, Accelerator accelerator, RunFiles files, CancellationToken cancellation)
    {
        var (started, cpu) = (time.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await (image.IsRoot ? makers.Roots.WriteAsync(image, disk, target.Spec.Machine, target.Spec.Base.Layout, accelerator, cancellation)
            : makers.Images.WriteAsync(image, disk, target.Spec.Machine.Disk, target.Spec.WhereIs("machine.disk"), cancellation));
        AddSeedPartition(disk);
        return InstallFacts.None with
        {
            Seconds = time.GetElapsedTime(started).TotalSeconds,
            CrustCpuSeconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds,
            BytesWritten = SparseFile.AllocatedBytes(disk),
            Finished = time.GetUtcNow(),
        };
    }

    private void AddSeedPartition(string disk)
    {
        if (target.Spec.Base.SeedPartition is not { } size)
        {
            return;
        }

        try
        {
            using var file = File.OpenHandle(disk, FileMode.Open, FileAccess.ReadWrite);
            SeedPartition.Add(file, size, length => FatImage.Of(SeedPartition.MbrLabel, [], length));
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The disk can't get a partition for nodes' seeds: {e.Message}",
                $"{target.Spec.WhereIs("base.seedPartition")}; {image.Source}",
                "choose a smaller size (960K fits before the first partition of most disks), set machine.disk to more, or leave it out and give nodes seed volumes", e);
        }
    }
}
