using Crust.Machines;
using Crust.Tests.Spec;
using Crust.Verification;

namespace Crust.Tests.Verification;

/// <summary>What guests and firmware say, in their own words: the transcripts are of real machines.</summary>
public sealed class BootSignsTests
{
    private const string OnlyAsk = "\nBusyBox v1.35.0 (Debian 1:1.35.0-4+b3) built-in shell (ash)\nEnter 'help' for a list of built-in commands.\n\n(initramfs) ";

    private const string Emergency = """
        [FAILED] Failed to mount data.mount - /data.
        [DEPEND] Dependency failed for local-fs.target - Local File Systems.
        You are in emergency mode. After logging in, type "journalctl -xb" to view
        system logs, "systemctl reboot" to reboot, "systemctl default" or "exit"
        to boot into default mode.

        """;

    [TestCase("\nDebian GNU/Linux 12 edge ttyS0\n\nedge login: ", "edge login:")]
    [TestCase("edge login: [   35.123456] cloud-init[417]: Cloud-init v. 22.4.2 running 'modules:config'\n", "edge login: [   35.123456] cloud-init[417]: Cloud-init v. 22.4.2 running 'modules:config'")]
    [TestCase("\nThis is flatcar (unknown_oem)\nlocalhost login: core (automatic login)\n\n", "localhost login: core (automatic login)")]
    [TestCase("FreeBSD/amd64 (edge) (ttyu0)\n\nlogin: ", "login:")]
    [TestCase("MikroTik 7.1\nMikroTik Login: ", "MikroTik Login:")]
    public void A_prompt_of_getty_is_a_login_prompt(string text, string line) => Assert.That(BootSigns.UpIn(text), Is.EqualTo(new UpSign(UpSign.LoginPrompt, line)));

    [TestCase("Last login: ")]
    [TestCase("Last login: Sat Nov 28 10:00:00 UTC 2026 on ttyS0\n")]
    [TestCase("edge login")]
    [TestCase("Enter a name for the login: ")]
    [TestCase("[   12.3] systemd-logind[1]: New seat, login: seat0\n")]
    [TestCase("error: no login: /etc/passwd\n")]
    [TestCase("Cloud-init v. 22.4.2 running 'modules:final' at Sat, 28 Nov 2026 07:01:20 +0000. Up 35.84 seconds.\n")]
    public void What_only_speaks_of_one_is_none(string text) => Assert.That(BootSigns.UpIn(text), Is.Null);

    [Test]
    public void Cloud_init_says_that_it_is_done_behind_whatever_stands_before_it_on_the_line() => Assert.That(
        BootSigns.UpIn("[   52.310022] cloud-init[512]: Cloud-init v. 22.4.2 finished at Sat, 28 Nov 2026 07:01:37 +0000. Datasource DataSourceNoCloud [seed=/dev/vdb].  Up 52.30 seconds\n")!.Text,
        Does.StartWith("Cloud-init v. 22.4.2 finished at Sat, 28 Nov 2026 07:01:37 +0000. Datasource"));

    [TestCase("ovmf-shell.log", "ended in the UEFI shell: its firmware found nothing that it can boot")]
    [TestCase("ovmf-no-bootable-option.log", "found nothing that its firmware can boot")]
    [TestCase("grub-prompt.log", "stopped at GRUB's prompt: it found no configuration")]
    [TestCase("initramfs-shell.log", "stopped in its initramfs' emergency shell: it didn't find or mount its root file system")]
    [TestCase("emergency-mode.log", "came up in emergency mode")]
    public void Firmware_and_boot_loaders_that_wait_for_somebody_are_known_by_their_serial_port(string transcript, string sentence) =>
        Assert.That(BootSigns.DownIn(Read(transcript), "")?.Sentence, Is.EqualTo(sentence));

    [TestCase("SeaBIOS (version 1.16.2-debian-1.16.2-1)\n\nBooting from Hard Disk...\nBoot failed: not a bootable disk\n\nBooting from Floppy...\nBoot failed: could not read the boot disk\n\nNo bootable device.\n\n\n", "found nothing that its firmware can boot")]
    [TestCase("SeaBIOS (version 1.16.2-debian-1.16.2-1)\nBooting from Hard Disk...\nGRUB loading.\nWelcome to GRUB!\n\nerror: no such partition.\ngrub rescue>\n\n\n", "stopped at GRUB's rescue prompt: it found neither its modules nor its configuration")]
    [TestCase("Booting from Hard Disk...\nMissing operating system.\n", "found nothing that its firmware can boot")]
    [TestCase("[    1.0] VFS: Unable to mount root fs\n[    1.1] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---\n", "ended in a kernel panic, which its screen shows")]
    public void So_they_are_by_a_screen_in_text_mode(string screen, string sentence) => Assert.That(BootSigns.DownIn("stub: anything\n", screen)?.Sentence, Is.EqualTo(sentence));

    [TestCase("ALERT!  LABEL=root does not exist.  Dropping to a shell!\n" + OnlyAsk, "stopped in its initramfs' emergency shell")]
    [TestCase(OnlyAsk + "[   60.1] random: crng init done\n", "stopped in its initramfs' emergency shell")]
    [TestCase("Generating \"/run/initramfs/rdsosreport.txt\"\n\nEntering emergency mode. Exit the shell to continue.\nType \"journalctl\" to view system logs.\n\n:/# ", "stopped in dracut's emergency shell")]
    [TestCase("Warning: /dev/disk/by-label/COS_ACTIVE does not exist\n\nGenerating \"/run/initramfs/rdsosreport.txt\"\n\nEntering emergency mode. Exit the shell to continue.\n\ndracut:/# ", "stopped in dracut's emergency shell")]
    [TestCase("initramfs emergency recovery shell launched. Type 'exit' to continue boot\nsh: can't access tty; job control turned off\n~ # ", "stopped in its initramfs' emergency shell")]
    [TestCase(Emergency + "Give root password for maintenance\n(or press Control-D to continue): ", "came up in emergency mode")]
    [TestCase(Emergency + "Press Enter for maintenance\n(or press Control-D to continue): ", "came up in emergency mode")]
    [TestCase(Emergency + "\nCannot open access to console, the root account is locked.\nSee sulogin(8) man page for more details.\n\nPress Enter to continue.\n", "came up in emergency mode")]
    [TestCase(Emergency + "root@edge:~# ", "came up in emergency mode")]
    [TestCase("SYSLINUX 6.04 EDD Copyright (C) 1994-2015 H. Peter Anvin et al\nboot: ", "stopped at its boot loader's prompt")]
    public void Shells_that_a_boot_ends_in_are_known_by_what_stands_before_their_prompt(string serial, string beginning) => Assert.That(BootSigns.DownIn(serial, "")?.Sentence, Does.StartWith(beginning));

    [TestCase("grub> \nerror: no server is specified.\n", "")]
    [TestCase("grub> configfile /boot/grub/grub.cfg\n[    0.0] Linux version 6.1.0\nWelcome to Debian GNU/Linux 12 (bookworm)!\n", "")]
    [TestCase("BdsDxe: failed to load Boot0001 \"UEFI Misc Device\" from PciRoot(0x0)/Pci(0x2,0x0): Not Found\nBdsDxe: loading Boot0002 \"EFI Internal Shell\" from Fv(7CB8BDC9)\n", "")]
    [TestCase("Press ESC in 1 seconds to skip startup.nsh or any other key to continue.\n", "")]
    [TestCase("Boot failed: not a bootable disk\n\nBooting from DVD/CD...\n", "")]
    [TestCase("BdsDxe: Press any key to enter the Boot Manager Menu.\n", "")]
    [TestCase("edge login: root (automatic login)\nLast login: Sat Nov 28\nroot@edge:~# ", "")]
    [TestCase("/ # ", "")]
    [TestCase(Emergency + "[  OK  ] Reached target multi-user.target - Multi-User System.\n\nDebian GNU/Linux 12 edge ttyS0\n\nedge login: ", "")]
    [TestCase("a log of 1987: Kernel panic - not syncing\nKernel panic is what we all fear\n", "we document Kernel panic - not syncing\n")]
    [TestCase("", "")]
    public void What_a_boot_passes_by_or_only_speaks_of_is_no_failure(string serial, string screen) => Assert.That(BootSigns.DownIn(serial, screen), Is.Null);

    [Test]
    public void A_transcript_cut_off_anywhere_before_its_prompt_is_no_failure([Values("ovmf-shell.log", "ovmf-no-bootable-option.log", "grub-prompt.log", "initramfs-shell.log")] string transcript)
    {
        var whole = Read(transcript).TrimEnd();
        var prompt = whole.LastIndexOf('\n') + 1;

        var early = Enumerable.Range(0, prompt).Where(length => BootSigns.DownIn(whole[..length], "") is not null).ToList();

        // Of two lines that say the same, the first is enough.
        Assert.That(early, transcript == "ovmf-no-bootable-option.log" ? Is.All.GreaterThan(whole.IndexOf("BdsDxe: No bootable option", StringComparison.Ordinal)) : Is.Empty);
    }

    [Test]
    public void A_sign_has_to_stay_for_as_many_looks_as_it_says_and_a_look_without_it_begins_anew()
    {
        var patience = new BootPatience();
        var sign = new DownSign("stopped at GRUB's prompt", "look", 3);

        bool[] believed = [.. new[] { sign, sign, null, sign, sign, sign }.Select(seen => patience.Look(seen, 0) is not null)];

        Assert.That(believed, Is.EqualTo(new[] { false, false, false, false, false, true }));
    }

    [Test]
    public void Two_signs_that_take_turns_are_not_one_that_stays()
    {
        var patience = new BootPatience();
        DownSign[] signs = [new("one", "look", 2), new("other", "look", 2)];

        Assert.That(Enumerable.Range(0, 10).Select(look => patience.Look(signs[look % 2], 0)), Is.All.Null);
    }

    [Test]
    public void A_machine_that_resets_over_and_over_has_failed_and_one_that_resets_on_its_first_boot_has_not()
    {
        Assert.That(Enumerable.Range(0, 5).Select(resets => new BootPatience().Look(null, resets)), Is.All.Null);
        Assert.That(new BootPatience().Look(null, 5)!.Sentence, Is.EqualTo("reset 5 times over and never came up"));
    }

    // As the serial port's bytes come, in pieces of any size.
    private static string Read(string transcript)
    {
        var text = new SerialText();
        foreach (var piece in File.ReadAllBytes(RepositoryFile.PathOf($"tests/Crust.Tests/Verification/Transcripts/{transcript}")).Chunk(37))
            text.Append(piece);
        return text.Tail;
    }
}
