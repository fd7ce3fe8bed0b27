using Crust.Disks;
using Crust.Inspection.Evidence;

namespace Crust.Tests.Inspection;

/// <summary>Seeds as keys.sed leaves them: keys without their values.</summary>
public sealed class LeftoverSeedTests
{
    [Test]
    public void Accounts_of_a_list_have_their_own_keys_and_passwords() =>
        Assert.That(LeftoverSeed.Accounts("""
            hostname:
            users:
              - name: edge
                ssh_authorized_keys:
                  - x
                  - x
              - passwd:
                name: "other"
                groups:
                  - x
              - name: nobody
            ssh_pwauth:
            """), Is.EqualTo(new[] { new AccountFacts("edge", "none", 2), new AccountFacts("other", "set", 0) }));

    [Test]
    public void Accounts_of_Kairos_are_named_by_their_keys() =>
        Assert.That(LeftoverSeed.Accounts("""
            install:
              auto:
            stages:
              initramfs:
              - name: Set user
                users:
                  kairos:
                    passwd:
                    groups:
                    - x
                  edge:
                    ssh_authorized_keys:
                    - github:
            """), Is.EqualTo(new[] { new AccountFacts("kairos", "set", 0), new AccountFacts("edge", "none", 1) }));

    [TestCase("password:\n")]
    [TestCase("chpasswd:\n  expire:\n")]
    public void A_password_that_stands_alone_is_the_default_accounts(string keys) =>
        Assert.That(LeftoverSeed.Accounts(keys), Is.EqualTo(new[] { new AccountFacts(LeftoverSeed.Default, "set", 0) }));

    [Test]
    public void Keys_that_stand_alone_are_the_default_accounts() =>
        Assert.That(LeftoverSeed.Accounts("ssh_authorized_keys:\n- x\n- x\n"), Is.EqualTo(new[] { new AccountFacts(LeftoverSeed.Default, "none", 2) }));

    [Test]
    public void Keys_in_one_line_are_at_least_one() =>
        Assert.That(LeftoverSeed.Accounts("users:\n- name: edge\n  ssh_authorized_keys:\n"), Is.EqualTo(new[] { new AccountFacts("edge", "none", 1) }));

    [TestCase("")]
    [TestCase("install:\n  auto:\n  poweroff:\n")]
    [TestCase("write_files:\n- path:\n  content:\n  password:\n")]
    [TestCase("users:\n- name: edge\n  groups:\n")]
    public void A_seed_without_a_way_in_makes_no_account(string keys) => Assert.That(LeftoverSeed.Accounts(keys), Is.Empty);

    [Test]
    public void A_document_of_any_depth_is_read() =>
        Assert.That(LeftoverSeed.Accounts(string.Concat(Enumerable.Range(0, 5000).Select(i => new string(' ', i % 900) + "- - - users:\n"))), Is.Empty);
}
