using Crust.Layers;
using Crust.Planning;
using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Seeds;

namespace Crust.Tests.Planning;

public sealed class BuildKeyTests
{
    private static readonly SeedKey Seed = SeedSample.KeyOf(SeedSample.Full);

    private static readonly BuildSpec Spec = new();

    private static readonly string Key = Of(Seed, Spec);

    private static IEnumerable<TestCaseData> MachinesThatInstallSomethingElse =>
    [
        new(Spec with { Machine = Spec.Machine with { Arch = Arch.Arm64 } }) { TestName = "Another_machine_has_another_key(arch)" },
        new(Spec with { Machine = Spec.Machine with { Firmware = Firmware.Uefi } }) { TestName = "Another_machine_has_another_key(firmware)" },
        new(Spec with { Machine = Spec.Machine with { DiskBus = DiskBus.Scsi } }) { TestName = "Another_machine_has_another_key(diskBus)" },
        new(Spec with { Machine = Spec.Machine with { ExtraDisks = [1L << 30] } }) { TestName = "Another_machine_has_another_key(extraDisks)" },
        new(Spec with { Machine = Spec.Machine with { Tpm = true } }) { TestName = "Another_machine_has_another_key(tpm)" },
        new(Spec with { Machine = Spec.Machine with { Network = MachineNetwork.None } }) { TestName = "Another_machine_has_another_key(network)" },
        new(Spec with { Machine = Spec.Machine with { Network = MachineNetwork.Host } }) { TestName = "Another_machine_has_another_key(host)" },
        new(Spec with { Machine = Spec.Machine with { NetworkAllow = [System.Net.IPNetwork.Parse("10.0.0.0/8")] } }) { TestName = "Another_machine_has_another_key(networkAllow)" },
        new(Spec with { Machine = Spec.Machine with { Cpus = 3 } }) { TestName = "Another_machine_has_another_key(cpus)" },
        new(Spec with { Machine = Spec.Machine with { Memory = 5L << 30 } }) { TestName = "Another_machine_has_another_key(memory)" },
        new(Spec with { Machine = Spec.Machine with { Disk = 99L << 30 } }) { TestName = "Another_machine_has_another_key(disk)" },
        new(Spec with { Machine = Spec.Machine with { OnReboot = OnReboot.Continue } }) { TestName = "Another_machine_has_another_key(onReboot)" },
    ];

    [Test]
    public void A_key_is_a_SHA256_and_the_same_each_time()
    {
        Assert.That(Key, Does.Match("^[0-9a-f]{64}$"));
        Assert.That(Of(SeedSample.KeyOf(SeedSample.Full), Spec with { }), Is.EqualTo(Key));
    }

    [TestCaseSource(nameof(MachinesThatInstallSomethingElse))]
    public void Another_machine_has_another_key(object other) => Assert.That(Of(Seed, (BuildSpec)other), Is.Not.EqualTo(Key));

    [Test]
    public void What_is_typed_and_what_is_discarded_are_part_of_the_key() => Assert.That(
        new[]
        {
            Key,
            Of(Seed, Spec with { Trim = false }),
            Of(Seed, Spec with { Installer = new InstallerSpec { BootKeys = ["<enter>"] } }),
            Of(Seed, Spec with { Installer = new InstallerSpec { BootKernel = "/k" } }),
            Of(Seed, Spec with { Installer = new InstallerSpec { BootKernel = "/k", BootInitrd = "/i" } }),
            Of(Seed, Spec with { Installer = new InstallerSpec { BootKernel = "/k", BootAppend = "a" } }),
            Of(Seed, Spec with { Installer = new InstallerSpec { BootKeys = ["<enter>", "a"] } }),
        }, Is.Unique);

    [Test]
    public void A_base_s_key_is_of_its_digest_and_its_disk_and_of_nothing_that_only_an_installer_needs()
    {
        var plain = Spec with { Base = new BaseSpec { Image = "/edge.img" } };
        string KeyOf(BuildSpec spec, char digit = 'd') => BuildKey.ForBase(new string(digit, 64), spec, Layer.ReadAll(spec), () => null).Published;

        Assert.That(new[]
        {
            KeyOf(plain),
            KeyOf(plain, 'e'),
            KeyOf(plain with { Machine = plain.Machine with { Disk = 99L << 30 } }),
            KeyOf(plain with { Machine = plain.Machine with { Arch = Arch.Arm64 } }),
            KeyOf(plain with { Trim = false }),
            KeyOf(plain with { Base = new BaseSpec { Rootfs = "/root.tar" } }),
            KeyOf(plain with { Base = new BaseSpec { Oci = "/root.tar" } }),
            KeyOf(plain with { Tidy = [TidyStep.Logs] }),
        }, Is.Unique);
        Assert.That(new[]
        {
            KeyOf(plain with { Machine = plain.Machine with { Firmware = Firmware.Uefi, Cpus = 7, Memory = 9L << 30, DiskBus = DiskBus.Nvme, Network = MachineNetwork.None, Tpm = true } }),
            KeyOf(plain with { Base = new BaseSpec { Image = "https://example.org/other-name.img", Sha256 = "x" } }),
            KeyOf(plain with { Name = "other", Formats = ["vmdk"], Inspect = false }),
        }, Is.All.EqualTo(KeyOf(plain)));
    }

    [Test]
    public void Another_installer_has_another_key() =>
        Assert.That(Of(Seed, Spec, new('e', 64)), Is.Not.EqualTo(Key));

    [Test]
    public void Another_seed_has_another_key() =>
        Assert.That(Of(SeedSample.KeyOf(SeedSample.Full with { Ssh = new SshSpec() }), Spec), Is.Not.EqualTo(Key));

    [Test]
    public void What_only_decides_how_fast_an_install_is_has_the_same_key() =>
        Assert.That(Of(Seed, Spec with { Machine = Spec.Machine with { Accelerator = Accelerator.Tcg, Deadline = TimeSpan.FromSeconds(1) } }), Is.EqualTo(Key));

    private static string Of(SeedKey seed, BuildSpec spec, string? sha256 = null) => BuildKey.For(sha256 ?? InstallerSample.Iso.Sha256, isReference: false, seed, spec, Layer.ReadAll(spec), () => null).Published;
}
