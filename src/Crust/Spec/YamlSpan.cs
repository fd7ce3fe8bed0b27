using System.Collections.Immutable;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Crust.Spec;

/// <summary>Where a single value stands in a YAML file's text, quotes and all.</summary>
/// <param name="Start">The index of its first character.</param>
/// <param name="End">The index behind its last one.</param>
/// <param name="Style">How it is written.</param>
internal readonly record struct YamlSpan(int Start, int End, ScalarStyle Style)
{
    public static YamlSpan Of(YamlScalarNode node) => new((int)node.Start.Index, (int)node.End.Index, node.Style);

    /// <summary>A text with other values at some places; all else stays as it is, comments, too.</summary>
    public static string Replace(string text, IEnumerable<(YamlSpan Span, string Value)> values)
    {
        var changed = new StringBuilder(text);
        foreach (var (span, value) in values.OrderByDescending(one => one.Span.Start).ToImmutableArray())
        {
            changed.Remove(span.Start, span.End - span.Start).Insert(span.Start, span.Style switch
            {
                ScalarStyle.DoubleQuoted => $"\"{value}\"",
                ScalarStyle.SingleQuoted => $"'{value}'",
                // 1.34 is a number to YAML.
                _ => value.All(c => char.IsAsciiDigit(c) || c == '.') && value.Count(c => c == '.') < 2 ? $"'{value}'" : value,
            });
        }

        return changed.ToString();
    }
}
