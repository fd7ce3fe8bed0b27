using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Embedding;

/// <summary>The spec as it will be, while it is collected.</summary>
internal sealed class EmbeddedDraft(BuildSpec spec, ImmutableDictionary<string, GivenValue> given, bool withSecrets, ImmutableArray<string> secretsInFiles)
{
    private readonly List<(string Path, ConfigNode Value)> _values = [("version", ConfigTree.Text("1", Place.Default))];
    private readonly EmbeddedFiles _files = new();
    private readonly List<EmbeddedSecret> _secrets = [.. secretsInFiles.Select(place => new EmbeddedSecret(place, null))];

    public ImmutableDictionary<string, GivenValue> Given => given;

    public ImmutableArray<EmbeddedSecret> Secrets => [.. _secrets.DistinctBy(secret => secret.Place)];

    public void Say(string path, string value) => _values.Add((path, ConfigTree.Text(value, Place.Default)));

    public void Add(SpecKey key, bool isPrivate)
    {
        if (key.Path == "version")
            return;
        if (key.SecretOf(spec) is { } secret)
        {
            // Where it came from a file, or a descriptor of this process, it is said itself.
            var path = key.Path.EndsWith("File", StringComparison.Ordinal) ? key.Path[..^"File".Length] : key.Path;
            _secrets.Add(new EmbeddedSecret(path, key.Variable));
            if (withSecrets && !_values.Exists(value => value.Path == path))
                Say(path, secret.Reveal());
            return;
        }

        if (isPrivate)
        {
            _secrets.Add(new EmbeddedSecret(key.Path, key.Variable));
            if (!withSecrets)
                return;
        }

        var value = given[key.Path];
        ImmutableArray<ConfigNode> items = [.. value.Items.Select(item => ConfigTree.Text(Portable(key, item.Text, value.BaseFolder), Place.Default))];
        _values.Add((key.Path, key.IsList && (value.IsList || items.Length > 1) ? ConfigTree.List(items) : items[^1]));
    }

    public void AddLayers() => _values.Add(("layers", new PortableLayers(_files).Of(spec.Layers)));

    public async Task WriteToAsync(string folder, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "crust.yaml"), ConfigWriter.Write(Tree(_values)));
        await _files.WriteToAsync(folder, cancellation);
    }

    private static ConfigMap Tree(IEnumerable<(string Path, ConfigNode Value)> values) => ConfigTree.Map(values
        .Select(value => (Words: value.Path.Split('.', 2), value.Value))
        .GroupBy(value => value.Words[0])
        .Select(section => (section.Key, (ConfigNode?)(section.Any(value => value.Words.Length > 1)
            ? Tree(section.Select(value => value.Words.Length > 1 ? (value.Words[1], value.Value) : (OwnName(section.Key), value.Value)).Where(value => value.Item1.Length > 0))
            : section.First().Value))));

    // What a key that is also a section is called in its mapping; nothing where the mapping itself says it, as that of verify.ssh asks for a log-in.
    private static string OwnName(string key) => key == "cache" ? "registry" : "";

    private string Portable(SpecKey key, string text, string baseFolder)
    {
        var at = key.PathAt(text);
        if (at < 0)
            return text;
        var source = Path.GetFullPath(text[at..], baseFolder);
        var name = _files.Add(source);
        // A file that rides along without a name of its own would get another one.
        return key.Path == "seed.files" && at == 0 ? $"{Path.GetFileName(source)}={name}" : text[..at] + name;
    }
}
