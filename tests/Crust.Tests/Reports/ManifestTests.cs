using System.Text.Json.Nodes;
using Crust.Disks;
using Crust.Events;
using Crust.Reports;
using Crust.Spec;
using Crust.Tests.Installers;
using Crust.Tests.Spec;

namespace Crust.Tests.Reports;

public sealed class ManifestTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-manifest-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private string File => Path.Combine(_folder, "edge.manifest.json");

    [Test]
    public void A_log_in_and_its_checks_stand_in_the_proof_with_the_last_line_of_what_each_printed()
    {
        var manifest = ManifestSample.Full with { Images = [ManifestSample.Img with { Verified = ManifestSample.LoggedIn }] };
        System.IO.File.WriteAllText(File, manifest.ToJson());

        var ssh = JsonNode.Parse(manifest.ToJson())!["images"]![0]!["verified"]!["ssh"]!;
        Assert.That(ssh.ToJsonString(), Is.EqualTo("""{"server":"SSH-2.0-OpenSSH_9.2p1 Debian-2","user":"edge","key":null,"hostKey":{"type":"ssh-ed25519","fingerprint":"SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og"},"""
            + "\"checks\"" + """:[{"command":"systemctl is-active k3s","seconds":1.5,"output":"active"},{"command":"test -d /etc/cloud","seconds":0.1,"output":""}]}"""));
        Assert.That(Manifest.TryLoad(File)!.ToJson(), Is.EqualTo(manifest.ToJson()));
        Assert.That(ManifestSample.Full.ToJson(), Does.Not.Contain("\"ssh\""), "nobody logged in");
    }

    [Test]
    public void The_document_is_what_scripts_depend_on() =>
        RepositoryFile.MustEqual("tests/Crust.Tests/Golden/manifest.json", ManifestSample.Full.ToJson());

    [Test]
    public void The_schema_in_the_docs_is_the_schema_of_the_code_and_describes_every_key()
    {
        var schema = ManifestSchema.ToJson();

        RepositoryFile.MustEqual("docs/manifest.schema.json", schema);
        Assert.That(KeysWithoutDescription(JsonNode.Parse(schema)!, "manifest"), Is.Empty);
    }

    private static IEnumerable<string> KeysWithoutDescription(JsonNode? node, string path) => node switch
    {
        JsonObject schema => (schema["properties"] as JsonObject ?? []).Where(key => key.Value is not JsonObject value || !value.ContainsKey("description")).Select(key => $"{path}.{key.Key}")
            .Concat(schema.SelectMany(child => KeysWithoutDescription(child.Value, $"{path}.{child.Key}"))),
        JsonArray list => list.SelectMany(child => KeysWithoutDescription(child, path)),
        _ => [],
    };

    [Test]
    public void What_is_written_is_read_back_to_the_last_digit()
    {
        System.IO.File.WriteAllText(File, ManifestSample.Full.ToJson());

        var read = Manifest.TryLoad(File)!;

        Assert.That(read.ToJson(), Is.EqualTo(ManifestSample.Full.ToJson()));
        Assert.That(read.Images, Is.EqualTo(ManifestSample.Full.Images));
    }

    [Test]
    public void A_manifest_that_is_not_there_is_null()
    {
        Assert.That(Manifest.TryLoad(File), Is.Null);
        Assert.That(Manifest.TryLoad(_folder), Is.Null, "a folder is none");
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("garbage")]
    public void A_manifest_that_is_none_is_null(string text)
    {
        System.IO.File.WriteAllText(File, text);

        Assert.That(Manifest.TryLoad(File), Is.Null);
    }

    [TestCase("\"version\": 1", "\"version\": 2")]
    [TestCase("\"buildKey\"", "\"key\"")]
    [TestCase("\"images\": [", "\"images\": null, \"x\": [")]
    [TestCase("\"seconds\": {", "\"seconds\": null, \"x\": {")]
    [TestCase("\"size\": 702545920", "\"size\": \"large\"")]
    [TestCase("\"file\": \"edge.vmdk\"", "\"file\": null")]
    public void A_manifest_of_another_shape_is_null(string part, string instead)
    {
        var json = ManifestSample.Full.ToJson();
        Assert.That(json, Does.Contain(part));
        System.IO.File.WriteAllText(File, json.Replace(part, instead));

        Assert.That(Manifest.TryLoad(File), Is.Null);
    }

    [Test]
    public void A_builds_facts_are_put_in_by_the_specs_names()
    {
        var disk = new InstalledDisk { Key = "k", Path = "/disk", Size = 1, Allocated = 1, Map = new BlockMap(1, []), Install = ManifestSample.Full.Install with { Warnings = ["then", "now"] }, FromCache = true };

        var journal = new BuildJournal(new EventList(), TimeProvider.System);
        journal.Observe(new BuildEvent.Started(Stage.Formats, "img"));
        journal.Observe(new BuildEvent.Finished(Stage.Formats, TimeSpan.FromSeconds(2.5), "img 1 byte"));
        journal.Warn("now");
        var story = ReportSample.Built with { Spec = new BuildSpec { Machine = new MachineSpec { Arch = Arch.Arm64, Firmware = Firmware.Uefi, Cpus = 3 } } };

        var manifest = Manifest.Of(story, disk.Facts, journal, [ManifestSample.Img]);

        Assert.That(manifest.Machine, Is.EqualTo(new ManifestMachine { Arch = "arm64", Firmware = "uefi", Cpus = 3, Memory = 4L << 30, Disk = 100L << 30 }));
        Assert.That(manifest.Installer!.Source, Is.EqualTo(InstallerSample.Iso.Source));
        Assert.That(manifest.Finished, Is.EqualTo(disk.Install.Finished));
        Assert.That(manifest.DiskContent, Is.EqualTo(disk.Content));
        Assert.That(manifest.Crust, Is.EqualTo(CrustVersion.Current));
        Assert.That(manifest.Images, Is.EqualTo(new[] { ManifestSample.Img }));
        Assert.That(manifest.SeedFiles, Is.EqualTo(new[] { new ManifestSeedFile("user-data", "user-data.yaml", 412, new('9', 64)) }));
        Assert.That(manifest.Seconds, Is.EqualTo(new Dictionary<string, double> { ["formats"] = 2.5 }));
        Assert.That(manifest.Warnings, Is.EqualTo(new[] { "then", "now" }), "what was warned of when the disk was installed still holds");
        Assert.That(manifest.FromCache, Is.True);
    }

    [Test]
    public void A_manifest_of_an_earlier_version_that_tells_less_is_read()
    {
        var json = JsonNode.Parse(ManifestSample.Full.ToJson())!.AsObject();
        foreach (var key in new[] { "seedFiles", "host", "started", "fromCache" })
            Assert.That(json.Remove(key), Is.True, key);
        var install = json["install"]!.AsObject();
        foreach (var key in new[] { "qemuVersion", "warnings", "trace" })
            Assert.That(install.Remove(key), Is.True, key);
        System.IO.File.WriteAllText(File, json.ToJsonString());

        Assert.That(Manifest.TryLoad(File)!.Images, Is.EqualTo(ManifestSample.Full.Images));
    }
}
