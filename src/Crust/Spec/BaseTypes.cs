using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>The kinds of values that the section `base` has alone.</summary>
internal static partial class BaseTypes
{
    private const string SuiteForm = "[a-z][a-z0-9-]{0,63}";
    // Declared first: the types below are made of it.
    private static readonly ValueType<long> PartitionSize = ValueTypes.Bytes(64 << 10, 64 << 20, 4 << 10);

    private const string PackageForm = "[a-z0-9][a-z0-9+.-]*(:[a-z0-9]+)?";

    /// <summary>An image in a registry as it is written; or a path (absolute once it is read) or an http(s) URL.</summary>
    public static readonly ValueType<string?> Oci = ValueTypes.FileOrUrl with
    {
        Placeholder = "FILE|FOLDER|URL|docker://IMAGE",
        Parse = given => RegistryReference.IsImage(given.Single.Text) ? Image(given.Single) : ValueTypes.FileOrUrl.Parse(given),
        PathAt = text => RegistryReference.IsImage(text) ? -1 : ValueTypes.FileOrUrl.PathAt(text),
    };

    /// <summary>A release's code name.</summary>
    public static readonly ValueType<string?> Suite = new(
        "SUITE",
        given => SuitePattern().IsMatch(given.Single.Text) ? given.Single.Text : throw ValueTypes.Bad(given.Single, "can't be the code name of a release", "write one such as bookworm or trixie"),
        value => value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = $"^{SuiteForm}$" });

    /// <summary>Names of packages.</summary>
    public static readonly ValueType<ImmutableArray<string>> Packages = new(
        "PACKAGE",
        given => [.. given.Items.Select(item => PackagePattern().IsMatch(item.Text) ? item.Text
            : throw ValueTypes.Bad(item, "can't be a package's name", "write names as Debian has them, such as openssh-server"))],
        _ => null,
        () => new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string", ["pattern"] = $"^{PackageForm}$" } })
    { IsList = true };

    /// <summary>The URL of a mirror.</summary>
    public static readonly ValueType<string?> Mirror = new(
        "URL",
        given => PathOrUrl.IsUrl(given.Single.Text, out var url) && url.Scheme is "http" or "https" && !given.Single.Text.Any(char.IsWhiteSpace) ? given.Single.Text
            : throw ValueTypes.Bad(given.Single, "isn't the URL of a mirror", "write an http:// or https:// URL, such as https://mirror.example.org/debian"),
        value => value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^https?://" });

    /// <summary>A partition's size: room for a small FAT.</summary>
    public static readonly ValueType<long?> SeedPartition = new(
        PartitionSize.Placeholder,
        given => PartitionSize.Parse(given),
        value => value is { } bytes ? Size.ToSpecText(bytes) : null,
        PartitionSize.Schema);

    private static string Image(GivenItem item)
    {
        RegistryReference.ParseImage(item.Text, item.Where);
        return item.Text;
    }

    [GeneratedRegex($@"\A{SuiteForm}\z")]
    private static partial Regex SuitePattern();

    [GeneratedRegex($@"\A{PackageForm}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex PackagePattern();
}
