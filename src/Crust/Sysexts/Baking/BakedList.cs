using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Sysexts.Baking;

/// <summary>A file of upstream's that went into an extension.</summary>
internal sealed record BakedSource(string Recipe, string Version, string Url, string Sha256);

/// <summary>An extension that was built.</summary>
/// <param name="Key">The key by which it was built: <see cref="BakeKey"/>.</param>
internal sealed record BakedFile(string FileName, string Key, string Sha256, ImmutableArray<BakedSource> Sources);

/// <summary>
/// `bakery.json`, beside the extensions of a folder: by which keys they were built, and from what. It is published with them, so that whoever continues from a publication builds only what
/// has changed.
/// </summary>
internal sealed class BakedList
{
    public const string FileName = "bakery.json";

    private const int Format = 1;

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    private readonly ImmutableSortedDictionary<string, BakedFile> _files;

    private BakedList(ImmutableSortedDictionary<string, BakedFile> files) => _files = files;

    public static BakedList Empty { get; } = new(ImmutableSortedDictionary.Create<string, BakedFile>(StringComparer.Ordinal));

    public IEnumerable<BakedFile> Files => _files.Values;

    /// <summary>Reads the list of a folder; one that isn't there is empty.</summary>
    /// <exception cref="CrustException">It can't be read, or isn't such a list.</exception>
    public static BakedList ReadIfThere(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return Empty;
        }

        try
        {
            var root = JsonNode.Parse(UserFile.Read(path, path, "list of what was built"))!;
            return (int)root["version"]! != Format
                ? throw new CrustException(FailureKind.BadInput, "The list of what was built is of another version of Crust", path, "remove it; everything is built once more then")
                : Empty.With([.. root["extensions"]!.AsArray().Select(one => new BakedFile((string)one!["file"]!, (string)one["key"]!, (string)one["sha256"]!,
                [
                    .. one["sources"]!.AsArray().Select(source => new BakedSource((string)source!["recipe"]!, (string)source["version"]!, (string)source["url"]!, (string)source["sha256"]!)),
                ]))]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or ArgumentNullException or FormatException)
        {
            throw new CrustException(FailureKind.BadInput, "The list of what was built can't be understood", path, "take it from the last publication anew, or remove it; everything is built once more then", e);
        }
    }

    public BakedFile? Find(string fileName) => _files.GetValueOrDefault(fileName);

    /// <summary>With files in place of those of the same name.</summary>
    public BakedList With(params IReadOnlyCollection<BakedFile> files) => new(_files.SetItems(files.Select(file => KeyValuePair.Create(file.FileName, file))));

    /// <summary>Without the files whose names aren't wanted any more.</summary>
    public BakedList Where(Func<string, bool> wanted) => new(_files.RemoveRange(_files.Keys.Where(name => !wanted(name))));

    /// <summary>Writes it into a folder, whole or not at all.</summary>
    /// <exception cref="CrustException">It can't be written.</exception>
    public void Write(string folder)
    {
        var root = new JsonObject
        {
            ["version"] = Format,
            ["extensions"] = new JsonArray([.. _files.Values.Select(file => new JsonObject
            {
                ["file"] = file.FileName,
                ["key"] = file.Key,
                ["sha256"] = file.Sha256,
                ["sources"] = new JsonArray([.. file.Sources.Select(source => new JsonObject
                {
                    ["recipe"] = source.Recipe,
                    ["version"] = source.Version,
                    ["url"] = source.Url,
                    ["sha256"] = source.Sha256,
                })]),
            })]),
        };
        var path = Path.Combine(folder, FileName);
        try
        {
            using var drafts = DraftFolder.Create(folder);
            OutputFile.Write(drafts.Path, path, root.ToJsonString(Readable) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The list of what was built can't be written: {e.Message}", path, "make room there, or choose another folder with --output", e);
        }
    }
}
