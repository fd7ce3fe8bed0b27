using Crust.Attestation;
using Crust.Formats;
using Crust.Images;
using Crust.Installers;
using Crust.Planning;
using Crust.Spec;
using Crust.Tests.Host;
using Crust.Tests.Images;
using Crust.Tests.Installers;
using Crust.Tests.Reports;
using Crust.Tools;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Planning;

[CancelAfter(60_000)]
public sealed class ForecasterTests : HostFixture
{
    [Test]
    public void Without_an_ISO_the_reference_installer_has_to_be_built_if_it_is_not_cached()
    {
        var forecast = Sample.Forecaster.Of(new BuildSpec());

        Assert.That((forecast.Name, forecast.BuildsReference, forecast.Appliance, forecast.Proof is not null), Is.EqualTo(("crust-reference", true, Need.Required, true)));
        Assert.That((forecast.IsCacheKnown, forecast.CachedDisk, forecast.SourceSize), Is.EqualTo((true, (long?)null, (long?)ReferenceInstaller.AboutSize)));
    }

    [TestCase(false, false, "img", Need.None)]
    [TestCase(true, false, "img", Need.Wanted)]
    [TestCase(false, true, "img", Need.Wanted)]
    [TestCase(false, false, "iso", Need.Required)]
    [TestCase(true, true, "iso", Need.Required)]
    public void The_appliance_is_needed_for_media_and_wanted_for_trimming_and_inspecting(bool trim, bool inspect, string format, Need need) =>
        Assert.That(Sample.Forecaster.Of(Sample.Spec with { Trim = trim, Inspect = inspect, Formats = [format] }).Appliance, Is.EqualTo(need));

    [Test]
    public void It_is_needed_to_tidy_what_was_asked_for() =>
        Assert.That(Sample.Forecaster.Of(Sample.Spec with { Tidy = [TidyStep.MachineId], Formats = ["img"] }).Appliance, Is.EqualTo(Need.Required));

    [Test]
    public async Task Of_an_ISO_its_size_is_known_at_once_and_whether_its_disk_is_cached_once_its_checksum_is()
    {
        var before = Sample.Forecaster.Of(Sample.Spec);
        await new InstallerSource(Sample.Folders.Cache, new EventList(), TimeProvider.System, Logger.None).GetAsync(Sample.Spec.Installer, TestContext.CurrentContext.CancellationToken);
        var after = Sample.Forecaster.Of(Sample.Spec);

        Assert.That((before.Name, before.SourceSize, before.IsCacheKnown), Is.EqualTo(("edge", (long?)new FileInfo(Sample.Iso).Length, false)));
        Assert.That((after.IsCacheKnown, after.CachedDisk), Is.EqualTo((true, (long?)null)));
    }

    [Test]
    public void Of_an_ISO_that_is_not_downloaded_the_size_is_unknown() => Assert.That(
        Sample.Forecaster.Of(Sample.Spec with { Installer = new() { Iso = "https://example.org/edge.iso", Sha256 = new string('0', 64) } }).SourceSize, Is.Null);

    [Test]
    public void What_is_wrong_with_the_spec_is_bad_input()
    {
        Assert.That(Kind(Sample.Spec with { Installer = new() { Iso = Sample.Fakes.FileFor("none.iso") } }), Is.EqualTo(FailureKind.BadInput));
        Assert.That(Kind(Sample.Spec with { Installer = new() { Iso = "https://example.org/edge.iso" } }), Is.EqualTo(FailureKind.BadInput));
        Assert.That(Kind(Sample.Spec with { Seed = new() { UserData = [Sample.Fakes.FileFor("none.yaml")] } }), Is.AnyOf(FailureKind.BadInput, FailureKind.InputOutput));
    }

    [Test]
    public async Task An_image_that_another_version_of_a_library_compressed_is_written_anew_and_still_published()
    {
        var spec = Sample.Spec with { Formats = ["img.zst"] };
        await new InstallerSource(Sample.Folders.Cache, new EventList(), TimeProvider.System, Logger.None).GetAsync(spec.Installer, TestContext.CurrentContext.CancellationToken);

        await PublishAsync(spec, HostLibrary.Zstd.Identity);
        Assert.That(Sample.Forecaster.Of(spec).ToWrite, Is.Empty);

        await PublishAsync(spec, "libzstd 1.4.0");
        Assert.That(Sample.Forecaster.Of(spec).ToWrite.Select(format => format.Name), Is.EqualTo(new[] { "img.zst" }));
        Assert.That(Sample.Forecaster.OfMade(spec).ToWrite, Is.Empty, "whoever publishes needn't have built it");
    }

    [Test]
    public void Nothing_is_made_by_looking()
    {
        Sample.Forecaster.Of(Sample.Spec);
        Sample.Forecaster.Of(new BuildSpec());

        Assert.That(Directory.Exists(Sample.Folders.Cache) || Directory.Exists(Sample.Folders.Images), Is.False);
    }

    private async Task PublishAsync(BuildSpec spec, string library)
    {
        var format = ImageFormats.Named("img.zst");
        var draft = Sample.Fakes.FileFor("draft");
        await File.WriteAllTextAsync(draft, library);
        var image = new DraftImage(format, draft, library.Length, new string('0', 64), Sample.Writer.RecipeOf(format, spec)) { Library = library };
        await new ImagesFolder(Sample.Folders.Images).PlaceAsync(ManifestSample.Full with { BuildKey = Sample.Forecaster.Of(spec).Key!, Images = [], Sbom = null },
            [new ProvenImage(image, null)], _ => Task.FromResult(Attestations.None), TestContext.CurrentContext.CancellationToken);
    }

    private FailureKind Kind(BuildSpec spec) => Assert.Throws<CrustException>(() => Sample.Forecaster.Of(spec))!.Kind;
}
