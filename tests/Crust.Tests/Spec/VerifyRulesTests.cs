using System.Text.Json.Nodes;
using Crust.Formats;
using Crust.Spec;

namespace Crust.Tests.Spec;

/// <summary>How an image is to be proven.</summary>
public sealed class VerifyRulesTests
{
    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase("verify: { ssh: true }\n", SshProof.Banner, null)]
    [TestCase("verify: { ssh: false }\n", SshProof.None, null)]
    [TestCase("verify: { ssh: }\n", SshProof.None, null)]
    [TestCase("verify: { ssh: login }\nseed: { ssh: { user: edge } }\n", SshProof.Login, "edge")]
    [TestCase("verify: { ssh: {} }\nseed: { ssh: { user: edge } }\n", SshProof.Login, "edge")]
    [TestCase("verify: { ssh: { user: ops } }\nseed: { ssh: { user: edge } }\n", SshProof.Login, "ops")]
    [TestCase("verify: { ssh: { key: id } }\nseed: { ssh: { user: edge } }\n", SshProof.Login, "edge")]
    public void SSH_is_a_banner_or_a_log_in(string yaml, SshProof proof, string? user)
    {
        var verify = _sample.Read(yaml).Verify;

        Assert.That((verify.Ssh, verify.SshUser), Is.EqualTo((proof, user)));
    }

    [Test]
    public void A_log_in_and_its_checks_are_read()
    {
        var verify = _sample.Read("verify: { boot: true, expect: 'login:', ssh: { user: edge, key: id_ed25519 }, checks: [ systemctl is-active k3s, 'test -d /etc/cloud' ], deadline: 5m }\n").Verify;

        Assert.That((verify.Boot, verify.Expect, verify.Deadline, verify.SshUser, verify.SshKey), Is.EqualTo((VerifyBoot.True, "login:", TimeSpan.FromMinutes(5), "edge", Path.Combine(_sample.Folder, "id_ed25519"))));
        Assert.That(verify.Checks, Is.EqualTo(new[] { "systemctl is-active k3s", "test -d /etc/cloud" }));
        Assert.That(verify.Describe(), Is.EqualTo("'login:' on the serial port, an SSH log-in as edge by key, 2 checks"));
    }

    [Test]
    public void A_log_in_boots_the_images_of_any_installer_and_needs_no_text_on_the_serial_port()
    {
        var verify = _sample.Read("verify: { ssh: { user: edge, key: id }, checks: 'true' }\n").Verify;

        Assert.That((verify.Boot, verify.Expect, verify.Checks.Single()), Is.EqualTo((VerifyBoot.True, (string?)null, "true")));
    }

    [Test]
    public void Options_log_in_and_stand_over_the_file()
    {
        var login = _sample.Read("name: edge\n", options: [("verify.ssh.user", ["ops"]), ("verify.ssh.key", ["id"]), ("verify.checks", ["true", "id -u"])]).Verify;
        var banner = _sample.Read("verify: { ssh: { user: edge, key: id }, checks: [ 'true' ] }\n", options: [("verify.boot", ["false"])]).Verify;

        Assert.That((login.Ssh, login.SshUser, login.SshKey, login.Checks.Length), Is.EqualTo((SshProof.Login, "ops", Path.Combine(_sample.Folder, "id"), 2)));
        Assert.That(banner.Boot, Is.EqualTo(VerifyBoot.False), "one build without the proof");
    }

    [TestCase("name: edge\n", VerifyBoot.Auto, 5)]
    [TestCase("verify: { boot: auto }\n", VerifyBoot.Auto, 5)]
    [TestCase("verify: { deadline: 2m }\n", VerifyBoot.Auto, 2)]
    [TestCase("verify: { boot: true }\n", VerifyBoot.True, 15)]
    [TestCase("verify: { boot: true, deadline: 2m }\n", VerifyBoot.True, 2)]
    [TestCase("verify: { boot: false }\n", VerifyBoot.False, 5)]
    [TestCase("verify: { expect: 'ready>' }\n", VerifyBoot.True, 15)]
    [TestCase("verify: { boot: auto, ssh: true }\n", VerifyBoot.True, 15)]
    [TestCase("verify: { boot: false, expect: 'ready>' }\n", VerifyBoot.False, 5)]
    public void Any_sign_will_do_unless_one_is_asked_for_which_an_image_then_has_to_show(string yaml, VerifyBoot boot, int minutes)
    {
        var verify = _sample.Read(yaml).Verify;

        Assert.That((verify.Boot, verify.Deadline), Is.EqualTo((boot, TimeSpan.FromMinutes(minutes))));
    }

    [Test]
    public void Checks_without_a_log_in([Values("verify:\n  checks: [ 'true' ]\n", "verify:\n  checks: [ 'true' ]\n  ssh: true\n", "verify:\n  checks: [ 'true' ]\n  ssh: false\n")] string yaml) => Fails(yaml,
        "There are checks, and nobody logs in to run them", "crust.yaml:2:11, verify.checks",
        "say who does: user and key below verify.ssh (--verify-ssh-user, --verify-ssh-key), or verify.ssh: login for the seed's own account and its password");

    [Test]
    public void Checks_of_images_that_are_not_booted() => Fails("verify:\n  boot: false\n  ssh: { user: edge, key: id }\n  checks: [ 'true' ]\n",
        "verify.boot is false, and verify.checks run in the image that is booted", "crust.yaml:2:9, verify.boot; crust.yaml:4:11, verify.checks",
        "leave out one of the two; for one build without the proof, crust build --verify false");

    [Test]
    public void A_log_in_to_images_that_are_not_booted() => Fails("verify:\n  boot: false\n  ssh: { user: edge, key: id }\n",
        "verify.boot is false, and verify.ssh logs in to the image that is booted", "crust.yaml:2:9, verify.boot; crust.yaml:3:8, verify.ssh",
        "leave out one of the two; for one build without the proof, crust build --verify false");

    [Test]
    public void A_log_in_as_nobody() => Fails("verify:\n  ssh: { key: id }\n",
        "verify.ssh is to log in, and no account is named", "crust.yaml:2:8, verify.ssh", "name it in verify.ssh.user, or in seed.ssh.user (SSH_USER)");

    [Test]
    public void A_key_for_a_banner()
    {
        var error = Assert.Throws<CrustException>(() => _sample.Read("verify: { ssh: true }\n", options: [("verify.ssh.key", ["id"])]))!;

        ErrorAssert.Says(error, FailureKind.BadInput, "verify.ssh.key is for a log-in, and verify.ssh: true only waits for the server's banner",
            "option --verify-ssh-key; crust.yaml:1:16, verify.ssh", "leave out one of the two (verify.ssh: login logs in)");
    }

    [Test]
    public void A_log_in_without_a_network() => Fails("machine: { network: none }\nverify: { ssh: { user: edge, key: id } }\n",
        "An SSH server can't be reached in a machine without a network", "crust.yaml:2:16, verify.ssh", "wait for a text on the serial port (verify.expect), or set machine.network to internet");

    [TestCase("verify: { ssh: maybe }\n", "'maybe' is neither true, false nor login", "crust.yaml:1:16, verify.ssh", "write true to wait for the server's banner; login, or user and key below the key, to log in")]
    [TestCase("verify: { ssh: { password: x } }\n", "There is no key 'verify.ssh.password'", "crust.yaml:1:18, verify.ssh.password", "did you mean 'seed.ssh.password'?")]
    [TestCase("verify: { checks: [ '' ] }\n", "A check is empty", "crust.yaml:1:21, verify.checks[0]", "write a command line that exits with 0 where all is well")]
    [TestCase("verify: { checks: [ \"a\\nb\" ] }\n", "'a b' holds a line break or another control character", "crust.yaml:1:21, verify.checks[0]", "write it on one line, with && or ; between its commands")]
    public void What_is_no_proof(string yaml, string what, string where, string remedy) => Fails(yaml, what, where, remedy);

    [Test]
    public void The_schema_takes_both_forms_of_SSH()
    {
        var ssh = JsonNode.Parse(SpecSchema.ToJson(ImageFormats.ForSpec))!["properties"]!["verify"]!["properties"]!["ssh"]!;

        Assert.That(ssh["type"]!.AsArray().Select(type => type!.GetValue<string>()), Is.EqualTo(new[] { "boolean", "string", "object", "null" }));
        Assert.That((ssh["default"]!.GetValue<bool>(), string.Join(' ', ssh["properties"]!.AsObject().Select(key => key.Key))), Is.EqualTo((false, "user key")));
    }

    private void Fails(string yaml, string what, string where, string remedy) => ErrorAssert.Says(_sample.Fail(yaml), FailureKind.BadInput, what, where, remedy);
}
