using System.Text;
using Crust.Machines;
using Crust.Reports;
using Crust.Reports.Page;

namespace Crust.Tests.Reports;

public sealed class ReportPartsTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-report-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [TestCase(0.9, "0, 0.5, 1")]
    [TestCase(2.9, "0, 1, 2, 3")]
    [TestCase(41, "0, 20, 40, 60")]
    [TestCase(0, "0, 0.0005")]
    public void An_axis_of_quantities_has_round_numbers(double greatest, string ticks) =>
        Assert.That(string.Join(", ", Axis.Of(greatest, 3).Ticks.Select(tick => Math.Round(tick, 4).ToString("0.####"))), Is.EqualTo(ticks));

    [TestCase(0.2, "0:00")]
    [TestCase(9, "0:00, 0:02, 0:04, 0:06, 0:08")]
    [TestCase(157, "0:00, 0:30, 1:00, 1:30, 2:00, 2:30")]
    [TestCase(7300, "0:00, 30:00, 1:00:00, 1:30:00, 2:00:00")]
    [TestCase(1e6, "0:00, 47:00:00, 94:00:00, 141:00:00, 188:00:00, 235:00:00")]
    public void An_axis_of_time_has_steps_that_people_count_in(double seconds, string ticks) =>
        Assert.That(string.Join(", ", Axis.OfTime(seconds, 6).Ticks.Select(Words.Clock)), Is.EqualTo(ticks));

    [TestCase(0.04, "0.0 s")]
    [TestCase(9.96, "10 s")]
    [TestCase(59.6, "1 min")]
    [TestCase(157.2, "2 min 37 s")]
    [TestCase(3900, "1 h 5 min")]
    public void A_time_is_told_as_people_say_it(double seconds, string says) => Assert.That(Words.Time(seconds), Is.EqualTo(says));

    [Test]
    public void A_short_serial_log_is_shown_whole_without_escape_sequences()
    {
        var excerpt = SerialExcerpt.Read(WriteLog("\e[2J\e[1;31mred\e[0m\r\nsecond\rthird\n"u8.ToArray()))!;

        Assert.That(excerpt, Is.EqualTo(new SerialExcerpt("red\nsecond\nthird", 0, "", 33)));
    }

    [Test]
    public void Of_a_long_serial_log_the_beginning_and_the_end_are_shown_in_whole_lines()
    {
        var lines = Enumerable.Range(0, 200_000).Select(i => $"line {i}\n").ToList();
        var bytes = Encoding.UTF8.GetBytes(string.Concat(lines));

        var excerpt = SerialExcerpt.Read(WriteLog(bytes))!;

        Assert.That(excerpt.Beginning, Does.StartWith("line 0\nline 1\n").And.Length.InRange(SerialExcerpt.MostAtBeginning - 100, SerialExcerpt.MostAtBeginning));
        Assert.That(excerpt.End, Does.EndWith("\nline 199999").And.Length.InRange(SerialExcerpt.MostAtEnd - 100, SerialExcerpt.MostAtEnd));
        Assert.That(excerpt.Beginning.Length + 1 + excerpt.LeftOut + excerpt.End.Length + 1, Is.EqualTo(bytes.Length));
        Assert.That(excerpt.End.Split('\n')[0], Does.Match("^line [0-9]{6}$"));
    }

    [TestCase("")]
    [TestCase("\r\n\e[0m\n")]
    public void A_serial_log_that_says_nothing_is_none(string text) => Assert.That(SerialExcerpt.Read(WriteLog(Encoding.UTF8.GetBytes(text))), Is.Null);

    [Test]
    public void A_serial_log_that_is_not_there_is_none() => Assert.That(SerialExcerpt.Read(Path.Combine(_folder, "none")), Is.Null);

    [Test]
    public void Of_too_many_screens_some_are_left_out_over_the_whole_run_and_never_the_last()
    {
        var png = SamplePng.Of(1, 0);
        for (var i = 0; i < 500; i++)
            File.WriteAllBytes(Path.Combine(_folder, $"{i:0000}.png"), png);
        var trace = new InstallTrace { Samples = [], Boots = [0], Screens = [.. Enumerable.Range(0, 500).Select(i => new TraceScreen(i, $"{i:0000}.png"))] };

        var screens = EmbeddedScreen.ReadAll(trace, _folder);

        Assert.That(screens, Has.Length.InRange(100, 200));
        Assert.That(screens[^1].Seconds, Is.EqualTo(499));
        Assert.That((screens[0].Width, screens[0].Height), Is.EqualTo((720, 400)));
    }

    [Test]
    public void A_screen_that_is_gone_or_no_PNG_is_left_out()
    {
        File.WriteAllBytes(Path.Combine(_folder, "0001.png"), SamplePng.Of(1, 0));
        File.WriteAllText(Path.Combine(_folder, "0002.png"), "<svg onload=alert(1)>................................");
        var trace = new InstallTrace { Samples = [], Boots = [0], Screens = [new(0, "0000.png"), new(1, "../../0001.png"), new(2, "0002.png")] };

        Assert.That(EmbeddedScreen.ReadAll(trace, _folder).Select(screen => screen.Seconds), Is.EqualTo(new[] { 1.0 }));
    }

    [Test]
    public void A_report_that_cannot_be_written_hides_nothing_and_is_not_there()
    {
        var drafts = Directory.CreateDirectory(Path.Combine(_folder, "drafts")).FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "edge.report.html"));

        Assert.That(ReportFile.TryWrite(ReportSample.Built, Path.Combine(_folder, "edge.report.html"), drafts), Is.Null);
        Assert.That(ReportFile.TryWrite(ReportSample.Built, Path.Combine(_folder, "other.report.html"), Path.Combine(_folder, "none")), Is.Null);
        Assert.That(Directory.EnumerateFiles(_folder), Is.Empty);
    }

    private string WriteLog(byte[] bytes)
    {
        var path = Path.Combine(_folder, "serial.log");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
