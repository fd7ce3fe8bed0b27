using System.Text.Json;
using Crust.Cli;
using Crust.Cli.Progress;
using Serilog.Events;

namespace Crust.Tests.Cli;

/// <summary>Standard error that nobody reads for a while, or ever.</summary>
[CancelAfter(60_000)]
public sealed class DetachedWriterTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    [Test]
    public void All_arrives_in_its_order_where_somebody_reads()
    {
        using var text = new StringWriter();
        using var writer = new DetachedWriter(text, TimeProvider.System);

        for (var i = 0; i < 1000; i++)
        {
            if (i % 7 == 0)
                writer.WriteKept($"{i}\n");
            else
                writer.Write($"{i}\n");
        }

        writer.Write(new string('ä', 4095) + "\ud83d\ude00");

        Assert.That(writer.Drain(Long), Is.True);
        Assert.That(text.ToString(), Is.EqualTo(string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i}\n")) + new string('ä', 4095) + "\ud83d\ude00"));
    }

    [Test]
    public void Progress_that_nobody_reads_stops_nobody_and_errors_are_there_when_somebody_does([Values("text", "json")] string logFormat)
    {
        var format = logFormat == "json" ? LogFormat.Json : LogFormat.Text;
        using var reader = new SlowReader();
        using var writer = new DetachedWriter(reader, TimeProvider.System);
        using var messages = new MessageWriter(writer) { Format = format };

        for (var i = 0; i < 20_000; i++)
            messages.Write(LogEventLevel.Information, "Progress", $"install {i} of many, many lines", "{Number}", ("Number", i));
        messages.Warn("the first warning");
        messages.Fail(new CrustException(FailureKind.GuestFailed, "It failed", "here", "mend it"));
        messages.WriteLine("the last line");

        Assert.That(writer.Drain(TimeSpan.FromMilliseconds(1)), Is.False);
        reader.Begin();
        Assert.That(writer.Drain(Long), Is.True);
        var shown = reader.ToString();
        var lines = shown.TrimEnd('\n').Split('\n');
        Assert.That(shown.Length, Is.LessThan(400 << 10));
        Assert.That(lines, Has.Length.GreaterThan(1000).And.Length.LessThan(19_000));
        if (format is LogFormat.Json)
            lines = [.. lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("@m").GetString()!)];
        var seen = lines.Count(line => line.StartsWith("install ", StringComparison.Ordinal) || int.TryParse(line, out _));
        Assert.That(string.Join('\n', lines[seen..]), Does.Match($@"\A(warning: )?{20_000 - seen} lines of progress weren't shown, because nobody read them\n"
            + @"(warning: )?the first warning\n(crust: )?It failed\n(  where: here\n  to do: mend it\n)?the last line\z"));
    }

    [Test]
    public void What_was_lost_is_told_when_somebody_reads_again_also_if_nothing_follows()
    {
        using var reader = new SlowReader();
        using var writer = new DetachedWriter(reader, TimeProvider.System) { LossText = count => $"({count} lost)" };
        for (var i = 0; i < 5; i++)
            writer.Write(new string('x', 100_000));

        reader.Begin();

        Assert.That(writer.Drain(Long), Is.True);
        Assert.That(reader.ToString(), Does.EndWith("x(3 lost)").Or.EndsWith("x(2 lost)"));
    }

    [Test]
    public void A_reader_that_reads_slowly_is_waited_for_as_long_as_it_reads()
    {
        var time = new ManualTime();
        using var reader = new SlowReader { Reading = () => time.Advance(TimeSpan.FromSeconds(8)) };
        using var writer = new DetachedWriter(reader, time);
        for (var i = 0; i < 40; i++)
            writer.WriteKept($"{i}\n");
        reader.Begin();

        Assert.That(writer.Drain(DetachedWriter.Patience), Is.True);
        Assert.That(reader.ToString(), Does.EndWith("\n39\n"));
    }

    /// <summary>Takes nothing until it is told to, as a pipe that is full.</summary>
    private sealed class SlowReader : StringWriter
    {
        private readonly ManualResetEventSlim _begins = new();

        public Action Reading { get; init; } = () => { };

        public void Begin() => _begins.Set();

        public override void Write(string? value)
        {
            _begins.Wait();
            Reading();
            base.Write(value);
        }
    }
}
