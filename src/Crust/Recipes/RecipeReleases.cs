using Crust.Spec;

namespace Crust.Recipes;

/// <summary>In which form upstream says which versions there are.</summary>
public enum ReleasesForm
{
    /// <summary>An Atom feed, whose links end with the names, such as `releases.atom` of a repository on GitHub.</summary>
    Feed,

    /// <summary>A URL that redirects to one that ends with the newest one's name, such as `releases/latest` on GitHub.</summary>
    Latest,

    /// <summary>A file with the newest one's name and nothing else.</summary>
    Text,

    /// <summary>A page with links that end with the names, such as a listing of a folder.</summary>
    Listing,
}

/// <summary>Where upstream says which versions there are.</summary>
/// <param name="Url">The URL.</param>
/// <param name="Name">What a version is called there, with the placeholder `{version}`.</param>
internal sealed record RecipeReleases(ReleasesForm Form, Uri Url, string Name)
{
    /// <summary>The version that a name there is of; null for another name.</summary>
    public string? VersionOf(string name)
    {
        var (before, after) = Name.Split("{version}", 2) is [var first, var second] ? (first, second) : (Name, "");
        return name.Length > before.Length + after.Length && name.StartsWith(before, StringComparison.Ordinal) && name.EndsWith(after, StringComparison.Ordinal)
            ? name[before.Length..^after.Length] : null;
    }

    /// <summary>Reads a recipe's section `releases`; null where it has none.</summary>
    /// <param name="tag">Upstream's name of a version, which is that of a release if the section doesn't say otherwise.</param>
    /// <exception cref="CrustException">Something in it is wrong.</exception>
    public static RecipeReleases? Read(YamlMapping root, string tag)
    {
        if (root.Mapping("releases") is not { } keys)
        {
            return null;
        }

        var forms = Enum.GetValues<ReleasesForm>().Where(form => keys.Text(form.LowerName()) is not null).ToList();
        if (forms is not [var form])
        {
            throw root.Wrong("releases", forms.Count == 0 ? "Nothing says where upstream lists its releases" : "Upstream's releases are at two places",
                $"write one of {Nearest.Or([.. Enum.GetValues<ReleasesForm>().Select(value => value.LowerName())])}, and a URL");
        }

        var url = RecipeValues.Template(keys, "url", keys.Required(form.LowerName()));
        if (!Uri.TryCreate(url, UriKind.Absolute, out var at) || url.Contains('{'))
        {
            throw keys.Wrong(form.LowerName(), $"'{url}' isn't the URL of a list of releases", "write one without placeholders that begins with https://");
        }

        var name = keys.Text("name") ?? tag;
        if (!Placeholders.Has(name, "version"))
        {
            throw keys.Wrong("name", $"The name '{name}' is the same for all versions", "write {version} where the version stands in it");
        }

        keys.End();
        return new RecipeReleases(form, at, name);
    }
}
