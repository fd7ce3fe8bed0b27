using System.Text.RegularExpressions;

namespace Crust.Machines;

/// <summary>What UEFI firmware (EDK II's boot device selection, BdsDxe) says on the serial port.</summary>
internal static partial class FirmwareWords
{
    /// <summary>What it boots from and Secure Boot refused, as the firmware calls it; null if the text tells of nothing like that.</summary>
    public static string? FindRefused(string text) => Refused().Match(text) is { Success: true } match ? match.Groups[1].Value.Trim() : null;

    /// <summary>Whether it says that nothing is left to be tried; it waits for a key then, for ever.</summary>
    public static bool SaysNothingBoots(string text) => text.Contains("BdsDxe: No bootable option or device was found", StringComparison.Ordinal);

    // Its own shell, the last thing that it tries, is refused, too, and says nothing about the medium.
    [GeneratedRegex("""BdsDxe: failed to load Boot[0-9A-F]{4} "((?!EFI Internal Shell)[^"\n]*)" from [^\n]*: (?:Access Denied|Security Violation)""", RegexOptions.CultureInvariant)]
    private static partial Regex Refused();
}
