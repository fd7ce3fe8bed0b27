using System.Collections.Immutable;
using System.Text;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust;

/// <summary>
/// Takes a build's secrets out of what guests say, before it reaches a log, a message, a screen or a report: those are passed on, and an installer that prints
/// its configuration prints what is secret in it.
/// </summary>
public sealed class Redactor
{
    /// <summary>Stands in a secret's place.</summary>
    public const string Mask = "•••";

    // A secret of one or two characters can't be told from chance, and would tear holes into every word.
    private const int Shortest = 3;

    private ImmutableArray<string> _secrets = [];

    /// <summary>What is hidden, the longest first: one secret may be a part of another.</summary>
    internal ImmutableArray<string> Secrets => _secrets;

    /// <summary>Hides texts from now on.</summary>
    public void Hide(IEnumerable<string?> secrets)
    {
        ImmutableArray<string> more = [.. secrets.OfType<string>().Where(secret => secret.Length >= Shortest)];
        ImmutableInterlocked.Update(ref _secrets, known => [.. known.Union(more).OrderByDescending(secret => secret.Length)]);
    }

    /// <summary>Hides all that a spec says and nobody should see, also logins in URLs, and passwords among what is typed.</summary>
    public void Hide(BuildSpec spec) => Hide(SpecSecrets.In(spec).SelectMany(secret => secret.Values));

    /// <summary>The text without them.</summary>
    public string Apply(string text) => _secrets.Aggregate(text, (clean, secret) => clean.Replace(secret, Mask, StringComparison.Ordinal));

    /// <summary>A filter for one stream of bytes.</summary>
    internal RedactingFilter Filter() => new(this);
}

/// <summary>Takes secrets out of a stream whose pieces may be cut anywhere, also inside a secret.</summary>
internal sealed class RedactingFilter(Redactor redactor)
{
    private static readonly byte[] Mask = Encoding.UTF8.GetBytes(Redactor.Mask);

    private ImmutableArray<string> _known = [];
    private byte[][] _secrets = [];
    private byte[] _held = [];

    /// <summary>What may be passed on of the stream so far. What may be the beginning of a secret is held back until more is known.</summary>
    public ReadOnlyMemory<byte> Pass(ReadOnlyMemory<byte> piece)
    {
        if (_known != redactor.Secrets)
        {
            _known = redactor.Secrets;
            _secrets = [.. _known.Select(Encoding.UTF8.GetBytes)];
        }

        var bytes = _held.Length == 0 ? piece : (byte[])[.. _held, .. piece.Span];
        foreach (var secret in _secrets)
        {
            bytes = Replace(bytes, secret);
        }

        var held = _secrets.Length == 0 ? 0 : _secrets.Max(secret => Beginning(bytes.Span, secret));
        _held = bytes[^held..].ToArray();
        return bytes[..^held];
    }

    /// <summary>What was held back, at the stream's end.</summary>
    public ReadOnlyMemory<byte> End()
    {
        var rest = _held;
        _held = [];
        return rest;
    }

    // How many of the last bytes are the first of a secret.
    private static int Beginning(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> secret)
    {
        for (var length = Math.Min(bytes.Length, secret.Length - 1); length > 0; length--)
        {
            if (bytes[^length..].SequenceEqual(secret[..length]))
            {
                return length;
            }
        }

        return 0;
    }

    private static ReadOnlyMemory<byte> Replace(ReadOnlyMemory<byte> bytes, byte[] secret)
    {
        if (bytes.Span.IndexOf(secret) < 0)
        {
            return bytes;
        }

        var clean = new MemoryStream(bytes.Length);
        var rest = bytes.Span;
        for (int index; (index = rest.IndexOf(secret)) >= 0; rest = rest[(index + secret.Length)..])
        {
            clean.Write(rest[..index]);
            clean.Write(Mask);
        }

        clean.Write(rest);
        return clean.ToArray();
    }
}
