using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Formats.Headers;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>Conversions that qemu-img does well.</summary>
internal static partial class QemuImg
{
    public const string OverlayDriver = "qcow2";

    // Reading a header takes a hundredth of a second and a tenth of this memory; the tables of the largest disks half of it.
    private static readonly ToolLimits ForOneImage = ToolLimits.OfMemory with { Cpu = TimeSpan.FromMinutes(1), Time = TimeSpan.FromMinutes(2) };

    /// <summary>Converts the installed disk to the request's path, with the format's own options. It compresses in order, and so on one core.</summary>
    public static async Task ConvertAsync(FormatRequest request, IEnumerable<string> options, CancellationToken cancellation)
    {
        using var core = await request.Cores.LeaseAsync(cancellation);
        await request.Tools.RunAsync(
            ToolCommand.Of("qemu-img", ["convert", "-p", "-f", QemuDisk.Raw, .. options, request.Disk.Path, request.Path]) with
            {
                WatchOutput = true,
                OnLine = line =>
                {
                    if (Percent().Match(line) is { Success: true } match)
                    {
                        request.Progress(double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) / 100);
                    }
                },
            }, cancellation);
    }

    /// <summary>
    /// Makes a qcow2 over a disk, for a guest to write to. Every image that QEMU opens is opened below one of these, so its header is read here, whoever else has read it.
    /// </summary>
    /// <param name="disk">The disk, perhaps one that somebody else has made.</param>
    /// <param name="overlay">The path to make it at.</param>
    /// <param name="tools">Needs qemu-img.</param>
    /// <exception cref="CrustException">The image isn't complete in itself, isn't what its driver reads, or takes more than an image may; or qemu-img is missing.</exception>
    public static async Task CreateOverlayAsync(QemuDisk disk, string overlay, IEnumerable<string> options, ToolBox tools, CancellationToken cancellation)
    {
        ImageHeader.Check(disk, disk.Path);
        try
        {
            await tools.RunAsync(ToolCommand.Of("qemu-img", ["create", "-q", "-f", OverlayDriver, .. options, "-F", disk.Driver, "-b", disk.Reference, overlay]) with { Limits = ForOneImage },
                cancellation);
        }
        catch (CrustException e) when (e is ToolFailedException or ToolLimitException && disk.Driver != QemuDisk.Raw && !NoSpace.IsReasonOf(e))
        {
            throw new CrustException(FailureKind.BadInput, $"The image can't be read as {disk.Driver}: {e.What}", disk.Path, "give an image that is whole, and that no machine is using", e);
        }
    }

    [GeneratedRegex(@"\((\d+\.\d+)/100%\)")]
    private static partial Regex Percent();
}
