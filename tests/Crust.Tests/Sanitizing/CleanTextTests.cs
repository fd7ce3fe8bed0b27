using System.Text;
using Crust.Sanitizing;

namespace Crust.Tests.Sanitizing;

public sealed class CleanTextTests
{
    private static readonly string[] Attacks =
    [
        "\e[31m", "\e[2J", "\e[1;1H", "\e]0;title\a", "\e]52;c;ZXZpbA==\e\\", "\eP1$r\e\\", "\e_apc\e\\", "\e^pm\e\\", "\eXsos\e\\", "\e(0", "\ec", "\e \eF", "\e\e[m ]0;", "\e[", "\e]", "\e",
        "\u009b31m", "\u009d0;t\u009c", "\u0090q\u009c", "\u0085", "\0", "\a", "\b", "\r", "\n", "\r\n", "\t", "\v", "\f", "\u007f", "\u200b", "\u200e", "\u202e", "\u2066", "\u2069", "\u2028",
        "\u2029", "\ufeff", "\u00ad", "\u061c", "\U000e0041", "\ud83d", "\ude00", "::add-mask::x", "::set-output name=a::b", "##[group]", "##vso[task.setvariable variable=a]b",
        "##teamcity[message text='x']", "section_start:1:a", "section_end:1:a", "travis_fold:start:a", "crust: done", "crust: ", "word", "é", "😀", "  ", ":", "#", "[",
    ];

    [TestCase("\e[32m  OK  \e[0m Started", "OK   Started")]
    [TestCase("\e \e]0;evil\a shown", "shown", Description = "an escape sequence that another one cuts off")]
    [TestCase("\e\e[m ]0;evil\a shown", "]0;evil shown")]
    [TestCase("a\e[3\n1mb", "a b", Description = "a terminal obeys the line break and goes on with the sequence")]
    [TestCase("\e]52;c;ZXZpbA==\ashown", "shown")]
    [TestCase("a\e]0;never ended\nshown", "a shown")]
    [TestCase("\u009b2J\u009d0;t\u009cshown", "shown")]
    [TestCase("a\u202eb\u2066c\u200bd\ufeffe", "abcde")]
    [TestCase("one\r\ntwo\rthree\u2028four", "one two three four")]
    [TestCase("whole 😀", "whole 😀")]
    [TestCase("::add-mask::s3cret", ": :add-mask::s3cret")]
    [TestCase("  ::error::x", ": :error::x")]
    [TestCase("it says ::set-output name=x::y", "it says : :set-output name=x::y")]
    [TestCase("##vso[task.complete]", "# #vso[task.complete]")]
    [TestCase("a ##[error] ##teamcity[x]", "a # #[error] # #teamcity[x]")]
    [TestCase("section_start:1:x", "section _start:1:x")]
    [TestCase("fe80::1 and core::panicking::panic stay, ## too", "fe80::1 and core::panicking::panic stay, ## too")]
    public void A_line_is_what_a_reader_may_see(string text, string line) => Assert.That(CleanText.Line(text), Is.EqualTo(line));

    [Test]
    public void Half_a_character_is_none() => Assert.That(CleanText.Line("lone \ud83d half"), Is.EqualTo("lone \ufffd half"));

    [Test]
    public void A_long_line_is_cut_and_no_character_with_it()
    {
        Assert.That(CleanText.Line(new string('x', 5000)), Is.EqualTo(new string('x', CleanText.Longest) + "…"));
        Assert.That(CleanText.Line("xxx😀", 4), Is.EqualTo("xxx…"));
    }

    [Test]
    public void A_boot_menus_screen_is_a_short_line()
    {
        var screen = "\e[H" + string.Join("\r\n", Enumerable.Range(0, 25).Select(row => $"|{new string(' ', 60)}entry {row}{new string(' ', 10)}|"));

        Assert.That(CleanText.Progress(screen), Does.StartWith("| entry 0 | | entry 1 |").And.Length.InRange(CleanText.LongestProgress - 10, CleanText.LongestProgress + 1));
    }

    [Test]
    public void Of_many_lines_the_first_and_the_last_are_told()
    {
        var lines = CleanText.Lines(string.Join("\n", Enumerable.Range(0, 10_000))).ToList();

        Assert.That(lines, Has.Count.EqualTo(301));
        Assert.That(lines[150], Is.EqualTo("… 9700 more lines …"));
        Assert.That(lines[^1], Is.EqualTo("9999"));
    }

    [Test]
    public void Nothing_gets_through_whatever_is_put_together([Range(1, 40)] int seed)
    {
        var random = new Random(seed);
        var text = Compose(random);

        var line = CleanText.Line(text);
        var block = CleanText.Block(text);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(line.EnumerateRunes().Where(CleanText.IsInvisible), Is.Empty, $"seed {seed}: {Shown(line)}");
            Assert.That(block.EnumerateRunes().Where(rune => CleanText.IsInvisible(rune) && rune.Value is not ('\n' or '\t')), Is.Empty, $"seed {seed}: {Shown(block)}");
            Assert.That(line.Length, Is.LessThanOrEqualTo(2 * CleanText.Longest));
            Assert.That(CleanText.Line(line, int.MaxValue), Is.EqualTo(line), "once is enough");
            Assert.That(block.Split('\n').Append(line), Has.None.Matches(@"^\s*::|##(\[|vso\[|teamcity\[)|\bsection_(start|end):|\btravis_fold:"));
        }
    }

    [Test]
    public void It_does_not_matter_where_a_stream_is_cut([Range(1, 40)] int seed)
    {
        var random = new Random(seed);
        var text = Compose(random);
        var whole = new StringBuilder();
        new TerminalText().Append(text, whole);

        var (pieces, filter) = (new StringBuilder(), new TerminalText());
        for (var at = 0; at < text.Length;)
        {
            var length = Math.Min(random.Next(1, 9), text.Length - at);
            // Decoders don't cut characters.
            length += at + length < text.Length && char.IsHighSurrogate(text[at + length - 1]) ? 1 : 0;
            filter.Append(text.AsSpan(at, length), pieces);
            at += length;
        }

        Assert.That(pieces.ToString(), Is.EqualTo(whole.ToString()), $"seed {seed}");
    }

    private static string Compose(Random random) => string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(_ => Attacks[random.Next(Attacks.Length)]));

    private static string Shown(string text) => string.Concat(text.Select(c => c is >= ' ' and <= '~' ? $"{c}" : $"<{(int)c:x}>"));
}
