using Crust.Canvos.Args;

namespace Crust.Tests.Canvos;

/// <summary>The two readings of `.arg` files: Earthly's, and the shell's, which is asked itself.</summary>
public sealed class ArgFileTests
{
    [TestCase("A=x", "x", "x")]
    [TestCase("A=", "", "")]
    [TestCase("A='two words'", "two words", "two words")]
    [TestCase("A=\"two words\" # why", "two words", "two words")]
    [TestCase("export A=x", "x", "x")]
    [TestCase("A=x # why", "x", "x")]
    [TestCase("A=x#y", "x#y", "x#y")]
    [TestCase("A=two words", "two words", null)]
    [TestCase("A = x", "x", null)]
    [TestCase("A: x", "x", null)]
    [TestCase("A= x", "x", null)]
    [TestCase("A=a;b", "a;b", null)]
    [TestCase("A=a\\b", "a\\b", "ab")]
    [TestCase("A=\"a\\nb\"", "a\nb", "a\\nb")]
    [TestCase("A=~/x", "~/x", null)]
    [TestCase("A=x\r", "x", "x\r")]
    [TestCase("A=$HOME", "", null)]
    [TestCase("A='$HOME'", "$HOME", "$HOME")]
    [TestCase("A=a'b'", "a'b'", "ab")]
    public void A_line_is_read_as_Earthly_and_as_the_shell_read_it(string line, string dotenv, string? shell)
    {
        var read = ArgFile.Parse(line + "\n", ".arg").Lines.Single();

        Assert.That((read.Name, read.Dotenv.Value, read.Shell.Value), Is.EqualTo(("A", dotenv, shell)), $"{read.Dotenv.Trouble}; {read.Shell.Trouble}");
        Assert.That(read.Shell.Trouble is null, Is.EqualTo(shell is not null));
    }

    [Test]
    public void Variables_of_lines_above_are_replaced_in_both_readings_each_by_its_own()
    {
        var file = ArgFile.Parse("A=one\\ two\nB=$A-${A}\nC=\"$B\"\n", ".arg");

        Assert.That(file.Find("B")!.Dotenv.Value, Is.EqualTo("one\\ two-one\\ two"));
        Assert.That(file.Find("B")!.Shell.Value, Is.EqualTo("one two-one two"));
        Assert.That(file.Find("C")!.Shell.Value, Is.EqualTo("one two-one two"));
    }

    [Test]
    public void Lines_are_numbered_also_behind_a_value_of_several_lines()
    {
        var file = ArgFile.Parse("# comment\n\nA=\"one\ntwo\"\nB=x\n", ".arg");

        Assert.That(file.Lines.Select(line => (line.Name, line.Number, line.Dotenv.Value)), Is.EqualTo(new[] { ("A", 3, "one\ntwo"), ("B", 5, "x") }));
    }

    [TestCase("A\n", ".arg:1")]
    [TestCase("A=1\nB='x\n", ".arg:2")]
    [TestCase("A=1\n\n=x\n", ".arg:3")]
    [TestCase("A=$(date)\n", ".arg:1")]
    public void What_Earthly_cannot_read_is_refused_with_its_line(string text, string where)
    {
        var error = Assert.Throws<CrustException>(() => ArgFile.Parse(text, ".arg"))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, where)));
    }

    [Test]
    public void Differences_and_names_that_stand_twice_are_told_with_their_lines()
    {
        var findings = ArgFile.Parse("BRANDING=My Edge\nARCH=amd64\nARCH=arm64\n", ".arg").Findings().ToList();

        Assert.That(findings.Select(finding => finding.Where), Is.EqualTo(new[] { ".arg:1, BRANDING", ".arg:3, ARCH" }));
        Assert.That(findings[0].What, Is.EqualTo("BRANDING is 'My Edge' to Earthly, which builds with it, and the shell makes nothing of it: behind a blank that isn't quoted, it runs 'Edge' as a command"));
        Assert.That(findings[1].What, Is.EqualTo("ARCH is set in lines 2 and 3; the last counts"));
    }

    [Test]
    public void No_finding_shows_a_secret() =>
        Assert.That(ArgFile.Parse("UBUNTU_PRO_KEY=C1 x\nHTTP_PROXY=http://me:word@proxy/ x\n", ".arg").Findings().Select(finding => finding.ToString()), Has.None.Contains("C1").And.None.Contains("word@"));
}
