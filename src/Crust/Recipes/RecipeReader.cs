using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>Reads recipes, and refuses what couldn't be used: each error names the file with line and column, what is wrong and what to write.</summary>
internal static partial class RecipeReader
{
    private const string WholeArchive = "/";

    // A recipe may be somebody else's: its pattern must not run for ever.
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Reads a recipe.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="path">The file's path, whose base name is the recipe's name.</param>
    /// <exception cref="CrustException">Something in it is wrong (<see cref="FailureKind.BadInput"/>).</exception>
    public static Recipe Read(string text, string path)
    {
        var root = YamlMapping.Parse(text, path, "a recipe");
        var name = root.Required("name");
        if (!Word().IsMatch(name) || name != Path.GetFileNameWithoutExtension(path))
        {
            throw root.Wrong("name", $"The recipe's name '{name}' isn't that of its file", $"write name: {Path.GetFileNameWithoutExtension(path)}, or rename the file; a name has lower-case letters, digits and dashes");
        }

        var downloads = ReadDownloads(root);
        var recipe = new Recipe
        {
            Name = name,
            Summary = root.Required("summary"),
            Homepage = root.Required("homepage"),
            License = root.Required("license"),
            VersionForm = ReadForm(root),
            Tag = root.Text("tag") ?? "v{version}",
            Downloads = downloads,
            Files = [.. root.Mappings("files").Select(file => ReadFile(file, downloads))],
            Links = [.. root.Mappings("links").Select(ReadLink)],
            Path = path,
        };
        if (!Placeholders.Has(recipe.Tag, "version"))
        {
            throw root.Wrong("tag", $"The tag '{recipe.Tag}' is the same for all versions", "write {version} where the version stands in it");
        }

        recipe = recipe with { Versions = ReadVersions(root, recipe) };
        root.End();
        return recipe;
    }

    private static Regex ReadForm(YamlMapping root)
    {
        var form = root.Text("versionForm") ?? @"\d+\.\d+\.\d+";
        try
        {
            return new Regex($@"\A(?:{form})\z", RegexOptions.CultureInvariant, MatchTimeout);
        }
        catch (ArgumentException e)
        {
            throw root.Wrong("versionForm", $"The form of versions is no regular expression: {e.Message}", @"write one that matches a whole version, such as \d+\.\d+\.\d+");
        }
    }

    private static ImmutableArray<RecipeDownload> ReadDownloads(YamlMapping root)
    {
        var section = root.Mapping("downloads") ?? throw root.Wrong("downloads", "The recipe says nothing of where its software comes from", "write downloads: and below it a name, and below that url:");
        var downloads = section.Keys.Select(name => ReadDownload(name, section.Mapping(name) ?? throw section.Wrong(name, $"The download '{name}' has no keys", "write url: below it"))).ToImmutableArray();
        section.End();
        return downloads;
    }

    private static RecipeDownload ReadDownload(string name, YamlMapping keys)
    {
        var url = Template(keys, "url", keys.Required("url"));
        var files = ReadFiles(keys);
        if (Placeholders.Has(url, "file") != (files.Count > 0))
        {
            throw keys.Wrong("url", files.Count > 0 ? "There is a file for each architecture, and the URL has no {file}" : "The URL has {file}, and nothing says what it stands for",
                "write {file} into the URL, and file: { amd64: …, arm64: … } beside it; or neither");
        }

        var archs = keys.Texts("archs") is { Length: > 0 } some ? [.. some.Select(text => ArchOf(keys, "archs", text))] : files.Count > 0 ? [.. files.Keys.Order()] : Enum.GetValues<Arch>().ToImmutableArray();
        var download = new RecipeDownload(name, url, files, ArchiveOf(keys), keys.Text("sums") is { } sums ? Template(keys, "sums", sums) : null)
        {
            Signature = keys.Text("signature") is { } signature ? Template(keys, "signature", signature) : null,
            Key = keys.Text("key"),
            Archs = archs,
        };
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

        keys.End();
        return download;
    }

    private static ImmutableDictionary<Arch, string> ReadFiles(YamlMapping keys)
    {
        if (keys.Mapping("file") is not { } section)
        {
            return ImmutableDictionary<Arch, string>.Empty;
        }

        var files = section.Keys.ToImmutableDictionary(name => ArchOf(section, name, name), name => Template(section, name, section.Required(name)));
        section.End();
        return files;
    }

    private static ArchiveKind? ArchiveOf(YamlMapping keys) => keys.Text("archive") switch
    {
        null => null,
        "tar.gz" => ArchiveKind.TarGz,
        "tar.xz" => ArchiveKind.TarXz,
        "tar.zst" => ArchiveKind.TarZst,
        "zip" => ArchiveKind.Zip,
        var other => throw keys.Wrong("archive", $"'{other}' is no kind of archive", "write tar.gz, tar.xz, tar.zst or zip, or leave it out for a file that isn't packed"),
    };

    private static RecipeFile ReadFile(YamlMapping keys, ImmutableArray<RecipeDownload> downloads)
    {
        var from = keys.Required("from");
        var (name, inner) = from.Split(':', 2) is [var first, var rest] ? (first, rest) : (from, "");
        var download = downloads.FirstOrDefault(download => download.Name == name)
            ?? throw keys.Wrong("from", $"There is no download '{name}'", Nearest.Suggest(name, [.. downloads.Select(download => download.Name)]));
        if (download.Archive is null != (inner.Length == 0))
        {
            throw keys.Wrong("from", inner.Length > 0 ? $"'{name}' isn't packed, and has no '{inner}' in it" : $"'{name}' is an archive, and nothing says which of its files is meant",
                inner.Length > 0 ? $"write from: {name}, or archive: in the download" : $"write from: {name}:path/in/it");
        }

        if (inner.Length > 0 && inner != WholeArchive && !IsInside(inner))
        {
            throw keys.Wrong("from", $"'{inner}' isn't a path inside the archive", "write it without .. and without a slash before it");
        }

        var uses = keys.Texts("for").Select(text => Enum.GetValues<RecipeUse>().Cast<RecipeUse?>().FirstOrDefault(use => use!.Value.LowerName() == text)
            ?? throw keys.Wrong("for", $"'{text}' is nothing that a recipe is used for", "write layer or sysext, or leave it out for both")).ToImmutableArray();
        var file = new RecipeFile(name, Template(keys, "from", inner), Target(keys, "to"), ModeOf(keys), uses);
        if (uses is not [RecipeUse.Layer] && !IsInSysext(file.Target))
        {
            throw keys.Wrong("to", $"'{file.Target}' lies outside /usr and /opt, where a system extension has nothing", "write for: layer, or another path");
        }

        keys.End();
        return file;
    }

    private static RecipeLink ReadLink(YamlMapping keys)
    {
        var link = new RecipeLink(Target(keys, "at"), keys.Required("to"));
        if (!IsInSysext(link.Target))
        {
            throw keys.Wrong("at", $"'{link.Target}' lies outside /usr and /opt, where a system extension has nothing", "write another path");
        }

        keys.End();
        return link;
    }

    private static ImmutableArray<RecipeVersion> ReadVersions(YamlMapping root, Recipe recipe)
    {
        var section = root.Mapping("versions") ?? throw root.Wrong("versions", "The recipe has no version", "write versions: and below it a version with its sums");
        var versions = section.Keys.Select(version => ReadVersion(section, version, recipe)).ToImmutableArray();
        section.End();
        return versions;
    }

    private static RecipeVersion ReadVersion(YamlMapping section, string version, Recipe recipe)
    {
        if (!recipe.VersionForm.IsMatch(version))
        {
            throw section.Wrong(version, $"'{version}' doesn't have the form of {recipe.Name}'s versions", "quote it if it looks like a number; or mend versionForm");
        }

        var keys = section.Mapping(version) ?? throw section.Wrong(version, $"The version {version} has no keys", "write below it amd64: { download: sum }; { } where upstream publishes no sums");
        var sums = ImmutableDictionary.CreateBuilder<(Arch, string), string>();
        foreach (var arch in Enum.GetValues<Arch>())
        {
            if (keys.Mapping(arch.LowerName()) is not { } of)
            {
                continue;
            }

            foreach (var download in recipe.Downloads.Where(download => download.Archs.Contains(arch)))
            {
                if (of.Text(download.Name) is { } sum)
                {
                    sums[(arch, download.Name)] = Sum().IsMatch(sum) ? sum : throw of.Wrong(download.Name, "This isn't a SHA-256", "write its 64 hex digits in lower case");
                }
            }

            of.End();
        }

        var with = keys.Mapping("with");
        var belongs = with is null ? ImmutableDictionary<string, string>.Empty : with.Keys.ToImmutableDictionary(name => name, with.Required);
        with?.End();
        keys.End();
        return new RecipeVersion(version, sums.ToImmutable(), belongs);
    }

    private static string Template(YamlMapping keys, string key, string text)
    {
        if (Placeholders.FindUnknown(text) is { } unknown)
        {
            throw keys.Wrong(key, $"There is no placeholder '{{{unknown}}}'", $"write one of {string.Join(", ", Placeholders.Names.Select(name => $"{{{name}}}"))}");
        }

        return key is not ("url" or "sums" or "signature") || text.StartsWith("https://", StringComparison.Ordinal) ? text
            : throw keys.Wrong(key, "Upstream's files come by https", "write a URL that begins with https://; a mirror is named when recipes are fetched");
    }

    private static string Target(YamlMapping keys, string key)
    {
        var path = keys.Required(key);
        return path[0] == '/' && path.Length > 1 && IsInside(path[1..]) ? path : throw keys.Wrong(key, $"'{path}' is no path in the target", "write an absolute path without ..");
    }

    private static UnixFileMode? ModeOf(YamlMapping keys) => keys.Text("mode") switch
    {
        null => null,
        // No set-user-ID bits: what upstream serves runs as who starts it.
        var text when Mode().IsMatch(text) => (UnixFileMode)Convert.ToInt32(text, 8),
        var text => throw keys.Wrong("mode", $"'{text}' isn't a file's mode", "write three octal digits in quotes, such as '755'"),
    };

    private static Arch ArchOf(YamlMapping keys, string key, string text) => Enum.GetValues<Arch>().Cast<Arch?>().FirstOrDefault(arch => arch!.Value.LowerName() == text)
        ?? throw keys.Wrong(key, $"'{text}' is no architecture", "write amd64 or arm64");

    private static bool IsInSysext(string path) => path.StartsWith("/usr/", StringComparison.Ordinal) || path.StartsWith("/opt/", StringComparison.Ordinal);

    private static bool IsInside(string path) => path.TrimEnd('/').Split('/').All(part => part is not ("" or "." or "..")) && !path.Any(char.IsControl);

    [GeneratedRegex(@"\A[a-z0-9]+(-[a-z0-9]+)*\z")]
    private static partial Regex Word();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex Sum();

    [GeneratedRegex(@"\A[0-9A-F]{40}\z")]
    private static partial Regex Fingerprint();

    [GeneratedRegex(@"\A0?[0-7]{3}\z")]
    private static partial Regex Mode();
}
