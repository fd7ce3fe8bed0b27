using Crust.Seeds;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog;

namespace Crust.Tests.Seeds;

public sealed class Sha512CryptTests
{
    // Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", test vectors: the one with default rounds.
    [Test]
    public void The_published_vector_is_met() => Assert.That(
        Sha512Crypt.Hash("Hello world!", "saltstring"),
        Is.EqualTo("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"));

    [TestCase("hunter2")]
    [TestCase("pässwörd ✓")]
    [TestCase("a b'c\"d$e")]
    public async Task It_agrees_with_openssl(string password)
    {
        var tools = new ToolBox(["/usr/bin", "/bin"], Log.Logger);
        var result = await tools.RunAsync(ToolCommand.Of("openssl", "passwd", "-6", "-salt", "abcdefgh", "-stdin") with { Input = password + "\n" }, CancellationToken.None);

        Assert.That(Sha512Crypt.Hash(password, "abcdefgh"), Is.EqualTo(result.Output.Trim()));
    }

    [Test]
    public void A_salt_is_16_characters_of_the_alphabet_and_goes_with_its_words()
    {
        var salt = Sha512Crypt.SaltFor("a", "edge");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(salt, Does.Match(@"\A[./0-9A-Za-z]{16}\z"));
            Assert.That(Sha512Crypt.SaltFor("a", "edge"), Is.EqualTo(salt));
            Assert.That(salt, Is.Not.EqualTo(Sha512Crypt.SaltFor("ae", "dge")));
            Assert.That(salt, Is.Not.EqualTo(Sha512Crypt.SaltFor("b", "edge")));
        }
    }

    [Test]
    public void A_host_without_libcrypt_is_told() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => Sha512Crypt.Hash("x", "salt", "libcrypt-that-is-not-there.so.1"))!,
        FailureKind.HostLacks, "The password can't be hashed: the system's library for it isn't installed", "libcrypt-that-is-not-there.so.1", "install it: apt-get install libcrypt1");

    [Test]
    public void A_password_longer_than_libcrypt_takes_is_refused_and_not_shown() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => Sha512Crypt.Hash(new string('x', 512), "salt"))!,
        FailureKind.BadInput, "The password can't be hashed", "seed.ssh.password or SSH_PASSWORD", "use at most 511 bytes");
}
