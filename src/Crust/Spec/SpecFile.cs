using System.Collections.Immutable;
using Crust.Storage;
using YamlDotNet.RepresentationModel;

namespace Crust.Spec;

/// <summary>Reads `crust.yaml` into the values that it gives, by key.</summary>
internal sealed class SpecFile(ImmutableArray<SpecKey> keys)
{
    // The cache's name is a key by itself, and may also be the first of several.
    private const string CacheInMapping = "cache.registry";

    private readonly ImmutableHashSet<string> _keys = [.. keys.Select(key => key.Path)];
    private readonly ImmutableHashSet<string> _sections = [.. keys.SelectMany(key => SectionsAbove(key.Path))];

    /// <summary>The values by key path; empty ones are left out.</summary>
    /// <param name="file">The file as the user named it.</param>
    /// <param name="currentFolder">What it is relative to, absolute.</param>
    public ImmutableDictionary<string, GivenValue> Read(string file, string currentFolder)
    {
        if (file.Length == 0)
            throw new CrustException(FailureKind.BadInput, "The spec file's path is empty", "argument SPEC", "name a file, or leave it out");

        var path = Path.GetFullPath(PathOf(file), currentFolder);
        var root = YamlText.Parse(UserFile.Read(path, file, "spec"), file);
        // What comes through a pipe lies nowhere.
        var folder = PipeInput.IsPipe(path) ? currentFolder : Path.GetDirectoryName(path) ?? "/";
        var reading = new Reading(file, folder, ImmutableDictionary.CreateBuilder<string, GivenValue>());
        if (root is not null && !YamlText.IsNull(root))
            ReadSection(reading, "", root);
        return reading.Values.ToImmutable();
    }

    /// <summary>The path that a spec's name stands for: `-` is the standard input.</summary>
    public static string PathOf(string file) => file == "-" ? "/dev/stdin" : file;

    private void ReadSection(Reading reading, string section, YamlNode node)
    {
        if (YamlText.IsNull(node))
            return;
        if (node is not YamlMappingNode mapping)
            throw reading.Bad(node, section, section.Length == 0 ? "The spec isn't a mapping" : $"'{section}' isn't a mapping",
                $"write keys below it: {Children(section)}");

        foreach (var (keyNode, value) in mapping)
        {
            if (keyNode is not YamlScalarNode { Value: { } name })
                throw reading.Bad(keyNode, section, "A key isn't a word", $"write one of the keys: {Children(section)}");

            var path = section.Length == 0 ? name : $"{section}.{name}";
            if (path == CacheInMapping)
                ReadValue(reading, keys.First(key => key.Path == "cache"), value);
            else if (_sections.Contains(path) && (value is YamlMappingNode || !_keys.Contains(path)))
            {
                // Such as verify.ssh, where a mapping, even an empty one, asks for a log-in.
                if (keys.FirstOrDefault(key => key.Path == path)?.InMapping is { } text)
                    ReadValue(reading, keys.First(key => key.Path == path), value, text);
                ReadSection(reading, path, value);
            }
            else if (keys.FirstOrDefault(key => key.Path == path) is { TakesMappings: true } list)
                ReadMappings(reading, list, value);
            else if (_keys.Contains(path))
                ReadValue(reading, keys.First(key => key.Path == path), value);
            else
                throw reading.Bad(keyNode, path, $"There is no key '{path}'", Suggest(section, name));
        }
    }

    private static void ReadValue(Reading reading, SpecKey key, YamlNode node, string? text = null)
    {
        var where = reading.Where(node, key.Path);
        var value = new GivenValue
        {
            Items = node switch
            {
                _ when text is not null => [new GivenItem(text, where)],
                YamlScalarNode scalar => [new GivenItem(YamlText.IsNull(scalar) ? "" : scalar.Value ?? "", where)],
                YamlSequenceNode list when key.IsList => [.. list.Select((item, i) => ReadItem(reading, $"{key.Path}[{i}]", item))],
                YamlSequenceNode => throw reading.Bad(node, key.Path, $"'{key.Path}' takes one value, not a list", $"write {key.Path.Split('.')[^1]}: {key.Placeholder}"),
                _ => throw reading.Bad(node, key.Path, $"'{key.Path}' takes {(key.IsList ? "a list" : "one value")}, not a mapping", $"write {key.Path.Split('.')[^1]}: {key.Placeholder}"),
            },
            Where = where,
            BaseFolder = reading.Folder,
            IsList = node is YamlSequenceNode,
        };
        if (!value.IsEmpty)
            reading.Values[key.Path] = value;
    }

    private static void ReadMappings(Reading reading, SpecKey key, YamlNode node)
    {
        if (YamlText.IsNull(node))
            return;
        var list = node as YamlSequenceNode ?? throw reading.Bad(node, key.Path, $"'{key.Path}' takes a list of mappings", $"write {key.Path}: and below it lines that begin with a dash");
        reading.Values[key.Path] = new GivenValue
        {
            Items = [],
            Mappings = [.. list.Select((item, i) => item is YamlMappingNode entry ? YamlMapping.Of(entry, reading.File, $"{key.Path}[{i}]")
                : throw reading.Bad(item, $"{key.Path}[{i}]", "An entry of the list isn't a mapping", "write keys and values: - key: value"))],
            Where = reading.Where(node, key.Path),
            BaseFolder = reading.Folder,
            IsList = true,
        };
    }

    private static GivenItem ReadItem(Reading reading, string path, YamlNode item) => item is YamlScalarNode scalar && !YamlText.IsNull(scalar)
        ? new GivenItem(scalar.Value ?? "", reading.Where(item, path))
        : throw reading.Bad(item, path, "An entry of the list isn't a single value", "write one value an entry");

    // Somebody who writes a key in a wrong section knows its name: that counts more than the nearest spelling.
    private string Suggest(string section, string name)
    {
        var path = section.Length == 0 ? name : $"{section}.{name}";
        var siblings = _keys.Concat(_sections).Where(other => SectionOf(other) == section).ToArray();
        var near = Nearest.Find(name, siblings.Select(LastWord)) is { } sibling
            ? siblings.First(other => LastWord(other) == sibling)
            : _keys.Order().FirstOrDefault(key => LastWord(key) == name) ?? Nearest.Find(path, _keys.Order());
        return near is null ? $"use one of the keys {Children(section)}" : $"did you mean '{near}'?";
    }

    private string Children(string section) =>
        string.Join(", ", keys.Select(key => key.Path).SelectMany(path => SectionsAbove(path).Append(path))
            .Where(path => SectionOf(path) == section).Select(LastWord).Distinct());

    private static IEnumerable<string> SectionsAbove(string path)
    {
        for (var dot = path.IndexOf('.'); dot >= 0; dot = path.IndexOf('.', dot + 1))
            yield return path[..dot];
    }

    private static string SectionOf(string path) => path.LastIndexOf('.') is >= 0 and var dot ? path[..dot] : "";

    private static string LastWord(string path) => path[(path.LastIndexOf('.') + 1)..];

    private sealed record Reading(string File, string Folder, ImmutableDictionary<string, GivenValue>.Builder Values)
    {
        public string Where(YamlNode node, string path) => YamlText.At(File, node.Start) + (path.Length == 0 ? "" : $", {path}");

        public CrustException Bad(YamlNode node, string path, string what, string remedy) =>
            new(FailureKind.BadInput, what, Where(node, path), remedy);
    }
}
