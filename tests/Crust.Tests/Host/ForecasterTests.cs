using Crust.Host;
using Crust.Installers;
using Crust.Spec;
using Crust.Tests.Installers;
using Serilog.Core;

namespace Crust.Tests.Host;

[CancelAfter(60_000)]
public sealed class ForecasterTests : HostFixture
{
    [Test]
    public void Without_an_ISO_the_reference_installer_has_to_be_built_if_it_is_not_cached()
    {
        var forecast = Sample.Forecaster.Of(new BuildSpec());

        Assert.That((forecast.Name, forecast.BuildsReference, forecast.Appliance, forecast.Verifies), Is.EqualTo(("crust-reference", true, Need.Required, true)));
        Assert.That((forecast.IsCacheKnown, forecast.CachedDisk, forecast.InstallerSize), Is.EqualTo((true, (long?)null, (long?)ReferenceInstaller.AboutSize)));
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

        Assert.That((before.Name, before.InstallerSize, before.IsCacheKnown), Is.EqualTo(("edge", (long?)new FileInfo(Sample.Iso).Length, false)));
        Assert.That((after.IsCacheKnown, after.CachedDisk), Is.EqualTo((true, (long?)null)));
    }

    [Test]
    public void Of_an_ISO_that_is_not_downloaded_the_size_is_unknown() => Assert.That(
        Sample.Forecaster.Of(Sample.Spec with { Installer = new() { Iso = "https://example.org/edge.iso", Sha256 = new string('0', 64) } }).InstallerSize, Is.Null);

    [Test]
    public void What_is_wrong_with_the_spec_is_bad_input()
    {
        Assert.That(Kind(Sample.Spec with { Installer = new() { Iso = Sample.Fakes.FileFor("none.iso") } }), Is.EqualTo(FailureKind.BadInput));
        Assert.That(Kind(Sample.Spec with { Installer = new() { Iso = "https://example.org/edge.iso" } }), Is.EqualTo(FailureKind.BadInput));
        Assert.That(Kind(Sample.Spec with { Seed = new() { UserData = [Sample.Fakes.FileFor("none.yaml")] } }), Is.AnyOf(FailureKind.BadInput, FailureKind.InputOutput));
    }

    [Test]
    public void Nothing_is_made_by_looking()
    {
        Sample.Forecaster.Of(Sample.Spec);
        Sample.Forecaster.Of(new BuildSpec());

        Assert.That(Directory.Exists(Sample.Folders.Cache) || Directory.Exists(Sample.Folders.Images), Is.False);
    }

    private FailureKind Kind(BuildSpec spec) => Assert.Throws<CrustException>(() => Sample.Forecaster.Of(spec))!.Kind;
}
