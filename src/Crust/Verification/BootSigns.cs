using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Crust.Verification;

/// <summary>What shows that a system is up.</summary>
/// <param name="Kind">One of the constants, as manifests have it.</param>
/// <param name="Text">The line that shows it, as the guest wrote it.</param>
internal sealed record UpSign(string Kind, string Text)
{
    /// <summary>The text that was asked for.</summary>
    public const string Asked = "text";

    /// <summary>A getty waits for a name.</summary>
    public const string LoginPrompt = "login-prompt";

    /// <summary>cloud-init says that it is done.</summary>
    public const string CloudInit = "cloud-init";

    /// <summary>An SSH server says that it is one.</summary>
    public const string SshBanner = "ssh-banner";

    /// <summary>An SSH server has let an account in.</summary>
    public const string SshLogin = "ssh-login";
}

/// <summary>What shows that a boot has failed. A guest may pass one by on its way: it counts once it has stayed the last thing said.</summary>
/// <param name="Sentence">What the image did, as the end of a sentence: `stopped at GRUB's prompt`.</param>
/// <param name="Remedy">What to do about it.</param>
/// <param name="Looks">In how many looks in a row, one a second, it has to be seen.</param>
internal sealed record DownSign(string Sentence, string Remedy, int Looks);

/// <summary>
/// Reads in what a machine shows whether its boot went well. A pure function over clean text of a serial port (the newest line may be unfinished) or of a screen in text mode.
/// Every sign is tied to the place where it means what it says: a prompt is a whole line, a failure is the last thing on it.
/// </summary>
internal static partial class BootSigns
{
    private const int MostChars = 8192;

    // What a prompt belongs to stands a few lines above it.
    private const int LinesBefore = 12;

    private const int Soon = 15;

    // A boot loader's own prompt may time out, and boot.
    private const int AfterTimeouts = 120;

    private const string NothingBoots = "look whether the installed disk boots under machine.firmware: an installer for UEFI leaves nothing for BIOS, and the other way round";
    private const string ReadBefore = "read the lines before it in the serial log: a drive or a driver may be missing (machine.diskBus), or a file system be damaged";

    private static readonly ImmutableArray<Prompt> Prompts =
    [
        // SeaBIOS; the code in MBRs of syslinux, Microsoft's, and others.
        new(@"No bootable device\.?(  ?Retrying in \d+ seconds\.)?|(Missing|No) operating system\.?|Operating system (not found|load(ing)? error)\.?"
            + @"|Error loading operating system\.?|Missing OS|Invalid partition table\.?|FATAL: No bootable medium found! System halted\.?",
            null, "found nothing that its firmware can boot", NothingBoots),
        // EDK II's boot device selection (MdeModulePkg, BdsDxe), which then waits for a key.
        new(@"BdsDxe: No bootable option or device was found\.", null, "found nothing that its firmware can boot", NothingBoots),
        new(@"BdsDxe: Press any key to enter the Boot Manager Menu\.", @"^BdsDxe: No bootable option or device was found\.", "found nothing that its firmware can boot", NothingBoots),
        new(@"Shell> ?_?", null, "ended in the UEFI shell: its firmware found nothing that it can boot", NothingBoots),
        new(@"grub rescue> ?_?", null, "stopped at GRUB's rescue prompt: it found neither its modules nor its configuration",
            "read the error before the prompt; the disk may hang on another machine.diskBus than GRUB was installed for, or /boot be damaged"),
        new(@"grub> ?_?", null, "stopped at GRUB's prompt: it found no configuration", "look whether the installer wrote grub.cfg to where GRUB looks for it, for machine.firmware as it is set"),
        // ISOLINUX, SYSLINUX, EXTLINUX.
        new(@"boot: ?_?", null, "stopped at its boot loader's prompt", "give the boot loader a default entry and a time-out", AfterTimeouts),
        // initramfs-tools' shell; busybox adds its prompt to a line of its own.
        new(@"\(initramfs\) ?_?", null, "stopped in its initramfs' emergency shell: it didn't find or mount its root file system", ReadBefore),
        new(@"(dracut|switch_root|emergency)?:/(root)?# ?_?|sh-[\d.]+# ?_?", @"Entering emergency mode|/run/initramfs/rdsosreport\.txt|^Warning: .* does not exist",
            "stopped in dracut's emergency shell: it didn't find or mount its root file system", ReadBefore),
        new(@"[~/] # ?_?", @"initramfs emergency recovery shell launched|Launching emergency recovery shell",
            "stopped in its initramfs' emergency shell: it didn't find or mount its root file system", ReadBefore),
        // systemd's emergency.service and rescue.service, by util-linux' sulogin.
        new(@"Give root password for (maintenance|login):?|Press Enter for maintenance|\(or (press|type) Control-D to continue\):?( ?_)?"
            + @"|Press Enter to continue\.?|See sulogin\(8\) man page for more details\.|\S*[#$] ?_?",
            @"You are in (emergency|rescue) mode|Welcome to (emergency|rescue) mode!|^Cannot open access to console, the root account is locked|^Give root password for",
            "came up in emergency mode", ReadBefore),
    ];

    /// <summary>The sign of a system that is up in a text; null if there is none.</summary>
    public static UpSign? UpIn(string text)
    {
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd()))
        {
            if (LoginPrompt().IsMatch(line))
            {
                return new UpSign(UpSign.LoginPrompt, line.Trim());
            }

            if (line.Contains("finished at", StringComparison.Ordinal) && CloudInitEnd().Match(line) is { Success: true } end)
            {
                return new UpSign(UpSign.CloudInit, end.Value);
            }
        }

        return null;
    }

    /// <summary>The sign of a boot that has failed, at the end of what the serial port or the screen shows; null if there is none.</summary>
    /// <param name="serial">The serial port's last text.</param>
    /// <param name="screen">The screen's text; empty where it shows a picture.</param>
    public static DownSign? DownIn(string serial, string screen) => DownIn(Lines(serial)) ?? DownIn(Lines(screen)) ?? PanicOn(screen);

    private static DownSign? DownIn(IReadOnlyList<string> lines)
    {
        // The kernel may say something behind a prompt, on its line and on others, and the prompt still waits.
        string[] said = [.. lines.Select(line => KernelMessage().Replace(line, "").Trim()).Where(line => line.Length > 0).TakeLast(LinesBefore)];
        return said.Length == 0 ? null : Prompts.FirstOrDefault(prompt => prompt.IsAtEndOf(said))?.Sign;
    }

    // On the serial port a panic is a fact of its own.
    private static DownSign? PanicOn(string screen) => Lines(screen).Any(line => Panic().IsMatch(line))
        ? new DownSign("ended in a kernel panic, which its screen shows", "read the lines before the panic; more machine.memory or another machine.firmware often helps", Soon) : null;

    private static string[] Lines(string text)
    {
        var end = text.Length <= MostChars ? text : text[^MostChars..];
        return [.. end.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];
    }

    // getty's prompt is a line of its own: the host's name, or nothing, and "login:". The kernel and cloud-init write behind it; an account that logs in by itself is named there.
    [GeneratedRegex(@"^(?!Last )(?:[^\s:]{1,64} )?[Ll]ogin: *_?(?:$| *\[ *\d+\.\d+\]|\S+ \(automatic login\))")]
    private static partial Regex LoginPrompt();

    // cloud-init's module final_message, as it is by default.
    [GeneratedRegex(@"Cloud-init v\. \S{1,64} finished at .{1,80}")]
    private static partial Regex CloudInitEnd();

    [GeneratedRegex(@"\[ *\d+\.\d+\].*$")]
    private static partial Regex KernelMessage();

    [GeneratedRegex(@"^(?:\[ *\d+\.\d+\] ?)?(?:---\[ end )?Kernel panic - not syncing")]
    private static partial Regex Panic();

    private sealed class Prompt(string last, string? before, string sentence, string remedy, int looks = Soon)
    {
        private readonly Regex _last = new($@"^(?:{last})$", RegexOptions.CultureInvariant);
        private readonly Regex? _before = before is null ? null : new Regex(before, RegexOptions.CultureInvariant);

        public DownSign Sign { get; } = new(sentence, remedy, looks);

        public bool IsAtEndOf(string[] lines) => _last.IsMatch(lines[^1]) && (_before is null || lines.Any(_before.IsMatch));
    }
}
