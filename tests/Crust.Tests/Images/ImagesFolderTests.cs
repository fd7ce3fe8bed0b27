using Crust.Attestation;
using Crust.Formats;
using Crust.Images;
using Crust.Reports;
using Crust.Spec;
using Crust.Tests.Reports;
using Crust.Tools;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Images;

[CancelAfter(60_000)]
public sealed class ImagesFolderTests
{
    private string _folder = null!;
    private ImagesFolder _shelf = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-images-").FullName;
        _shelf = new ImagesFolder(_folder);
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Sums => Path.Combine(_folder, "SHA256SUMS");

    [Test]
    public async Task Finishing_gives_images_their_final_names_and_writes_the_manifest()
    {
        var manifest = await PlaceAsync("edge", ("img", "first"), ("vmdk", "second"));

        Assert.That(VisibleFiles(), Is.EqualTo(new[] { "SHA256SUMS", "edge.img", "edge.manifest.json", "edge.vmdk" }));
        Assert.That(File.ReadAllText(Path.Combine(_folder, "edge.img")), Is.EqualTo("first"));
        Assert.That(manifest.Images.Select(image => (image.Format, image.File, image.Size, image.BuildKey, image.Verified)), Is.EqualTo(new[]
        {
            ("img", "edge.img", 5L, ManifestSample.Key, new ManifestProof("bios", "login:", 1.2)),
            ("vmdk", "edge.vmdk", 6L, ManifestSample.Key, new ManifestProof("bios", "login:", 1.2)),
        }));
        Assert.That(_shelf.LoadManifest("edge")!.ToJson(), Is.EqualTo(manifest.ToJson()));
        Assert.That(_shelf.FindIntact("edge"), Is.EqualTo(manifest.Images));
        Assert.That(_shelf.PathsOf(manifest, ["vmdk", "qcow2", "img"]), Is.EqualTo(new[] { Path.Combine(_folder, "edge.vmdk"), Path.Combine(_folder, "edge.img") }));
    }

    [Test]
    public async Task Images_of_other_formats_and_names_stay_and_are_still_told_of()
    {
        await PlaceAsync("edge", ("img", "first"));
        await PlaceAsync("other", ("img", "other"));

        var manifest = await PlaceAsync("edge", ("vmdk", "second"));

        Assert.That(manifest.Images.Select(image => image.File), Is.EqualTo(new[] { "edge.img", "edge.vmdk" }));
        Assert.That(_shelf.FindIntact("other").Select(image => image.File), Is.EqualTo(new[] { "other.img" }));
        await CheckSumsAsync("edge.img", "edge.vmdk", "other.img");
    }

    [Test]
    public async Task An_image_that_is_written_again_takes_the_olds_place()
    {
        await PlaceAsync("edge", ("img", "first"), ("vmdk", "second"));

        var manifest = await PlaceAsync("edge", ("img", "third"));

        Assert.That(File.ReadAllText(Path.Combine(_folder, "edge.img")), Is.EqualTo("third"));
        Assert.That(manifest.Images.Select(image => image.File), Is.EqualTo(new[] { "edge.img", "edge.vmdk" }));
        await CheckSumsAsync("edge.img", "edge.vmdk");
    }

    [Test]
    public async Task An_image_that_was_proven_again_gets_its_new_proof_and_stays_where_it_is()
    {
        var first = await PlaceAsync("edge", ("img", "first"), ("vmdk", "second"));
        var proven = first.Images[1] with { Verified = new ManifestProof("uefi", "SSH-2.0", 5) };

        var manifest = await _shelf.PlaceAsync(ManifestSample.Full with { Images = [proven], Sbom = null }, [], _ => Task.FromResult(Attestations.None), Cancellation);

        Assert.That(manifest.Images, Is.EqualTo(new[] { first.Images[0], proven }));
        await CheckSumsAsync("edge.img", "edge.vmdk");
    }

    [Test]
    public async Task Checksums_that_somebody_removed_are_written_again_for_all_images_of_the_name()
    {
        var first = await PlaceAsync("edge", ("img", "first"), ("vmdk", "second"));
        File.Delete(Sums);

        await _shelf.PlaceAsync(first, [], _ => Task.FromResult(Attestations.None), Cancellation);

        await CheckSumsAsync("edge.img", "edge.vmdk");
    }

    [Test]
    public async Task A_touched_image_is_not_intact_and_is_no_longer_told_of()
    {
        await PlaceAsync("edge", ("img", "first"), ("qcow2", "second"), ("vmdk", "third"));
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "edge.img"), DateTime.UnixEpoch);
        File.Delete(Path.Combine(_folder, "edge.vmdk"));
        Assert.That(_shelf.FindIntact("edge").Select(image => image.Format), Is.EqualTo(new[] { "qcow2" }));

        var manifest = await PlaceAsync("edge", ("vmdk", "fourth"));

        Assert.That(manifest.Images.Select(image => image.Format), Is.EqualTo(new[] { "qcow2", "vmdk" }));
    }

    [Test]
    public async Task An_image_of_another_length_is_not_intact()
    {
        var manifest = await PlaceAsync("edge", ("img", "first"));
        File.AppendAllText(Path.Combine(_folder, "edge.img"), "!");
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "edge.img"), manifest.Images[0].Modified.UtcDateTime);

        Assert.That(_shelf.FindIntact("edge"), Is.Empty);
    }

    [Test]
    public void A_name_without_a_manifest_has_no_images()
    {
        Assert.That(_shelf.LoadManifest("edge"), Is.Null);
        Assert.That(_shelf.FindIntact("edge"), Is.Empty);
    }

    [Test]
    public async Task Placing_into_a_folder_where_a_name_is_taken_says_so()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "edge.img", "in-the-way"));

        var error = (await Assert.ThrowsAsync<CrustException>(() => PlaceAsync("edge", ("img", "first"))))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
        Assert.That(error.What, Does.StartWith("The images couldn't get their final names: "));
        Assert.That(error.Where, Is.EqualTo(_folder));
    }

    private async Task<Manifest> PlaceAsync(string name, params (string Format, string Content)[] images)
    {
        using var drafts = _shelf.CreateDrafts();
        var proven = images.Select(image =>
        {
            var path = Path.Combine(drafts.Path, $"{name}.{image.Format}");
            File.WriteAllText(path, image.Content);
            var sum = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));
            return new ProvenImage(new DraftImage(ImageFormats.Named(image.Format), path, image.Content.Length, sum, $"of={image.Format}"), new ManifestProof("bios", "login:", 1.2));
        }).ToList();
        return await _shelf.PlaceAsync(ManifestSample.Full with { Name = name, Images = [], Sbom = null }, proven, _ => Task.FromResult(Attestations.None), Cancellation);
    }

    private async Task CheckSumsAsync(params string[] files)
    {
        var result = await new ToolBox(HostEnvironment.Read().SearchPath, Logger.None)
            .RunAsync(ToolCommand.Of("sha256sum", "--check", "--strict", Sums) with { WorkingDirectory = _folder }, Cancellation);

        Assert.That(result.Output, Is.EqualTo(string.Concat(files.Select(file => $"{file}: OK\n"))));
    }

    private IEnumerable<string?> VisibleFiles() => Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName)
        .Where(file => !file!.StartsWith('.')).Order(StringComparer.Ordinal);
}
