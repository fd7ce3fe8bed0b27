using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Crust.Seeds.Documents;

/// <summary>
/// Writes a tree of nodes as one YAML document. YamlDotNet's own `YamlStream.Save` gives equal scalars anchors and aliases, which
/// no person wants to read.
/// </summary>
internal static class ConfigWriter
{
    /// <summary>The document, without `---` and `...`, ending with a line break. The tree holds no node inside itself.</summary>
    public static string Write(ConfigNode root) => Write(root, withPlaces: false);

    /// <summary>The same for people: in block style, with a comment behind each value that says where it comes from.</summary>
    public static string WriteWithPlaces(ConfigNode root) => Write(root, withPlaces: true);

    private static string Write(ConfigNode root, bool withPlaces)
    {
        var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text, new EmitterSettings(bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1024));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Write(emitter, root, withPlaces);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        var yaml = text.ToString();
        return yaml.EndsWith("\n...\n", StringComparison.Ordinal) ? yaml[..^4] : yaml;
    }

    private static void Write(Emitter emitter, ConfigNode node, bool withPlaces)
    {
        var hasTag = !node.Tag.IsEmpty && !node.Tag.IsNonSpecific;
        var tag = hasTag ? node.Tag : TagName.Empty;
        switch (node)
        {
            case ConfigScalar scalar:
                emitter.Emit(new Scalar(AnchorName.Empty, tag, scalar is { IsNull: true, Value: "" } ? "null" : scalar.Value, SafeStyle(scalar), !hasTag, !hasTag));
                // Behind a block of lines there is no place for it.
                if (withPlaces && SafeStyle(scalar) is not (ScalarStyle.Literal or ScalarStyle.Folded))
                    emitter.Emit(new Comment($"{scalar.Place}", isInline: true));
                break;
            case ConfigList list:
                emitter.Emit(new SequenceStart(AnchorName.Empty, tag, !hasTag, withPlaces && !list.Items.IsEmpty ? SequenceStyle.Block : list.Style));
                foreach (var item in list.Items)
                    Write(emitter, item, withPlaces);
                emitter.Emit(new SequenceEnd());
                break;
            case ConfigMap map:
                emitter.Emit(new MappingStart(AnchorName.Empty, tag, !hasTag, withPlaces && !map.Entries.IsEmpty ? MappingStyle.Block : map.Style));
                foreach (var (key, value) in map.Entries)
                {
                    Write(emitter, key, withPlaces: false);
                    Write(emitter, value, withPlaces);
                }

                emitter.Emit(new MappingEnd());
                break;
            default:
                throw new InvalidOperationException($"A {node.GetType().Name} can't be written.");
        }
    }

    // YamlDotNet writes some scalars so that they come back changed: quotes around line breaks, and blocks in which a line
    // begins or ends with something invisible. Double quotes are always right.
    private static ScalarStyle SafeStyle(ConfigScalar scalar) => scalar.Style switch
    {
        ScalarStyle.Literal or ScalarStyle.Folded when !IsPlainBlock(scalar.Value) => ScalarStyle.DoubleQuoted,
        ScalarStyle.SingleQuoted or ScalarStyle.Plain or ScalarStyle.Any when (scalar.Value).Any(IsInvisible) => ScalarStyle.DoubleQuoted,
        var style => style,
    };

    private static bool IsPlainBlock(string value) => value.Length > 0
        && !char.IsWhiteSpace(value[0])
        && !value.EndsWith("\n\n", StringComparison.Ordinal)
        && value.All(c => c is '\n' or '\t' || !IsInvisible(c))
        && value.Split('\n').All(line => line.Length == 0 || !char.IsWhiteSpace(line[^1]));

    private static bool IsInvisible(char c) => char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF';
}
