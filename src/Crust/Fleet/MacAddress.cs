using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Crust.Fleet;

/// <summary>The MAC address of an Ethernet card (IEEE 802, 48 bits), as `aa:bb:cc:dd:ee:ff`: the notation of Linux' /sys/class/net.</summary>
internal sealed partial record MacAddress
{
    /// <summary>The notations that are read: with colons, with dashes, in groups of four with dots or colons, and without anything between the digits.</summary>
    public const string Pattern = "[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2}){5}|[0-9A-Fa-f]{1,2}(-[0-9A-Fa-f]{1,2}){5}|[0-9A-Fa-f]{4}([.:][0-9A-Fa-f]{4}){2}|[0-9A-Fa-f]{12}";

    private static readonly char[] Separators = [':', '-', '.'];

    private readonly string _text;

    private MacAddress(string text) => _text = text;

    /// <summary>Whether it is of a group of cards: the lowest bit of the first byte.</summary>
    public bool IsGroup => (Convert.ToInt32(_text[..2], 16) & 1) != 0;

    /// <summary>Whether all of its bits are 0, which cards without an address of their own say.</summary>
    public bool IsZero => _text.All(c => c is '0' or ':');

    /// <summary>With dashes, as a Raspberry Pi asks for a folder of its own by TFTP (TFTP_PREFIX=2).</summary>
    public string WithDashes => _text.Replace(':', '-');

    public static bool TryParse(string text, [NotNullWhen(true)] out MacAddress? address)
    {
        address = null;
        if (!Form().IsMatch(text))
        {
            return false;
        }

        var parts = text.Split(Separators);
        // A byte may have lost its leading zero: 0:1c:42:a:b:c.
        var digits = string.Concat(parts.Length == 6 ? parts.Select(part => part.PadLeft(2, '0')) : parts).ToLowerInvariant();
        address = new MacAddress(string.Join(':', digits.Chunk(2).Select(pair => new string(pair))));
        return true;
    }

    public override string ToString() => _text;

    [GeneratedRegex($@"\A(?:{Pattern})\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
