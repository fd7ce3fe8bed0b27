using Crust.Seeds;
using Crust.Spec;

namespace Crust.Tests.Seeds.Kinds;

public sealed class EmbeddedSeedTests
{
    private static readonly SeedSpec Bare = new() { Kind = SeedKind.Embedded };

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public async Task Without_files_and_settings_nothing_is_done()
    {
        var seed = SeedSample.Compose(Bare);
        using var delivery = await _sample.DeliverAsync(seed);

        Assert.That((seed.Carrier, seed.Documents.Length, delivery.Volume, delivery.Iso), Is.EqualTo((SeedCarrier.Nothing, 0, (string?)null, (string?)null)));
    }

    [TestCase(SeedProfile.Kairos, "config.yaml")]
    [TestCase(SeedProfile.Stylus, "files-iso/config.yaml")]
    [TestCase(SeedProfile.Elemental, "iso-config/99_crust.yaml")]
    public void A_configuration_goes_where_the_family_reads_it(SeedProfile profile, string place)
    {
        var seed = SeedSample.Compose(_sample.SpecWithUserData("#cloud-config\nhostname: edge\n", Bare), profile: profile);

        using (Assert.EnterMultipleScope())
        {
            Assert.That((seed.Carrier, seed.Label), Is.EqualTo((SeedCarrier.Iso, (string?)null)));
            Assert.That(seed.Documents.Single().Name, Is.EqualTo(place));
            Assert.That(seed.Documents.Single().Text, Does.StartWith("#cloud-config\n").And.Contain("poweroff: true").And.Contain("hostname: edge"));
        }
    }

    [TestCase("vendor.iso", SeedProfile.Debian, "Error: An ISO of the family debian reads no cloud-config from its medium")]
    [TestCase("vendor.iso", null, "Error: It isn't known where this ISO's installer reads a configuration on its medium")]
    [TestCase("https://example.org/x.iso", null, null)]
    [TestCase("vendor.iso", SeedProfile.Kairos, null)]
    public void A_configuration_without_a_place_is_an_error_as_soon_as_that_is_known(string iso, SeedProfile? profile, string? finding)
    {
        var spec = SeedSample.SpecOf(Bare with { Ssh = SeedSample.Full.Ssh, Profile = profile }, iso: iso);

        Assert.That(SeedSample.FindingsIn(spec).Select(one => $"{one.Severity}: {one.What}"), Is.EqualTo(finding is null ? [] : new[] { finding }));
    }

    [Test]
    public void It_is_an_error_at_the_latest_when_the_ISO_is_there()
    {
        var spec = SeedSample.SpecOf(_sample.SpecWithUserData("#cloud-config\n", Bare));

        var error = Assert.Throws<CrustException>(() => new SeedComposer().Compose(spec, SeedFiles.Read(spec.Seed), InstallerSample.Iso))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "/iso/edge.iso")));
        Assert.That(new SeedComposer().Compose(spec, SeedFiles.Read(spec.Seed), InstallerSample.Iso with { Profile = SeedProfile.Kairos }).Carrier, Is.EqualTo(SeedCarrier.Iso));
    }

    [Test]
    public void Files_alone_need_no_family_and_may_not_collide_with_the_configuration()
    {
        var file = new ExtraFile("Config.yaml", _sample.Write("x", "x"));

        Assert.That(SeedSample.Compose(Bare with { Files = [file] }).Carrier, Is.EqualTo(SeedCarrier.Iso));
        Assert.That(() => SeedSample.Compose(_sample.SpecWithUserData("#cloud-config\n", Bare) with { Files = [file] }, profile: SeedProfile.Kairos),
            Throws.InstanceOf<CrustException>().With.Message.Contains("the seed's own 'config.yaml'"));
    }
}
