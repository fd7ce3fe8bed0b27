using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>Reads a recipe's section `downloads`.</summary>
internal static partial class DownloadReader
{
    /// <summary>What the fingerprint of a key is written like.</summary>
    public const string FingerprintPattern = "[0-9A-F]{40}";

    /// <summary>What the name of a Debian package is written like (Debian Policy, 5.6.1).</summary>
    public const string PackagePattern = "[a-z0-9][a-z0-9+.-]+";

    /// <summary>The kinds of archives as recipes write them.</summary>
    public static readonly ImmutableArray<(string Name, ArchiveKind Kind)> Archives =
        [("tar.gz", ArchiveKind.TarGz), ("tar.xz", ArchiveKind.TarXz), ("tar.zst", ArchiveKind.TarZst), ("zip", ArchiveKind.Zip)];

    public static ImmutableArray<RecipeDownload> Read(YamlMapping root)
    {
        var section = root.Mapping("downloads") ?? throw root.Wrong("downloads", "The recipe says nothing of where its software comes from",
            "write downloads: and below it a name, and below that url:");
        var downloads = section.Keys.Select(name => ReadOne(section, name)).ToImmutableArray();
        section.End();
        return downloads;
    }

    private static RecipeDownload ReadOne(YamlMapping section, string name)
    {
        if (!RecipeReader.IsWord(name))
        {
            throw section.Wrong(name, $"'{name}' is no name of a download", "write lower-case letters, digits and dashes");
        }

        var keys = section.Mapping(name) ?? throw section.Wrong(name, $"The download '{name}' has no keys", "write url: below it");
        if (keys.Text("package") is { } package)
        {
            return ReadPackage(keys, name, package);
        }

        var url = RecipeValues.Template(keys, "url", keys.Required("url"));
        var files = ReadFiles(keys);
        if (Placeholders.Has(url, "file") != (files.Count > 0))
        {
            throw keys.Wrong("url", files.Count > 0 ? "There is a file for each architecture, and the URL has no {file}" : "The URL has {file}, and nothing says what it stands for",
                "write {file} into the URL, and file: { amd64: …, arm64: … } beside it; or neither");
        }

        var archs = keys.Texts("archs") is { Length: > 0 } some ? [.. some.Select(text => RecipeValues.Arch(keys, "archs", text))] : files.Count > 0 ? [.. files.Keys.Order()]
            : Enum.GetValues<Arch>().ToImmutableArray();
        var download = new RecipeDownload(name, url, files, ArchiveOf(keys), keys.Text("sums") is { } sums ? RecipeValues.Template(keys, "sums", sums) : null)
        {
            Signature = keys.Text("signature") is { } signature ? RecipeValues.Template(keys, "signature", signature) : null,
            Key = keys.Text("key"),
            Archs = archs,
        };
        CheckSignature(keys, download);
        keys.End();
        return download;
    }

    // Where it is, and what sum it has, the lists of apt say, which are signed: the recipe says neither.
    private static RecipeDownload ReadPackage(YamlMapping keys, string name, string package)
    {
        if (!PackageForm().IsMatch(package))
        {
            throw keys.Wrong("package", $"'{package}' is no name of a Debian package", "write lower-case letters, digits, dashes, dots and plus signs");
        }

        var archs = keys.Texts("archs") is { Length: > 0 } some ? [.. some.Select(text => RecipeValues.Arch(keys, "archs", text))] : Enum.GetValues<Arch>().ToImmutableArray();
        keys.End();
        return new RecipeDownload(name, "", ImmutableDictionary<Arch, string>.Empty, ArchiveKind.Deb, null) { Package = package, Archs = archs };
    }

    private static void CheckSignature(YamlMapping keys, RecipeDownload download)
    {
        if (download.Key is { } key && !Fingerprint().IsMatch(key))
        {
            throw keys.Wrong("key", "The key isn't a fingerprint", "write the 40 hex digits of the OpenPGP key's fingerprint, without blanks");
        }

        if ((download.Key ?? download.Signature) is not null && download.Sums is null)
        {
            throw keys.Wrong("sums", "There is a signature, and no list of checksums that it is of", "write sums: and the list's URL");
        }

        if (download.Signature is not null && download.Key is null)
        {
            throw keys.Wrong("signature", "There is a signature, and no key by which it could be checked", "write key: and the fingerprint of the key that upstream signs with");
        }
    }

    private static ImmutableDictionary<Arch, string> ReadFiles(YamlMapping keys)
    {
        if (keys.Mapping("file") is not { } section)
        {
            return ImmutableDictionary<Arch, string>.Empty;
        }

        var files = section.Keys.ToImmutableDictionary(name => RecipeValues.Arch(section, name, name), name => RecipeValues.Template(section, name, section.Required(name)));
        section.End();
        return files;
    }

    private static ArchiveKind? ArchiveOf(YamlMapping keys) => keys.Text("archive") switch
    {
        null => null,
        var text when Archives.Any(archive => archive.Name == text) => Archives.First(archive => archive.Name == text).Kind,
        var other => throw keys.Wrong("archive", $"'{other}' is no kind of archive",
            $"write {Nearest.Or([.. Archives.Select(archive => archive.Name)])}, or leave it out for a file that isn't packed"),
    };

    [GeneratedRegex($@"\A{PackagePattern}\z")]
    private static partial Regex PackageForm();

    [GeneratedRegex($@"\A{FingerprintPattern}\z")]
    private static partial Regex Fingerprint();
}
