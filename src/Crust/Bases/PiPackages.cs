using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Bases;

/// <summary>Where the Debian packages of a Raspberry Pi's root come from: kernels from backports, the firmware from non-free-firmware.</summary>
internal static class PiPackages
{
    /// <summary>The file's name in /etc/apt/preferences.d, where it stays, so that upgrades take kernels from there, too.</summary>
    public const string PreferencesName = "crust-raspberry-pi";

    /// <summary>What whoever builds should know.</summary>
    public const string NonFree = "The image carries raspi-firmware from Debian's non-free-firmware: programs for the Pi's own processors without source, under Broadcom's licence "
        + "(/usr/share/doc/raspi-firmware/copyright), which a Pi 4 doesn't start without";

    private const string Archive = "http://deb.debian.org/debian";
    private const string Security = "http://security.debian.org/debian-security";
    private const string Components = "main non-free-firmware";
    private const string Keys = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";

    /// <summary>The lines of sources.list(5). A mirror of the spec's is all there is: with its own keys in the host's apt.</summary>
    public static ImmutableArray<string> Sources(DebianSpec spec) => spec.Mirror is { } mirror
        ? [Line("", mirror, spec.Suite!), Line("", mirror, Backports(spec))]
        : [Line(Keys, Archive, spec.Suite!), Line(Keys, Archive, $"{spec.Suite}-updates"), Line(Keys, Security, $"{spec.Suite}-security"), Line(Keys, Archive, Backports(spec))];

    /// <summary>
    /// apt_preferences(5): of the kernel alone, backports count like the release itself, so that the newest is taken. Debian 13's own 6.12 starts no Pi 5: neither its SD card
    /// nor PCIe, behind which USB, network and NVMe are, have a driver or stand in its device tree.
    /// </summary>
    public static string Preferences(DebianSpec spec) => $"Package: src:linux src:linux-base src:linux-signed-arm64\nPin: release n={Backports(spec)}\nPin-Priority: 500\n";

    private static string Backports(DebianSpec spec) => $"{spec.Suite}-backports";

    private static string Line(string options, string archive, string suite) => $"deb {options}{(options.Length > 0 ? " " : "")}{archive} {suite} {Components}";
}
