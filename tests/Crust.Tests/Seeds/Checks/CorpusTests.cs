using Crust.Seeds.Checks;

namespace Crust.Tests.Seeds.Checks;

public sealed class CorpusTests
{
    private static IEnumerable<CorpusDocument> Valid => CorpusDocument.In("valid");

    private static IEnumerable<CorpusDocument> Broken => CorpusDocument.In("broken");

    [TestCaseSource(nameof(Valid))]
    public void Nothing_is_found_in_a_valid_document(object document) =>
        Assert.That(((CorpusDocument)document).Findings, Is.Empty);

    [TestCaseSource(nameof(Broken))]
    public void Each_fault_of_a_broken_document_is_found_at_its_place_and_nothing_else(object document)
    {
        var broken = (CorpusDocument)document;

        Assert.That(broken.Expected, Is.Not.Empty, "it says nothing of what is to be found");
        Assert.That(broken.Found, Is.EqualTo(broken.Expected), string.Join('\n', broken.Findings));
    }

    [Test]
    public void The_corpus_is_large_enough_and_passes_as_a_whole()
    {
        var valid = Valid.Count(document => document.Findings.IsEmpty);
        var broken = Broken.Count(document => document.Found.SequenceEqual(document.Expected));
        TestContext.Out.WriteLine($"corpus: {valid} of {Valid.Count()} valid documents pass, {broken} of {Broken.Count()} broken ones are refused at the right place");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(valid, Is.EqualTo(Valid.Count()).And.GreaterThanOrEqualTo(40));
            Assert.That(broken, Is.EqualTo(Broken.Count()).And.GreaterThanOrEqualTo(60));
        }
    }

    [Test]
    public void Every_rule_has_a_document_that_breaks_it()
    {
        // What two megabytes break, and what only a spec does, is in tests of its own; what single readers refuse, in ReaderCorpusTests.
        var covered = Broken.SelectMany(document => document.Expected).Concat(ReaderCorpusTests.ExpectedFindings).Concat(CollectionDocument.In("refused").SelectMany(document => document.Expected)).Select(line => line.Split(' ')[0]).Concat(["too-large", "unused-setting", "no-place", "secret-in-spec"]).ToHashSet();

        Assert.That(covered, Is.EquivalentTo(RuleBook.All.Select(rule => rule.Name)));
    }
}
