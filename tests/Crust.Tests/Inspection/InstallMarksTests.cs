using Crust.Inspection;
using Crust.Spec;

namespace Crust.Tests.Inspection;

public sealed class InstallMarksTests
{
    private static readonly EvidenceSample Kairos = EvidenceSample.None
        .With("volume", "1", "SIZE=1000\nID_PART_TABLE_TYPE=gpt\n")
        .With("volume", "2", "SIZE=10\nNUMBER=1\nID_FS_TYPE=ext4\nID_FS_LABEL_ENC=COS_OEM\nID_PART_ENTRY_NAME=oem\n").With("space", "2", "1024 10 5 5")
        .With("volume", "3", "SIZE=10\nNUMBER=2\nID_FS_TYPE=ext4\nID_FS_LABEL_ENC=COS_STATE\nID_PART_ENTRY_NAME=state\n").With("space", "3", "1024 10 5 5")
        .With("volume", "4", "SIZE=10\nNUMBER=3\nID_FS_TYPE=ext4\nID_FS_LABEL_ENC=COS_PERSISTENT\nID_PART_ENTRY_NAME=persistent\n").With("space", "4", "1024 10 5 5");

    [TestCase(SeedProfile.Kairos)]
    [TestCase(SeedProfile.Stylus)]
    [TestCase(SeedProfile.Elemental)]
    public void Kairos_and_its_kin_leave_three_file_systems(SeedProfile profile)
    {
        Assert.That(InstallMarks.Missing(Kairos.Read(), profile), Is.Empty);
        Assert.That(InstallMarks.Missing(Kairos.Without("volume", "3").Read(), profile), Is.EqualTo(new[] { "a file system labelled COS_STATE" }));
    }

    [Test]
    public void An_encrypted_partition_has_its_name_alone() =>
        Assert.That(InstallMarks.Missing(Kairos.With("volume", "4", "SIZE=10\nNUMBER=3\nID_FS_TYPE=crypto_LUKS\nID_PART_ENTRY_NAME=persistent\n").Read(), SeedProfile.Kairos), Is.Empty);

    [Test]
    public void Under_Trusted_Boot_the_system_is_a_UEFI_program() =>
        Assert.That(InstallMarks.Missing(Kairos.With("volume", "3", "SIZE=10\nNUMBER=2\nID_FS_TYPE=vfat\nID_FS_LABEL_ENC=COS_GRUB\n").With("files", "3", "/run/crust/mount/EFI/kairos/active.efi\0").Read(), SeedProfile.Kairos), Is.Empty);

    [Test]
    public void Debian_leaves_a_kernel_and_a_boot_loader()
    {
        Assert.That(InstallMarks.Missing(EvidenceSample.Reference.Read(), SeedProfile.Debian), Is.Empty);
        Assert.That(InstallMarks.Missing(EvidenceSample.Reference.Without("files").Without("sector").Read(), SeedProfile.Debian), Is.EqualTo(new[] { "a kernel", "a boot loader" }));
    }

    [Test]
    public void A_kernel_may_be_on_a_file_system_of_its_own() =>
        Assert.That(InstallMarks.Missing(EvidenceSample.Reference.With("files", EvidenceSample.System, "").With("files", "3", "/run/crust/mount/vmlinuz-6.1\0").Read(), SeedProfile.Debian), Is.Empty);

    [Test]
    public void An_installer_that_left_none_of_it_has_failed_and_the_error_says_what_is_there()
    {
        var error = Assert.Throws<CrustException>(() => InstallMarks.Check(EvidenceSample.Reference.Read(), SeedProfile.Stylus, "/disk.raw"))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.GuestFailed));
        Assert.That(error.What, Is.EqualTo("The installer powered off without having installed stylus: the disk lacks a file system labelled COS_STATE, a file system labelled COS_OEM, a file system labelled COS_PERSISTENT"));
        Assert.That(error.Detail, Does.StartWith("the disk holds Debian GNU/Linux 12 (bookworm):\npartition 1 (bios): nothing known, 1.0 MiB\npartition 2 (efi): vfat 'EFI', 128.0 MiB\n"));
    }

    [Test]
    public void What_cannot_be_read_may_hold_what_is_missing() =>
        Assert.That(InstallMarks.Check(EvidenceSample.Reference.Without("files").With("volume", "5", "SIZE=1\nNUMBER=4\nID_FS_TYPE=crypto_LUKS\n").Read(), SeedProfile.Debian, "/disk.raw"),
            Is.EqualTo("The disk seems to lack a kernel, but not all of it could be read"));

    [Test]
    public void An_installer_that_nobody_knows_never_fails_for_what_it_leaves()
    {
        var bsd = EvidenceSample.None.With("volume", "1", "SIZE=1000\nID_PART_TABLE_TYPE=gpt\n").With("volume", "2", "SIZE=10\nNUMBER=1\nID_FS_TYPE=ufs\n").Read();
        var stub = EvidenceSample.None.With("volume", "1", "SIZE=1000\nID_PART_TABLE_TYPE=dos\n").With("volume", "2", "SIZE=10\nNUMBER=1\n").Read();

        Assert.That(InstallMarks.Check(bsd, null, "/disk.raw"), Is.Null);
        Assert.That(InstallMarks.Check(stub, null, "/disk.raw"), Does.StartWith("No operating system was found"));
        Assert.That(InstallMarks.Check(EvidenceSample.Reference.Read(), null, "/disk.raw"), Is.Null);
    }
}
