using System.Collections.Immutable;
using Crust.Installers;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds.Checks;

/// <summary>
/// What the readers of seeds take by their own documentation and sources (READER.taken: no error), and what they refuse or drop (READER.found: exactly what is said
/// behind the bar). Each document begins with a line `=== NAME KEY=VALUE… | RULE LINE:COLUMN [warning]; …`; what a spec says around it is as in <see cref="CorpusDocument"/>.
/// </summary>
public sealed class ReaderCorpusTests
{
    private SeedSample _sample = null!;

    private static IEnumerable<TestCaseData> Taken => Documents("*.taken");

    private static IEnumerable<TestCaseData> Found => Documents("*.found");

    /// <summary>All that is expected to be found, as `RULE LINE:COLUMN`.</summary>
    public static IEnumerable<string> ExpectedFindings => Found.SelectMany(test => ((Document)test.Arguments[0]!).Expected);

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCaseSource(nameof(Taken))]
    public void What_a_reader_takes_is_no_error(object document) =>
        Assert.That(Check((Document)document).Where(finding => finding.Severity is SeedSeverity.Error), Is.Empty);

    [TestCaseSource(nameof(Found))]
    public void What_a_reader_refuses_or_drops_is_found_at_its_place(object document)
    {
        var expected = ((Document)document).Expected;

        var found = Check((Document)document).Where(finding => finding.Rule is not ("no-poweroff" or "reboot" or "several-endings")).ToList();

        Assert.That(found.Select(Describe).Order(), Is.EqualTo(expected.Order()), string.Join('\n', found));
    }

    [Test]
    public void Every_reader_has_both_and_a_source()
    {
        var files = Directory.GetFiles(Folder);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(files.Select(file => File.ReadLines(file).First()), Has.All.StartWith("# Source: "));
            Assert.That(files.Select(Path.GetFileNameWithoutExtension).Distinct(), Is.SupersetOf(new[] { "cloud-init", "autoinstall", "kickstart", "preseed", "ignition" }));
            Assert.That(Taken.Count(), Is.GreaterThan(250));
        }
    }

    private static string Folder => RepositoryFile.PathOf("tests/Crust.Tests/Seeds/Readers");

    private static IEnumerable<TestCaseData> Documents(string pattern) =>
        from file in Directory.GetFiles(Folder, pattern).Order(StringComparer.Ordinal)
        from part in $"\n{File.ReadAllText(file)}".Split("\n=== ").Skip(1)
        let document = Document.Of(part)
        select new TestCaseData(document).SetArgDisplayNames($"{Path.GetFileName(file)}: {document.Name}");

    private ImmutableArray<SeedFinding> Check(Document document)
    {
        var path = _sample.Write("seed", document.Text);
        var spec = new BuildSpec
        {
            Installer = new InstallerSpec { Iso = document["iso"] == "reference" ? null : "vendor.iso" },
            Seed = new SeedSpec { Kind = Parse<SeedKind>(document["kind"]) ?? SeedKind.Nocloud, Profile = Parse<SeedProfile>(document["profile"]), UserData = [path] },
            Machine = new MachineSpec { DiskBus = Parse<DiskBus>(document["bus"]) ?? DiskBus.Virtio },
        };
        return CheckReport.Of(spec, InstallerSource.ProfileOf(spec.Installer, "/nowhere")).Findings;
    }

    private static string Describe(SeedFinding finding) => $"{finding.Rule} {finding.Place.Line}:{finding.Place.Column}{(finding.Severity is SeedSeverity.Warning ? " warning" : "")}";

    private static T? Parse<T>(string? word)
        where T : struct, Enum => word is null ? null : Enum.GetValues<T>().Single(value => value.LowerName() == word);

    private sealed record Document(string Name, ImmutableDictionary<string, string> Settings, ImmutableArray<string> Expected, string Text)
    {
        public string? this[string key] => Settings.GetValueOrDefault(key);

        public static Document Of(string part)
        {
            var (head, text) = part.Split('\n', 2) is [var first, var rest] ? (first, rest) : (part, "");
            var (left, right) = head.Split('|', 2) is [var before, var after] ? (before, after) : (head, "nothing");
            var words = left.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new Document(
                words[0],
                words.Skip(1).Select(word => word.Split('=')).ToImmutableDictionary(pair => pair[0], pair => pair[1]),
                right.Trim() == "nothing" ? [] : [.. right.Split(';', StringSplitOptions.TrimEntries)],
                text + "\n");
        }
    }
}
