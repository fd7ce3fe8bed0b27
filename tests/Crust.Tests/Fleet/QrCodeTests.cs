using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Fleet;
using Crust.Tests.Disks;
using Crust.Tools;

namespace Crust.Tests.Fleet;

[CancelAfter(60_000)]
public sealed partial class QrCodeTests
{
    private const int Scale = 4;
    private const int Quiet = 4;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task A_reader_reads_the_text([Values(1, 14, 15, 26, 42, 62, 84, 106, 122, 152, 180, QrCode.Most)] int length)
    {
        var text = string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + (i * 7 % 26))));
        var path = Path.Combine(Directory.CreateTempSubdirectory("crust-test-").FullName, "code.pbm");
        await File.WriteAllTextAsync(path, ToPbm(QrCode.Of(text)!), Cancellation);

        var read = await SampleDisk.Tools.RunAsync(ToolCommand.Of("zbarimg", "--raw", "-q", path), Cancellation);

        Assert.That(read.Output.TrimEnd('\n'), Is.EqualTo(text));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Test]
    public void A_text_that_is_too_long_has_none()
    {
        Assert.That(QrCode.Of(new string('x', QrCode.Most)), Is.Not.Null);
        Assert.That(QrCode.Of(new string('x', QrCode.Most + 1)), Is.Null);
    }

    [Test]
    public void The_picture_has_a_stroke_on_each_dark_module_and_on_no_other()
    {
        var code = QrCode.Of("node1 node1.overlay.qcow2")!;
        var dark = new HashSet<(int X, int Y)>();
        foreach (Match stroke in Stroke().Matches(code.ToSvg()))
        {
            var (x, y, length) = (Number(stroke, 1), Number(stroke, 2), Number(stroke, 3));
            dark.UnionWith(Enumerable.Range(x, length).Select(at => (at - Quiet, y - Quiet)));
        }

        Assert.That(dark, Is.EquivalentTo(from y in Enumerable.Range(0, code.Size) from x in Enumerable.Range(0, code.Size) where code.IsDark(x, y) select (x, y)));

        static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"M(\d+) (\d+)h(\d+)(?!v)(?!\d)")]
    private static partial Regex Stroke();

    private static string ToPbm(QrCode code)
    {
        var side = (code.Size + (2 * Quiet)) * Scale;
        var rows = Enumerable.Range(0, side).Select(y =>
            string.Concat(Enumerable.Range(0, side).Select(x => Dark((x / Scale) - Quiet, (y / Scale) - Quiet) ? "1 " : "0 ")));
        return $"P1\n{side} {side}\n{string.Join('\n', rows)}\n";

        bool Dark(int x, int y) => x >= 0 && y >= 0 && x < code.Size && y < code.Size && code.IsDark(x, y);
    }
}
