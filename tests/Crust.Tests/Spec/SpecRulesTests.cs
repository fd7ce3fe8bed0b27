using Crust.Spec;

namespace Crust.Tests.Spec;

/// <summary>Keys that contradict each other.</summary>
public sealed class SpecRulesTests
{
    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase("machine: { arch: arm64 }\n", Firmware.Uefi)]
    [TestCase("machine: { arch: arm64, firmware: uefi-secure }\n", Firmware.UefiSecure)]
    [TestCase("machine: { arch: amd64 }\n", Firmware.Bios)]
    public void Arm64_starts_with_UEFI_unless_more_is_said(string yaml, Firmware firmware) =>
        Assert.That(_sample.Read(yaml).Machine.Firmware, Is.EqualTo(firmware));

    [Test]
    public void BIOS_on_arm64() => Fails("machine:\n  arch: arm64\n  firmware: bios\n",
        "An arm64 machine has no BIOS", "crust.yaml:3:13, machine.firmware", "set machine.firmware to uefi or uefi-secure, or leave it out");

    [Test]
    public void SATA_on_arm64() => Fails("machine:\n  arch: arm64\n  diskBus: sata\n",
        "An arm64 machine has no SATA", "crust.yaml:3:12, machine.diskBus", "set machine.diskBus to virtio, scsi or nvme");

    [Test]
    public void More_disks_than_SATA_has_ports() => Fails("machine:\n  diskBus: sata\n  extraDisks: [1G, 1G, 1G, 1G]\n",
        "There are 4 extra disks, and SATA has ports for 3", "crust.yaml:3:15, machine.extraDisks", "take fewer, or set machine.diskBus to virtio, scsi or nvme");

    [Test]
    public void More_extra_disks_than_a_machine_takes() => Fails("machine:\n  extraDisks: [1G, 1G, 1G, 1G, 1G, 1G, 1G, 1G, 1G]\n",
        "There are 9 values, and at most 8 may be", "crust.yaml:2:15, machine.extraDisks", "leave 8 of them");

    [Test]
    public void An_extra_disk_of_no_size() => Fails("machine:\n  extraDisks: [1G, big]\n",
        "'big' isn't a size", "crust.yaml:2:20, machine.extraDisks[1]", "write a whole number with K, M, G or T (powers of 1024), such as 100G, 4096M or 20GiB, or plain bytes");

    [Test]
    public void SSH_without_a_network() => Fails("machine: { network: none }\nverify: { ssh: true }\n",
        "An SSH server can't be reached in a machine without a network", "crust.yaml:2:16, verify.ssh",
        "wait for a text on the serial port (verify.expect), or set machine.network to internet");

    [TestCase("internet", MachineNetwork.Internet)]
    [TestCase("user", MachineNetwork.Internet)]
    [TestCase("host", MachineNetwork.Host)]
    [TestCase("none", MachineNetwork.None)]
    public void A_network_and_what_it_was_called_before(string name, MachineNetwork network) => Assert.That(_sample.Read($"machine: {{ network: {name} }}\n").Machine.Network, Is.EqualTo(network));

    [Test]
    public void A_guest_reaches_the_internet_and_private_networks_only_if_the_spec_allows_them() => Assert.That(
        (_sample.Read("name: x\n").Machine.Network, string.Join(' ', _sample.Read("machine: { networkAllow: [10.1.2.3/16, 192.168.7.20, 'fd00:1::/64'] }\n").Machine.NetworkAllow)),
        Is.EqualTo((MachineNetwork.Internet, "10.1.0.0/16 192.168.7.20/32 fd00:1::/64")));

    [TestCase("registry.local", "is neither an IP address nor a network in CIDR notation")]
    [TestCase("10.1", "is neither an IP address nor a network in CIDR notation")]
    [TestCase("10.1.0.0/33", "is neither an IP address nor a network in CIDR notation")]
    [TestCase("10.1.0.0/16/2", "is neither an IP address nor a network in CIDR notation")]
    [TestCase("127.0.0.1", "is never reached: it is this host itself, or linked to it alone")]
    [TestCase("169.254.169.254", "is never reached: it is this host itself, or linked to it alone")]
    public void A_network_that_can_not_be_allowed(string value, string what) => Assert.That(_sample.Fail($"machine: {{ networkAllow: ['{value}'] }}\n").What, Is.EqualTo($"'{value}' {what}"));

    [Test]
    public void More_networks_for_a_guest_without_one() => Fails("machine:\n  network: none\n  networkAllow: [10.0.0.0/8]\n",
        "machine.networkAllow adds to what a guest of machine.network: internet reaches, and that is none", "crust.yaml:3:17, machine.networkAllow", "leave out one of the two");


    [TestCase("initrd", 13)]
    [TestCase("append", 13)]
    public void What_is_for_a_kernel_without_a_kernel(string key, int column) => Fails($"installer:\n  boot:\n    {key}: x\n",
        $"There is an installer.boot.{key}, and no kernel that it is for", $"crust.yaml:3:{column}, installer.boot.{key}", "set installer.boot.kernel to the kernel's path in the ISO");

    [Test]
    public void A_kernel_that_would_start_again_after_each_reboot() => Fails("installer: { boot: { kernel: /vmlinuz } }\nmachine: { onReboot: continue }\n",
        "A machine that starts with installer.boot.kernel would start with it after each reboot, and install for ever", "crust.yaml:2:22, machine.onReboot",
        "set machine.onReboot to finish if the reboot is the installer's end; else leave out installer.boot.kernel and type at the ISO's own boot menu (installer.boot.keys)");

    private void Fails(string yaml, string what, string where, string remedy) => ErrorAssert.Says(_sample.Fail(yaml), FailureKind.BadInput, what, where, remedy);
}
