using Crust.Cli;
using Crust.Cli.Progress;
using Crust.Events;
using Crust.Reports;
using Crust.Sanitizing;
using Crust.Tests.Installers;
using Serilog.Events;
using Serilog.Parsing;

namespace Crust.Tests.Cli;

/// <summary>What guests and tools say, where it is shown or kept.</summary>
public sealed class SinkTests
{
    // What .NET makes of EFBIG.
    private static readonly Exception TooLarge = new ArgumentOutOfRangeException("value", "Specified file length was too large for the file system.");

    private const string Secret = "hunter2-of-edge";
    private const string Evil = "one\e]52;c;ZXZpbA==\a\ncrust: done\n::add-mask::x\r\n##vso[task.complete]\u202e\u009b31m hunt\e[0mer2-of-edge \u2028 68756e746572322d6f662d65646765 \ud83d end";

    [Test]
    public async Task Progress_of_any_kind_is_a_line_for_each_call()
    {
        using var text = new StringWriter();
        var time = new ManualTime();
        using var messages = new MessageWriter(text);
        messages.Hidden.Hide([Secret]);
        await using (var view = new PlainView(messages, time))
        {
            view.Observe(new BuildEvent.Started(Stage.Install, Evil));
            view.Observe(new BuildEvent.Progressed(Stage.Install, Evil, 0.5, Evil + new string(' ', 900) + Evil));
            time.Advance(TimeSpan.FromSeconds(20));
            view.Observe(new BuildEvent.Noted(Evil));
            view.Observe(new BuildEvent.Warned(Evil));
            view.Observe(new BuildEvent.Finished(Stage.Install, TimeSpan.FromSeconds(1), Evil));
        }

        using var quiet = new StringWriter();
        using var quietMessages = new MessageWriter(quiet);
        quietMessages.Hidden.Hide([Secret]);
        await using (var view = new QuietView(quietMessages))
        {
            view.Observe(new BuildEvent.Warned(Evil));
        }

        MustBeClean(text.ToString(), 5);
        MustBeClean(quiet.ToString(), 1);
        Assert.That(text.ToString().Split('\n').Single(line => line.Contains("50 %", StringComparison.Ordinal)).Length, Is.LessThan(400));
    }

    [Test]
    public void An_error_is_its_own_lines_whatever_a_guest_has_put_into_it()
    {
        using var text = new StringWriter();
        using var messages = new MessageWriter(text);
        messages.Hidden.Hide([Secret]);

        messages.WriteLine(Messages.Describe(new CrustException(FailureKind.GuestFailed, Evil, Evil, Evil) { Detail = $"{Evil}\n{Evil}\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i}\n")) }));

        MustBeClean(text.ToString(), 304);
        Assert.That(text.ToString().Split('\n')[1..^1], Has.All.StartsWith("  "));
    }

    [Test]
    public void The_log_is_a_line_for_each_event_and_what_stands_below_it_is_marked()
    {
        using var text = new StringWriter();
        var hidden = new Redactor();
        hidden.Hide([Secret]);
        var log = new LogText(hidden);

        log.Format(new LogEvent(DateTimeOffset.UnixEpoch, LogEventLevel.Information, null, new MessageTemplateParser().Parse("The guest says {Word}"), [new("Word", new ScalarValue(Evil))]), text);
        log.Format(new LogEvent(DateTimeOffset.UnixEpoch, LogEventLevel.Error, new InvalidOperationException(Evil), new MessageTemplateParser().Parse("{Number:0.0} s"), [new("Number", new ScalarValue(1.25))]), text);

        MustBeClean(text.ToString(), null);
        Assert.That(text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.All.Matches("^(00:00:00.000 (INF The guest says one|ERR 1[.][23] s)|  [|] )"));
    }

    [Test]
    public void The_manifest_the_warnings_and_the_report_hold_nothing_that_acts()
    {
        var hidden = new Redactor();
        hidden.Hide([Secret]);
        var journal = new BuildJournal(new EventList(), TimeProvider.System, hidden);
        journal.Warn(Evil);

        Assert.That(journal.Warnings, Has.Length.EqualTo(1));
        MustBeClean(journal.Warnings[0] + "\n", 1);
        Assert.That(hidden.Visible(Evil).EnumerateRunes().Where(rune => CleanText.IsInvisible(rune) && rune.Value != '\n'), Is.Empty, "what the report's holes are filled with");
        Assert.That(hidden.Visible(Evil), Does.Not.Contain(Secret).And.Not.Contain("68756e74"));
    }

    [Test]
    public async Task A_stream_that_takes_nothing_ends_no_command_and_a_result_that_is_lost_is_told([Values] bool isError)
    {
        foreach (var fault in new Exception[] { new IOException("No space left on device"), new UnauthorizedAccessException("", new IOException("Bad file descriptor")), TooLarge })
        {
            using var broken = new BrokenWriter(fault);
            using var whole = new StringWriter();

            var code = await CommandLine.RunAsync(["schema"], isError ? whole : broken, isError ? broken : whole, CancellationToken.None);
            var wrong = await CommandLine.RunAsync(["nope"], isError ? whole : broken, isError ? broken : whole, CancellationToken.None);

            Assert.That(code, Is.EqualTo(isError ? 0 : 5));
            Assert.That(wrong, Is.EqualTo(2));
            Assert.That(whole.ToString(), isError ? Does.StartWith("{") : Does.StartWith("crust: The result can't be printed: ").And.Contain("standard output"));
        }
    }

    [Test]
    public async Task A_file_that_becomes_too_large_is_told_and_is_no_bug()
    {
        var run = await CommandLineRun.OfActionAsync(_ => throw TooLarge, CancellationToken.None);

        Assert.That(run.Code, Is.EqualTo(5));
        Assert.That(run.Error, Does.Contain("A file would become larger than its file system allows").And.Not.Contain("bug"));
    }

    private static void MustBeClean(string text, int? lines)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(text.EnumerateRunes().Where(rune => rune.Value != '\n' && CleanText.IsInvisible(rune)), Is.Empty);
            Assert.That(text, Does.Not.Match(@"(?m)^\s*::|^crust: done|##vso\[").And.Not.Contain(Secret).And.Not.Contain("68756e74"));
            Assert.That(text.Count(c => c == '\n'), lines is { } count ? Is.EqualTo(count) : Is.Positive);
        }
    }

    private sealed class BrokenWriter(Exception fault) : StringWriter
    {
        public override void Write(char value) => throw fault;

        public override void Write(string? value) => throw fault;

        public override void Write(char[] buffer, int index, int count) => throw fault;
    }
}
