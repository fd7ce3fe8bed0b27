using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Crust.Sanitizing;

namespace Crust.Reports.Page;

/// <summary>A piece of HTML. Made by <see cref="Template.Of"/>, which escapes all that is put into it.</summary>
internal readonly record struct Markup(string Text)
{
    public static Markup None { get; } = new("");

    public override string ToString() => Text;
}

/// <summary>
/// Makes HTML of interpolated strings: what is written in the code is markup, what stands in a hole is text, and is redacted and
/// escaped. Only <see cref="Markup"/> goes through holes as it is. So no guest, and no ISO's name, can bring markup of its own.
/// </summary>
internal sealed class Template(Redactor redaction)
{
    [SuppressMessage("Performance", "CA1822", Justification = "The handler is given this template.")]
    public Markup Of([InterpolatedStringHandlerArgument("")] ref Handler markup) => new(markup.ToString());

    /// <summary>A text without secrets, escape sequences, control characters and invisible marks; line breaks and tabs stay.</summary>
    public string Clean(string text) => CleanText.Block(redaction.Visible(text));

    [InterpolatedStringHandler]
    public readonly ref struct Handler
    {
        private readonly StringBuilder _html;
        private readonly Template _template;

        public Handler(int literalLength, int holes, Template template)
        {
            _html = new StringBuilder(literalLength + (holes * 32));
            _template = template;
        }

        public void AppendLiteral(string markup) => _html.Append(markup);

        public void AppendFormatted(string? text)
        {
            foreach (var c in _template.Clean(text ?? ""))
            {
                _ = c switch
                {
                    '&' => _html.Append("&amp;"),
                    '<' => _html.Append("&lt;"),
                    '>' => _html.Append("&gt;"),
                    '"' => _html.Append("&quot;"),
                    '\'' => _html.Append("&#39;"),
                    _ => _html.Append(c),
                };
            }
        }

        public void AppendFormatted(Markup markup) => _html.Append(markup.Text);

        public void AppendFormatted(IEnumerable<Markup> pieces)
        {
            foreach (var piece in pieces)
            {
                _html.Append(piece.Text);
            }
        }

        public void AppendFormatted(long number) => _html.Append(CultureInfo.InvariantCulture, $"{number}");

        /// <summary>A number as SVG and CSS write it, rounded to a hundredth.</summary>
        public void AppendFormatted(double number) => _html.Append(CultureInfo.InvariantCulture, $"{number:0.##}");

        public override string ToString() => _html.ToString();
    }
}
