using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>Conversions that qemu-img does well.</summary>
internal static partial class QemuImg
{
    /// <summary>Converts the installed disk to the request's path, with the format's own options. It compresses in order, and so on one core.</summary>
    public static async Task ConvertAsync(FormatRequest request, IEnumerable<string> options, CancellationToken cancellation)
    {
        using var core = await request.Cores.LeaseAsync(cancellation);
        await request.Tools.RunAsync(
            ToolCommand.Of("qemu-img", ["convert", "-p", "-f", "raw", .. options, request.Disk.Path, request.Path]) with
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

    [GeneratedRegex(@"\((\d+\.\d+)/100%\)")]
    private static partial Regex Percent();
}
