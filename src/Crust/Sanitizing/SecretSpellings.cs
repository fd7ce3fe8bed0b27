using System.Buffers;
using System.Collections.Immutable;
using System.Text;

namespace Crust.Sanitizing;

/// <summary>All ways in which secrets are looked for in texts: as they are, in hex, and in Base64 wherever they begin in what was encoded.</summary>
internal sealed class SecretSpellings
{
    // Of fewer characters nobody can say that they are part of a secret.
    private const int ShortestSecret = 3;
    private const int ShortestBase64 = 4;

    // Keys are printed line by line, often with a word before each.
    private const int ShortestLine = 12;

    private const int Direct = 128;

    private readonly SecretSpelling[] _all;
    private readonly SecretSpelling[][] _byFirst;
    private readonly SecretSpelling[] _others;
    private readonly SearchValues<char> _starts;

    private SecretSpellings(SecretSpelling[] all)
    {
        _all = all;
        _byFirst = [.. Enumerable.Range(0, Direct).Select(c => EncodedCharacter.CanBegin((char)c) ? all : all.Where(spelling => spelling.CanBegin((char)c)).ToArray())];
        _others = [.. all.Where(spelling => spelling.First.Value >= Direct)];
        _starts = SearchValues.Create(
            [.. Enumerable.Range(0, Direct).Select(c => (char)c).Where(c => _byFirst[c].Length > 0),
                .. _others.Select(spelling => spelling.First.Utf16SequenceLength == 1 ? (char)spelling.First.Value : char.ConvertFromUtf32(spelling.First.Value)[0]).Distinct()]);
    }

    public static SecretSpellings None { get; } = new([]);

    public static SecretSpellings Of(IEnumerable<string> secrets)
    {
        var plain = secrets.SelectMany(secret => LinesOf(secret).Prepend(secret)).Select(Seen).Where(runes => runes.Length >= ShortestSecret).Select(runes => string.Concat(runes)).Distinct().ToList();
        return plain.Count == 0 ? None : new([.. plain.SelectMany(Of).DistinctBy(spelling => spelling.ToString())]);
    }

    /// <summary>Where secrets are in a text, in order and without overlaps.</summary>
    /// <param name="decided">Up to where the text is decided: behind that, a secret may have begun.</param>
    public List<Range> FindIn(ReadOnlySpan<char> text, bool isEnd, out int decided)
    {
        var found = new List<Range>();
        decided = text.Length;
        if (_all.Length == 0)
        {
            return found;
        }

        for (var start = 0; start < text.Length; start++)
        {
            var next = text[start..].IndexOfAny(_starts);
            if (next < 0)
            {
                break;
            }

            start += next;
            var end = -1;
            foreach (var spelling in text[start] < Direct ? _byFirst[text[start]] : _others)
            {
                var match = spelling.EndIn(text, start, isEnd);
                end = Math.Max(end, match);
                if (match == SecretSpelling.Unfinished)
                {
                    decided = Math.Min(decided, start);
                }
            }

            if (end < 0)
            {
                continue;
            }

            // One secret may be a part of another, or begin in it.
            if (found.Count > 0 && found[^1].End.Value > start)
            {
                found[^1] = found[^1].Start..Math.Max(found[^1].End.Value, end);
            }
            else
            {
                found.Add(start..end);
            }
        }

        // A secret that reaches into what isn't decided is looked for again with what follows.
        while (found.Count > 0 && found[^1].End.Value > decided)
        {
            decided = Math.Min(decided, found[^1].Start.Value);
            found.RemoveAt(found.Count - 1);
        }

        return found;
    }

    private static IEnumerable<SecretSpelling> Of(string secret)
    {
        yield return SecretSpelling.Plain(secret);
        var bytes = Encoding.UTF8.GetBytes(secret);
        yield return SecretSpelling.Hex(Convert.ToHexStringLower(bytes));
        for (var before = 0; before < 3; before++)
        {
            // Characters that the secret alone decides, not what stands before or behind it.
            var encoded = Convert.ToBase64String([.. new byte[before], .. bytes, 0, 0]);
            var (first, end) = (((before * 8) + 5) / 6, (before + bytes.Length) * 8 / 6);
            if (end - first >= ShortestBase64)
            {
                yield return SecretSpelling.Base64(encoded[first..end]);
            }
        }
    }

    private static IEnumerable<string> LinesOf(string secret) => secret.Contains('\n')
        ? secret.Split('\n').Select(line => line.Trim()).Where(line => line.Length >= ShortestLine && !line.StartsWith("-----", StringComparison.Ordinal))
        : [];

    private static ImmutableArray<Rune> Seen(string secret) => [.. secret.Trim().EnumerateRunes().Where(rune => !CleanText.IsInvisible(rune))];
}

/// <summary>One spelling of a secret. Each of its characters may be written in any encoding, and what isn't seen may stand between them.</summary>
internal sealed class SecretSpelling
{
    /// <summary>The text ends before it is known whether it is the secret.</summary>
    public const int Unfinished = -2;

    private const int None = -1;

    // A guest decides what is looked through; no terminal program has more between two letters.
    private const int MostUnseen = 2000;
    private const int MostSteps = 500;

    private readonly Rune[] _runes;
    private readonly Rune[] _others;
    private readonly bool _isHex;

    private SecretSpelling(string text, Func<char, char> other, bool isHex = false)
    {
        _runes = [.. text.EnumerateRunes()];
        _others = [.. _runes.Select(rune => rune.IsAscii ? new Rune(other((char)rune.Value)) : rune)];
        _isHex = isHex;
    }

    public Rune First => _runes[0];

    public static SecretSpelling Plain(string secret) => new(secret, c => c);

    /// <summary>The secret in hex, with digits of either case, and bytes perhaps apart.</summary>
    public static SecretSpelling Hex(string digits) => new(digits, char.ToUpperInvariant, isHex: true);

    /// <summary>The secret in Base64, in either alphabet (RFC 4648, sections 4 and 5).</summary>
    public static SecretSpelling Base64(string digits) => new(digits, c => c switch { '+' => '-', '/' => '_', _ => c });

    /// <summary>Whether the character, as it is, may be its first.</summary>
    public bool CanBegin(char c) => First.Value == c || _others[0].Value == c;

    /// <summary>Where it ends in a text, if it stands at a place; negative if it doesn't, or if what follows the text decides.</summary>
    public int EndIn(ReadOnlySpan<char> text, int start, bool isEnd)
    {
        var budget = new Budget { Steps = MostSteps + (4 * _runes.Length), Unseen = MostUnseen, AtEnd = isEnd ? None : Unfinished };
        return Match(text, start, 0, ref budget);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{_isHex}{string.Concat(_runes)}";

    private int Match(ReadOnlySpan<char> text, int at, int element, ref Budget budget)
    {
        while (element < _runes.Length)
        {
            if (at >= text.Length)
            {
                return budget.AtEnd;
            }

            var c = text[at];
            if (EncodedCharacter.CanBegin(c))
            {
                if (--budget.Steps < 0)
                {
                    return None;
                }

                return MatchEncoded(text, at, element, ref budget);
            }

            if (element > 0 && CleanText.Unseen(text[at..]) is not 0 and var unseen)
            {
                if (unseen < 0 || (budget.Unseen -= unseen) < 0)
                {
                    return unseen < 0 ? budget.AtEnd : None;
                }

                at += unseen;
                continue;
            }

            if (_isHex && element > 0 && element % 2 == 0 && c is ' ' or ':' or '-')
            {
                at++;
                c = at < text.Length ? text[at] : '\0';
                if (at >= text.Length)
                {
                    return budget.AtEnd;
                }
            }

            if (Rune.DecodeFromUtf16(text[at..], out var rune, out var length) is not OperationStatus.Done || !Is(rune, element))
            {
                return None;
            }

            at += length;
            element++;
        }

        return at;
    }

    private int MatchEncoded(ReadOnlySpan<char> text, int at, int element, ref Budget budget)
    {
        // As it is, and in all encodings: the one that takes most of the text counts, since a part of a character would be left of the others.
        var result = Is(new Rune(text[at]), element) ? Match(text, at + 1, element + 1, ref budget) : None;
        for (var way = 0; result != Unfinished && way < EncodedCharacter.Ways; way++)
        {
            var length = EncodedCharacter.TryRead(text[at..], way, out var rune);
            if (length > 0 && element > 0 && CleanText.IsInvisible(rune))
            {
                length = EncodedCharacter.EndOfSequence(text[at..], length, rune);
                var rest = length == EncodedCharacter.Cut ? budget.AtEnd : (budget.Unseen -= length) >= 0 ? Match(text, at + length, element, ref budget) : None;
                result = rest == Unfinished ? rest : Math.Max(result, rest);
                continue;
            }

            var match = length == EncodedCharacter.Cut ? budget.AtEnd
                : length > 0 && Is(rune, element) ? Match(text, at + length, element + 1, ref budget)
                : None;
            result = match == Unfinished ? match : Math.Max(result, match);
        }

        return result;
    }

    private bool Is(Rune rune, int element) => rune == _runes[element] || rune == _others[element];

    private struct Budget
    {
        public int Steps;
        public int Unseen;
        public int AtEnd;
    }
}
