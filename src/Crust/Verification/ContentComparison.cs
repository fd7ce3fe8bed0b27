using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Formats;
using Crust.Tools;

namespace Crust.Verification;

/// <summary>Proves that two images hold the same disk, as QEMU reads them: what boots from one boots from the other.</summary>
internal static partial class ContentComparison
{
    // qemu-img(1), "compare": 1 if the images differ; more if they couldn't be compared.
    private const int Differ = 1;

    /// <summary>Compares two disks byte for byte. One may be longer, with zeros behind the other's end: some formats round sizes up.</summary>
    /// <param name="one">A disk whose header was checked.</param>
    /// <param name="other">The other one.</param>
    /// <param name="tools">Needs qemu-img.</param>
    /// <param name="progress">Gets the part that is done.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Whether they are the same.</returns>
    /// <exception cref="CrustException">They couldn't be compared.</exception>
    public static async Task<bool> AreSameAsync(QemuDisk one, QemuDisk other, ToolBox tools, Action<double> progress, CancellationToken cancellation)
    {
        var result = await tools.RunAsync(
            ToolCommand.Of("qemu-img", "compare", "-p", "-f", one.Driver, "-F", other.Driver, one.Reference, other.Reference) with
            {
                // Without limits, as QEMU opens them to boot: each of its threads reserves more address space than it uses.
                SuccessCodes = [0, Differ],
                WatchOutput = true,
                OnLine = line =>
                {
                    if (Percent().Match(line) is { Success: true } match)
                    {
                        progress(double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) / 100);
                    }
                },
            }, cancellation);
        return result.ExitCode == 0;
    }

    [GeneratedRegex(@"\((\d+\.\d+)/100%\)")]
    private static partial Regex Percent();
}
