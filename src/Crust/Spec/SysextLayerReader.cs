using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Crust.Storage;

namespace Crust.Spec;

/// <summary>Reads `sysext` entries of `layers`: a recipe, a file, or `{ index, name, version }`.</summary>
internal static partial class SysextLayerReader
{
    public const string Kind = "sysext";

    private const string Flatcar = "flatcar";

    private static readonly ImmutableArray<string> Profiles = ["any", Flatcar, "debian", "kairos"];
    private static readonly ImmutableArray<string> Texts = ["index", "name", "version", "key", "sha256"];
    private static readonly ImmutableArray<string> Partitions = ["ROOT", "OEM"];

    public static LayerSpec.Sysext Read(YamlMapping entry, string folder)
    {
        var source = entry.HasMapping(Kind) ? Published(entry.Mapping(Kind)!, folder) : Named(entry, folder);
        var partition = entry.Text("partition") is not { } text ? null : Partitions.Contains(text) ? text
            : throw entry.Wrong("partition", $"'{text}' is no partition of Flatcar's that can be written", $"write {Nearest.Or(Partitions)}");
        var profile = entry.Text("profile") switch
        {
            null => partition is null ? Profiles[0] : Flatcar,
            var given when Profiles.Contains(given) => given,
            var other => throw entry.Wrong("profile", $"'{other}' is no kind of system", Nearest.Suggest(other, Profiles)),
        };
        return partition is not null && profile != Flatcar
            ? throw entry.Wrong("partition", $"ROOT and OEM are Flatcar's, and the profile is {profile}", "leave out one of the two")
            : new LayerSpec.Sysext(source, profile, profile == Flatcar ? partition ?? Partitions[0] : null) { Where = entry.Where };
    }

    public static JsonObject Schema() => new()
    {
        ["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = "string" },
            new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("index", "name", "version"),
                ["additionalProperties"] = false,
                ["properties"] = new JsonObject([.. Texts.Select(key => KeyValuePair.Create(key, (JsonNode?)new JsonObject { ["type"] = "string" })),
                    KeyValuePair.Create("allowUnverified", (JsonNode?)new JsonObject { ["type"] = "boolean" })]),
            }),
    };

    private static SysextOrigin Named(YamlMapping entry, string folder)
    {
        var text = entry.Required(Kind);
        if (text.EndsWith(".raw", StringComparison.Ordinal))
        {
            return new SysextOrigin.Local(LayerType.PathOf(entry, Kind, text, folder));
        }

        return LayerType.RecipeOf(entry, text, folder) is { } recipe ? new SysextOrigin.Built(recipe)
            : throw entry.Wrong(Kind, $"'{text}' is no recipe and no file of an extension", "write NAME@VERSION of a recipe, the path of a file that ends in .raw, or { index: URL, name: NAME, version: VERSION }");
    }

    private static SysextOrigin.Published Published(YamlMapping index, string folder)
    {
        var (url, name, version) = (UrlOf(index), index.Required("name"), index.Required("version"));
        foreach (var (key, _) in new[] { ("name", name), ("version", version) }.Where(value => !WordPattern().IsMatch(value.Item2)))
        {
            throw index.Wrong(key, $"'{(key == "name" ? name : version)}' can't stand in an extension's file name", "write it as the index's SHA256SUMS has it: NAME-VERSION-x86-64.raw");
        }

        var sum = index.Text("sha256");
        if (sum is not null && Checksum.ValueOf(sum) is null)
        {
            throw index.Wrong("sha256", $"'{sum}' is no SHA-256", "write the 64 hex digits that SHA256SUMS has for the file");
        }

        var keyFile = index.Text("key") is { } path ? LayerType.PathOf(index, "key", path, folder) : null;
        var allows = LayerType.Flag(index, "allowUnverified");
        index.End();
        // Over plain HTTP, whoever can change the file on its way can change the list as well. What comes from this host itself, nobody on the way can change.
        return url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback && keyFile is null && sum is null && !allows
            ? throw index.Wrong("index", "The index comes by plain HTTP and isn't signed, so anyone who can replace an extension on its way can replace the list of checksums, too",
                "give its https URL, the publisher's public key in key, or the file's 64 hex digits in sha256; or set allowUnverified to take whatever comes")
            : new SysextOrigin.Published(url, name, version) { Key = keyFile, Sha256 = Checksum.ValueOf(sum), AllowUnverified = allows };
    }

    private static Uri UrlOf(YamlMapping index)
    {
        var text = index.Required("index");
        if (!PathOrUrl.IsUrl(text, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps) || url.Query.Length > 0)
        {
            throw index.Wrong("index", $"'{text}' is no http(s) URL of a folder", "write the URL below which SHA256SUMS lies, such as https://extensions.example.org/stable/");
        }

        return url.UserInfo.Length > 0
            ? throw index.Wrong("index", "The index's URL holds a log-in, which every machine would have in its update definition", "serve it without one")
            : url.AbsolutePath.EndsWith('/') ? url : new UriBuilder(url) { Path = url.AbsolutePath + "/" }.Uri;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._+~^-]{0,99}\z")]
    private static partial Regex WordPattern();
}
