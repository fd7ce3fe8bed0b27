using System.Text.Json;
using Crust.Attestation;
using Crust.Disks;
using Crust.Tests.Inspection;
using Crust.Tests.Spec;
using Crust.Tools;

namespace Crust.Tests.Attestation;

[CancelAfter(60_000)]
public sealed class SpdxDocumentTests
{
    private static readonly DateTimeOffset Created = new(2025, 3, 4, 5, 6, 7, TimeSpan.Zero);

    private static readonly PackageFacts Gcc = new("deb", "libstdc++6", "12.2.0-14+deb12u1", "amd64", "gcc-12");

    private static DiskInspection Inspection
    {
        get
        {
            var inspection = EvidenceSample.Reference.Read();
            return inspection with { Systems = [inspection.Systems[0] with { Packages = [new("deb", "adduser", "3.134", "all"), Gcc, new("deb", "zlib1g", "1:1.2.13.dfsg-1", "amd64", "zlib")] }] };
        }
    }

    [Test]
    public void Each_package_has_its_version_and_a_package_URL_and_is_contained_in_the_system_that_the_document_describes()
    {
        using var document = JsonDocument.Parse(SpdxDocument.Write(Inspection, new string('e', 64), Created, [])!);
        var root = document.RootElement;
        var packages = root.GetProperty("packages").EnumerateArray().ToList();

        Assert.That((root.GetProperty("spdxVersion").GetString(), root.GetProperty("documentNamespace").GetString(), root.GetProperty("creationInfo").GetProperty("created").GetString()),
            Is.EqualTo(("SPDX-2.3", "urn:crust:disk:" + new string('e', 64), "2025-03-04T05:06:07Z")));
        Assert.That(packages.Select(package => package.GetProperty("SPDXID").GetString()), Is.EqualTo(new[]
        {
            "SPDXRef-System-Debian-GNU-Linux-12--bookworm-", "SPDXRef-Package-deb-adduser-3.134-all", "SPDXRef-Package-deb-libstdc--6-12.2.0-14-deb12u1-amd64", "SPDXRef-Package-deb-zlib1g-1-1.2.13.dfsg-1-amd64",
        }));
        Assert.That(packages.Skip(1).Select(package => package.GetProperty("externalRefs")[0].GetProperty("referenceLocator").GetString()), Is.EqualTo(new[]
        {
            "pkg:deb/debian/adduser@3.134?arch=all&distro=debian-12",
            "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12",
            "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12",
        }));
        Assert.That(packages[2].GetProperty("sourceInfo").GetString(), Is.EqualTo("built from gcc-12"));
        Assert.That(root.GetProperty("relationships").EnumerateArray().Select(one => $"{one.GetProperty("spdxElementId").GetString()![8..]} {one.GetProperty("relationshipType").GetString()} {one.GetProperty("relatedSpdxElement").GetString()![8..]}").Take(2),
            Is.EqualTo(new[] { "DOCUMENT DESCRIBES System-Debian-GNU-Linux-12--bookworm-", "System-Debian-GNU-Linux-12--bookworm- CONTAINS Package-deb-adduser-3.134-all" }));
    }

    [Test]
    public void Each_layer_has_its_digest_beside_the_system_that_it_was_put_onto()
    {
        using var document = JsonDocument.Parse(SpdxDocument.Write(Inspection, "c", Created, [new("files", "overlay", new string('a', 64)), new("script", "agent.sh", new string('b', 64))])!);
        var layers = document.RootElement.GetProperty("packages").EnumerateArray().Take(2).Select(layer => $"{layer.GetProperty("SPDXID").GetString()} {layer.GetProperty("name").GetString()} {layer.GetProperty("comment").GetString()}");

        Assert.That(layers, Is.EqualTo(new[]
        {
            $"SPDXRef-Layer-1-files layer 1: files overlay put onto the installed disk; sha256:{new string('a', 64)}", $"SPDXRef-Layer-2-script layer 2: script agent.sh put onto the installed disk; sha256:{new string('b', 64)}",
        }));
    }

    [TestCase("rpm", "shadow-utils", "4.15.1-3.fc40", "x86_64", "2", "fedora", "40", "pkg:rpm/fedora/shadow-utils@4.15.1-3.fc40?arch=x86_64&distro=fedora-40&epoch=2")]
    [TestCase("apk", "musl", "1.2.5-r0", "x86_64", "", "alpine", "3.20.1", "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.1")]
    [TestCase("deb", "tzdata", "2024a-0", "all", "", "", "", "pkg:deb/debian/tzdata@2024a-0?arch=all&distro=debian")]
    public void A_package_URL_is_that_of_its_kind(string kind, string name, string version, string arch, string epoch, string id, string release, string expected) =>
        Assert.That(SpdxDocument.PackageUrl(new PackageFacts(kind, name, version, arch, "", epoch), Inspection.Systems[0] with { Id = id, Version = release }), Is.EqualTo(expected));

    [Test]
    public async Task It_is_valid_by_the_schema_of_SPDX()
    {
        var twice = Inspection with { Systems = [Inspection.Systems[0], Inspection.Systems[0] with { Version = "", Name = "\u202ea \"name\"\ufffd" }] };
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, SpdxDocument.Write(twice, new string('e', 64), Created, [new("packages", "htop curl", new string('a', 64))]));
        const string Validate = "import json, sys, jsonschema; jsonschema.Draft7Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2]))); print('valid')";

        var result = await AttestedImages.Tools.RunAsync(ToolCommand.Of("python3", "-c", Validate, RepositoryFile.PathOf("tests/Crust.Tests/Attestation/Schemas/spdx-2.3.json"), file) with { SuccessCodes = [0, 1] }, CancellationToken.None);
        File.Delete(file);

        Assert.That(result.Output, Is.EqualTo("valid\n"), result.Error);
    }

    [Test]
    public void The_same_disk_gives_the_same_bytes_and_ids_are_never_the_same()
    {
        var alike = Inspection with { Systems = [Inspection.Systems[0] with { Packages = [Gcc, Gcc with { Name = "libstdc~~6" }] }, Inspection.Systems[0]] };
        var text = SpdxDocument.Write(alike, "c", Created, [])!;

        Assert.That(SpdxDocument.Write(alike, "c", Created, []), Is.EqualTo(text));
        using var document = JsonDocument.Parse(text);
        Assert.That(document.RootElement.GetProperty("packages").EnumerateArray().Select(package => package.GetProperty("SPDXID").GetString()), Is.Unique.And.All.Matches("^SPDXRef-[A-Za-z0-9.-]+$"));
    }

    [Test]
    public void Where_no_package_is_known_there_is_no_list()
    {
        Assert.That(SpdxDocument.Write(null, "c", Created, []), Is.Null);
        Assert.That(SpdxDocument.Write(EvidenceSample.Reference.Read(), "c", Created, []), Is.Null);
        Assert.That(SpdxDocument.Write(Inspection with { Systems = [] }, "c", Created, []), Is.Null);
    }
}
