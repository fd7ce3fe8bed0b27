using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Sysexts;

/// <summary>A published system extension, whose file is named `NAME-VERSION-ARCHITECTURE.raw`: what a pattern of systemd-sysupdate takes apart (sysupdate.d(5)).</summary>
/// <param name="Arch">The architecture, written as systemd's `%a` writes it: `x86-64` or `arm64`.</param>
/// <param name="Suffix">`.raw`, or `.sysext.raw`, which Kairos looks for.</param>
internal sealed partial record SysextFile(string Name, string Version, Arch Arch, string Suffix)
{
    public string FileName => $"{Name}-{Version}-{ArchName(Arch)}{Suffix}";

    /// <summary>The version's first two numbers with all that stands before them, such as `1.34` or `v1.34`; null where it hasn't so many.</summary>
    public string? Minor => MinorForm().Match(Version) is { Success: true } match ? match.Value : null;

    /// <summary>Reads a file's name; null if it isn't that of a system extension with a version.</summary>
    public static SysextFile? Of(string fileName)
    {
        var match = Form().Match(fileName);
        return match.Success
            ? new SysextFile(match.Groups["name"].Value, match.Groups["version"].Value, match.Groups["arch"].Value == ArchName(Arch.Arm64) ? Arch.Arm64 : Arch.Amd64, match.Groups["suffix"].Value)
            : null;
    }

    /// <summary>systemd's name of an architecture (os-release's and extension-release's ARCHITECTURE=, `%a`).</summary>
    public static string ArchName(Arch arch) => arch is Arch.Arm64 ? "arm64" : "x86-64";

    [GeneratedRegex(@"\A(?<name>[A-Za-z0-9][A-Za-z0-9_.-]*?)-(?<version>v?[0-9][A-Za-z0-9.+~^_-]*)-(?<arch>x86-64|arm64)(?<suffix>(\.sysext)?\.raw)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();

    [GeneratedRegex(@"\Av?[0-9]+\.[0-9]+(?=\.)")]
    private static partial Regex MinorForm();
}
