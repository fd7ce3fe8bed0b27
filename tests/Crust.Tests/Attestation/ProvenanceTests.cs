using System.Text.Json;
using Crust.Attestation;
using Crust.Reports;
using Crust.Spec;
using Crust.Tests.Images;
using Crust.Tests.Reports;
using Crust.Tools;

namespace Crust.Tests.Attestation;

[CancelAfter(60_000)]
public sealed class ProvenanceTests
{
    private AttestedImages _images = null!;

    [SetUp]
    public void SetUp() => _images = new AttestedImages();

    [TearDown]
    public void TearDown() => _images.Dispose();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task It_names_each_image_by_a_digest_of_its_bytes_and_all_that_went_into_the_build()
    {
        var manifest = await _images.PlaceAsync(new BuildSpec(), Cancellation);
        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(_images.Provenance, Cancellation));
        var statement = json.RootElement;
        var predicate = statement.GetProperty("predicate");
        var definition = predicate.GetProperty("buildDefinition");

        Assert.That(statement.GetProperty("_type").GetString(), Is.EqualTo("https://in-toto.io/Statement/v1"));
        Assert.That(statement.GetProperty("predicateType").GetString(), Is.EqualTo("https://slsa.dev/provenance/v1"));
        Assert.That(statement.GetProperty("subject").EnumerateArray().Select(Named), Is.EqualTo(new[]
        {
            $"edge.img bmap_sha256 {await Sha256Async("edge.img.bmap")}",
            $"edge.img.bmap sha256 {await Sha256Async("edge.img.bmap")}",
            $"edge.vmdk sha256 {await Sha256Async("edge.vmdk")}",
        }));
        Assert.That(definition.GetProperty("resolvedDependencies").EnumerateArray().Take(2).Select(Named), Is.EqualTo(new[]
        {
            $"installer sha256 {manifest.Installer!.Sha256}",
            $"seed/user-data/user-data.yaml sha256 {manifest.SeedFiles[0].Sha256}",
        }));
        Assert.That(definition.GetProperty("resolvedDependencies")[2].GetProperty("uri").GetString(), Does.StartWith("pkg:generic/crust@"));
        Assert.That(definition.GetProperty("internalParameters").GetProperty("buildKey").GetString(), Is.EqualTo(manifest.BuildKey));
        Assert.That(definition.GetProperty("internalParameters").GetProperty("libraries").EnumerateObject().Select(library => $"{library.Name}: {library.Value}"), Is.EqualTo(new[] { "edge.vmdk: libdeflate 0123456789ab" }));
        Assert.That(definition.GetProperty("externalParameters").GetProperty("machine").GetProperty("disk").GetInt64(), Is.EqualTo(manifest.Machine.Disk));
        Assert.That(predicate.GetProperty("runDetails").GetProperty("byproducts").EnumerateArray().Select(Named), Is.EqualTo(new[] { $"edge.sbom.spdx.json sha256 {await Sha256Async("edge.sbom.spdx.json")}" }));
        Assert.That(predicate.GetProperty("runDetails").GetProperty("metadata").GetProperty("startedOn").GetString(), Is.EqualTo("2025-03-04T05:04:00Z"));
    }

    [Test]
    public async Task The_manifest_and_the_checksums_tell_of_what_lies_beside_the_images()
    {
        var manifest = await _images.PlaceAsync(new BuildSpec(), Cancellation);
        var result = await AttestedImages.Tools.RunAsync(ToolCommand.Of("sha256sum", "--check", "--strict", "SHA256SUMS") with { WorkingDirectory = _images.Shelf.Path }, Cancellation);

        Assert.That((manifest.Sbom!.File, manifest.Provenance!.File, manifest.Signature), Is.EqualTo(("edge.sbom.spdx.json", "edge.provenance.json", (ManifestSignature?)null)));
        Assert.That(manifest.Provenance.Sha256, Is.EqualTo(await Sha256Async("edge.provenance.json")));
        Assert.That(result.Output, Is.EqualTo("edge.img.bmap: OK\nedge.provenance.json: OK\nedge.sbom.spdx.json: OK\nedge.vmdk: OK\n"));
    }

    [Test]
    public async Task No_secret_of_the_spec_is_in_it()
    {
        var spec = new BuildSpec
        {
            Installer = new InstallerSpec { Iso = "https://user:hunter22@example.org/x.iso?token=hunter22" },
            Seed = new SeedSpec
            {
                Ssh = new SshSpec { User = "edge", Password = new Secret("hunter22"), PasswordHash = new Secret("$6$hunter22") },
                Palette = new PaletteSpec { EdgeHostToken = new Secret("hunter22"), HttpProxy = new Secret("http://hunter22"), HttpsProxy = new Secret("http://hunter22") },
            },
            Sign = new SignSpec { Passphrase = new Secret("hunter22") },
        };

        await _images.PlaceAsync(spec, Cancellation);

        var text = await File.ReadAllTextAsync(_images.Provenance, Cancellation);
        Assert.That(text, Does.Contain("example.org/x.iso").And.Not.Contain("hunter22"));
    }

    [Test]
    public async Task An_image_of_an_earlier_install_is_none_of_its_subjects()
    {
        var first = await _images.PlaceAsync(new BuildSpec(), Cancellation);

        using var drafts = _images.Shelf.CreateDrafts();
        var old = first.Images[0] with { DiskContent = "another" };
        await _images.Shelf.PlaceAsync(first with { Images = [old, first.Images[1]] }, [], manifest => _images.Attestor.WriteAsync(manifest, new BuildSpec(), null, drafts.Path, Cancellation), Cancellation);

        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(_images.Provenance, Cancellation));
        Assert.That(json.RootElement.GetProperty("subject").EnumerateArray().Select(subject => subject.GetProperty("name").GetString()), Is.EqualTo(new[] { "edge.vmdk" }));
    }

    [Test]
    public async Task A_statement_that_was_removed_or_changed_or_wants_another_key_is_made_anew_and_nothing_else_is()
    {
        var manifest = await _images.PlaceAsync(new BuildSpec(), Cancellation);
        Assert.That(Attestor.IsCurrent(manifest, null, _images.Shelf.IsIntact), Is.True);
        Assert.That(Attestor.IsCurrent(manifest, "SHA256:another", _images.Shelf.IsIntact), Is.False, "it is to be signed");
        Assert.That(Attestor.IsCurrent(manifest with { Signature = new("edge.provenance.json.sig", 1, "x", "SHA256:one") }, "SHA256:one", _images.Shelf.IsIntact), Is.False, "the signature isn't there");

        await File.AppendAllTextAsync(_images.Provenance, " ", Cancellation);
        Assert.That(Attestor.IsCurrent(manifest, null, _images.Shelf.IsIntact), Is.False);
        Assert.That(_images.Shelf.HasSbom("edge"), Is.True);
        File.Delete(_images.Provenance);
        Assert.That(Attestor.IsCurrent(manifest, null, _images.Shelf.IsIntact), Is.False);
        Assert.That(Attestor.IsCurrent(ManifestSample.Full, null, _images.Shelf.IsIntact), Is.True, "an earlier version's images can't be told about");

        File.Delete(_images.Shelf.ImagePath("edge.sbom.spdx.json"));
        Assert.That(_images.Shelf.HasSbom("edge"), Is.False);
        Assert.That(_images.Shelf.HasSbom("another"), Is.True);
    }

    [Test]
    public async Task A_list_of_packages_that_this_build_has_not_made_is_removed_and_so_is_a_signature()
    {
        await _images.PlaceAsync(new BuildSpec(), Cancellation);
        await File.WriteAllTextAsync(_images.Provenance + ".asc", "old", Cancellation);

        var manifest = await _images.PlaceAsync(new BuildSpec(), Cancellation, sbom: null);

        Assert.That((manifest.Sbom, manifest.Signature), Is.EqualTo(((ManifestFile?)null, (ManifestSignature?)null)));
        Assert.That(Directory.EnumerateFiles(_images.Shelf.Path).Select(Path.GetFileName), Is.EquivalentTo(new[] { "SHA256SUMS", "edge.img", "edge.img.bmap", "edge.vmdk", "edge.manifest.json", "edge.provenance.json", ".lock" }));
    }

    [Test]
    public async Task A_key_that_cannot_sign_changes_nothing()
    {
        await _images.PlaceAsync(new BuildSpec(), Cancellation);
        var before = await Sha256Async("edge.provenance.json");
        var missing = new BuildSpec { Sign = new SignSpec { Key = Path.Combine(_images.Folder, "no-key") } };

        var error = (await Assert.ThrowsAsync<CrustException>(() => _images.PlaceAsync(missing, Cancellation)))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, "The key that signs doesn't exist")));
        Assert.That(await Sha256Async("edge.provenance.json"), Is.EqualTo(before));
    }

    private async Task<string> Sha256Async(string file) => (await AttestedImages.Tools.RunAsync(ToolCommand.Of("sha256sum", _images.Shelf.ImagePath(file)), Cancellation)).Output[..64];

    private static string Named(JsonElement resource) => $"{resource.GetProperty("name").GetString()} {string.Join(' ', resource.GetProperty("digest").EnumerateObject().Select(digest => $"{digest.Name} {digest.Value.GetString()}"))}";
}
