using System.Text;

namespace Crust.Canvos.Args;

/// <summary>
/// A value as bash reads it when it sources the file (bash(1), QUOTING and EXPANSION). Nothing is run: where the shell would run something, there is no value.
/// </summary>
internal sealed class ShellValue
{
    private const string Operators = ";&|<>()";

    private readonly string _text;
    private readonly IReadOnlyDictionary<string, string> _known;
    private readonly StringBuilder _value = new();
    private int _at;
    private string? _trouble;

    private ShellValue(string text, IReadOnlyDictionary<string, string> known) => (_text, _known) = (text, known);

    /// <param name="text">What stands behind the `=`, up to the line's end, or that of the line in which a quote is closed.</param>
    /// <param name="known">What the lines above have set.</param>
    public static ArgReading Of(string text, IReadOnlyDictionary<string, string> known) => new ShellValue(text, known).Read();

    private ArgReading Read()
    {
        if (_text is ['~', ..])
        {
            return ArgReading.None("a '~' in front is the home folder of the user who runs it");
        }

        while (_trouble is null && _at < _text.Length && _text[_at] is not (' ' or '\t' or '\n'))
        {
            ReadPart();
        }

        if (_trouble is null && _text[_at..].Trim() is { Length: > 0 } rest && rest[0] != '#')
        {
            _trouble = $"behind a blank that isn't quoted, it runs '{rest.Split(' ', '\t', '\n')[0]}' as a command";
        }

        return _trouble is null ? ArgReading.Of(_value.ToString()) : ArgReading.None(_trouble);
    }

    private void ReadPart()
    {
        switch (_text[_at])
        {
            case '\'':
                var close = _text.IndexOf('\'', _at + 1);
                if (close < 0)
                {
                    _trouble = "a quote isn't closed";
                    return;
                }

                _value.Append(_text, _at + 1, close - _at - 1);
                _at = close + 1;
                break;
            case '"':
                _at++;
                ReadDoubleQuoted();
                break;
            case '\\':
                // A line that ends with a backslash goes on in the next one.
                _value.Append(_at + 1 < _text.Length ? _text[_at + 1].ToString() : "");
                _trouble = _at + 1 < _text.Length ? null : "a backslash at its end joins the next line to it";
                _at += 2;
                break;
            case '$' or '`':
                ReadExpansion();
                break;
            case var c when Operators.Contains(c):
                _trouble = $"a '{c}' that isn't quoted is an operator";
                break;
            case var c:
                _value.Append(c);
                _at++;
                break;
        }
    }

    private void ReadDoubleQuoted()
    {
        while (_trouble is null)
        {
            if (_at >= _text.Length)
            {
                _trouble = "a quote isn't closed";
                return;
            }

            switch (_text[_at])
            {
                case '"':
                    _at++;
                    return;
                case '\\' when _at + 1 < _text.Length && _text[_at + 1] is '$' or '`' or '"' or '\\':
                    _value.Append(_text[_at + 1]);
                    _at += 2;
                    break;
                case '$' or '`':
                    ReadExpansion();
                    break;
                default:
                    _value.Append(_text[_at++]);
                    break;
            }
        }
    }

    // What bare and double-quoted text are expanded by alike.
    private void ReadExpansion()
    {
        if (_text[_at] == '`')
        {
            _trouble = "it runs what stands between backquotes";
            return;
        }

        var isBraced = _at + 1 < _text.Length && _text[_at + 1] == '{';
        var start = _at + (isBraced ? 2 : 1);
        var end = start;
        while (end < _text.Length && (char.IsAsciiLetterOrDigit(_text[end]) || _text[end] == '_'))
        {
            end++;
        }

        if (_at + 1 < _text.Length && _text[_at + 1] == '(')
        {
            _trouble = "it runs what stands in $(…)";
        }
        else if (isBraced && (end >= _text.Length || _text[end] != '}' || end == start))
        {
            _trouble = "it has an expansion of the shell's own: ${…}";
        }
        else if (end == start)
        {
            _value.Append('$');
            _at++;
        }
        else if (_known.TryGetValue(_text[start..end], out var value))
        {
            _value.Append(value);
            _at = isBraced ? end + 1 : end;
        }
        else
        {
            _trouble = $"no line above sets ${_text[start..end]}, which it takes from its environment";
        }
    }
}
