using Crust.Sanitizing;
using Crust.Tests.Spec;
using Crust.Verification;

namespace Crust.Tests.Verification;

/// <summary>What is needed to log in, looked at before anything is built.</summary>
public sealed class SshLoginTests
{
    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void A_key_is_read_beside_the_spec_and_known_by_the_fingerprint_that_OpenSSH_prints()
    {
        var key = SshServer.MakeKey(_sample.Folder, "id", "-t", "ed25519");

        var login = Of("verify: { ssh: { user: ops, key: id } }\n")!;

        Assert.That((login.User, login.Key), Is.EqualTo(("ops", SshServer.FingerprintOf(key))));
    }

    [TestCase("rsa -b 2048")]
    [TestCase("rsa -b 2048 -m PEM")]
    [TestCase("ecdsa -b 384")]
    public void The_same_of_other_kinds_of_keys(string kind)
    {
        var key = SshServer.MakeKey(_sample.Folder, "id", ["-t", .. kind.Split(' ')]);

        Assert.That(Of("verify: { ssh: { user: ops, key: id } }\n")!.Key, Is.EqualTo(SshServer.FingerprintOf(key)));
    }

    [Test]
    public void Without_a_key_the_password_is_that_of_the_seeds_account()
    {
        var login = Of("seed: { ssh: { user: edge } }\nverify: { ssh: login }\n", ("SSH_PASSWORD", "hunter2"))!;

        Assert.That((login.User, login.Key, login.Way), Is.EqualTo(("edge", (string?)null, "password")));
    }

    [TestCase("verify: { ssh: true }\n")]
    [TestCase("verify: { expect: ready }\n")]
    public void Nobody_logs_in_where_that_is_not_asked_for(string yaml) => Assert.That(Of(yaml), Is.Null);

    [Test]
    public void Nothing_is_asked_of_a_key_where_an_option_switches_the_proof_off() =>
        Assert.That(SshLogin.Of(_sample.Read("verify: { ssh: { user: ops, key: missing } }\n", options: [("verify.boot", ["false"])]), new Redactor()), Is.Null);

    [Test]
    public void A_key_that_is_not_there() => Fails("verify:\n  ssh: { user: ops, key: id }\n",
        "The private key's file doesn't exist", $"crust.yaml:2:26, verify.ssh.key, {_sample.Folder}/id", "check the path");

    [TestCase("ed25519")]
    [TestCase("rsa -b 2048 -m PEM")]
    [TestCase("rsa -b 2048 -m PKCS8")]
    public void A_key_with_a_passphrase(string kind)
    {
        SshServer.MakeKey(_sample.Folder, "id", ["-N", "open sesame", "-t", .. kind.Split(' ')]);

        Fails("verify:\n  ssh: { user: ops, key: id }\n",
            "The private key has a passphrase, and nobody is there to type it", $"crust.yaml:2:26, verify.ssh.key, {_sample.Folder}/id", "make a key without one for these checks: ssh-keygen -t ed25519 -N '' -f FILE");
    }

    [Test]
    public void A_public_key()
    {
        SshServer.MakeKey(_sample.Folder, "id", "-t", "ed25519");

        Fails("verify:\n  ssh: { user: ops, key: id.pub }\n",
            "This is a public key, and it takes the private one to log in", $"crust.yaml:2:26, verify.ssh.key, {_sample.Folder}/id.pub", "name the file without .pub");
    }

    [TestCase("hello")]
    [TestCase("")]
    [TestCase("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")]
    [TestCase("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")]
    [TestCase("-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n")]
    [TestCase("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public void A_file_that_is_no_key(string content)
    {
        _sample.Write("id", content);

        var error = Assert.Throws<CrustException>(() => Of("verify:\n  ssh: { user: ops, key: id }\n"))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, $"crust.yaml:2:26, verify.ssh.key, {_sample.Folder}/id")));
        Assert.That(error.What, Does.StartWith("The file isn't a private key that can be read"));
    }

    [Test]
    public void An_account_that_the_seed_gives_no_password() => Fails("seed: { ssh: { user: edge } }\nverify:\n  ssh: { user: ops }\n",
        "There is no key with which ops could log in, and the seed gives its password only to edge", "crust.yaml:3:8, verify.ssh", "name a private key in verify.ssh.key (--verify-ssh-key)");

    [Test]
    public void An_account_with_a_passwords_hash_alone() => Fails("seed: { ssh: { user: edge, passwordHash: $6$a$b } }\nverify: { ssh: login }\n",
        "There is no key with which edge could log in, and of its password only the hash is given", "crust.yaml:2:16, verify.ssh",
        "name a private key in verify.ssh.key (--verify-ssh-key), or give the password in SSH_PASSWORD or seed.ssh.passwordFile");

    [Test]
    public void An_account_with_neither_a_key_nor_a_password() => Fails("seed: { ssh: { user: edge } }\nverify: { ssh: {} }\n",
        "There is neither a key nor a password with which edge could log in", "crust.yaml:2:16, verify.ssh",
        "name a private key in verify.ssh.key (--verify-ssh-key), or give the password in SSH_PASSWORD or seed.ssh.passwordFile");

    private SshLogin? Of(string yaml, params (string, string)[] variables) => SshLogin.Of(_sample.Read(yaml, variables), new Redactor());

    private void Fails(string yaml, string what, string where, string remedy) => ErrorAssert.Says(Assert.Throws<CrustException>(() => Of(yaml))!, FailureKind.BadInput, what, where, remedy);
}
