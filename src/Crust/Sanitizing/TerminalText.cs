using System.Text;

namespace Crust.Sanitizing;

/// <summary>
/// Takes out of a stream of text what a terminal would act upon or nobody would see: escape sequences, control characters, invisible marks. Line breaks of all kinds
/// become LF, tabs stay. Pieces may be cut anywhere, and nothing is kept but the state.
/// </summary>
internal sealed class TerminalText
{
    private EscapeFilter _escapes;
    private bool _afterReturn;

    /// <summary>Appends what is left of the next piece.</summary>
    public void Append(ReadOnlySpan<char> text, StringBuilder clean)
    {
        while (!text.IsEmpty)
        {
            var plain = _escapes.IsGround ? text.IndexOfAnyExceptInRange(' ', '~') : 0;
            if (plain != 0)
            {
                var run = plain < 0 ? text : text[..plain];
                clean.Append(run);
                text = text[run.Length..];
                _afterReturn = false;
                continue;
            }

            text = text[(_escapes.Takes(text[0]) ? 1 : Special(text, clean))..];
        }
    }

    // Returns how many characters it was.
    private int Special(ReadOnlySpan<char> text, StringBuilder clean)
    {
        var first = text[0];
        var afterReturn = _afterReturn;
        _afterReturn = first == '\r';
        switch (first)
        {
            case '\n' when afterReturn:
                return 1;
            case '\n' or '\r' or '\v' or '\f' or '\u2028' or '\u2029':
                clean.Append('\n');
                return 1;
            case '\t':
                clean.Append(first);
                return 1;
        }

        if (Rune.DecodeFromUtf16(text, out var rune, out var length) is not System.Buffers.OperationStatus.Done)
        {
            clean.Append('\ufffd');
        }
        else if (!CleanText.IsInvisible(rune))
        {
            clean.Append(text[..length]);
        }

        return length;
    }
}

/// <summary>
/// Where in an escape sequence a stream of text is (ECMA-48, and the states of DEC's terminals). Control characters inside a sequence don't end it, as in a terminal;
/// a line break ends a string (OSC, DCS, APC, PM, SOS), so that none hides what follows.
/// </summary>
internal struct EscapeFilter
{
    private enum State
    {
        Ground,
        Escape,
        Intermediate,
        Control,
        String,
        StringEscape,
    }

    private State _state;

    /// <summary>Whether it is in none.</summary>
    public readonly bool IsGround => _state is State.Ground;

    /// <summary>Takes the next character; false if it is no part of a sequence.</summary>
    public bool Takes(char c)
    {
        switch (_state)
        {
            case State.String when c is not ('\e' or '\n' or '\a' or '\u0018' or '\u001a' or '\u009c'):
                return true;
            case State.String:
                _state = c == '\e' ? State.StringEscape : State.Ground;
                return c != '\n';
            case State.StringEscape when c == '\\':
                _state = State.Ground;
                return true;
            case State.StringEscape:
                _state = State.Escape;
                break;
        }

        switch (c)
        {
            case '\e':
                _state = State.Escape;
                return true;
            case '\u009b':
                _state = State.Control;
                return true;
            case '\u0090' or '\u0098' or '\u009d' or '\u009e' or '\u009f':
                _state = State.String;
                return true;
            case '\u0018' or '\u001a' when _state is not State.Ground:
                _state = State.Ground;
                return true;
            case < ' ' or '\u007f':
                return false;
        }

        (_state, var takes) = (_state, c) switch
        {
            (State.Escape, '[') => (State.Control, true),
            (State.Escape, ']' or 'P' or 'X' or '^' or '_') => (State.String, true),
            (State.Escape or State.Intermediate, >= ' ' and <= '/') => (State.Intermediate, true),
            (State.Escape or State.Intermediate, >= '0' and <= '~') => (State.Ground, true),
            (State.Control, >= ' ' and <= '?') => (State.Control, true),
            (State.Control, >= '@' and <= '~') => (State.Ground, true),
            _ => (State.Ground, false),
        };
        return takes;
    }
}
