using Crust.Seeds;
using Crust.Spec;

namespace Crust.Tests.Seeds.Kinds;

public sealed class IgnitionSeedTests
{
    private const string Good = """
        {
          "ignition": { "version": "3.4.0" },
          "systemd": { "units": [ { "name": "install.service", "enabled": true } ] }
        }
        """;

    private static readonly SeedSpec Bare = new() { Kind = SeedKind.Ignition };

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public async Task It_goes_byte_for_byte_under_both_names()
    {
        var seed = Compose(Good);
        using var delivery = await _sample.DeliverAsync(seed);

        using (Assert.EnterMultipleScope())
        {
            Assert.That((seed.Carrier, seed.Label, delivery.Volume), Is.EqualTo((SeedCarrier.Firmware, (string?)null, (string?)null)));
            Assert.That(delivery.FirmwareFiles.Select(file => file.Name), Is.EqualTo(new[] { "opt/com.coreos/config", "opt/org.flatcar-linux/config" }));
            Assert.That(delivery.FirmwareFiles.Select(file => File.ReadAllText(file.Path)), Has.All.EqualTo(Good));
            Assert.That(delivery.FirmwareFiles.Select(file => File.GetUnixFileMode(file.Path)), Has.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.That(RulesAgainst(Good), Is.Empty);
        }
    }

    [TestCase("""{"ignition":{"version":"3.0.0"},"systemd":{"units":[{"name":"a.service"}]}}""")]
    [TestCase("""{"ignition":{"version":"3.7.0-experimental","config":{"merge":[{"source":"https://example.org/x"}]}}}""")]
    [TestCase("""{"ignition":{"version":"3.5.0"},"kernelArguments":{},"passwd":{},"storage":{"files":[]}}""")]
    public void All_versions_3_are_taken(string file) => Assert.That(RulesAgainst(file), Is.Empty);

    [TestCase("variant: fcos\nversion: 1.5.0\n", "This is Butane's YAML (variant: fcos), and Ignition reads JSON", "1:1")]
    [TestCase("# Edge\n\nversion: 1.1.0\nvariant: flatcar\n", "This is Butane's YAML (variant: flatcar), and Ignition reads JSON", "4:1")]
    [TestCase("{\n  \"ignition\": { \"version\": \"3.4.0\" }\n  \"systemd\": {}\n}", "This isn't JSON: ", "3:3")]
    [TestCase("{\"ignition\":{\"version\":\"3.4.0\"}} more", "This isn't JSON: ", "1:34")]
    [TestCase("", "This isn't JSON: ", "1:1")]
    [TestCase("[]", "This isn't Ignition's configuration: it isn't an object", "1:1")]
    [TestCase("{\"storage\":{}}", "This isn't Ignition's configuration: it has no ignition.version", "1:1")]
    [TestCase("{\n\n \"ignition\":{\"version\":\"4.0.0\"}}", "Ignition has no version '4.0.0' of its configuration", "3:2")]
    [TestCase("{\"ignition\":{\"version\":3}}", "This isn't Ignition's configuration: it has no ignition.version", "1:2")]
    [TestCase("{\"ignition\":{\"version\":\"3.4.0\"},\n\"systemd\":{},\"systemd\":{}}", "The key 'systemd' stands twice", "2:14")]
    public void What_is_no_Ignition_3_is_an_error_with_its_place(string file, string what, string where)
    {
        var error = Assert.Throws<CrustException>(() => Compose(file))!;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
            Assert.That(error.What, Does.StartWith(what));
            Assert.That(error.Where, Is.EqualTo($"{_sample.Folder}/config.ign:{where}"));
            Assert.That(error.Remedy, Is.Not.Empty);
        }
    }

    [Test]
    public void A_key_that_Ignition_has_not_is_an_error_that_names_the_nearest()
    {
        var finding = SeedSample.FindingsIn(Spec("{\"ignition\":{\"version\":\"3.4.0\"},\n  \"ünknown\": 1,  \"system\":{}, \"storage\":{\"files\":[]}}")).Last();

        Assert.That($"{finding.Severity} {finding.ToWarning()}", Is.EqualTo($"Error {_sample.Folder}/config.ign:2:18: Ignition has no key 'system' here, and takes no notice of it (unknown-key). To mend it: did you mean 'systemd'?"));
    }

    [TestCase(OnReboot.Fail, new[] { "no-poweroff" })]
    [TestCase(OnReboot.Finish, new string[0])]
    public void A_configuration_that_certainly_cannot_power_off_is_a_warning(OnReboot onReboot, string[] rules) =>
        Assert.That(RulesAgainst("""{"ignition":{"version":"3.4.0"},"passwd":{"users":[{"name":"core"}]}}""", onReboot), Is.EqualTo(rules));

    [Test]
    public void Accounts_of_the_spec_have_no_place_in_it_and_that_is_said() => Assert.That(
        SeedSample.RulesAgainst(Spec(Good) is var spec ? spec with { Seed = spec.Seed with { Hostname = "edge", Ssh = SeedSample.Full.Ssh } } : spec), Is.EqualTo(new[] { "unused-setting", "unused-setting" }));

    private IEnumerable<string> RulesAgainst(string file, OnReboot onReboot = OnReboot.Fail) => SeedSample.RulesAgainst(Spec(file, onReboot));

    private BuildSpec Spec(string file, OnReboot onReboot = OnReboot.Fail) => SeedSample.SpecOf(Bare with { UserData = [_sample.Write("config.ign", file)] }, onReboot);

    private Seed Compose(string file) => SeedSample.Compose(Spec(file).Seed);
}
