using System.Diagnostics;
using Crust.Seeds.Checks;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds.Checks;

/// <summary>Others who check cloud-configs have to come to the same end: cloud-init itself, and Python's jsonschema with Crust's own schemas.</summary>
public sealed class OtherReadersTests
{
    // What cloud-init 22.4 says of its own schema isn't what 25.1 says, which the schema here is of.
    private static readonly Dictionary<string, string> NewerSchema = new()
    {
        ["top-key-camel-case.yaml"] = "22.4 takes any key at the top",
        ["debian-write-files-source.yaml"] = "22.4 doesn't know write_files[].source",
        ["content-and-source.yaml"] = "22.4 doesn't know write_files[].source",
        ["deprecated-user-key.yaml"] = "22.4 knows no ssh-authorized-keys, not even as deprecated",
    };

    // cloud-init warns of it by its schema, and its code takes it.
    private static readonly string[] TakenByCode = ["permissions-without-quotes.yaml"];

    private static readonly string[] RulesOfSchemas = ["unknown-key", "wrong-type", "wrong-value", "missing-key"];

    private static IEnumerable<CorpusDocument> Documents => CorpusDocument.In("valid").Concat(CorpusDocument.In("broken"))
        .Where(document => document["profile"] == "debian" && !TakenByCode.Contains(document.Name) && !document.Found.Any(line => line.StartsWith("yaml ", StringComparison.Ordinal)));

    [Test]
    public async Task Cloud_init_agrees_about_every_document_that_is_for_it_alone()
    {
        var verdicts = await AskAsync("cloud-init", Documents);

        var disagreeing = Documents.Where(document => !NewerSchema.ContainsKey(document.Name) && verdicts[document.Path] != IsRefused(document)).Select(document => document.Name);
        TestContext.Out.WriteLine($"cloud-init agrees about {Documents.Count() - disagreeing.Count()} of {Documents.Count()} documents; known to differ: {string.Join(", ", NewerSchema.Keys)}");
        Assert.That(disagreeing, Is.Empty);
    }

    [Test]
    public async Task Jsonschema_agrees_about_every_document_that_is_for_cloud_init_alone()
    {
        var verdicts = await AskAsync("jsonschema", Documents);

        Assert.That(Documents.Where(document => verdicts[document.Path] != IsRefused(document)).Select(document => document.Name), Is.Empty);
    }

    [Test]
    public async Task The_schemas_are_valid_by_their_own_drafts()
    {
        var schemas = Directory.GetFiles(RepositoryFile.PathOf("builder/schemas"), "*.json");

        var verdicts = await RunAsync("metaschema", schemas);

        Assert.That(schemas.Where(schema => verdicts[schema]), Is.Empty);
        Assert.That(schemas.Where(schema => new FileInfo(schema).Length >= 512 << 10), Is.Empty);
    }

    private static bool IsRefused(CorpusDocument document) =>
        document.Findings.Any(finding => RulesOfSchemas.Contains(finding.Rule) && finding.Severity is SeedSeverity.Error);

    private static Task<Dictionary<string, bool>> AskAsync(string whom, IEnumerable<CorpusDocument> documents) => RunAsync(whom, documents.Select(document => document.Path));

    // True for a document that is refused.
    private static async Task<Dictionary<string, bool>> RunAsync(string whom, IEnumerable<string> files)
    {
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", [RepositoryFile.PathOf("tests/Crust.Tests/Seeds/Corpus/ask.py"), whom, RepositoryFile.PathOf("builder/schemas"), .. files])
        {
            RedirectStandardOutput = true,
        })!;
        var output = await python.StandardOutput.ReadToEndAsync();
        await python.WaitForExitAsync();
        Assert.That(python.ExitCode, Is.Zero, "python3-jsonschema and cloud-init are needed: make test-tools");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToDictionary(line => line[1], line => line[0] == "refused");
    }
}
