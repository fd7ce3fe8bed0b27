using System.Collections.Immutable;
using System.Text;

namespace Crust.Sanitizing;

/// <summary>
/// Takes a build's secrets out of what guests and tools say, where that is shown or kept: an installer that prints its configuration prints what is secret in it. A
/// secret is found also where it is escaped for JSON, HTML, URLs or shells, in Base64 or hex, and where escape sequences or line breaks are in it.
/// </summary>
internal sealed class Redactor
{
    /// <summary>Stands in a secret's place.</summary>
    public const string Mask = "•••";

    private readonly Lock _lock = new();
    private ImmutableArray<string> _secrets = [];
    private (ImmutableArray<string> Of, SecretSpellings Spellings) _known = ([], SecretSpellings.None);

    /// <summary>How the secrets that are hidden may be written. That takes a moment, which a command that shows nothing of others doesn't need.</summary>
    internal SecretSpellings Spellings
    {
        get
        {
            lock (_lock)
            {
                var secrets = _secrets;
                _known = _known.Of == secrets ? _known : (secrets, SecretSpellings.Of(secrets));
                return _known.Spellings;
            }
        }
    }

    /// <summary>Hides texts from now on. Those of one or two characters can't be told from chance, and stay.</summary>
    public void Hide(IEnumerable<string?> secrets)
    {
        var more = secrets.OfType<string>().Where(secret => secret.Length > 0).ToList();
        ImmutableInterlocked.Update(ref _secrets, known => more.Except(known).Any() ? [.. known.Union(more)] : known);
    }

    public string Apply(string text)
    {
        var spellings = Spellings;
        if (spellings == SecretSpellings.None)
        {
            return text;
        }

        var found = spellings.FindIn(text, isEnd: true, out _);
        if (found.Count == 0)
        {
            return text;
        }

        var masked = new StringBuilder(text.Length);
        var end = 0;
        foreach (var secret in found)
        {
            masked.Append(text, end, secret.Start.Value - end).Append(Mask);
            end = secret.End.Value;
            // Lines stay lines.
            masked.Append('\n', text.AsSpan()[secret].Count('\n'));
        }

        return masked.Append(text, end, text.Length - end).ToString();
    }

    /// <summary>One clean line of a text of others, without secrets.</summary>
    internal string Line(string text, int longest = CleanText.Longest) => CleanText.Line(Apply(CleanText.Visible(Apply(text))), longest);

    /// <summary>The same of what a screen or a serial port shows at the moment.</summary>
    internal string Progress(string text) => CleanText.Progress(Apply(CleanText.Visible(Apply(text))));

    /// <summary>The text as its reader would see it, in several lines, without secrets.</summary>
    internal string Visible(string text) => Apply(CleanText.Visible(Apply(text)));

    /// <summary>Clean lines of a text of others, without secrets, and not more of them than anybody reads.</summary>
    internal IEnumerable<string> Lines(string text, int most, int longest) => CleanText.Lines(Visible(text), most, longest);

    /// <summary>A filter for one stream of bytes.</summary>
    internal RedactingFilter Filter() => new(this);
}
