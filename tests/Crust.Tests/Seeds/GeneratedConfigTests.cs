using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds;

public sealed class GeneratedConfigTests
{
    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase(SeedProfile.Debian, true, false)]
    [TestCase(SeedProfile.Kairos, false, true)]
    [TestCase(SeedProfile.Stylus, false, true)]
    [TestCase(SeedProfile.Elemental, false, true)]
    [TestCase(null, true, true)]
    public void An_account_comes_where_the_system_looks_for_it(SeedProfile? profile, bool forCloudInit, bool forKairos)
    {
        var text = SeedSample.UserDataOf(SeedSample.Compose(SeedSample.Full, profile: profile));

        Assert.That((text.Contains("\nusers:\n"), text.Contains("\nssh_pwauth:"), text.Contains("\nstages:\n")), Is.EqualTo((forCloudInit, forCloudInit, forKairos)));
    }

    [Test]
    public void All_of_Palette_is_told_to_stylus()
    {
        var pem = Certificate();
        var seed = new SeedSpec
        {
            Hostname = "edge-1",
            Palette = new PaletteSpec
            {
                Endpoint = "api.example.org",
                EdgeHostToken = new Secret("tok3n"),
                ProjectUid = "12345",
                ProjectName = "Default",
                Name = "edge-1",
                Tags = [new("site", "berlin"), new("tier", "1")],
                HttpProxy = new Secret("http://me:pw@proxy:3128"),
                HttpsProxy = new Secret("http://proxy:3129"),
                NoProxy = "10.0.0.0/8,.example.org",
                CaCerts = [_sample.Write("ca.pem", pem)],
                NtpServers = ["ntp1.example.org", "ntp2.example.org"],
            },
        };

        Assert.That(SeedSample.UserDataOf(SeedSample.Compose(seed, profile: SeedProfile.Stylus)), Is.EqualTo($"""
            #cloud-config
            install:
              auto: true
              device: "auto"
              poweroff: true
            hostname: "edge-1"
            stylus:
              site:
                paletteEndpoint: "api.example.org"
                edgeHostToken: "tok3n"
                projectUid: "12345"
                projectName: "Default"
                name: "edge-1"
                tags:
                  "site": "berlin"
                  "tier": "1"
                network:
                  httpProxy: "http://me:pw@proxy:3128"
                  httpsProxy: "http://proxy:3129"
                  noProxy: "10.0.0.0/8,.example.org"
                caCerts:
                - |
            {string.Concat(pem.TrimEnd('\n').Split('\n').Select(line => $"      {line}\n"))}    ntpServers:
                - "ntp1.example.org"
                - "ntp2.example.org"

            """));
    }

    [TestCase("hello", "The file holds no certificate in PEM", "name a file that begins with -----BEGIN CERTIFICATE-----")]
    [TestCase("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "The file holds a private key, which no edge host may have", "name a file with the certificate alone")]
    public void What_is_no_certificate_is_refused(string text, string what, string remedy)
    {
        var path = _sample.Write("ca.pem", text);

        ErrorAssert.Says(Assert.Throws<CrustException>(() => SeedFiles.Read(new SeedSpec { Palette = new PaletteSpec { CaCerts = [path] } }))!, FailureKind.BadInput, what, path, remedy);
    }

    [Test]
    public void A_certificate_that_is_damaged_is_refused()
    {
        var path = _sample.Write("ca.pem", Certificate().Replace("MII", "AII"));

        Assert.That(Assert.Throws<CrustException>(() => SeedFiles.Read(new SeedSpec { Palette = new PaletteSpec { CaCerts = [path] } }))!.What, Does.StartWith("The certificate can't be read: "));
    }

    [Test]
    public void A_password_that_is_given_as_its_hash_is_taken_as_it_is()
    {
        var text = SeedSample.UserDataOf(SeedSample.Compose(new SeedSpec { Ssh = new SshSpec { User = "edge", PasswordHash = new Secret("$y$j9T$abc$def") } }, profile: SeedProfile.Debian));

        Assert.That(text, Does.Contain("  lock_passwd: false\n  passwd: \"$y$j9T$abc$def\"\n"));
    }

    [Test]
    public void Several_files_are_merged_in_their_order_by_the_rules_of_their_reader()
    {
        string[] files = [_sample.Write("a", "#cloud-config\nruncmd: [a]\nk: {x: 1, y: 1}\n"), _sample.Write("b", "#cloud-config\nruncmd: [b]\nk: {y: 2}\n")];
        string Composed(SeedProfile? profile) => SeedSample.UserDataOf(SeedSample.Compose(new SeedSpec { UserData = [.. files] }, profile: profile));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Composed(SeedProfile.Kairos), Does.Contain("runcmd: [a, b]\nk: {x: 1, y: 2}\n"));
            Assert.That(Composed(SeedProfile.Debian), Does.Contain("runcmd: [b]\nk: {y: 2}\n"));
        }
    }

    private static string Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1)).ExportCertificatePem() + "\n";
    }
}
