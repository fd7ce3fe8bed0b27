using System.Diagnostics;
using Crust.Recipes;

namespace Crust.Tests.Recipes;

[CancelAfter(60_000)]
public sealed class VersionOrderTests
{
    private static readonly string[] Versions =
    [
        "", "~", "1", "1.0", "1.0~rc1", "1.0-1", "1.0^git1", "1.0.0", "1.0a", "1.9", "1.10", "01.10", "1.10.0", "v1.34.1+k3s1", "v1.34.1+k3s2", "v1.34.10+k3s1", "v1.34.1", "1a", "1b", "1A", "a", "A1",
        "28.0.4", "28.1.0", "28.1", "2:1.0", "1..2", "1.-2", "1_2", "1.0~~", "1.0~",
    ];

    [Test]
    public async Task It_is_systemds_own()
    {
        var pairs = Versions.SelectMany((one, i) => Versions[i..].Select(other => (One: one, Other: other))).ToList();
        var script = string.Concat(pairs.Select(pair => $"systemd-analyze compare-versions '{pair.One}' '{pair.Other}' | sed 's/.* \\([<=>]*\\) .*/\\1/'\n"));

        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", script]) { RedirectStandardOutput = true })!;
        var judged = (await shell.StandardOutput.ReadToEndAsync(TestContext.CurrentContext.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        var order = pairs.Select(pair => $"'{pair.One}' {Math.Sign(VersionOrder.Instance.Compare(pair.One, pair.Other)) switch { < 0 => "<", 0 => "==", _ => ">" }} '{pair.Other}'");
        Assert.That(order, Is.EqualTo(pairs.Zip(judged, (pair, sign) => $"'{pair.One}' {sign} '{pair.Other}'")));
    }
}
