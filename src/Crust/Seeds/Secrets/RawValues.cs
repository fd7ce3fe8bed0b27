using Crust.Seeds.Documents;
using YamlDotNet.Core;

namespace Crust.Seeds.Secrets;

/// <summary>Where the values of a document stand in its text, with their quotes.</summary>
internal sealed class RawValues
{
    private readonly string _text;
    private readonly List<int> _lines = [0];

    public RawValues(string text)
    {
        _text = text;
        for (var at = text.IndexOf('\n'); at >= 0; at = text.IndexOf('\n', at + 1))
            _lines.Add(at + 1);
    }

    /// <summary>From where to where a value stands; if that can't be told, to the end of its block of lines.</summary>
    public (int Start, int End) Of(ConfigScalar value)
    {
        var start = SkipProperties(Math.Min(_text.Length, _lines[Math.Min(value.Place.Line, _lines.Count) - 1] + value.Place.Column - 1));
        if (start >= _text.Length)
            return (_text.Length, _text.Length);
        return (start, value.Style switch
        {
            ScalarStyle.DoubleQuoted when _text[start] == '"' => EndOfQuotes(start, '"'),
            ScalarStyle.SingleQuoted when _text[start] == '\'' => EndOfQuotes(start, '\''),
            ScalarStyle.Plain or ScalarStyle.Any when string.CompareOrdinal(_text, start, value.Value, 0, value.Value.Length) == 0 => start + value.Value.Length,
            _ => EndOfBlock(start),
        });
    }

    // An anchor and a tag stand before the value.
    private int SkipProperties(int at)
    {
        while (at < _text.Length && _text[at] is '&' or '!')
        {
            while (at < _text.Length && !char.IsWhiteSpace(_text[at]))
                at++;
            while (at < _text.Length && char.IsWhiteSpace(_text[at]))
                at++;
        }

        return at;
    }

    private int EndOfQuotes(int start, char quote)
    {
        for (var i = start + 1; i < _text.Length; i++)
        {
            if (quote == '"' && _text[i] == '\\')
                i++;
            else if (_text[i] == quote && quote == '\'' && i + 1 < _text.Length && _text[i + 1] == quote)
                i++;
            else if (_text[i] == quote)
                return i + 1;
        }

        return _text.Length;
    }

    // Its first line, and those below that are indented further than the line that it begins in.
    private int EndOfBlock(int start)
    {
        var first = _lines.FindLastIndex(line => line <= start);
        var indentation = IndentationOf(first);
        var last = first;
        for (var i = first + 1; i < _lines.Count; i++)
        {
            if (LineAt(i).Trim().Length == 0)
                continue;
            if (IndentationOf(i) <= indentation)
                break;
            last = i;
        }

        return _lines[last] + LineAt(last).TrimEnd().Length;
    }

    private ReadOnlySpan<char> LineAt(int i) => _text.AsSpan(_lines[i], (i + 1 < _lines.Count ? _lines[i + 1] : _text.Length) - _lines[i]);

    private int IndentationOf(int i)
    {
        var line = LineAt(i);
        return line.Length - line.TrimStart(' ').Length;
    }
}
