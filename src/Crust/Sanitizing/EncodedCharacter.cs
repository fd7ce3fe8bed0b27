using System.Buffers;
using System.Globalization;
using System.Text;

namespace Crust.Sanitizing;

/// <summary>
/// Characters as they are written in strings of JSON, YAML and C (`\"`, `\u0022`, `\x22`, `\042`), HTML (`&amp;quot;`, `&amp;#34;`), URLs (`%22`, `+`) and shells
/// (`'\''`, `\"`), also where such a string was put into another of its kind.
/// </summary>
internal static class EncodedCharacter
{
    /// <summary>How many ways of reading there are.</summary>
    public const int Ways = 8;

    /// <summary>The text ends inside a character.</summary>
    public const int Cut = -1;

    private const int MostLevels = 4;
    private const int MostBackslashes = 2 << MostLevels;
    private const int LongestEntity = 10;
    private const int LongestSequence = 1000;

    // In place of a number: the text ends before its last digit; it is none.
    private const int Short = -1;
    private const int Other = -2;

    private static readonly SearchValues<char> EntityCharacters = SearchValues.Create("#0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Whether a character begins others' encodings.</summary>
    public static bool CanBegin(char c) => c is '\\' or '&' or '%' or '+' or '\'' or '"';

    /// <summary>Reads the character that a text begins with in one of the ways in which that can be read.</summary>
    /// <returns>The length of its encoding; zero if this way isn't one; <see cref="Cut"/> if the text ends too early.</returns>
    public static int TryRead(ReadOnlySpan<char> text, int way, out Rune rune)
    {
        rune = default;
        return text[0] switch
        {
            '\\' => Backslash(text, way, out rune),
            '&' when way < MostLevels => Entity(text, way, out rune),
            '%' when way < MostLevels => Percent(text, way, out rune),
            '+' when way == 0 => One(' ', 1, out rune),
            '\'' or '"' => Quote(text, way, out rune),
            _ => 0,
        };
    }

    /// <summary>Where the escape sequence ends that an encoded character begins, if it begins one; its other characters may be encoded, too.</summary>
    /// <param name="length">How long the first one's encoding is.</param>
    public static int EndOfSequence(ReadOnlySpan<char> text, int length, Rune first)
    {
        var filter = default(EscapeFilter);
        filter.Takes((char)first.Value);
        while (!filter.IsGround)
        {
            if (length >= text.Length)
            {
                return Cut;
            }

            if (length > LongestSequence)
            {
                return length;
            }

            var (next, rune) = (1, new Rune(0xfffd));
            for (var way = 0; CanBegin(text[length]) && way < Ways; way++)
            {
                if (TryRead(text[length..], way, out rune) is > 0 and var encoded && Rune.IsControl(rune))
                {
                    next = encoded;
                    break;
                }
            }

            var c = next > 1 ? (char)rune.Value : text[length];
            if (!filter.Takes(c) && filter.IsGround)
            {
                return length;
            }

            length += next;
        }

        return length;
    }

    // A quotation mark in a string of a shell ends the string, stands in one of its own, and begins the next; elsewhere it stands twice.
    private static int Quote(ReadOnlySpan<char> text, int way, out Rune rune)
    {
        rune = new Rune(text[0]);
        ReadOnlySpan<char> written = (text[0], way) switch { ('\'', 0) => @"'\''", ('\'', 1) => "'\"'\"'", ('\'', 2) => "''", ('"', 2) => "\"\"", _ => "" };
        return written.IsEmpty ? 0 : text.StartsWith(written) ? written.Length : written.StartsWith(text) ? Cut : 0;
    }

    private static int Backslash(ReadOnlySpan<char> text, int way, out Rune rune)
    {
        rune = new Rune('\\');
        // More than those of the deepest level are others' as well.
        var run = text[..Math.Min(text.Length, MostBackslashes)];
        var other = run.IndexOfAnyExcept('\\');
        var marks = other < 0 ? run.Length : other;
        // Ways 0 to 3: the backslash itself, on one to four levels.
        return way < MostLevels ? (2 << way <= marks ? 2 << way : 0)
            : way > MostLevels ? 0
            : other < 0 ? (text.Length < MostBackslashes ? Cut : 0)
            : Escape(text[marks..], marks, out rune);
    }

    private static int Escape(ReadOnlySpan<char> text, int marks, out Rune rune)
    {
        rune = default;
        switch (text[0])
        {
            case 'u' when Hex(text, 1, 4) is var unit:
                if (unit < 0 || !char.IsHighSurrogate((char)unit))
                {
                    return unit < 0 ? Length(unit) : One((char)unit, marks + 5, out rune);
                }

                // The second half has as many backslashes.
                var second = 5 + marks;
                return text.Length <= second ? Cut
                    : text[5..second].ContainsAnyExcept('\\') || text[second] != 'u' ? 0
                    : Hex(text, second + 1, 4) is >= 0 and var low && Rune.TryCreate((char)unit, (char)low, out rune) ? marks + second + 5 : Length(Hex(text, second + 1, 4));
            case 'U':
                return Hex(text, 1, 8) is >= 0 and var value && Rune.TryCreate(value, out rune) ? marks + 9 : Length(Hex(text, 1, 8));
            case 'x':
                return Bytes(text, part => part[0] == 'x' ? Hex(part, 1, 2) : Other, 3, marks, out rune);
            case >= '0' and <= '3' when text.Length == 1 || text[1] is >= '0' and <= '7':
                return Bytes(text, Octal, 3, marks, out rune);
            case 'n' or 't' or 'r' or 'b' or 'f' or 'v' or 'a' or 'e' or '0':
                return One('\n', marks + 1, out rune);
            default:
                return char.IsAsciiLetterOrDigit(text[0]) ? 0 : One(text[0], marks + 1, out rune);
        }
    }

    // &quot; &#34; &#x22;, and with one amp; for each further level.
    private static int Entity(ReadOnlySpan<char> text, int level, out Rune rune)
    {
        rune = default;
        var at = 1;
        for (; level > 0; level--, at += 4)
        {
            if (!text[at..].StartsWith("amp;"))
            {
                return "amp;".AsSpan().StartsWith(text[at..]) ? Cut : 0;
            }
        }

        var rest = text[at..Math.Min(text.Length, at + LongestEntity)];
        var end = rest.IndexOf(';');
        if (end < 0)
        {
            return rest.Length < LongestEntity && !rest.ContainsAnyExcept(EntityCharacters) ? Cut : 0;
        }

        var name = rest[..end];
        var value = name switch
        {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "Tab" or "NewLine" => '\n',
            ['#', 'x' or 'X', .. var hex] => int.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : -1,
            ['#', .. var digits] => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1,
            _ => -1,
        };
        return value >= 0 && Rune.TryCreate(value, out rune) ? at + end + 1 : 0;
    }

    // %22, and with one 25 for each further level (RFC 3986, section 2.1).
    private static int Percent(ReadOnlySpan<char> text, int level, out Rune rune)
    {
        var before = string.Concat(Enumerable.Repeat("25", level).Prepend("%"));
        return Bytes(text, part => part.StartsWith(before) ? Hex(part, before.Length, 2) : before.AsSpan().StartsWith(part) ? Short : Other, before.Length + 2, 0, out rune);
    }

    // A character of UTF-8 whose bytes are written one by one; "before" is what stood before the first, and stands before each.
    private static int Bytes(ReadOnlySpan<char> text, Func<ReadOnlySpan<char>, int> read, int length, int marks, out Rune rune)
    {
        var at = 0;
        Span<byte> bytes = stackalloc byte[4];
        rune = default;
        for (var count = 0; count < bytes.Length; count++)
        {
            if (count > 0 && marks > 0)
            {
                if (at + marks > text.Length)
                {
                    return Cut;
                }

                if (text.Slice(at, marks).ContainsAnyExcept('\\'))
                {
                    return 0;
                }

                at += marks;
            }

            if (at >= text.Length)
            {
                return Cut;
            }

            var value = read(text[at..]);
            if (value is < 0 or > byte.MaxValue)
            {
                return Length(value);
            }

            bytes[count] = (byte)value;
            at += length;
            switch (Rune.DecodeFromUtf8(bytes[..(count + 1)], out rune, out _))
            {
                case OperationStatus.Done:
                    return at + marks;
                case OperationStatus.InvalidData:
                    return 0;
            }
        }

        return 0;
    }

    private static int Octal(ReadOnlySpan<char> text)
    {
        var value = 0;
        for (var i = 0; i < 3; i++)
        {
            if (i >= text.Length)
            {
                return Short;
            }

            if (text[i] is < '0' or > '7')
            {
                return Other;
            }

            value = (value * 8) + text[i] - '0';
        }

        return value;
    }

    private static int Hex(ReadOnlySpan<char> text, int start, int digits)
    {
        var value = 0L;
        for (var i = start; i < start + digits; i++)
        {
            if (i >= text.Length)
            {
                return Short;
            }

            if (!char.IsAsciiHexDigit(text[i]))
            {
                return Other;
            }

            value = (value * 16) + Convert.ToInt32(text[i].ToString(), 16);
        }

        return value <= int.MaxValue ? (int)value : Other;
    }

    private static int Length(int failed) => failed == Short ? Cut : 0;

    private static int One(char c, int length, out Rune rune) => Rune.TryCreate(c, out rune) ? length : 0;
}
