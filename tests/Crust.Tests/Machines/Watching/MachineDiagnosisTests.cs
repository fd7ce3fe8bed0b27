using Crust.Machines.Watching;

namespace Crust.Tests.Machines.Watching;

public sealed class MachineDiagnosisTests
{
    [TestCase("Booting from Hard Disk...\nBoot failed: not a bootable disk\n\nNo bootable device.\n", "its firmware found nothing that it can boot")]
    [TestCase("UEFI Interactive Shell v2.2\nEDK II\nShell> ", "it is in the UEFI shell")]
    [TestCase("BdsDxe: failed to load Boot0001 \"UEFI QEMU DVD-ROM\": Access Denied", "its firmware refused a boot loader")]
    [TestCase(">>Start PXE over IPv4.", "its firmware tries to boot over the network")]
    [TestCase("error: no such partition.\ngrub rescue> ", "its boot loader failed")]
    [TestCase("                 GNU GRUB  version 2.06\n  *Install\n", "it waits at a boot menu")]
    [TestCase("ISOLINUX 6.04\nboot: ", "it waits at a boot menu")]
    [TestCase("[    3.2] Kernel panic - not syncing: VFS: Unable to mount root fs", "a kernel panic is on its screen")]
    [TestCase("You are in emergency mode. After logging in, type \"journalctl -xb\"\n", "its system came up in an emergency shell")]
    [TestCase("ALERT!  /dev/sda1 does not exist.  Dropping to a shell!\n(initramfs) ", "its system came up in an emergency shell")]
    [TestCase("[ ***  ] A start job is running for Wait for Network to be Configured (1min 12s / no limit)", "it waits for the network")]
    [TestCase("curl: (6) Could not resolve host: deb.example.org", "it waits for the network")]
    [TestCase("Debian GNU/Linux 12 live ttyS0\n\nlive login: ", "it waits at a login prompt: a live system came up, and no installer ran")]
    [TestCase("Erase all data on /dev/vda? (yes/no) ", "it waits for an answer on the serial port: “Erase all data on /dev/vda? (yes/no)”")]
    [TestCase("Press ENTER to continue", "it waits for an answer on the serial port")]
    public void What_a_guest_waits_for_is_recognised_from_its_serial_port(string serial, string sentence) =>
        Assert.That(MachineDiagnosis.Of(serial, "", installs: true)?.Sentence, Does.StartWith(sentence));

    [Test]
    public void The_screen_tells_as_well() =>
        Assert.That(MachineDiagnosis.Of("", "SeaBIOS (version 1.16.2)\n\nNo bootable device.\n", installs: true)?.Sentence, Does.StartWith("its firmware found nothing"));

    [TestCase("")]
    [TestCase("[   12.345678] systemd[1]: Started something")]
    [TestCase("[    1.000000] usb 1-1: new device, quirks:")]
    public void What_is_not_recognised_is_not_guessed(string serial) =>
        Assert.That(MachineDiagnosis.Of(serial, "", installs: true), Is.Null);

    [Test]
    public void What_was_on_the_serial_port_long_ago_does_not_count() =>
        Assert.That(MachineDiagnosis.Of("GNU GRUB  version 2.06\n" + string.Concat(Enumerable.Repeat("[ 1.0] a line of the kernel\n", 30)), "", installs: true), Is.Null);

    [Test]
    public void An_installed_system_at_its_login_prompt_is_no_live_system() =>
        Assert.That(MachineDiagnosis.Of("edge login: ", "", installs: false)?.Sentence, Is.EqualTo("it waits at a login prompt"));
}
