using System.Collections.Immutable;
using System.Globalization;
using Crust.Disks;
using Crust.Machines;

namespace Crust.Inspection.Evidence;

/// <summary>What the appliance's job `disk` has told of a disk: pieces of it, as they are. Nothing in them is trusted.</summary>
internal sealed class DiskEvidence
{
    // Nobody's disk has as much; whoever made one that has wants to fill the memory.
    private const int MostWords = 4000;
    private const long MostBytes = 32 << 20;

    private readonly List<GuestWord.Found> _words = [];
    private long _bytes;

    public void Add(GuestWord.Found word)
    {
        lock (_words)
        {
            if (_words.Count < MostWords && (_bytes += word.Data.Length) <= MostBytes)
            {
                _words.Add(word);
            }
        }
    }

    /// <summary>The bytes of the first word of a kind at a place; empty if there is none.</summary>
    public ReadOnlyMemory<byte> Bytes(string kind, string at) => Of(kind, at).Select(word => word.Data).FirstOrDefault();

    /// <summary>The bytes of all words of a kind at a place, one after the other: what was too long for one.</summary>
    public byte[] AllBytes(string kind, string at) => [.. Of(kind, at).SelectMany(word => word.Data.ToArray())];

    /// <summary>The text of the first word of a kind at a place; null if there is none.</summary>
    public string? Text(string kind, string at) => Of(kind, at).Select(word => PlainText.Of(word.Data)).FirstOrDefault();

    /// <summary>The texts of all words of a kind at a place.</summary>
    public IEnumerable<string> Texts(string kind, string at) => Of(kind, at).Select(word => PlainText.Of(word.Data));

    /// <summary>The places of the words of a kind, in the order in which they came.</summary>
    public IEnumerable<string> Places(string kind) => All().Where(word => word.Kind == kind).Select(word => word.At).Distinct();

    public int TidiedSystems => int.TryParse(Text("tidied-systems", "0"), CultureInfo.InvariantCulture, out var count) ? count : 0;

    public ImmutableArray<TidiedPart> Tidied() => [.. Changes().Where(change => change.Reason.Length == 0).Select(change => change.Part)];

    /// <summary>What should have been tidied and wasn't, with the reason.</summary>
    public ImmutableArray<(TidiedPart Part, string Reason)> NotTidied() => [.. Changes().Where(change => change.Reason.Length > 0)];

    // Step, path, files, bytes, and a reason if it was left.
    private IEnumerable<(TidiedPart Part, string Reason)> Changes() =>
        from word in All()
        where word.Kind == "tidied"
        from change in PlainText.Of(word.Data).Split('\0').Chunk(5)
        where change.Length == 5
        select (new TidiedPart(PlainText.Clean(change[0]), PlainText.Clean(change[1]), Number(change[2]), Number(change[3])), PlainText.Clean(change[4]));

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private IEnumerable<GuestWord.Found> Of(string kind, string at) => All().Where(word => word.Kind == kind && word.At == at);

    private ImmutableArray<GuestWord.Found> All()
    {
        lock (_words)
        {
            return [.. _words];
        }
    }
}
