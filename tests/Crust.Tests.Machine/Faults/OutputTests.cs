using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Sanitizing;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>What a build prints and leaves when its guest attacks whoever reads it, and when what it prints can't be written.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class OutputTests : FaultFixture
{
    private const string Secret = "S3cret'of \"edge\"";
    private const string Attack = """\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u001b\u001b[m ]0;evil\u0007\ncrust: done\n::add-mask::x\r\n##vso[task.complete]\u202e\u009b31m S3cret'\u001b[0mof \"edge\" """;

    private const string Start = "connect\ngreet\nexpect qmp_capabilities\nreply qmp_capabilities {}\nexpect cont\nreply cont {}";
    private const string End = "serial Kernel panic - not syncing: after the attack\nexpect quit\nreply quit {}\nexit 0";

    [TestCase(false, "json")]
    [TestCase(true, "text")]
    [TestCase(false, "text", Category = "Long")]
    [TestCase(true, "json", Category = "Long")]
    public async Task A_guest_that_attacks_and_floods_is_read_without_harm_in_a_pipe_and_on_a_terminal_as_text_and_as_events(bool isTerminal, string logFormat)
    {
        using var fakes = new FakeTools();
        var words = Enumerable.Range(0, 3000).SelectMany(i => new[] { $$"""word {"warning": "{{i}} {{Attack}}"}""", $$"""word {"progress": 0.{{i}}, "detail": "{{Attack}}"}""" });
        var serial = new[] { "serial \e]52;c;ZXZpbA==\a::add-mask::x \e[0mS3cret'of \"ed\e[1mge\"", "serial ##vso[task.complete]\u202e UzNjcmV0J29mICJlZGdlI S3cret%27of%20%22edge%22" };
        fakes.Add("qemu-system-x86_64", [Start, .. words, .. serial, End]);
        Crust.Environment["PATH"] = $"{fakes.Bin}:{Environment.GetEnvironmentVariable("PATH")}";
        Crust.Environment["SSH_USER"] = "edge";
        Crust.Environment["SSH_PASSWORD"] = Secret;
        Crust.Environment["TERM"] = "xterm";
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), "version: 1\nmachine:\n  accelerator: tcg\n", Cancellation);
        await using var running = isTerminal
            ? Crust.StartIn(["sh", "-c", "exec script -qec \"$*\" /dev/null", "sh"], [.. Arguments(await IsoAsync(StubGuest.Hangs)), "--log-format", logFormat])
            : await StartAsync(StubGuest.Hangs, "--log-format", logFormat);

        var result = await running.WaitAsync(Cancellation);

        var shown = isTerminal ? result.Output : result.Error;
        Assert.That(result.ExitCode, Is.EqualTo(4), shown);
        if (logFormat == "json")
        {
            shown = MustBeEvents(shown, failsWith: 4);
        }

        Assert.That(shown, Does.Contain("after the attack").And.Contain("the installer says: 7 ").And.Contain("the installer warns of more; from now on these are only counted"));
        Assert.That(Regex.Matches(shown, "the installer says:"), Has.Count.LessThanOrEqualTo(200));
        MustBeHarmless(isTerminal ? Regex.Replace(shown, @"\e\[[0-9;?]*[A-Za-z]|\e[()][0-9A-Za-z]|\e[=>]|\r", "") : shown);
        foreach (var file in new[] { "hangs.log", "hangs.report.html" })
        {
            var text = await LogAsync(file);
            MustBeHarmless(text);
            Assert.That(Regex.Matches(text, "the installer says:|The guest says"), Has.Count.LessThanOrEqualTo(1000), file);
        }

        Assert.That(await LogAsync("hangs.serial.log"), Does.Not.Contain("edge%22").And.Not.Contain("ed\e[1mge").And.Not.Contain("UzNjcmV0J29mICJlZGdlI").And.Contain(Redactor.Mask));
        Assert.That(await LogAsync("hangs.report.html"), Does.Contain("… and 2800 more from the installer"));
    }

    [Test]
    public async Task A_build_that_succeeds_writes_events_alone_and_its_result_as_always()
    {
        var iso = await IsoAsync(StubGuest.Installs);
        ImagesMayChange();

        var result = await Crust.RunAsync(Cancellation, [.. Arguments(iso), "--log-format", "json", "--json"]);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        MustBeEvents(result.Error, failsWith: null);
        using var manifest = JsonDocument.Parse(result.Output);
        Assert.That(manifest.RootElement.GetProperty("images")[0].GetProperty("file").GetString(), Is.EqualTo("installs.img"));
        Assert.That(await LogAsync("installs.log"), Does.Match(@"(?m)^\d\d:\d\d:\d\d\.\d{3} (DBG|INF) "), "the kept log stays text");
    }

    [TestCase("exec \"$@\" 2>&-", 0)]
    [TestCase("exec \"$@\" 2>/dev/full >/dev/full", 5)]
    public async Task Progress_that_can_not_be_written_ends_no_build_and_a_result_that_can_not_is_told(string shell, int exitCode)
    {
        var iso = await IsoAsync(StubGuest.Installs);
        ImagesMayChange();
        await using var running = Crust.StartIn(["sh", "-c", shell, "sh"], Arguments(iso));

        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Output);
        Assert.That(Crust.ImageFiles, Has.Member("installs.img").And.Member("installs.report.html"));
    }

    // A pipe that is full, and that is open to be read: behind a pager that isn't paged, or a terminal after Ctrl-S.
    [TestCase(false, "text", 0)]
    [TestCase(false, "json", 0)]
    [TestCase(true, "text", 4)]
    public async Task Progress_that_nobody_reads_stops_no_build(bool hangs, string logFormat, int exitCode)
    {
        var iso = await IsoAsync(hangs ? StubGuest.Hangs : StubGuest.Installs);
        ImagesMayChange();
        const string shell = "mkfifo full; exec 3<>full; head -c 65536 /dev/zero >&3; exec \"$@\" 2>&3 3>&-";
        await using var running = Crust.StartIn(["sh", "-c", shell, "sh"], [.. Arguments(iso), "--log-format", logFormat, .. hangs ? new[] { "--deadline", "8s" } : []]);

        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Output);
        Assert.That(result.Output, hangs ? Is.Empty : Does.Contain("installs.img"));
        Assert.That(Crust.ImageFiles, hangs ? Has.Member("hangs.log") : Has.Member("installs.img").And.Member("installs.report.html"));
    }

    [TestCase("ulimit -f 20000; exec \"$@\"", 3, "may write none of more than 9.8 MiB")]
    public async Task A_limit_on_the_size_of_files_is_told_before_anything_is_done(string shell, int exitCode, string message)
    {
        await using var running = Crust.StartIn(["sh", "-c", shell, "sh"], Arguments(await IsoAsync(StubGuest.Installs)));

        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Error);
        Assert.That(result.Error, Does.Contain(message).And.Contain("ulimit -f unlimited"));
    }

    [Test]
    public async Task A_result_that_becomes_too_large_for_the_limit_is_told()
    {
        await using var running = Crust.StartIn(["sh", "-c", "truncate -s 10239999 results; ulimit -f 20000; exec \"$@\" >> results", "sh"], ["schema"]);

        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(5), result.Error);
        Assert.That(result.Error, Does.Contain("The result can't be printed: the limit on the size of files (ulimit -f) is reached"));
    }

    [TestCase(false, "100s", 130)]
    [TestCase(true, "12s", 4)]
    public async Task A_terminal_that_goes_away_cancels_once_and_nohup_holds(bool nohup, string deadline, int exitCode)
    {
        await using var running = Crust.StartIn(nohup ? ["nohup"] : [], [.. Arguments(await IsoAsync(StubGuest.Hangs)), "--deadline", deadline]);
        await running.FindQemuAsync(GuestRuns, Cancellation);

        running.Signal("HUP");
        running.Signal("HUP");
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Error);
    }

    /// <summary>Reads each line as an event.</summary>
    /// <returns>What the events say, a line for each.</returns>
    private static string MustBeEvents(string text, int? failsWith)
    {
        // What .NET switches a terminal's keypad with (dotnet/runtime, ConsolePal.Unix.cs: EnsureConsoleInitialized) isn't Crust's; and a terminal has \r before each line break.
        var lines = Regex.Replace(text, @"\e\[\?1[hl]\e[=>]", "").TrimEnd().Split('\n');
        Assert.That(lines, Has.All.StartsWith("{\"@t\":\"").And.All.Matches("}\r?$"));
        var events = lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var kinds = events.Select(one => one.GetProperty("Event").GetString()).ToList();
        Assert.That(kinds, Has.Member("StageStarted").And.Member("StageFinished"));
        Assert.That(events.Select(one => one.TryGetProperty("ExitCode", out var code) ? code.GetInt32() : (int?)null).OfType<int>(), Is.EqualTo(failsWith is { } exitCode ? new[] { exitCode } : Array.Empty<int>()));
        return string.Join('\n', events.Select(one => one.GetProperty("@m").GetString()));
    }

    private static void MustBeHarmless(string text)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(text.Where(c => c is not ('\n' or '\t') && (char.IsControl(c) || c is '\u202e' or '\u2028')).Select(c => $"{(int)c:x}").Distinct(), Is.Empty);
            Assert.That(text, Does.Not.Match(@"(?m)^\s*::add-mask|^crust: done|##vso\[task\.complete\] *\n"));
            Assert.That(text, Does.Not.Contain(Secret).And.Not.Contain("of \"edge").And.Not.Contain("UzNjcmV0J29mICJlZGdlI").And.Not.Contain("%22edge%22"));
        }
    }
}
