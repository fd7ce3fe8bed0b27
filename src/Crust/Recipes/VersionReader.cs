using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>Reads a recipe's section `versions`.</summary>
internal static partial class VersionReader
{
    /// <summary>What a SHA-256 is written like.</summary>
    public const string SumPattern = "[0-9a-f]{64}";

    public static ImmutableArray<RecipeVersion> Read(YamlMapping root, Recipe recipe)
    {
        var section = root.Mapping("versions") ?? throw root.Wrong("versions", "The recipe has no version", "write versions: and below it a version with its sums");
        var versions = section.Keys.Select(version => ReadOne(section, version, recipe)).ToImmutableArray();
        section.End();
        return versions.Length > 0 ? versions : throw root.Wrong("versions", "The recipe has no version", "write below it a version with its sums");
    }

    private static RecipeVersion ReadOne(YamlMapping section, string version, Recipe recipe)
    {
        if (!IsOfForm(section, version, recipe))
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

            foreach (var download in recipe.Downloads.Where(download => download.Package is null && download.Archs.Contains(arch)))
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

    private static bool IsOfForm(YamlMapping section, string version, Recipe recipe)
    {
        try
        {
            return recipe.VersionForm.IsMatch(version);
        }
        catch (RegexMatchTimeoutException)
        {
            throw section.Wrong(version, "The form of versions takes too long to match this one", "write a simpler versionForm, such as \\d+\\.\\d+\\.\\d+");
        }
    }

    [GeneratedRegex($@"\A{SumPattern}\z")]
    private static partial Regex Sum();
}
