using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Crust.Spec;

/// <summary>
/// YAML's events, as long as the document stays within bounds. YamlDotNet builds its trees by recursion, and a stack that overflows ends the process; and what
/// aliases stand for is written out by whoever walks the tree, so that a few lines may stand for gigabytes. Both are counted here, before anything is built.
/// </summary>
/// <param name="file">Its name, for messages.</param>
internal sealed class BoundedYaml(string text, string file) : IParser
{
    /// <summary>How deep mappings and lists may be in each other, also by way of aliases.</summary>
    public const int MostDepth = 100;

    /// <summary>How many values there may be, with all that aliases stand for.</summary>
    public const int MostNodes = 100_000;

    public const int MostText = 64 << 20;

    private readonly Parser _parser = new(new StringReader(text.Length <= MostText ? text
        : throw Bad($"The file has more than {MostText >> 20} Mi characters", $"{file}:1:1", "keep data out of it: name files, or put it on the installer's medium")));
    private readonly Dictionary<AnchorName, Extent> _anchors = [];
    private readonly Stack<Open> _open = [];
    private int _nodes;

    /// <inheritdoc/>
    public ParsingEvent? Current => _parser.Current;

    /// <inheritdoc/>
    /// <exception cref="CrustException">The document is beyond the bounds, or has an alias that stands for nothing, or for itself.</exception>
    public bool MoveNext()
    {
        if (!_parser.MoveNext())
        {
            return false;
        }

        switch (_parser.Current)
        {
            case DocumentStart:
                _anchors.Clear();
                break;
            case AnchorAlias alias:
                var stands = Find(alias);
                Count(alias, stands.Nodes, stands.Depth);
                break;
            case Scalar scalar:
                Count(scalar, 1, 1);
                Keep(scalar.Anchor, new Extent(1, 1));
                break;
            case MappingStart or SequenceStart:
                var start = (NodeEvent)_parser.Current;
                Count(start, 1, 1);
                _open.Push(new Open(start, _nodes - 1));
                break;
            case MappingEnd or SequenceEnd when _open.TryPop(out var done):
                Keep(done.Start.Anchor, new Extent(_nodes - done.Before, done.Depth + 1));
                if (_open.TryPeek(out var above))
                {
                    above.Depth = Math.Max(above.Depth, done.Depth + 1);
                }

                break;
        }

        return true;
    }

    private Extent Find(AnchorAlias alias)
    {
        if (_open.FirstOrDefault(open => open.Start.Anchor == alias.Value) is { } holder)
        {
            throw Bad("An anchor (&name) holds an alias (*name) of itself", YamlText.At(file, holder.Start.Start), "write out what is meant");
        }

        return _anchors.TryGetValue(alias.Value, out var extent) ? extent
            : throw Bad("An alias (*name) has no anchor (&name) before it", YamlText.At(file, alias.Start), "quote the value if it merely begins with an asterisk");
    }

    private void Count(ParsingEvent at, int nodes, int depth)
    {
        if (_open.Count + depth > MostDepth)
        {
            throw Bad($"Lists and mappings are nested more than {MostDepth} deep", YamlText.At(file, at.Start), "write it flatter: nothing that reads it needs that");
        }

        _nodes += nodes;
        if (_nodes > MostNodes)
        {
            throw Bad(at is AnchorAlias ? $"With what its aliases (*name) stand for, this has more than {MostNodes} values" : $"This has more than {MostNodes} values",
                YamlText.At(file, at.Start), at is AnchorAlias ? "write out what is meant, without aliases of aliases" : "split it into several files, or shorten it");
        }

        if (_open.TryPeek(out var above))
        {
            above.Depth = Math.Max(above.Depth, depth);
        }
    }

    private void Keep(AnchorName anchor, Extent extent)
    {
        if (!anchor.IsEmpty)
        {
            _anchors[anchor] = extent;
        }
    }

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy) { Rule = "yaml" };

    private readonly record struct Extent(int Nodes, int Depth);

    /// <summary>A mapping or a list whose end hasn't come.</summary>
    private sealed class Open(NodeEvent start, int before)
    {
        public NodeEvent Start { get; } = start;

        public int Before { get; } = before;

        public int Depth { get; set; }
    }
}
