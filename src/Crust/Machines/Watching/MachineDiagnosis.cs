using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Crust.Machines.Watching;

/// <param name="Sentence">In words, as the end of a sentence about the machine.</param>
/// <param name="Remedy">What to do about it, as an imperative.</param>
internal sealed record MachineDiagnosis(string Sentence, string Remedy)
{
    // What a guest wrote long ago isn't what it waits at now.
    private const int LinesThatCount = 25;

    private static readonly ImmutableArray<Sign> Signs =
    [
        new(@"Kernel panic - not syncing", "a kernel panic is on its screen",
            "read the lines before the panic; more machine.memory or another machine.firmware often helps"),
        new(@"No bootable device|No bootable option or device was found|Operating System not found|No Boot Device",
            "its firmware found nothing that it can boot", "check that the ISO boots on machine.firmware as it is set, and that the installer is for machine.arch"),
        new(@"UEFI Interactive Shell|^Shell> *$", "it is in the UEFI shell: its firmware found nothing that it can boot",
            "check that the ISO boots under UEFI and is for machine.arch, or set machine.firmware to bios"),
        new(@"Access Denied|Security Violation|bad shim signature|Verification failed: \(0x1A\)", "its firmware refused a boot loader that isn't signed with a key that it trusts",
            "use an installer with a signed boot loader, or set machine.firmware to uefi"),
        new(@"Start PXE over|iPXE|PXE-[EM]\d", "its firmware tries to boot over the network: it found nothing else", "check that the ISO boots on machine.firmware as it is set"),
        new(@"grub rescue>|error: no such partition|error: file .* not found", "its boot loader failed", "read its last lines; the installer may want another machine.firmware or machine.diskBus"),
        new(@"GNU GRUB +version|^ *ISOLINUX|SYSLINUX|^boot: *$|Press \[Tab\] to edit options|Automatic boot in|systemd-boot|Press F\d+", "it waits at a boot menu",
            "type at the menu with installer.boot.keys, or give the menu a time-out in the ISO"),
        new(@"\(initramfs\) *$|emergency mode|Give root password for maintenance|dracut:/#|rescue mode|Entering rescue|:/root# *$", "its system came up in an emergency shell",
            "read the lines before it: a drive or a driver may be missing, see machine.diskBus"),
        new(@"start job is running for .*[Nn]etwork|Waiting for (the )?network|IP-Config|DHCPDISCOVER|Temporary failure in name resolution"
            + "|Could not resolve|Name or service not known|waiting for .*network",
            "it waits for the network", "check the seed's network-config and machine.network, and that this host reaches what the installer needs"),
    ];

    /// <summary>What a guest that doesn't go on waits for; null if nothing is recognised.</summary>
    /// <param name="serial">The serial port's last text.</param>
    /// <param name="screen">The screen's text; empty where it shows a picture.</param>
    /// <param name="installs">Whether an installer was to run, rather than an installed system.</param>
    public static MachineDiagnosis? Of(string serial, string screen, bool installs)
    {
        var serialLines = LastLines(serial);
        var screenLines = LastLines(screen);
        var text = string.Join('\n', [.. screenLines, .. serialLines]);
        // What was there before a prompt is done with.
        return LoginPrompt(serialLines, screenLines, installs)
            ?? Signs.FirstOrDefault(sign => sign.Matches(text))?.Diagnosis
            ?? Question(serialLines, "on the serial port") ?? Question(screenLines, "on the screen");
    }

    private static MachineDiagnosis? LoginPrompt(string[] serial, string[] screen, bool installs) =>
        new[] { serial, screen }.Any(lines => lines.Length > 0 && Regex.IsMatch(lines[^1], @"\blogin: *$"))
            ? installs
                ? new("it waits at a login prompt: a live system came up, and no installer ran", "check that the ISO installs without questions, and the seed: does it say install.auto: true?")
                : new("it waits at a login prompt", "set verify.expect to what this system prints")
            : null;

    private static MachineDiagnosis? Question(string[] lines, string where) =>
        lines.Length > 0 && !Regex.IsMatch(lines[^1], @"^\[ *\d+\.\d+\]") && Regex.IsMatch(lines[^1], @"[?:>] *$|[\[(][^\])]{1,20}[\])]:? *$|press .*(enter|return|key)", RegexOptions.IgnoreCase)
            ? new($"it waits for an answer {where}: “{Shorten(lines[^1])}”", "answer it in the seed, or type the answer with installer.boot.keys after installer.boot.after")
            : null;

    private static string[] LastLines(string text) =>
        [.. text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).TakeLast(LinesThatCount)];

    private static string Shorten(string line) => line.Trim() is { Length: > 120 } text ? "…" + text[^119..] : line.Trim();

    private sealed record Sign(string Pattern, string Sentence, string Remedy)
    {
        public MachineDiagnosis Diagnosis => new(Sentence, Remedy);

        public bool Matches(string text) => Regex.IsMatch(text, Pattern, RegexOptions.Multiline);
    }
}
