using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Disks;
using Crust.Formats;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Bases;

/// <summary>Puts a base image onto a raw, sparse disk, which it is grown to.</summary>
/// <param name="tools">Needs qemu-img, and what unpacks the image.</param>
/// <param name="observer">Hears how far it is.</param>
internal sealed partial class BaseWriter(ToolBox tools, IBuildObserver observer)
{
    // What an image may take beside the disk in it: tables, padding, a footer.
    private const long Overhead = 1L << 30;
    private const long ReportEvery = 64 << 20;

    /// <param name="disk">The path of the empty disk.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="where">Where that was given.</param>
    /// <exception cref="CrustException">The image is damaged, no disk, not complete in itself, or larger than the disk; or there is no room.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is left but the disk, which is of no use.</exception>
    public async Task WriteAsync(BaseImage image, string disk, long size, string where, CancellationToken cancellation)
    {
        using var scratch = new ScratchFolder(Path.GetDirectoryName(disk)!);
        try
        {
            await WriteAsync(image, disk, size, where, scratch.Path, cancellation);
        }
        catch (CrustException e) when (e.Where.StartsWith(scratch.Path, StringComparison.Ordinal) && e.Kind is FailureKind.BadInput)
        {
            // Nobody has seen what was unpacked.
            throw e.At(image.Source);
        }
    }

    private async Task WriteAsync(BaseImage image, string disk, long size, string where, string scratch, CancellationToken cancellation)
    {
        var file = image.Path;
        var limit = new DiskLimit(image.Source, size, where);
        if (Compression.Of(file) is { } compression)
        {
            file = await UnpackAsync(compression, image, limit, scratch, cancellation);
        }

        var kind = ForeignImage.KindOf(file);
        if (kind.QemuDriver is null)
        {
            throw new CrustException(FailureKind.BadInput, $"A base is a disk image, and in this file there is an {kind.Name}", image.Source, "name an installer's ISO in installer.iso, unpacked");
        }

        var found = await ForeignImage.OpenAsync(file, kind, scratch, tools, cancellation);
        var raw = Path.Combine(scratch, "disk");
        if (found is { Driver: QemuDisk.Raw, Part: null })
        {
            limit.Check(new FileInfo(found.Path).Length);
            await TakeRawAsync(found.Path, raw, scratch, cancellation);
        }
        else
        {
            limit.Check(await SizeOfAsync(found, image, cancellation));
            await ConvertAsync(found, image, raw, cancellation);
        }

        Finish(raw, size);
        File.Move(raw, disk, overwrite: true);
    }

    private async Task<string> UnpackAsync(Compression compression, BaseImage image, DiskLimit limit, string scratch, CancellationToken cancellation)
    {
        var unpacked = Path.Combine(scratch, "unpacked");
        var reported = 0L;
        await compression.UnpackAsync(image.Path, unpacked, limit.Size + Overhead, limit.Error, length =>
        {
            if (length - reported >= ReportEvery)
            {
                reported = length;
                Report(null, $"unpacking {Path.GetFileName(image.Path)}: {Size.Format(length)}");
            }
        }, tools, cancellation);
        // What Compute Engine takes: a disk in a tar archive, which its first bytes show only once it is unpacked.
        return compression.Name == "gzip" && TarSign.IsIn(unpacked) ? image.Path : unpacked;
    }

    // What was unpacked here is the disk itself; a file of the user's is copied.
    private async Task TakeRawAsync(string found, string raw, string scratch, CancellationToken cancellation)
    {
        if (found.StartsWith(scratch + "/", StringComparison.Ordinal))
        {
            File.Move(found, raw);
            return;
        }

        await Task.Run(() => SparseFile.Duplicate(found, raw, fraction => Report(fraction, "copying the image"), cancellation), cancellation);
    }

    private async Task<long> SizeOfAsync(QemuDisk found, BaseImage image, CancellationToken cancellation)
    {
        var result = await RunAsync(ToolCommand.Of("qemu-img", "info", "--output=json", found.Reference), found, image, cancellation);
        using var facts = JsonDocument.Parse(result.Output);
        return facts.RootElement.GetProperty("virtual-size").GetInt64();
    }

    private Task<ToolResult> ConvertAsync(QemuDisk found, BaseImage image, string raw, CancellationToken cancellation) => RunAsync(
        ToolCommand.Of("qemu-img", "convert", "-p", "-S", "4k", "-O", QemuDisk.Raw, found.Reference, raw) with
        {
            WatchOutput = true,
            OnLine = line =>
            {
                if (Percent().Match(line) is { Success: true } match)
                {
                    Report(double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) / 100, $"reading the {found.Driver}");
                }
            },
        }, found, image, cancellation);

    private async Task<ToolResult> RunAsync(ToolCommand command, QemuDisk found, BaseImage image, CancellationToken cancellation)
    {
        try
        {
            return await tools.RunAsync(command with { Limits = ToolLimits.OfMemory }, cancellation);
        }
        catch (ToolFailedException e) when (NoSpace.IsReasonOf(e))
        {
            throw new CrustException(FailureKind.HostLacks, "There is too little space for the disk of the base image", image.Source,
                "free space, for instance with 'crust clean', or set CRUST_CACHE to another file system", e);
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image can't be read as {found.Driver}: {e.What}", image.Source, "give an image that is whole, and that no machine is using", e);
        }
    }

    private void Finish(string raw, long size)
    {
        using var file = File.OpenHandle(raw, FileMode.Open, FileAccess.ReadWrite);
        var before = RandomAccess.GetLength(file);
        if (before < size)
        {
            RandomAccess.SetLength(file, size);
            if (GptGrowth.Fit(file) is { } problem)
            {
                observer.Observe(new BuildEvent.Warned($"The disk was grown from {Size.Format(before)} to {Size.Format(size)}, and its partition table wasn't fitted to that: {problem}"));
            }
        }
    }

    private void Report(double? fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Unpack, null, fraction, detail));

    [GeneratedRegex(@"\((\d+\.\d+)/100%\)")]
    private static partial Regex Percent();

    /// <summary>The disk's size, which an image may not exceed.</summary>
    private sealed record DiskLimit(string Image, long Size, string Where)
    {
        public void Check(long size)
        {
            if (size > Size)
            {
                throw Error(size);
            }
        }

        public CrustException Error() => Error(null);

        private CrustException Error(long? size) => new(FailureKind.BadInput,
            size is { } bytes ? $"The image's disk of {Spec.Size.Format(bytes)} is larger than the disk of {Spec.Size.Format(Size)}" : $"More comes of the image than the disk of {Spec.Size.Format(Size)} holds",
            $"{Image}; {Where}",
            $"set machine.disk (DISK_SIZE, --disk-size) to {(size is { } least ? Spec.Size.ToSpecText(least) : "the size of the image's disk")} or more: a disk can be grown, and not made smaller");
    }
}
