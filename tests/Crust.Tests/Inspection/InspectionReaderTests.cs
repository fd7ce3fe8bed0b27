using Crust.Disks;
using Crust.Inspection.Evidence;
using Crust.Machines;
using FsCheck;
using FsCheck.Fluent;

namespace Crust.Tests.Inspection;

public sealed class InspectionReaderTests
{
    private static EvidenceSample Reference => EvidenceSample.Reference;

    [Test]
    public void Volumes_are_told_with_what_their_users_call_them()
    {
        var disk = Reference.Read();

        Assert.That((disk.Size, disk.Table), Is.EqualTo((3221225472, "gpt")));
        Assert.That(disk.Volumes, Has.Length.EqualTo(3), "a disk with partitions is no volume itself");
        Assert.That(disk.Volumes[1], Is.EqualTo(new VolumeFacts
        {
            Name = "partition 2",
            PartitionName = "efi",
            PartitionType = "EFI system",
            Size = 134217728,
            FileSystem = "vfat",
            Label = "EFI",
            Uuid = "16A0-D503",
            Used = (258077 - 246138) * 512,
            Free = 246138 * 512,
        }));
    }

    [Test]
    public void A_system_is_told_by_its_own_files()
    {
        var system = Reference.Read().Systems.Single();

        Assert.That((system.Name, system.Id, system.Version, system.Volume, system.Folder), Is.EqualTo(("Debian GNU/Linux 12 (bookworm)", "debian", "12", "partition 3", "/")));
        Assert.That((system.HostName, system.MachineId), Is.EqualTo(("debian", "empty")));
        Assert.That(system.Kernels, Is.EqualTo(new[] { "/boot/vmlinuz-6.1.0-56-amd64" }));
        Assert.That(system.Accounts, Is.Empty, "root is locked, daemon has no shell");
        Assert.That(system.FirstBootAccounts, Is.EqualTo(new[] { new AccountFacts("edge", "set", 1) }));
        Assert.That(system.Seed, Has.Length.EqualTo(2));
        Assert.That(system.Swap, Is.EqualTo(new[] { "/swapfile" }));
    }

    [TestCase(null, "absent")]
    [TestCase("", "empty")]
    [TestCase("\n", "empty")]
    [TestCase("uninitialized\n", "uninitialized")]
    [TestCase("0123456789abcdef0123456789abcdef\n", "set")]
    public void A_machine_id_is_told_by_what_the_next_boot_makes_of_it(string? text, string state) =>
        Assert.That((text is null ? Reference.Without("machine-id") : Reference.With("machine-id", EvidenceSample.System, text)).Read().Systems[0].MachineId, Is.EqualTo(state));

    [TestCase("edge:$6:1000:/home/edge:/bin/bash:20089:99999:", "sha512")]
    [TestCase("edge:$y:1000:/home/edge:/bin/bash:20089:99999:", "yescrypt")]
    [TestCase("edge:$new:1000:/home/edge:/bin/bash:20089:99999:", "other")]
    [TestCase("edge:empty:1000:/home/edge::20089:99999:", "empty", TestName = "No password and the default shell")]
    [TestCase("edge:des:1000:/home/edge:/bin/bash:::", "des")]
    [TestCase("edge:locked:1000:/home/edge:/bin/bash:20089:99999:", null, TestName = "Nobody logs in with a locked password")]
    [TestCase("edge:none:1000:/home/edge:/bin/bash:20089:99999:", null, TestName = "Nobody logs in without a password")]
    [TestCase("edge:$6:1000:/home/edge:/usr/sbin/nologin:20089:99999:", null, TestName = "Nobody logs in without a shell")]
    [TestCase("edge:$6", null, TestName = "A line that is cut off is no account")]
    public void Accounts_are_those_that_somebody_can_log_in_to(string line, string? password) =>
        Assert.That(Reference.With("accounts", EvidenceSample.System, line).Read().Systems[0].Accounts.Select(account => account.Password).SingleOrDefault(), Is.EqualTo(password));

    [Test]
    public void An_account_with_a_locked_password_is_open_to_its_keys()
    {
        var system = Reference.With("accounts", EvidenceSample.System, "edge:locked:1000:/home/edge:/bin/sh:20089:99999:").With("keys", EvidenceSample.System, "edge:2\nedge:1\nother:1\n").Read().Systems[0];

        Assert.That(system.Accounts.Single(), Is.EqualTo(new AccountFacts("edge", "locked", 3) { Shell = "/bin/sh" }));
    }

    [Test]
    public void The_days_of_passwords_and_accounts_are_counted_from_1970()
    {
        // 2025-01-01 is day 20089.
        var account = Reference.With("accounts", EvidenceSample.System, "edge:$6:1000:/home/edge:/bin/sh:20089:90:20100").Read().Systems[0].Accounts.Single();

        Assert.That((account.PasswordEnds, account.AccountEnds), Is.EqualTo((new DateOnly(2025, 4, 1), new DateOnly(2025, 1, 12))));
    }

    [Test]
    public void A_host_key_is_told_as_ssh_keygen_tells_it()
    {
        // ssh-keygen -l prints: 256 SHA256:l2TZx5C7KF/YQxVeDJ68tICrw2EsPLSk/Q5uIcwHi6A root@vm (ED25519)
        var system = Reference.With("host-keys", EvidenceSample.System, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJP+0EG/QTzTHB7PCTOEibNDfNe0RPvJEziM6I46g1nu root@vm\n\nssh-rsa not-base64 root\ngarbage\n").Read().Systems[0];

        Assert.That(system.SshHostKeys, Is.EqualTo(new[] { "ED25519 SHA256:l2TZx5C7KF/YQxVeDJ68tICrw2EsPLSk/Q5uIcwHi6A" }));
    }

    [Test]
    public void Logical_volumes_and_images_in_file_systems_have_names_of_their_own()
    {
        var disk = EvidenceSample.None
            .With("volume", "1", "SIZE=100\nID_PART_TABLE_TYPE=dos\n")
            .With("volume", "2", "SIZE=90\nNUMBER=2\nID_FS_TYPE=LVM2_member\nID_PART_ENTRY_TYPE=0x8e\n")
            .With("volume", "3", "SIZE=80\nNAME=edge--a-root\nID_FS_TYPE=xfs\n")
            .With("volume", "4", "SIZE=70\nIMAGE=cOS/active.img\nIN=3\nID_FS_TYPE=ext2\nID_FS_LABEL_ENC=COS_ACTIVE\n").Read();

        Assert.That(disk.Table, Is.EqualTo("mbr"));
        Assert.That(disk.Volumes.Select(volume => volume.Name), Is.EqualTo(new[] { "partition 2", "edge-a/root", "edge-a/root, cOS/active.img" }));
        Assert.That(disk.Volumes.Select(volume => volume.PartitionType), Is.EqualTo(new[] { "Linux LVM", null, null }));
    }

    [Test]
    public void A_disk_without_a_partition_table_is_one_volume()
    {
        var disk = EvidenceSample.None.With("volume", "1", "SIZE=100\nID_FS_TYPE=ext4\nID_FS_LABEL_ENC=a\\x20b\\xc3\\xa9\n").Read();

        Assert.That(disk.Table, Is.EqualTo("none"));
        Assert.That((disk.Volumes.Single().Name, disk.Volumes.Single().Label), Is.EqualTo(("disk", "a bé")));
    }

    [TestCase("crypto_LUKS", "it is encrypted (LUKS)")]
    [TestCase("ntfs", "ntfs isn't read here")]
    [TestCase("zfs_member", "ZFS isn't read here")]
    [TestCase("swap", null)]
    [TestCase("", null)]
    public void What_cannot_be_read_says_why(string fileSystem, string? why) =>
        Assert.That(EvidenceSample.None.With("volume", "1", $"SIZE=100\nNUMBER=1\nID_FS_TYPE={fileSystem}\n").Read().Volumes.Single().Unread, Is.EqualTo(why));

    [Test]
    public void What_cannot_be_mounted_says_why_in_the_kernels_words() =>
        Assert.That(EvidenceSample.None.With("volume", "1", "SIZE=100\nNUMBER=1\nID_FS_TYPE=ext4\n").With("trouble", "1", "mount: mounting /dev/vda1 on /x failed: Structure needs cleaning\n").Read().Volumes.Single().Unread,
            Is.EqualTo("it can't be mounted: mount: mounting /dev/vda1 on /x failed: Structure needs cleaning"));

    [Test]
    public void Text_of_a_hostile_disk_is_cut_and_tames_nothing()
    {
        var evil = "\e[2J\u202egnp.exe\0\r\n" + new string('x', 5000);
        var system = Reference.With("os-release", EvidenceSample.System, $"PRETTY_NAME=\"{evil}\"\nID={evil}\n").With("hostname", EvidenceSample.System, evil)
            .With("accounts", EvidenceSample.System, $"{evil}:$6:0:/:{evil}:::").Read().Systems[0];

        foreach (var text in new[] { system.Name, system.HostName }.Concat(system.Accounts.SelectMany(account => new[] { account.Name, account.Shell })))
        {
            Assert.That(text, Has.Length.LessThanOrEqualTo(201));
            Assert.That(text.Any(c => char.IsControl(c) || c == '\u202e'), Is.False, text);
        }
    }

    [Test]
    public void No_evidence_whatever_makes_the_reader_fail() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[][]>(),
        pieces =>
        {
            string[] kinds = ["sector", "volume", "core", "files", "space", "trouble", "system", "os-release", "machine-id", "hostname", "fstab", "accounts", "keys", "host-keys", "seed", "tidied"];
            var evidence = Reference.ToEvidence();
            for (var i = 0; i < pieces.Length; i++)
                evidence.Add(new GuestWord.Found(kinds[i % kinds.Length], i % 2 == 0 ? "9" : "9.1", pieces[i]));
            evidence.Tidied();
            return InspectionReader.Read(evidence, EvidenceSample.Today).Volumes.Length >= 3;
        }).QuickCheckThrowOnFailure();

    [Test]
    public void More_than_any_disk_has_is_not_remembered()
    {
        var evidence = new DiskEvidence();
        for (var i = 0; i < 10_000; i++)
            evidence.Add(new GuestWord.Found("files", "1", new byte[40_000]));

        Assert.That(evidence.Texts("files", "1").Count(), Is.LessThan(1000));
    }

    [Test]
    public void What_was_tidied_comes_in_fives()
    {
        var evidence = EvidenceSample.None.With("tidied", "4.1", "logs\0/var/log\03\02048\0\0ssh-host-keys\0/etc/ssh\00\00\0nothing makes new ones\0cut\0off").With("tidied-systems", "0", "1\n").ToEvidence();

        Assert.That(evidence.Tidied(), Is.EqualTo(new[] { new TidiedPart("logs", "/var/log", 3, 2048) }));
        Assert.That(evidence.NotTidied(), Is.EqualTo(new[] { (new TidiedPart("ssh-host-keys", "/etc/ssh", 0, 0), "nothing makes new ones") }));
        Assert.That(evidence.TidiedSystems, Is.EqualTo(1));
    }
}
