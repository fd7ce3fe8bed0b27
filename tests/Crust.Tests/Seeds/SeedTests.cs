using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds;

public sealed class SeedTests
{
    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void The_metadata_is_the_instance_id() =>
        Assert.That(SeedSample.DocumentOf(SeedSample.Compose(new SeedSpec()), "meta-data"), Is.EqualTo("instance-id: crust-00112233-4455-6677-8899-aabbccddeeff\n"));

    [Test]
    public void Each_build_salts_the_password_anew_and_the_key_stays()
    {
        var (first, second) = (SeedSample.Compose(SeedSample.Full), SeedSample.Compose(SeedSample.Full, instance: Guid.NewGuid()));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(SeedSample.UserDataOf(second), Is.Not.EqualTo(SeedSample.UserDataOf(first)));
            Assert.That(Enumerable.Range(0, 2).Select(_ => SeedSample.KeyOf(SeedSample.Full).Published).Distinct().Single(), Does.Match("^[0-9a-f]{64}$"));
        }
    }

    [Test]
    public void Anything_that_the_installer_is_told_changes_the_key()
    {
        var ssh = SeedSample.Full.Ssh;
        string[] keys =
        [
            SeedSample.KeyOf(SeedSample.Full).Published,
            SeedSample.KeyOf(SeedSample.Full with { Ssh = ssh with { User = "other" } }).Published,
            SeedSample.KeyOf(SeedSample.Full with { Palette = new PaletteSpec() }).Published,
            SeedSample.KeyOf(SeedSample.Full with { NetworkConfig = _sample.Write("net", "version: 2\n") }).Published,
            SeedSample.KeyOf(_sample.SpecWithUserData("#cloud-config\nhostname: a\n", SeedSample.Full)).Published,
        ];

        Assert.That(keys, Is.Unique);
    }

    [Test]
    public void A_network_config_is_taken_as_it_is()
    {
        var text = "# mine\nversion: 2\nethernets: {}\n";

        Assert.That(SeedSample.DocumentOf(SeedSample.Compose(new SeedSpec { NetworkConfig = _sample.Write("net", text) }), "network-config"), Is.EqualTo(text));
    }

    [TestCase("- a\n")]
    [TestCase("")]
    public void A_network_config_that_is_no_mapping_is_refused(string text) => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => SeedSample.Compose(new SeedSpec { NetworkConfig = _sample.Write("net", text) }))!,
        FailureKind.BadInput, "The network-config isn't a mapping", $"{_sample.Folder}/net:1:1", "write cloud-init's format, such as: version: 2");

    [Test]
    public void A_seed_prints_without_its_secrets() =>
        Assert.That(SeedSample.Compose(SeedSample.Full).ToString(), Does.StartWith("a nocloud seed of user-data, ").And.Not.Contain("tok3n").And.Not.Contain("$6$"));
}
