using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Sanitizing;
using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>A file or folder of a torcx package that torcx brings to where the system looks for it.</summary>
/// <param name="Kind">The manifest's list that names it.</param>
/// <param name="Path">Its path in the package, without a slash in front.</param>
internal sealed record TorcxAsset(string Kind, string Path)
{
    private static readonly ImmutableDictionary<string, string> Folders = new Dictionary<string, string>
    {
        ["bin"] = "usr/bin",
        ["network"] = "usr/lib/systemd/network",
        ["units"] = "usr/lib/systemd/system",
        ["sysusers"] = "usr/lib/sysusers.d",
        ["tmpfiles"] = "usr/lib/tmpfiles.d",
        ["udev_rules"] = "usr/lib/udev/rules.d",
    }.ToImmutableDictionary();

    /// <summary>The kinds that there are.</summary>
    public static IEnumerable<string> Kinds => Folders.Keys.Order(StringComparer.Ordinal);

    /// <summary>Where an extension has it.</summary>
    public string Target => $"{Folders[Kind]}/{Path[(Path.LastIndexOf('/') + 1)..]}";
}

/// <summary>Reads `.torcx/manifest.json` of a torcx package (torcx's documentation, "Image Manifest - v0").</summary>
internal static class TorcxManifest
{
    private const string Name = ".torcx/manifest.json";
    private const string Kind = "image-manifest-v0";
    private const int Longest = 4 << 20;

    /// <param name="source">What the package is called in errors.</param>
    /// <exception cref="CrustException">There is no manifest, it can't be read, or names what isn't in the package.</exception>
    public static ImmutableArray<TorcxAsset> Read(FileTree package, string source)
    {
        if (package.Follow(Name) is not { Kind: EntryKind.File } file)
        {
            throw new CrustException(FailureKind.BadInput, $"It is no torcx package: it has no {Name}", source,
                "give a package of torcx (NAME:VERSION.torcx.tgz); other archives are for crust sysext build");
        }

        var assets = Parse(file.Content.Read(0, Longest), source);
        foreach (var asset in assets)
        {
            if (package.Follow(asset.Path) is null)
            {
                throw new CrustException(FailureKind.BadInput, $"The manifest names /{CleanText.Line(asset.Path)} ({asset.Kind}), which isn't in the package",
                    $"{source}: {Name}", "take it out of the manifest, or add it to the package");
            }
        }

        if (assets.GroupBy(asset => asset.Target).FirstOrDefault(group => group.Select(asset => package.Follow(asset.Path)).Distinct().Count() > 1) is { } clash)
        {
            throw new CrustException(FailureKind.BadInput, $"Two assets go to /{CleanText.Line(clash.Key)}: {string.Join(" and ", clash.Select(asset => $"/{CleanText.Line(asset.Path)}"))}", $"{source}: {Name}", "rename one of them in the package");
        }

        return assets;
    }

    private static ImmutableArray<TorcxAsset> Parse(byte[] json, string source)
    {
        try
        {
            var document = JsonNode.Parse(json)!.AsObject();
            if ((string?)document["kind"] != Kind)
            {
                throw new InvalidDataException($"its kind isn't {Kind}");
            }

            var lists = document["value"]!.AsObject();
            if (lists.Select(list => list.Key).FirstOrDefault(kind => !TorcxAsset.Kinds.Contains(kind)) is { } unknown)
            {
                throw new InvalidDataException($"it has a list '{CleanText.Line(unknown)}', and those known are {string.Join(", ", TorcxAsset.Kinds)}");
            }

            return
            [
                .. lists.SelectMany(list => (list.Value?.AsArray() ?? []).Select(path => new TorcxAsset(list.Key, ProgramWish.Plain(((string)path!).TrimEnd('/'))
                    ?? throw new InvalidDataException($"'{CleanText.Line((string)path!)}' is no absolute path"))).Distinct()),
            ];
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new CrustException(FailureKind.BadInput, $"The package's manifest can't be used: {(e is InvalidDataException ? e.Message : "it isn't JSON with kind and value")}", $"{source}: {Name}",
                "correct it by torcx's documentation, schemas/image-manifest-v0", e);
        }
    }
}
