using System.Collections.Immutable;
using Crust.Seeds;
using Crust.Seeds.Secrets;

namespace Crust.Tests.Seeds.Checks;

/// <summary>The checks of passwords and the classifier of secrets say the same.</summary>
public sealed class PasswordRulesTests
{
    private SeedSample _sample = null!;

    private static IEnumerable<CorpusDocument> WithPasswords =>
        CorpusDocument.In("broken").Where(document => document.Expected.Any(line => line.StartsWith("plain-password", StringComparison.Ordinal)));

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCaseSource(nameof(WithPasswords))]
    public void What_is_called_a_plain_password_is_masked_where_the_seed_is_shown(object document)
    {
        var broken = (CorpusDocument)document;
        var lines = broken.Findings.Where(finding => finding.Rule == "plain-password").Select(finding => finding.Place.Line);

        ImmutableArray<FoundSecret> secrets = FileSecrets.In(RideAlong.NameOf(broken.Spec.Seed.Kind), File.ReadAllText(broken.Path));

        Assert.That(secrets.Select(secret => File.ReadAllText(broken.Path).AsSpan(0, secret.Start).Count('\n') + 1), Is.SupersetOf(lines));
    }

    [TestCase("passwd", true, false)]
    [TestCase("hashed_passwd", true, false)]
    [TestCase("plain_text_passwd", true, true)]
    [TestCase("plain-text-passwd", true, true)]
    [TestCase("passwordHash", true, false)]
    [TestCase("root-password-again", true, false)]
    [TestCase("rootpw", true, false)]
    [TestCase("lock_passwd", false, false)]
    [TestCase("passphrase", false, false)]
    [TestCase("edgeHostToken", false, false)]
    [TestCase("wireless_wpa", false, false)]
    [TestCase("bypass", false, false)]
    [TestCase("plain_text_token", false, false)]
    public void A_password_is_a_secret_of_which_there_may_be_a_hash(string name, bool isPassword, bool isPlain) =>
        Assert.That((SecretNames.IsPassword(name), SecretNames.IsPlain(name)), Is.EqualTo((isPassword, isPlain)));

    // No reader has that key: it stands for one that the classifier is to know tomorrow.
    [TestCase("root_userpw: hunter2", "plain-password")]
    [TestCase("plaintext_pwd: hunter2", "plain-password")]
    [TestCase("root_userpw: $6$salt$abcdefgh", null)]
    [TestCase("recovery_token: hunter2", null)]
    public void A_name_that_the_classifier_takes_for_a_passwords_is_one_to_the_checks(string key, string? rule)
    {
        var spec = SeedSample.SpecOf(_sample.SpecWithUserData($"#cloud-config\nusers:\n- name: edge\n  ssh_authorized_keys: [{SeedSample.Key}]\n  {key}\n"));

        Assert.That(SeedSample.RulesAgainst(spec).Where(found => found == "plain-password"), Is.EqualTo(rule is null ? Array.Empty<string>() : [rule]));
        Assert.That(SeedSecrets.PathsIn(SeedSample.Compose(spec.Seed).Documents[0]), Has.Some.Contains(key.Split(':')[0]));
    }
}
