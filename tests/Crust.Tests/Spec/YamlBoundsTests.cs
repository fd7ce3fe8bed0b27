using System.Text;
using System.Text.Json;
using Crust.Disks;
using Crust.Oci;
using Crust.Registries;
using Crust.Registries.Sharing;
using Crust.Seeds.Documents;
using Manifest = Crust.Reports.Manifest;

namespace Crust.Tests.Spec;

/// <summary>Documents that are made to take all memory, all time or the stack.</summary>
[CancelAfter(60_000)]
public sealed class YamlBoundsTests
{
    private const string TooDeep = "Lists and mappings are nested more than 100 deep";

    private static IEnumerable<TestCaseData> Deep()
    {
        yield return new TestCaseData(new string('[', 100_000) + new string(']', 100_000)).SetArgDisplayNames("flow lists");
        yield return new TestCaseData(new string('[', 100_000)).SetArgDisplayNames("flow lists without an end");
        yield return new TestCaseData(string.Concat(Enumerable.Repeat("{a: ", 100_000)) + new string('}', 100_000)).SetArgDisplayNames("flow mappings");
        yield return new TestCaseData(string.Concat(Enumerable.Repeat("- ", 100_000)) + "x").SetArgDisplayNames("block lists");
        yield return new TestCaseData(string.Concat(Enumerable.Repeat("? ", 100_000)) + "x").SetArgDisplayNames("keys of keys");
        yield return new TestCaseData(string.Concat(Enumerable.Range(0, 2_000).Select(i => $"{new string(' ', i)}a:\n"))).SetArgDisplayNames("block mappings");
        yield return new TestCaseData("a0: &a0 [x]\n" + string.Concat(Enumerable.Range(1, 200).Select(i => $"a{i}: &a{i} [*a{i - 1}]\n"))).SetArgDisplayNames("aliases of aliases");
    }

    private static readonly string Bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + string.Concat(Enumerable.Range(1, 10).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));

    [TestCaseSource(nameof(Deep))]
    public void What_is_nested_too_deep_is_told_with_its_line(string yaml)
    {
        var error = Assert.Throws<CrustException>(() => ConfigReader.Read(yaml, "seed.yaml"))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, TooDeep)));
        Assert.That(error.Where, Does.Match(@"^seed\.yaml:\d+:\d+$"));
    }

    [Test]
    public void A_spec_and_a_user_data_are_bounded_alike()
    {
        using var sample = new SpecSample();

        Assert.That(sample.Fail("machine:\n  disk: " + new string('[', 100_000)).What, Is.EqualTo(TooDeep));
        Assert.That(Assert.Throws<CrustException>(() => CloudConfig.Read("#cloud-config\n" + Bomb, "user-data"))!.Where, Is.EqualTo("user-data:6:45"));
    }

    [Test]
    public void A_hundred_deep_is_fine()
    {
        Assert.That(ConfigReader.Read(new string('[', 99) + "x" + new string(']', 99), "seed.yaml"), Is.Not.Null);
        Assert.Throws<CrustException>(() => ConfigReader.Read(new string('[', 100) + "x" + new string(']', 100), "seed.yaml"));
    }

    [Test]
    public void Aliases_that_stand_for_gigabytes_are_not_written_out()
    {
        var error = Assert.Throws<CrustException>(() => ConfigReader.Read(Bomb, "seed.yaml"))!;

        ErrorAssert.Says(error, FailureKind.BadInput, "With what its aliases (*name) stand for, this has more than 100000 values", "seed.yaml:5:45", "write out what is meant, without aliases of aliases");
    }

    [Test]
    public void A_document_of_very_many_values_is_told()
    {
        var error = Assert.Throws<CrustException>(() => ConfigReader.Read("list:\n" + string.Concat(Enumerable.Repeat("- x\n", 100_000)), "seed.yaml"))!;

        Assert.That((error.What, error.Where), Is.EqualTo(("This has more than 100000 values", "seed.yaml:99999:3")));
    }

    [Test]
    public void Merge_keys_of_merge_keys_are_read_once()
    {
        var yaml = string.Concat(Enumerable.Repeat("{<<: ", 60)) + "{a: 1}" + new string('}', 60);

        Assert.That(ConfigTree.Find(ConfigReader.Read(yaml, "seed.yaml"), "a"), Is.InstanceOf<ConfigScalar>());
    }

    [Test]
    public void Merging_many_keys_takes_no_time_to_speak_of()
    {
        var keys = string.Join(", ", Enumerable.Range(0, 20_000).Select(i => $"k{i}: x"));

        var all = ConfigTree.Find(ConfigReader.Read($"base: &base {{{keys}}}\nall: {{<<: *base, k0: y}}", "seed.yaml"), "all");

        Assert.That(((ConfigMap)all!).Entries, Has.Length.EqualTo(20_000));
    }

    // What comes out doesn't matter here, but that it is an answer, or an error that says where.
    [Test]
    public void Damaged_documents_are_read_or_told_of()
    {
        var random = new Random(20260712);
        string[] seeds =
        [
            "#cloud-config\nusers:\n  - &u {name: edge, \"groups\": [sudo, 'a b']}\n  - *u\nx: |\n  text\n  more\ny: >-\n  folded\nz: !!binary aGk=\n<<: {m: 1}\n? [a]\n: b\n",
            "version: 1\ninstaller:\n  iso: x.iso # c\nformats: [img, vmdk]\nmachine: {disk: 1G, extraDisks: [1G]}\n",
            "a: &a [1, 2]\nb: {c: *a, d: [*a, {e: *a}]}\n---\n%YAML 1.1\n...\n",
        ];
        const string noise = "[]{}:,&*!|>'\"%@`#-? \n\t<~\\\u0085\u2028\ud800\0é";
        for (var round = 0; round < 6_000; round++)
        {
            var text = new StringBuilder(seeds[random.Next(seeds.Length)]);
            for (var i = random.Next(1, 8); i > 0 && text.Length > 1; i--)
            {
                var at = random.Next(text.Length);
                switch (random.Next(4))
                {
                    case 0: text.Remove(at, Math.Min(random.Next(1, 12), text.Length - at)); break;
                    case 1: text.Insert(at, noise[random.Next(noise.Length)]); break;
                    case 2: text.Insert(at, text.ToString(at, Math.Min(random.Next(1, 30), text.Length - at))); break;
                    default: text[at] = noise[random.Next(noise.Length)]; break;
                }
            }

            try
            {
                ConfigReader.Read(text.ToString(), "seed.yaml");
            }
            catch (CrustException e) when (e.Kind is FailureKind.BadInput && e.Where.StartsWith("seed.yaml:", StringComparison.Ordinal))
            {
                // An error that says where.
            }
            catch (Exception e) when (e is not CrustException)
            {
                Assert.Fail($"{e}\n\n{text}");
            }
        }
    }

    [Test]
    public void JSON_that_is_nested_too_deep_or_no_text_is_told()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 100_000));

        ErrorAssert.Says(Assert.Throws<CrustException>(() => IgnitionConfig.Read("{\"ignition\":\n" + deep, "x.ign"))!,
            FailureKind.BadInput, "Lists and objects are nested more than 64 deep", "x.ign:2:316", "write it flatter: Ignition's own keys are at most 6 deep");
        Assert.That(Assert.Throws<CrustException>(() => IgnitionConfig.Read("{\"\\ud800\": 1}", "x.ign"))!.What, Is.EqualTo("This isn't JSON: a text in it isn't Unicode"));
        Assert.That(Assert.Throws<CrustException>(() => IgnitionConfig.Read("{\"ignition\": {\"version\": \"\\ud800\"}}", "x.ign"))!.Kind, Is.EqualTo(FailureKind.BadInput));
    }

    // Whoever may write to a registry may write any of these.
    [Test]
    public void Damaged_documents_of_registries_are_refused_without_a_stack_trace()
    {
        var key = new string('a', 64);
        var layer = $$$"""{"mediaType":"application/vnd.crust.disk.v1+zstd","digest":"sha256:{{{key}}}","size":1,"annotations":{"a":"b"}}""";
        var valid = $$$"""{"schemaVersion":2,"artifactType":"application/vnd.crust.disk.v1","config":{},"subject":{"digest":"x"},"layers":[{{{layer}}}],"manifests":[{{{layer}}}],"annotations":{"vnd.crust.build-key":"{{{key}}}"}}""";
        string[] parts = ["\"\\ud800\"", "null", "[]", "{}", "1e999", "-1", "\"\"", new string('[', 70)];
        var random = new Random(20260712);
        IEnumerable<string> documents = ["", "null", "[]", "1", "\"\\ud800\"", new string('[', 100_000), "\xff"];
        documents = documents.Concat(Enumerable.Range(0, 3_000).Select(_ =>
        {
            var text = valid;
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var values = System.Text.RegularExpressions.Regex.Matches(text, "\"[^\"]*\"|[0-9]+|\\{\\}|[{}\\[\\],:]");
                var one = values[random.Next(values.Count)];
                text = text[..one.Index] + parts[random.Next(parts.Length)] + text[(one.Index + one.Length)..];
            }

            return text;
        }));
        foreach (var bytes in documents.Select(Encoding.Latin1.GetBytes))
        {
            var document = new OciDocument(bytes);
            Refused<InvalidDataException>(() => DiskArtifact.Read(document, key));
            Refused<JsonException>(() => SharedIndex.EntriesOf(document));
            Refused<JsonException>(() => Artifact.DescriptorOf(document));
            Refused<JsonException>(() => TagOwner.IsName(document, "edge"));
            Refused<JsonException>(() => Attachments.FileOf(bytes, "x"));
            Refused<JsonException>(() => Manifest.Parse(bytes));
            Refused<InvalidDataException>(() => Crust.Attestation.Statement.Parse(bytes));
            Refused<InvalidDataException>(() => BmapFile.Parse(bytes, "x.bmap"));

            void Refused<T>(Action read)
                where T : Exception
            {
                try
                {
                    read();
                }
                catch (T)
                {
                    // Its callers know it.
                }
                catch (Exception e)
                {
                    Assert.Fail($"{e}\n\n{Encoding.Latin1.GetString(bytes)}");
                }
            }
        }
    }

    [Test]
    public void A_block_map_defines_no_entities()
    {
        var bomb = "<!DOCTYPE b [<!ENTITY a \"0000000000\">" + string.Concat(Enumerable.Range(0, 6).Select(i => $"<!ENTITY {(char)('b' + i)} \"{string.Concat(Enumerable.Repeat($"&{(char)('a' + i)};", 10))}\">")) + "]><bmap>&g;</bmap>";

        Assert.That(Assert.Throws<InvalidDataException>(() => BmapFile.Parse(Encoding.UTF8.GetBytes(bomb), "x.bmap"))!.Message, Does.Contain("DTD"));
    }
}
