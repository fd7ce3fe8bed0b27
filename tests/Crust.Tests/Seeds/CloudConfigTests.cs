using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Spec;
using Crust.Tools;

namespace Crust.Tests.Seeds;

public sealed class CloudConfigTests
{
    private const string Install = "#cloud-config\ninstall:\n  auto: true\n  device: \"auto\"\n  poweroff: true\n";

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void Without_anything_configured_only_the_install_is_told() =>
        Assert.That(SeedSample.UserDataOf(SeedSample.Compose(new SeedSpec())), Is.EqualTo(Install));

    [Test]
    public void Everything_that_can_be_configured_is_in_the_document_and_in_the_docs()
    {
        var text = SeedSample.UserDataOf(SeedSample.Compose(SeedSample.Full));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(text, Does.Not.Contain("hunter2"));
            RepositoryFile.MustHold("docs/seeds.md", "generated", $"```yaml\n{text}```\n");
        }
    }

    [Test]
    public void Only_what_is_given_of_Palette_is_in_the_document() => Assert.That(
        SeedSample.UserDataOf(SeedSample.Compose(new SeedSpec { Palette = new PaletteSpec { Endpoint = "api.example.org" } })),
        Is.EqualTo(Install + "stylus:\n  site:\n    paletteEndpoint: \"api.example.org\"\n"));

    // An account without a password must be locked: Kairos would leave it open to everybody.
    [Test]
    public void An_account_without_a_password_is_locked_for_cloud_init_and_for_Kairos() => Assert.That(
        SeedSample.UserDataOf(SeedSample.Compose(new SeedSpec { Ssh = new SshSpec { User = "yes", AuthorizedKeys = [SeedSample.Key] } })),
        Is.EqualTo(Install + $"""
            users:
            - name: "yes"
              groups:
              - "sudo"
              sudo: "ALL=(ALL) NOPASSWD:ALL"
              shell: "/bin/bash"
              lock_passwd: true
              ssh_authorized_keys:
              - "{SeedSample.Key}"
            stages:
              initramfs:
              - users:
                  "yes":
                    groups:
                    - "admin"
                    - "sudo"
                    lock_passwd: true
                    ssh_authorized_keys:
                    - "{SeedSample.Key}"

            """));

    [TestCase("#cloud-config")]
    [TestCase("#cloud-config\n")]
    [TestCase("#kairos-config\n# nothing yet\n")]
    [TestCase("\uFEFF#node-config\r\n")]
    [TestCase("#cloud-config  \n---\n")]
    public void A_file_with_only_a_header_adds_nothing(string userData) => Assert.That(SeedSample.UserDataOf(_sample.WithUserData(userData)), Is.EqualTo(Install));

    [Test]
    public void The_users_file_wins_and_keeps_its_quotes() => Assert.That(
        SeedSample.UserDataOf(_sample.WithUserData("#cloud-config\ninstall:\n  device: /dev/vda\nwrite_files:\n- path: /etc/motd\n  permissions: \"0644\"\n  content: |\n    Hello\n")),
        Is.EqualTo("#cloud-config\ninstall:\n  auto: true\n  device: /dev/vda\n  poweroff: true\nwrite_files:\n- path: /etc/motd\n  permissions: \"0644\"\n  content: |\n    Hello\n"));

    [Test]
    public void The_users_accounts_come_beside_the_generated_one()
    {
        var text = SeedSample.UserDataOf(_sample.WithUserData("#cloud-config\nusers:\n- name: other\n", SeedSample.Full));

        Assert.That(text, Does.Contain("\nusers:\n- name: \"edge\"\n").And.Contain("\n- name: other\n"));
    }

    [Test]
    public void A_users_reboot_takes_the_place_of_the_poweroff() =>
        Assert.That(SeedSample.UserDataOf(_sample.WithUserData("#cloud-config\ninstall: {reboot: yes}\n")), Does.Contain("reboot: yes").And.Not.Contain("poweroff"));

    [Test]
    public void A_poweroff_that_is_merged_in_by_an_alias_counts_as_the_users_own() =>
        Assert.That(SeedSample.UserDataOf(_sample.WithUserData("#cloud-config\nx: &x {poweroff: false}\ninstall:\n  <<: *x\n")), Does.Contain("install:\n  auto: true\n  device: \"auto\"\n  poweroff: false\n"));

    [TestCase("hostname: edge\n", "The user-data file doesn't begin with a cloud-config header", "1:1", "make #cloud-config its first line")]
    [TestCase("a: 1\n#cloud-config\n", "The user-data file doesn't begin with a cloud-config header", "1:1", "make #cloud-config its first line")]
    [TestCase("#!/bin/sh\necho hi\n", "This is a script (#!), which can't be merged with what Crust generates", "1:1", "say the same in a #cloud-config: runcmd, bootcmd, write_files; or set seed.profile to debian if it is cloud-init that reads it")]
    [TestCase("## template: jinja\n#cloud-config\n", "A Jinja template can't be merged", "1:1", "write out what it would make; or set seed.profile to debian if it is cloud-init that reads it")]
    [TestCase("#cloud-config\n- a\n", "The user-data isn't a mapping", "2:1", "write keys and values, such as: hostname: edge-1")]
    [TestCase("#cloud-config\na: b: c\n", "This isn't YAML: while scanning a plain scalar value, found invalid mapping", "2:5", "mend the line, or the one before it")]
    [TestCase("#cloud-config\na: 1\na: 2\n", "A key stands twice", "3:1", "keep one of the two")]
    public void A_file_that_is_no_cloud_config_is_refused(string userData, string what, string where, string remedy) => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => _sample.WithUserData(userData, SeedSample.Full))!,
        FailureKind.BadInput, what, $"{_sample.Folder}/user-data.yaml:{where}", remedy);

    [Test]
    public void A_file_that_is_not_there_is_refused() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => SeedFiles.Read(new SeedSpec { UserData = ["/nowhere/user-data"] }))!,
        FailureKind.BadInput, "The user-data file doesn't exist", "/nowhere/user-data", "check the path");

    [Test]
    public async Task The_real_cloud_init_accepts_what_is_generated()
    {
        Assume.That(SeedSample.Tools.Find("cloud-init"), Is.Not.Null, "cloud-init isn't installed");
        var file = _sample.Write("composed", SeedSample.UserDataOf(_sample.WithUserData("#cloud-config\nhostname: edge-1\nwrite_files:\n- path: /etc/x\n  permissions: \"0600\"\n  content: y\n", SeedSample.Full)));

        var result = await SeedSample.Tools.RunAsync(ToolCommand.Of("cloud-init", "schema", "--config-file", file), CancellationToken.None);

        Assert.That(result.Output + result.Error, Does.Contain("Valid").And.Not.Contain("deprecat").IgnoreCase);
    }
}
