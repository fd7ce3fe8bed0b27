namespace Crust.Tests.Inspection;

public sealed class DiskRulesTests
{
    private const string At = EvidenceSample.System;

    private static EvidenceSample Reference => EvidenceSample.Reference;

    [Test]
    public void A_fresh_reference_system_has_nothing_that_clones_would_share()
    {
        Assert.That(Reference.Rules(), Is.Empty);
        Assert.That(Reference.Rules("note"), Is.EqualTo(new[] { "seed" }));
    }

    [TestCase("machine-id", "machine-id", "0123456789abcdef0123456789abcdef")]
    [TestCase("iscsi-initiator", "initiator", "InitiatorName=iqn.1993-08.org.debian:01:abc\n")]
    [TestCase("mac-address", "macs", "/etc/netplan/50-cloud-init.yaml\n")]
    [TestCase("device-name", "fstab", "/dev/vda3 / ext4 defaults 0 1\n")]
    [TestCase("empty-password", "accounts", "edge:empty:1000:/home/edge:/bin/bash:20089:99999:")]
    [TestCase("account-expired", "accounts", "edge:$6:1000:/home/edge:/bin/bash:20089:99999:20100")]
    [TestCase("password-expired", "accounts", "edge:$6:1000:/home/edge:/bin/bash:20089:30:")]
    public void A_file_that_says_it_is_a_warning(string rule, string kind, string text) => Assert.That(Reference.With(kind, At, text).Rules(), Is.EqualTo(new[] { rule }));

    [TestCase("ssh-host-keys", "/etc/ssh/ssh_host_ed25519_key")]
    [TestCase("ssh-host-keys", "/etc/dropbear/dropbear_rsa_host_key")]
    [TestCase("random-seed", "/var/lib/systemd/random-seed")]
    [TestCase("dhcp-identity", "/var/lib/dhcp/dhclient.ens3.leases")]
    [TestCase("dhcp-identity", "/var/lib/NetworkManager/secret_key")]
    [TestCase("dhcp-identity", "/var/lib/NetworkManager/internal-0-eth0.lease")]
    [TestCase("nvme-host", "/etc/nvme/hostid")]
    [TestCase("credential-secret", "/var/lib/systemd/credential.secret")]
    [TestCase("node-identity", "/etc/rancher/node/password")]
    public void A_file_that_is_there_is_a_warning(string rule, string path)
    {
        var finding = Reference.WithFiles(path).Read().Warnings.Single();

        Assert.That(finding.Rule, Is.EqualTo(rule));
        Assert.That(finding.Where, Is.EqualTo($"{path} on partition 3"));
        Assert.That(finding.Remedy, Is.Not.Empty);
    }

    [TestCase("/etc/ssh/ssh_host_ed25519_key.pub")]
    [TestCase("/var/lib/NetworkManager/timestamps")]
    [TestCase("/etc/ssh/sshd_config")]
    public void A_file_that_tells_nobody_apart_is_none(string path) => Assert.That(Reference.WithFiles(path).Rules(), Is.Empty);

    [Test]
    public void What_can_be_tidied_names_the_step()
    {
        var warnings = Reference.With("machine-id", At, "0123456789abcdef0123456789abcdef").WithFiles("/etc/ssh/ssh_host_rsa_key", "/var/lib/systemd/random-seed").Read().Warnings;

        Assert.That(warnings.Select(warning => warning.Remedy), Is.EqualTo(new[] { "tidy: [machine-id]", "tidy: [ssh-host-keys]", "tidy: [random-seed]" }));
        Assert.That(warnings.First().ToWarning(), Is.EqualTo(
            "All clones would have the same machine-id, by which DHCP servers and logs know a machine (/etc/machine-id on partition 3). To mend it: tidy: [machine-id]"));
    }

    [Test]
    public void Nobody_can_log_in_where_neither_an_account_nor_a_seed_lets_anybody() => Assert.That(Reference.Without("seed").Rules(), Is.EqualTo(new[] { "no-login" }));

    [Test]
    public void Whoever_can_log_in_already_needs_no_seed() =>
        Assert.That(Reference.Without("seed").With("accounts", At, "edge:none:1000:/home/edge:/bin/bash:::").With("keys", At, "edge:1").Rules(), Is.Empty);

    [Test]
    public void A_system_that_is_configured_at_each_boot_may_have_no_account() =>
        Assert.That(Reference.Without("seed").With("volume", "5", "SIZE=1\nNUMBER=4\nID_FS_TYPE=ext4\nID_FS_LABEL_ENC=COS_OEM\n").With("space", "5", "1024 10 5 5").Rules(), Is.Empty);

    [Test]
    public void A_password_that_has_to_be_changed_is_worth_a_note() =>
        Assert.That(Reference.With("accounts", At, "edge:$6:1000:/home/edge:/bin/bash:0:99999:").Rules("note"), Does.Contain("password-change"));

    [TestCase("host9", true)]
    [TestCase("localhost", false)]
    [TestCase("debian", false)]
    public void A_name_that_all_clones_have_is_worth_a_note(string name, bool told) =>
        Assert.That(Reference.Without("seed").With("hostname", At, name + "\n").Rules("note").Contains("hostname"), Is.EqualTo(told));

    [Test]
    public void A_loader_that_only_this_machines_firmware_knows_does_not_boot_elsewhere() =>
        Assert.That(Reference.Without("sector").With("files", "3", "/run/crust/mount/EFI/debian/grubx64.efi\0").Rules(), Is.EqualTo(new[] { "no-fallback" }));

    [TestCase("/run/crust/mount/efi/boot/bootx64.efi\0")]
    [TestCase("/run/crust/mount/EFI/BOOT/BOOTAA64.EFI\0")]
    public void A_loader_on_the_removable_path_is_found_anywhere(string files) => Assert.That(Reference.Without("sector").With("files", "3", files).Rules(), Is.Empty);

    [Test]
    public void A_disk_without_a_boot_loader_and_a_system_without_a_kernel_are_told() =>
        Assert.That(Reference.Without("sector").Without("files").Rules(), Is.EquivalentTo(new[] { "no-boot-loader", "no-kernel" }));

    [Test]
    public void A_boot_partition_that_is_empty_holds_no_GRUB() => Assert.That(Reference.With("core", "2", new byte[512]).Rules(), Is.EqualTo(new[] { "no-grub-core" }));

    [Test]
    public void What_was_not_read_may_hold_what_seems_to_be_missing()
    {
        var disk = Reference.Without("sector").Without("files").With("volume", "5", "SIZE=1\nNUMBER=4\nID_FS_TYPE=crypto_LUKS\n");

        Assert.That(disk.Rules(), Is.Empty);
        Assert.That(disk.Rules("note"), Is.EqualTo(new[] { "unread" }));
    }
}
