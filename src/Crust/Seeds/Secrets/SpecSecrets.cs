using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Seeds.Secrets;

/// <param name="Key">The key that said it.</param>
/// <param name="Values">What nobody may see.</param>
internal sealed record SpecSecret(SpecKey Key, ImmutableArray<string> Values);

/// <summary>Which values of a spec are secret, or have secrets in them: those of secret keys, logins in URLs, what is typed, what the installer's kernel is told.</summary>
internal static partial class SpecSecrets
{
    private const string Keys = "installer.boot.keys";

    private static readonly ImmutableArray<SpecKey> All = SpecKeys.For([]);

    // What boot menus, boot loaders, log-in prompts and shells are told by people who type no secret.
    private static readonly ImmutableHashSet<string> Typed =
    [
        "root", "admin", "administrator", "user", "ubuntu", "debian", "core", "kairos", "rocky", "alma", "fedora", "centos", "opensuse", "install", "installer", "live", "linux", "linuxefi",
            "linux16", "kernel", "vmlinuz", "initrd", "initrdefi", "boot", "auto",
        "autoinstall", "expert", "rescue", "text", "graphical", "default", "local", "yes", "no", "ok", "exit", "quit", "reboot", "poweroff", "shutdown", "halt", "login", "help", "continue", "next",
            "accept", "normal", "start", "startx", "setup", "menu",
        "set", "insmod", "configfile", "chainloader", "search", "ls", "cd", "cp", "mv", "mkdir", "mount", "umount", "sudo", "su", "sh", "bash", "ash", "echo", "printf", "cat", "passwd", "chpasswd",
            "curl", "wget", "dhclient", "udhcpc", "ip", "ifconfig", "ifup",
        "systemctl", "service", "rc-service", "setup-alpine", "setup-disk", "setup-sshd", "setup-apkrepos", "exec", "chroot", "apk", "apt", "apt-get", "dnf", "yum", "zypper", "pacman",
            "nixos-install", "archinstall", "export", "dd", "kairos-agent", "elemental",
        "tftp", "dhcp", "http", "sleep", "hostname", "cdrom", "none", "done", "enter", "console", "english", "en", "us", "utc", "loadkeys", "setfont", "preseed", "kickstart", "efi", "fs0:",
            "anaconda", "inst.text", "nomodeset", "quiet",
    ];

    public static IEnumerable<SpecSecret> In(BuildSpec spec)
    {
        foreach (var key in All.Where(key => key.IsSecret || key.SecretOf(spec) is not null))
        {
            if (key.SecretOf(spec) is { } secret)
                yield return new SpecSecret(key, [secret.Reveal()]);
        }

        foreach (var (path, text) in new[] { ("installer.iso", spec.Installer.Iso), ("installer.sha256", spec.Installer.Sha256), ("installer.sha256Signature", spec.Installer.ChecksumSignature),
            ("installer.boot.append", spec.Installer.BootAppend) })
        {
            if (text is not null && In(path, [text]) is [{ IsEmpty: false } found])
                yield return new SpecSecret(KeyOf(path), [.. found.SelectMany(one => one.ValuesIn(text)), .. UrlParts(text)]);
        }

        foreach (var check in spec.Verify.Checks)
        {
            if (TextSecrets.In(check) is { IsEmpty: false } found)
                yield return new SpecSecret(KeyOf("verify.checks"), [.. found.SelectMany(one => one.ValuesIn(check))]);
        }

        ImmutableArray<FoundSecret> typed = [.. In(Keys, spec.Installer.BootKeys).SelectMany(found => found)];
        if (!typed.IsEmpty)
            yield return new SpecSecret(KeyOf(Keys), [.. typed.SelectMany(found => found.Forms).Distinct()]);
    }

    /// <summary>The secrets in the values of a key that isn't one itself, in each of its items.</summary>
    public static ImmutableArray<ImmutableArray<FoundSecret>> In(string key, ImmutableArray<string> items) =>
        key == Keys ? InKeys(items) : [.. items.Select(item => TextSecrets.In(item))];

    /// <summary>An item of each without them, for whatever others may see.</summary>
    public static ImmutableArray<string> Masked(string key, ImmutableArray<string> items) =>
        [.. items.Zip(In(key, items)).Select(pair => FoundSecret.Replace(pair.First, pair.Second, SeedSecrets.Mask))];

    private static SpecKey KeyOf(string path) => All.First(key => key.Path == path);

    private static IEnumerable<string> UrlParts(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) ? new[] { url.UserInfo, url.Query }.Where(part => part.Length > 0) : [];

    // What is typed up to an <enter>, over all items. A line of one or several words that isn't known to be a command may be a password.
    private static ImmutableArray<ImmutableArray<FoundSecret>> InKeys(ImmutableArray<string> items)
    {
        var found = items.Select(_ => new List<FoundSecret>()).ToList();
        var runs = new List<(int Item, int Start, string Text)>();
        for (var i = 0; i < items.Length; i++)
        {
            var at = 0;
            foreach (Match name in KeyName().Matches(items[i]))
            {
                Add(i, at, name.Index);
                at = name.Index + name.Length;
                if (IsEnd(name.Value))
                    EndLine(name.Value);
            }

            Add(i, at, items[i].Length);
        }

        EndLine("<enter>");
        return [.. found.Select(FoundSecret.Joined)];

        void Add(int item, int start, int end)
        {
            var lines = items[item][start..end].Split('\n');
            for (var i = 0; i < lines.Length; start += lines[i++].Length + 1)
            {
                if (i > 0)
                    EndLine("<enter>");
                if (lines[i].Length > 0)
                    runs.Add((item, start, lines[i]));
            }
        }

        void EndLine(string by)
        {
            var line = string.Concat(runs.Select(run => run.Text));
            // <f10> and <tab> end what stands on a boot loader's line, not an answer.
            if (IsAnswer(line) && by.Trim('<', '>').ToLowerInvariant() is "enter" or "return")
            {
                foreach (var (item, start, text) in runs)
                    found[item].Add(new FoundSecret(start, text.Length, "typed text") { Forms = [line.Trim()] });
            }
            else
            {
                foreach (var (item, start, text) in runs)
                    found[item].AddRange(TextSecrets.In(text).Select(one => one with { Start = one.Start + start, Forms = [.. one.ValuesIn(text)] }));
            }

            runs.Clear();
        }
    }

    private static bool IsAnswer(string line)
    {
        // Behind a blank it goes on what stands on the line already.
        if (line.Trim().Length < 3 || char.IsWhiteSpace(line[0]))
            return false;
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return !Typed.Contains(words[0].ToLowerInvariant()) && words[0][0] is not ('/' or '.' or '-') && !(words.Length > 1 && words.Skip(1).Any(word => word.Contains('=') || word[0] is '/' or '-'))
            && !(words.Length == 1 && KernelArgument().IsMatch(line));
    }

    private static bool IsEnd(string name) => name.Trim('<', '>').ToLowerInvariant() is "enter" or "return" or "f10" or "esc" or "tab" or "up" or "down";

    [GeneratedRegex("<[A-Za-z0-9.]+>")]
    private static partial Regex KeyName();

    [GeneratedRegex(@"\A(?:console|inst\.\w+|root|ds|ip|url|auto|autoinstall|preseed/\w+|file|cloud-config-url)=", RegexOptions.ExplicitCapture)]
    private static partial Regex KernelArgument();
}
