using Crust.Spec;
using Crust.Tests.Seeds;

namespace Crust.Tests;

public sealed class BuildKeyTests
{
    private static readonly Crust.Seeds.Seed Seed = SeedSample.Compose(SeedSample.Full);

    private static readonly MachineSpec Machine = new();

    private static readonly string Key = BuildKey.Of(InstallerSample.Iso, Seed, Machine, trim: true);

    private static IEnumerable<TestCaseData> MachinesThatInstallSomethingElse =>
    [
        new(Machine with { Arch = Arch.Arm64 }) { TestName = "Another_machine_has_another_key(arch)" },
        new(Machine with { Firmware = Firmware.Uefi }) { TestName = "Another_machine_has_another_key(firmware)" },
        new(Machine with { Cpus = 3 }) { TestName = "Another_machine_has_another_key(cpus)" },
        new(Machine with { Memory = 5L << 30 }) { TestName = "Another_machine_has_another_key(memory)" },
        new(Machine with { Disk = 99L << 30 }) { TestName = "Another_machine_has_another_key(disk)" },
        new(Machine with { OnReboot = OnReboot.Continue }) { TestName = "Another_machine_has_another_key(onReboot)" },
    ];

    [Test]
    public void A_key_is_a_SHA256_and_the_same_each_time()
    {
        Assert.That(Key, Does.Match("^[0-9a-f]{64}$"));
        Assert.That(BuildKey.Of(InstallerSample.Iso with { }, SeedSample.Compose(SeedSample.Full, instance: Guid.NewGuid()), Machine with { }, trim: true), Is.EqualTo(Key));
    }

    [TestCaseSource(nameof(MachinesThatInstallSomethingElse))]
    public void Another_machine_has_another_key(MachineSpec other) => Assert.That(BuildKey.Of(InstallerSample.Iso, Seed, other, trim: true), Is.Not.EqualTo(Key));

    [Test]
    public void Another_installer_has_another_key() =>
        Assert.That(BuildKey.Of(InstallerSample.Iso with { Sha256 = new('e', 64) }, Seed, Machine, trim: true), Is.Not.EqualTo(Key));

    [Test]
    public void Another_seed_has_another_key() =>
        Assert.That(BuildKey.Of(InstallerSample.Iso, SeedSample.Compose(SeedSample.Full with { Ssh = new SshSpec() }), Machine, trim: true), Is.Not.EqualTo(Key));

    [Test]
    public void What_only_decides_how_fast_an_install_is_has_the_same_key() =>
        Assert.That(BuildKey.Of(InstallerSample.Iso, Seed, Machine with { Accelerator = Accelerator.Tcg, Deadline = TimeSpan.FromSeconds(1) }, trim: true), Is.EqualTo(Key));

    [Test]
    public void The_same_installer_from_elsewhere_has_the_same_key() =>
        Assert.That(BuildKey.Of(InstallerSample.Iso with { Path = "/elsewhere.iso", Source = "elsewhere.iso", BaseName = "elsewhere" }, Seed, Machine, trim: true), Is.EqualTo(Key));
}
