namespace Crust.Tests.Seeds.Checks;

public sealed class CollectionTests
{
    private SeedSample _sample = null!;

    private static IEnumerable<CollectionDocument> Documented => CollectionDocument.In("documented");

    private static IEnumerable<CollectionDocument> Refused => CollectionDocument.In("refused");

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCaseSource(nameof(Documented))]
    public void What_a_reader_documents_or_accepts_passes_without_a_finding(object document) =>
        Assert.That(((CollectionDocument)document).FoundIn(_sample), Is.Empty);

    [TestCaseSource(nameof(Refused))]
    public void What_a_reader_refuses_or_drops_silently_is_found_at_its_place_and_nothing_else(object document)
    {
        var refused = (CollectionDocument)document;

        Assert.That(refused.Expected, Is.Not.Empty, "it says nothing of what is to be found");
        Assert.That(refused.FoundIn(_sample), Is.EqualTo(refused.Expected));
    }

    [Test]
    public void Every_document_names_its_source()
    {
        foreach (var document in Documented.Concat(Refused))
            Assert.That(document.Source, Has.Length.GreaterThan(10), $"{document}");
    }
}
