using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds.Kinds;

public sealed class AutoinstallSeedTests
{
    private const string Hash = "$6$saltsaltsaltsalt$hash";

    private static readonly SeedSpec Bare = new() { Kind = SeedKind.Autoinstall };

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase("#cloud-config\nautoinstall:\n  version: 1\n  locale: de_DE.UTF-8\n")]
    [TestCase("autoinstall: {version: 1, locale: de_DE.UTF-8}\n")]
    [TestCase("version: 1\nlocale: de_DE.UTF-8\n")]
    [TestCase("#cloud-config\nversion: 1\nlocale: de_DE.UTF-8\n")]
    public void A_file_may_be_wrapped_or_bare_and_powers_off(string file)
    {
        var seed = Compose(Bare, file);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Flat(SeedSample.UserDataOf(seed)), Is.EqualTo("#cloud-config autoinstall: version: 1 shutdown: poweroff locale: de_DE.UTF-8").Or.EqualTo("#cloud-config autoinstall: {version: 1, locale: de_DE.UTF-8, shutdown: poweroff}"));
            Assert.That((seed.Carrier, seed.Label, seed.KernelArguments, seed.Kernel), Is.EqualTo((SeedCarrier.Volume, "cidata", "autoinstall", KernelNeed.Wanted)));
            Assert.That(seed.Documents.Select(document => document.Name), Is.EqualTo(new[] { "user-data", "meta-data" }));
        }
    }

    [Test]
    public void Several_files_are_merged_and_keys_beside_autoinstall_stay_there()
    {
        var seed = Compose(Bare, "version: 1\npackages: [curl]\n", "#cloud-config\nruncmd: [true]\nautoinstall:\n  shutdown: reboot\n  packages: [jq]\n");

        Assert.That(SeedSample.UserDataOf(seed), Is.EqualTo("#cloud-config\nautoinstall:\n  version: 1\n  shutdown: reboot\n  packages: [curl, jq]\nruncmd: [true]\n"));
    }

    [Test]
    public void Account_and_hostname_are_the_identity()
    {
        var seed = Compose(Bare with { Hostname = "edge-1", Ssh = new SshSpec { User = "edge", PasswordHash = new Secret(Hash), AuthorizedKeys = [SeedSample.Key] } });

        Assert.That(SeedSample.UserDataOf(seed), Is.EqualTo($"""
            #cloud-config
            autoinstall:
              version: 1
              identity:
                hostname: "edge-1"
                username: "edge"
                password: "{Hash}"
              ssh:
                install-server: true
                authorized-keys:
                - "{SeedSample.Key}"
                allow-pw: true
              shutdown: poweroff

            """));
    }

    [Test]
    public void Without_a_password_or_a_hostname_cloud_init_makes_the_account()
    {
        var seed = Compose(Bare with { Hostname = "edge-1", Ssh = new SshSpec { User = "edge", AuthorizedKeys = [SeedSample.Key] } });

        Assert.That(SeedSample.UserDataOf(seed), Does.Not.Contain("identity").And.Contain("user-data:\n    hostname: \"edge-1\"\n    users:\n    - name: \"edge\"\n")
            .And.Contain("lock_passwd: true").And.Contain("install-server: true\n    allow-pw: false\n"));
    }

    [Test]
    public void An_identity_of_the_users_own_stays_and_gets_what_it_lacks()
    {
        const string Identity = "version: 1\nidentity: {username: edge, password: '*'}\n";
        var seed = Bare with { Hostname = "edge-1", Ssh = new SshSpec { User = "edge", PasswordHash = new Secret(Hash), AuthorizedKeys = [SeedSample.Key] } };

        using (Assert.EnterMultipleScope())
        {
            Assert.That(SeedSample.UserDataOf(Compose(seed, Identity)), Does.Contain("hostname: \"edge-1\"").And.Contain("password: '*'").And.Contain("authorized-keys").And.Not.Contain("users:").And.Not.Contain(Hash));
            Assert.That(SeedSample.UserDataOf(Compose(seed, Identity.Replace("edge", "other"))), Does.Contain("username: other").And.Contain("- name: \"edge\"").And.Not.Contain("authorized-keys"));
        }
    }

    [TestCase("#cloud-config\nhostname: x\n", "This is no autoinstall configuration: it has neither 'autoinstall' nor, as its content without it, 'version'", "2:1", "begin it with 'autoinstall:', and 'version: 1' below that")]
    [TestCase("# nothing\n", "This is no autoinstall configuration: it has neither 'autoinstall' nor, as its content without it, 'version'", "1:1", "begin it with 'autoinstall:', and 'version: 1' below that")]
    [TestCase("autoinstall: [1]\n", "'autoinstall' isn't a mapping", "1:14", "write the installer's keys below it, such as: version: 1")]
    public void What_is_no_autoinstall_is_an_error_with_its_place(string file, string what, string where, string remedy)
    {
        var error = Assert.Throws<CrustException>(() => Compose(Bare, file))!;

        ErrorAssert.Says(error, FailureKind.BadInput, what, $"{_sample.Folder}/0.yaml:{where}", remedy);
    }

    [TestCase("shutdown: reboot", OnReboot.Fail, new[] { "reboot" })]
    [TestCase("shutdown: reboot", OnReboot.Finish, new string[0])]
    [TestCase("shutdown: poweroff", OnReboot.Fail, new string[0])]
    [TestCase("interactive-sections: [network]", OnReboot.Fail, new[] { "no-auto" })]
    public void What_keeps_the_installer_from_ending_is_found(string key, OnReboot onReboot, string[] rules)
    {
        var spec = SeedSample.SpecOf(Spec(Bare, $"version: 1\n{key}\nidentity: {{username: a, hostname: b, password: '*'}}\n"), onReboot);

        Assert.That(SeedSample.RulesAgainst(spec), Is.EqualTo(rules));
    }

    private static string Flat(string text) => string.Join(' ', text.Split(['\n', ' '], StringSplitOptions.RemoveEmptyEntries));

    private SeedSpec Spec(SeedSpec seed, params string[] files) => seed with { UserData = [.. files.Select((file, i) => _sample.Write($"{i}.yaml", file))] };

    private Seed Compose(SeedSpec seed, params string[] files) => SeedSample.Compose(Spec(seed, files));
}
