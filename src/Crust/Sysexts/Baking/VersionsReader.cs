using System.Collections.Immutable;
using System.Globalization;
using Crust.Recipes;
using Crust.Spec;

namespace Crust.Sysexts.Baking;

/// <summary>Reads `versions.yaml`: each error names the file with line and column, what is wrong and what to write.</summary>
internal static class VersionsReader
{
    private const string Format = "1";

    /// <exception cref="CrustException">It can't be read, or something in it is wrong.</exception>
    public static VersionsFile Read(string path) => Parse(UserFile.Read(path, path, "versions"), path);

    /// <exception cref="CrustException">Something in it is wrong.</exception>
    public static VersionsFile Parse(string text, string path)
    {
        var root = YamlMapping.Parse(text, path, "a list of versions");
        if (root.Required("version") is not Format)
        {
            throw root.Wrong("version", "The file is of another version of Crust", $"write version: {Format}");
        }

        var url = root.Text("url") is { } given ? UrlOf(given) ?? throw root.Wrong("url", $"'{given}' isn't a URL from which systemd-sysupdate could take anything", "write one that begins with https://") : null;
        ImmutableArray<string> pinned = root.Texts("pinMinor") is { Length: > 0 } some ? some : SysextIndex.UsuallyPinned;
        var defaults = BuildKeys.Of(root, BuildKeys.Default);
        var entries = root.Mappings("extensions").Select(keys => ReadEntry(keys, defaults, pinned)).ToImmutableArray();
        root.End();
        if (entries.IsEmpty)
        {
            throw root.Wrong("extensions", "The file lists no extension", "write extensions: and below it - { recipe: NAME, versions: [VERSION] }");
        }

        var file = new VersionsFile(path, url, pinned, entries);
        return file.Orders.GroupBy(order => order.Plan.FileName).FirstOrDefault(orders => orders.Count() > 1) is not { } twice ? file
            : throw new CrustException(FailureKind.BadInput, $"Two entries make {twice.Key}", twice.Last().Where, "give one of them another name:, or take the version out of it");
    }

    /// <summary>The URL of a folder, with a slash at its end; null if it is none from which a machine could update.</summary>
    public static Uri? UrlOf(string text) => Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out var url) && url.Scheme is "https" or "http" ? url : null;

    private static VersionsEntry ReadEntry(YamlMapping keys, BuildKeys defaults, ImmutableArray<string> pinned)
    {
        var recipe = keys.Required("recipe");
        if (!RecipeReader.IsWord(recipe))
        {
            throw keys.Wrong("recipe", $"'{recipe}' is no name of a recipe", "write lower-case letters, digits and dashes; crust recipe list has those that there are");
        }

        var name = keys.Text("name") ?? recipe;
        var versions = keys.Texts("versions");
        if (versions.IsEmpty)
        {
            throw keys.Wrong("versions", $"No version of {recipe} is listed", "write versions: ['VERSION'], in quotes where it looks like a number");
        }

        if (versions.GroupBy(version => version).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw keys.Wrong("versions", $"The version {twice.Key} stands twice", "keep one of the two");
        }

        var build = BuildKeys.Of(keys, defaults);
        var entry = new VersionsEntry(recipe, keys.Text("variant"), versions, keys.Spans("versions"), build.Archs,
            Word(keys, "follow", pinned.Contains(name) ? FollowedVersions.Minor : FollowedVersions.Newest), PlanOf(keys, name, build, versions), keys.Where);
        keys.End();
        return entry;
    }

    private static SysextPlan PlanOf(YamlMapping keys, string name, BuildKeys build, ImmutableArray<string> versions)
    {
        var plan = new SysextPlan { Name = name, Profile = build.Profile, Level = build.Level, OsVersion = build.OsVersion, Reload = build.Reload, Format = build.Format, Epoch = build.Epoch };
        try
        {
            foreach (var version in versions)
            {
                _ = (plan with { Version = version }).For(build.Os);
            }

            return plan.For(build.Os);
        }
        catch (CrustException e)
        {
            // What is an option there is a key here.
            string AsKeys(string text) => text.Replace("--os-version ", "osVersion: ").Replace("--os-version", "osVersion").Replace("--level", "level").Replace("--os ", "os: ").Replace("--os", "os");
            throw new CrustException(e.Kind, e.What, $"{keys.Where} ({AsKeys(e.Where)})", AsKeys(e.Remedy), e);
        }
    }

    /// <summary>The word of an enumeration that a key has.</summary>
    private static TEnum Word<TEnum>(YamlMapping keys, string key, TEnum preset)
        where TEnum : struct, Enum => keys.Text(key) is not { } text ? preset
        : Enum.GetValues<TEnum>().Cast<TEnum?>().FirstOrDefault(value => value!.Value.LowerName() == text)
            ?? throw keys.Wrong(key, $"'{text}' is no value of {key}", Nearest.Suggest(text, [.. Enum.GetValues<TEnum>().Select(value => value.LowerName())]));

    /// <summary>What may stand at the top of the file for all extensions, and with each of them.</summary>
    private sealed record BuildKeys(ImmutableArray<Arch> Archs, SysextProfile Profile, string? Os, string? Level, string? OsVersion, SysextFormat Format, bool Reload, long Epoch)
    {
        public static BuildKeys Default { get; } = new([Arch.Amd64], SysextProfile.Any, null, null, null, SysextFormat.Squashfs, false, 0);

        public static BuildKeys Of(YamlMapping keys, BuildKeys preset) => new(
            keys.Texts("archs") is { Length: > 0 } some ? [.. some.Select(text => RecipeValues.Arch(keys, "archs", text)).Distinct()] : preset.Archs,
            Word(keys, "profile", preset.Profile), keys.Text("os") ?? preset.Os, keys.Text("level") ?? preset.Level, keys.Text("osVersion") ?? preset.OsVersion,
            Word(keys, "format", preset.Format),
            keys.Text("reload") switch
            {
                null => preset.Reload,
                "true" => true,
                "false" => false,
                var text => throw keys.Wrong("reload", $"'{text}' is neither true nor false", "write reload: true or reload: false"),
            },
            keys.Text("epoch") is not { } epoch ? preset.Epoch
                // squashfs has 32 bits for it.
                : uint.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds
                : throw keys.Wrong("epoch", $"'{epoch}' is no time in seconds since 1970", $"write a number from 0 to {uint.MaxValue}"));
    }
}
