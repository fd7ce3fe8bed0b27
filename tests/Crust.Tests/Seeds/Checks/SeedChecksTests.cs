using System.Collections.Immutable;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;

namespace Crust.Tests.Seeds.Checks;

public sealed class SeedChecksTests
{
    private const string Canary = "c4nary-that-nobody-may-see";

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void What_the_spec_says_of_Palette_is_checked_like_the_users_file_and_names_its_own_place()
    {
        var spec = SeedSample.SpecOf(new SeedSpec { Palette = new PaletteSpec { Endpoint = "https://api.example.org", EdgeHostToken = new Secret("<token>") } }) with
        {
            Origins = new Dictionary<string, string> { ["seed.palette.endpoint"] = "environment variable PALETTE_ENDPOINT", ["seed.palette.edgeHostToken"] = "environment variable EDGE_HOST_TOKEN" }.ToImmutableDictionary(),
        };

        Assert.That(Findings(spec).Select(finding => $"{finding.Place}: {finding.Rule}: {finding.Remedy}"), Is.EqualTo(new[]
        {
            "environment variable PALETTE_ENDPOINT: palette-endpoint: write api.example.org",
            "environment variable EDGE_HOST_TOKEN: palette-token: copy the token from Palette: Tenant Settings, Registration Tokens",
        }));
    }

    [Test]
    public void What_Crust_generates_breaks_no_rule_whoever_reads_it()
    {
        var seed = SeedSample.Full with { Hostname = "edge-1", Palette = SeedSample.Full.Palette with { RegistrationUrl = null, ProjectName = "Default", Tags = [new("site", "berlin")], NtpServers = ["ntp.example.org"], NoProxy = "10.0.0.0/8" } };

        foreach (SeedProfile? profile in new SeedProfile?[] { null, SeedProfile.Kairos, SeedProfile.Stylus, SeedProfile.Elemental, SeedProfile.Debian })
            Assert.That(Findings(SeedSample.SpecOf(seed with { Profile = profile })), Is.Empty, $"{profile}");
    }

    [Test]
    public void Errors_come_before_warnings_and_each_in_the_order_of_files_and_lines()
    {
        var second = _sample.Write("b.yaml", "#cloud-config\ninstall:\n  devcie: auto\n");
        var first = _sample.Write("a.yaml", "#cloud-config\nfrobnicator: {}\nhostname: a_b\nusers:\n- {name: edge, groups: [admin]}\n");

        var findings = Findings(SeedSample.SpecOf(new SeedSpec { UserData = [first, second], Profile = SeedProfile.Kairos }));

        Assert.That(findings.Select(finding => $"{Path.GetFileName(finding.Place.Source)}:{finding.Place.Line} {finding.Rule}"),
            Is.EqualTo(new[] { "a.yaml:3 hostname", "b.yaml:3 unknown-key", "a.yaml:2 unknown-key", "a.yaml:5 no-login" }));
    }

    [Test]
    public void No_finding_shows_a_value_that_may_be_a_secret()
    {
        var text = $"""
            #cloud-config
            hostname: "{Canary}!"
            password: {Canary}
            {Canary}: 1
            ssh_authorized_keys: ["{Canary} PRIVATE KEY"]
            chpasswd: [{Canary}]
            stylus:
              site:
                paletteEndpoint: https://user:{Canary}@example.org
                edgeHostToken: "{Canary} "
                registrationURL: {Canary}
                name: "{Canary}/"
                network:
                  interfaces:
                    eth0: {Canary}
            install:
              device: {Canary}
              poweroff: {Canary}
            users:
            - name: edge
              passwd: {Canary}
              groups: {Canary}
            write_files:
            - path: {Canary}
              permissions: {Canary}
              encoding: {Canary}
            """;
        foreach (var profile in new SeedProfile?[] { null, SeedProfile.Stylus, SeedProfile.Debian })
        {
            var findings = Findings(SeedSample.SpecOf(new SeedSpec { UserData = [_sample.Write("user-data.yaml", text)], Profile = profile }));

            Assert.That(findings, Has.Length.GreaterThan(6));
            // A key isn't a value: it is named, where it was written as one.
            Assert.That(findings.Where(finding => finding.Rule != "unknown-key" && $"{finding}".Contains(Canary)), Is.Empty);
        }
    }

    [Test]
    public void What_comes_from_the_environment_isnt_shown_even_as_a_name_or_a_key()
    {
        var path = _sample.Write("user-data.yaml", "#cloud-config\n\"${SECRET}\": 1\ninstall: {\"${SECRET}\": 1, device: \"/dev/${DISK}\"}\nusers:\n- name: ${SECRET}\n");
        var seed = new SeedSpec { UserData = [path], Substitute = true, Variables = new Dictionary<string, string> { ["SECRET"] = Canary, ["DISK"] = "sdz" }.ToImmutableDictionary() };

        var findings = Findings(SeedSample.SpecOf(seed));

        Assert.That(findings, Has.Length.GreaterThan(1));
        Assert.That(string.Concat(findings), Does.Not.Contain(Canary).And.Not.Contain("sdz"));
    }

    [TestCase(null, SeedSeverity.Warning)]
    [TestCase(SeedProfile.Kairos, SeedSeverity.Error)]
    public void A_user_data_of_two_megabytes_is_skipped_by_Kairos(SeedProfile? profile, SeedSeverity severity)
    {
        string Of(int size) => $"#cloud-config\ninstall: {{nousers: true}}\nwrite_files:\n- path: /opt/blob\n  permissions: \"0644\"\n  content: {new string('x', size)}\n";
        SeedSpec Seed(int size) => new() { UserData = [_sample.Write("user-data.yaml", Of(size))], Profile = profile };

        Assert.That(Findings(SeedSample.SpecOf(Seed((2 << 20) - 1000))), Is.Empty);
        Assert.That(Findings(SeedSample.SpecOf(Seed(2 << 20))).Select(finding => (finding.Rule, finding.Severity)), Is.EqualTo(new[] { ("too-large", severity) }));
    }

    [Test]
    public void A_document_for_cloud_init_alone_may_be_as_large_as_it_likes() =>
        Assert.That(Findings(SeedSample.SpecOf(new SeedSpec
        {
            UserData = [_sample.Write("user-data.yaml", $"#cloud-config\nwrite_files:\n- path: /opt/blob\n  content: {new string('x', 3 << 20)}\n")],
            Profile = SeedProfile.Debian,
        })), Is.Empty);

    [Test]
    public void Bundles_have_keys_of_their_own() =>
        Assert.That(Findings(SeedSample.SpecOf(_sample.SpecWithUserData("#cloud-config\nbundles: [{targets: ['run://x']}]\nmetallb: {version: 1}\n"))), Is.Empty);

    private static SeedFinding[] Findings(BuildSpec spec) => [.. SeedChecks.Check(spec, SeedFiles.Read(spec.Seed), spec.Seed.Profile)];
}
