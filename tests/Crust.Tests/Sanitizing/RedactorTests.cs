using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Crust.Sanitizing;

namespace Crust.Tests.Sanitizing;

public sealed class RedactorTests
{
    private const string Nasty = "p\"a's\\s <w&ö>+rd$/=%`😀;:#";

    private static readonly string[] Secrets = ["hunter2", "Sehr geheim & mehr", Nasty, "tok3n/with+base64==", @"C:\\back\slashes\", "''\"\"''", "two  blanks", "ÄÖÜ-ß"];

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // How programs write a text into what they print.
    private static readonly Dictionary<string, Func<string, string>> Encodings = new()
    {
        ["as it is"] = text => text,
        ["JSON"] = text => JsonSerializer.Serialize(text)[1..^1],
        ["JSON, relaxed"] = text => JsonSerializer.Serialize(text, Relaxed)[1..^1],
        ["JSON with slashes"] = text => JsonSerializer.Serialize(text)[1..^1].Replace("/", "\\/"),
        ["JSON in JSON"] = text => JsonSerializer.Serialize(JsonSerializer.Serialize(text)[1..^1])[1..^1],
        ["HTML"] = text => WebUtility.HtmlEncode(text),
        ["HTML in HTML"] = text => WebUtility.HtmlEncode(WebUtility.HtmlEncode(text)),
        ["HTML, hex"] = text => string.Concat(text.EnumerateRunes().Select(rune => rune.Value < 0x80 && char.IsLetterOrDigit((char)rune.Value) ? $"{rune}" : $"&#x{rune.Value:X};")),
        ["URL"] = Uri.EscapeDataString,
        ["URL, lower"] = text => System.Text.RegularExpressions.Regex.Replace(Uri.EscapeDataString(text), "%..", match => match.Value.ToLowerInvariant()),
        ["URL in URL"] = text => Uri.EscapeDataString(Uri.EscapeDataString(text)),
        ["form"] = text => WebUtility.UrlEncode(text),
        ["hex"] = text => Convert.ToHexString(Encoding.UTF8.GetBytes(text)),
        ["hex, lower"] = text => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text)),
        ["hex, bytes apart"] = text => string.Join(' ', Encoding.UTF8.GetBytes(text).Select(b => $"{b:x2}")),
        ["C, hex"] = text => string.Concat(Encoding.UTF8.GetBytes(text).Select(b => $"\\x{b:x2}")),
        ["C, octal"] = text => string.Concat(Encoding.UTF8.GetBytes(text).Select(b => $"\\{Convert.ToString(b, 8).PadLeft(3, '0')}")),
        ["shell, quoted"] = text => text.Replace("'", @"'\''"),
        ["shell, quoted otherwise"] = text => text.Replace("'", "'\"'\"'"),
        ["shell, with backslashes"] = text => string.Concat(text.Select(c => c < 0x80 && !char.IsLetterOrDigit(c) ? $"\\{c}" : $"{c}")),
        ["YAML, quoted"] = text => text.Replace("'", "''"),
        ["coloured"] = text => string.Join("\e[0m", text.EnumerateRunes()),
        ["titled"] = text => string.Join("\e]0;title\a", text.EnumerateRunes()),
        ["C1"] = text => string.Join("\u009b1m", text.EnumerateRunes()),
        ["invisible"] = text => string.Join("\u200b\u202e\0", text.EnumerateRunes()),
        ["wrapped"] = text => string.Join("\r\n", text.EnumerateRunes()),
        ["JSON with escapes"] = text => JsonSerializer.Serialize(string.Join("\e[0m", text.EnumerateRunes()))[1..^1],
    };

    private static IEnumerable<TestCaseData> Spellings => from encoding in Encodings.Keys from secret in Secrets select new TestCaseData(encoding, secret);

    [Test]
    public void Secrets_go_the_longest_first_and_short_ones_stay()
    {
        var redactor = Hiding("hunter2", "hunter2 and more", "ab");

        Assert.That(redactor.Apply("ab: hunter2 and more, hunter2"), Is.EqualTo("ab: •••, •••"));
    }

    [Test]
    public void A_secret_that_begins_in_another_goes_as_well() => Assert.That(Hiding("abcdef", "efghij").Apply("x abcdefghij y"), Is.EqualTo("x ••• y"));

    [TestCaseSource(nameof(Spellings))]
    public void A_secret_goes_however_it_is_written(string encoding, string secret)
    {
        var written = Encodings[encoding](secret);

        var masked = Hiding(secret).Apply($"key={written} end");

        Assert.That(masked.Replace("\n", ""), Is.EqualTo($"key={Redactor.Mask} end"), written);
    }

    [TestCaseSource(nameof(Spellings))]
    public void And_in_a_stream_that_is_cut_anywhere(string encoding, string secret)
    {
        var written = Encodings[encoding](secret);

        for (var seed = 1; seed <= 3; seed++)
        {
            Assert.That(Pass(Hiding(secret), $"key={written} end", new Random(seed)).Replace("\n", ""), Is.EqualTo($"key={Redactor.Mask} end"), $"seed {seed}: {written}");
        }
    }

    [Test]
    public void A_secret_goes_from_Base64_wherever_it_begins([Values(0, 1, 2, 3, 4, 5)] int before, [Values] bool url, [Values] bool wrapped, [ValueSource(nameof(Secrets))] string secret)
    {
        var (left, right) = (new string('x', before), new string('y', 50));
        var written = Convert.ToBase64String(Encoding.UTF8.GetBytes(left + secret + right), wrapped ? Base64FormattingOptions.InsertLineBreaks : Base64FormattingOptions.None);
        var alone = Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('=');
        written = url ? written.Replace('+', '-').Replace('/', '_') : written;

        var masked = Hiding(secret).Apply($"data: {written}").Replace("\r\n", "").Replace("\n", "");
        var leaked = Encoding.UTF8.GetString(Decode(masked[6..].Split(Redactor.Mask)[0]));

        Assert.That(masked, Does.Contain(Redactor.Mask), written);
        Assert.That(leaked, Does.StartWith(left[..Math.Max(0, left.Length - 2)]).And.Length.LessThanOrEqualTo(before + 1), "a character at most is left of it");
        Assert.That(Hiding(secret).Apply(alone).Length, Is.LessThanOrEqualTo(5));
    }

    [Test]
    public void A_key_goes_line_by_line()
    {
        const string Key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n";

        Assert.That(Hiding(Key).Apply("[ 1.2] init: MIIEvQIBADANBgkqhkiG9w0B\n[ 1.3] init: AQEFAASCBKcwggSjAgEAAoIB\n"), Is.EqualTo("[ 1.2] init: •••\n[ 1.3] init: •••\n"));
    }

    [Test]
    public void What_is_put_together_of_anything_holds_no_secret_at_any_sink([Range(1, 60)] int seed)
    {
        var random = new Random(seed);
        var secret = Secrets[random.Next(Secrets.Length)];
        string[] pieces = ["\e[1m", "\e[", "\e]0;", "\a", "\n", "\u202e", "%", "&amp", "\\", "'", "\"", "::add-mask::", "\ud83d", "log: ", secret[..2], secret[1..], "aHVu"];
        var text = string.Concat(Enumerable.Range(0, random.Next(5, 80)).Select(i => i % 4 == 2 ? $" {Encodings.Values.ElementAt(random.Next(Encodings.Count))(secret)} " : pieces[random.Next(pieces.Length)]));
        var redactor = Hiding(secret);

        string[] sinks = [redactor.Line(text, int.MaxValue), redactor.Progress(text), redactor.Visible(text), string.Join('\n', redactor.Lines(text, 300, 8000)), Pass(redactor, text, random)];

        foreach (var sink in sinks)
        {
            Assert.That(Encodings.Where(pair => sink.Contains(pair.Value(secret), StringComparison.Ordinal)).Select(pair => pair.Key), Is.Empty, $"seed {seed}: {sink}");
            Assert.That(Hiding(secret).Apply(sink), Is.EqualTo(sink), $"seed {seed}");
        }
    }

    [Test]
    public void A_secret_goes_wherever_a_stream_is_cut([Range(1, 8)] int size)
    {
        var redactor = Hiding("hunter2", "tok3n");

        Assert.That(Pass(redactor, "huhunter2 hunter tok3ntok3n hunt", size), Is.EqualTo("hu••• hunter •••••• hunt"));
    }

    [Test]
    public void All_bytes_that_are_no_secret_pass_as_they_are([Range(1, 10)] int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[5000];
        random.NextBytes(bytes);
        var (filter, passed) = (Hiding("hunter2", Nasty).Filter(), new List<byte>());
        foreach (var piece in bytes.Chunk(random.Next(1, 100)))
        {
            passed.AddRange(filter.Pass(piece).Span);
        }

        passed.AddRange(filter.End().Span);
        Assert.That(passed, Is.EqualTo(bytes), $"seed {seed}");
    }

    [Test]
    public void What_can_not_be_a_secret_is_passed_on_at_once()
    {
        var filter = Hiding("hunter2").Filter();

        Assert.That(Encoding.UTF8.GetString(filter.Pass("login: "u8.ToArray()).Span), Is.EqualTo("login: "));
    }

    [Test]
    public void What_is_hidden_later_goes_from_then_on()
    {
        var redactor = new Redactor();
        var filter = redactor.Filter();
        filter.Pass("hunter2"u8.ToArray());

        redactor.Hide(["hunter2"]);

        Assert.That(Encoding.UTF8.GetString(filter.Pass("hunter2"u8.ToArray()).Span), Is.EqualTo(Redactor.Mask));
    }

    [Test]
    [CancelAfter(60_000)]
    public void A_guest_that_plays_with_the_search_does_not_stop_it()
    {
        var redactor = Hiding("hunter2", @"\\\\\\\\\\\\\\\\x", "aaaaaaaaaaaaaaaaaaab");
        string[] floods = ["h\e]", "h\e[0m", "hunter\n", "\\", "&amp;", "%25", "a", "'", "hunter%", "h\u200b"];

        Assert.That(floods.Select(flood => redactor.Apply(string.Concat(Enumerable.Repeat(flood, 20_000))).Length), Is.All.Positive);
    }

    private static Redactor Hiding(params string[] secrets)
    {
        var redactor = new Redactor();
        redactor.Hide(secrets);
        return redactor;
    }

    private static byte[] Decode(string base64)
    {
        var standard = base64.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(standard[..(standard.Length / 4 * 4)]);
    }

    private static string Pass(Redactor redactor, string text, int size)
    {
        var filter = redactor.Filter();
        var result = new List<byte>();
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(size))
        {
            result.AddRange(filter.Pass(piece).Span);
        }

        result.AddRange(filter.End().Span);
        return Encoding.UTF8.GetString([.. result]);
    }

    private static string Pass(Redactor redactor, string text, Random random)
    {
        var (filter, result, bytes) = (redactor.Filter(), new List<byte>(), Encoding.UTF8.GetBytes(text));
        for (int at = 0, length; at < bytes.Length; at += length)
        {
            length = Math.Min(random.Next(1, 7), bytes.Length - at);
            result.AddRange(filter.Pass(bytes.AsMemory(at, length)).Span);
        }

        result.AddRange(filter.End().Span);
        return Encoding.UTF8.GetString([.. result]);
    }
}
