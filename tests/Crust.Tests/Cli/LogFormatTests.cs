using System.Text.Json;
using Crust.Cli.Progress;
using Crust.Sanitizing;
using Crust.Tests.Installers;

namespace Crust.Tests.Cli;

/// <summary>Standard error with `--log-format json`.</summary>
[CancelAfter(60_000)]
public sealed class LogFormatTests
{
    private const string Secret = "hunter2-of-edge";
    private const string Evil = "one\e]52;c;ZXZpbA==\a\n{\"@l\":\"Fatal\"}\n::add-mask::x\r\n##vso[task.complete]\u202e\u009b31m hunt\e[0mer2-of-edge \u2028 \"quoted\" \ud83d end";

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-log-format-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Each_thing_that_happens_in_a_build_is_an_event_on_a_line_of_its_own()
    {
        var events = await WatchAsync(isQuiet: false);

        Assert.That(events.Select(Kind), Is.EqualTo(new[] { "StageStarted", "Progress", "Progress", "Progress", "Note", "Warning", "StageFinished" }));
        Assert.That(events.Select(one => Text(one, "@l")), Is.EqualTo(new[] { null, null, null, null, null, "Warning", null }), "Information is left out, as CLEF has it");
        Assert.That(events.Where(one => Kind(one).StartsWith("Stage", StringComparison.Ordinal) || Kind(one) == "Progress").Select(one => Text(one, "Stage")), Has.All.EqualTo("formats"));
        Assert.That(events[1..4].Select(one => (Text(one, "@m"), Text(one, "Item"), one.TryGetProperty("Fraction", out var fraction) ? fraction.GetDouble() : -1)), Is.EqualTo(new[]
        {
            ("formats goes on", null, -1),
            ("formats: img  100 %", "img", 1.0),
            ("formats: vmdk  25 %  of 1 GiB", "vmdk", 0.25),
        }));
        Assert.That(events[^1].GetProperty("Seconds").GetDouble(), Is.EqualTo(65.5));
        Assert.That(events.Select(one => one.GetProperty("@t").GetDateTimeOffset().Offset), Has.All.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task Quiet_leaves_what_is_warned_of_and_asked_for() =>
        Assert.That((await WatchAsync(isQuiet: true)).Select(Kind), Is.EqualTo(new[] { "Note", "Warning" }));

    [Test]
    public async Task What_guests_say_stays_inside_one_string_cleaned_and_without_secrets([Values] bool isQuiet)
    {
        using var text = new StringWriter();
        using var messages = Json(text);
        var time = new ManualTime();
        await using (ProgressView view = isQuiet ? new QuietView(messages) : new PlainView(messages, time))
        {
            view.Observe(new BuildEvent.Started(Stage.Install, Evil));
            view.Observe(new BuildEvent.Progressed(Stage.Install, Evil, 0.5, Evil));
            time.Advance(TimeSpan.FromSeconds(20));
            view.Observe(new BuildEvent.Noted(Evil));
            view.Observe(new BuildEvent.Warned(Evil));
            view.Observe(new BuildEvent.Finished(Stage.Install, TimeSpan.FromSeconds(1), Evil));
        }

        messages.Fail(new CrustException(FailureKind.GuestFailed, Evil, Evil, Evil) { Detail = $"{Evil}\n{Evil}" });
        messages.Bug(new InvalidOperationException(Evil));
        messages.Inform(Evil);
        await messages.WriteLineAsync(Evil);

        var events = Events(text.ToString());
        Assert.That(events, Has.Length.EqualTo(isQuiet ? 6 : 9));
        foreach (var word in events.SelectMany(Strings))
        {
            using (Assert.EnterMultipleScope())
            {
                Assert.That(word.EnumerateRunes().Where(rune => rune.Value != '\n' && CleanText.IsInvisible(rune)), Is.Empty);
                Assert.That(word, Does.Not.Contain(Secret).And.Not.Match(@"^\s*::|##vso\["));
            }
        }

        Assert.That(events.Count(one => Text(one, "@m")!.Contains(Redactor.Mask, StringComparison.Ordinal)), Is.GreaterThanOrEqualTo(events.Length - 1));
    }

    [Test]
    public void An_error_says_what_where_and_what_to_do_in_properties()
    {
        using var text = new StringWriter();
        using var messages = Json(text);

        messages.Fail(new CrustException(FailureKind.HostLacks, "QEMU is missing", "program qemu-system-x86_64", "install it: apt-get install qemu-system-x86") { Detail = "a\nb\n" });

        var error = Events(text.ToString()).Single();
        Assert.That((Text(error, "@m"), Text(error, "@l"), Text(error, "What"), Text(error, "Where"), Text(error, "Fix"), error.GetProperty("ExitCode").GetInt32()), Is.EqualTo(
            ("QEMU is missing", "Error", "QEMU is missing", "program qemu-system-x86_64", "install it: apt-get install qemu-system-x86", 3)));
        Assert.That(error.GetProperty("Detail").EnumerateArray().Select(line => line.GetString()), Is.EqualTo(new[] { "a", "b" }));
        Assert.That(error.TryGetProperty("Report", out _), Is.False);
    }

    [Test]
    public async Task A_command_that_does_its_work_writes_events_alone_and_its_result_as_always()
    {
        File.WriteAllBytes(Path.Combine(_folder, "edge.iso"), IsoBytes.With("EDGE", 0x00));
        Write("crust.yaml", "installer: { iso: edge.iso }\nseed: { ssh: { user: edge, password: hunter2-of-edge } }\n");

        var json = await CommandLineRun.OfAsync("embed", Write("crust.yaml"), "--output", Path.Combine(_folder, "json"), "--log-format", "json");
        var text = await CommandLineRun.OfAsync("--log-format", "text", "embed", Write("crust.yaml"), "--output", Path.Combine(_folder, "text"));

        Assert.That((json.Code, json.Output.Replace("json", "text", StringComparison.Ordinal)), Is.EqualTo((0, text.Output)));
        var warning = Events(json.Error).Single();
        Assert.That((Kind(warning), Text(warning, "@l")), Is.EqualTo(("Warning", "Warning")));
        Assert.That(text.Error, Is.EqualTo($"warning: {Text(warning, "Message")}\n"));
    }

    [Test]
    public async Task A_command_that_fails_writes_events_alone_and_masks_what_is_secret()
    {
        var spec = Write("crust.yaml", $"installer: {{ iso: {Secret}.iso }}\nseed: {{ ssh: {{ user: edge, password: {Secret} }} }}\n");

        var run = await CommandLineRun.OfAsync("build", spec, "--dry-run", "--log-format", "json");

        var error = Events(run.Error).Single();
        Assert.That((run.Code, run.Output, error.GetProperty("ExitCode").GetInt32()), Is.EqualTo((2, "", 2)));
        Assert.That(run.Error, Does.Not.Contain(Secret).And.Contain(Redactor.Mask));
    }

    [Test]
    public async Task Findings_of_a_check_are_events_with_their_places()
    {
        Write("user-data.yaml", "#cloud-config\nhostnme: edge\nhostname: edge\n");
        var spec = Write("crust.yaml", "seed: { userData: user-data.yaml, ssh: { user: edge } }\n");

        var run = await CommandLineRun.OfAsync("build", spec, "--check-only", "--log-format", "json");

        var finding = Events(run.Error).First(one => Text(one, "What")!.Contains("hostnme", StringComparison.Ordinal));
        Assert.That((Kind(finding), Text(finding, "Rule")), Is.EqualTo(("Finding", "unknown-key")));
        Assert.That(Text(finding, "Where"), Does.Contain("user-data.yaml:2:"));
        Assert.That(Text(finding, "Fix"), Is.Not.Empty);
    }

    [Test]
    public async Task A_wrong_command_line_is_told_in_the_format_that_was_asked_for()
    {
        var run = await CommandLineRun.OfAsync("build", "--nope", "--log-format=json");

        Assert.That(run.Code, Is.EqualTo(2));
        Assert.That(Text(Events(run.Error).Single(), "What"), Is.EqualTo("There is no option '--nope'"));
    }

    [TestCase("xml")]
    [TestCase("JSON")]
    [TestCase("")]
    public async Task A_format_that_there_is_not_is_an_error_with_those_that_there_are(string format)
    {
        var run = await CommandLineRun.OfAsync("schema", "--log-format", format);

        Assert.That((run.Code, run.Output, run.Error), Is.EqualTo((2, "", $"crust: There is no log format '{format}'\n  where: option --log-format\n  to do: give text or json\n")));
    }

    [Test]
    public async Task A_misspelt_option_is_found_among_those_that_all_commands_have()
    {
        var run = await CommandLineRun.OfAsync("schema", "--log-fromat", "json");

        Assert.That(run.Error, Does.Contain("did you mean '--log-format'?"));
    }

    private static async Task<JsonElement[]> WatchAsync(bool isQuiet)
    {
        using var text = new StringWriter();
        using var messages = Json(text);
        var time = new ManualTime();
        await using (ProgressView view = isQuiet ? new QuietView(messages) : new PlainView(messages, time))
        {
            view.Observe(new BuildEvent.Started(Stage.Formats, "img, vmdk"));
            time.Advance(TimeSpan.FromSeconds(20));
            view.Observe(new BuildEvent.Progressed(Stage.Formats, "vmdk", 0.25, "of 1 GiB"));
            view.Observe(new BuildEvent.Progressed(Stage.Formats, "img", 1, ""));
            time.Advance(TimeSpan.FromSeconds(20));
            view.Observe(new BuildEvent.Noted("a window is open"));
            view.Observe(new BuildEvent.Warned("the disk is slow"));
            view.Observe(new BuildEvent.Finished(Stage.Formats, TimeSpan.FromSeconds(65.5), "2 images"));
        }

        return Events(text.ToString());
    }

    private static MessageWriter Json(StringWriter text)
    {
        var messages = new MessageWriter(text) { Format = LogFormat.Json };
        messages.Hidden.Hide([Secret]);
        return messages;
    }

    private static JsonElement[] Events(string text)
    {
        Assert.That(text, Does.EndWith("\n"));
        return [.. text[..^1].Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private static string Kind(JsonElement one) => Text(one, "Event")!;

    private static string? Text(JsonElement one, string property) => one.TryGetProperty(property, out var value) ? value.GetString() : null;

    private static IEnumerable<string> Strings(JsonElement one) => one.ValueKind switch
    {
        JsonValueKind.String => [one.GetString()!],
        JsonValueKind.Array => one.EnumerateArray().SelectMany(Strings),
        JsonValueKind.Object => one.EnumerateObject().SelectMany(property => Strings(property.Value)),
        _ => [],
    };

    private string Write(string name, string? text = null)
    {
        var path = Path.Combine(_folder, name);
        if (text is not null)
        {
            File.WriteAllText(path, text);
        }

        return path;
    }
}
