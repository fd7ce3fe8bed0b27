using System.Text.Json.Nodes;
using Crust.Spec;
using static Crust.Spec.SchemaParts;

namespace Crust.Recipes;

/// <summary>The JSON Schema of a recipe, for editors. What spans several keys (a download that `files` names, a link out of the target), only the reader says.</summary>
internal static class RecipeSchema
{
    private const string AbsolutePath = @"^/[^\u0000-\u001f]+$";

    /// <summary>The schema (JSON Schema, draft 2020-12) as indented JSON with a line break at its end.</summary>
    public static string ToJson() => Document("Crust's recipe for upstream software", Root());

    private static JsonObject Root() => Keys(["name", "summary", "homepage", "license", "downloads", "versions"],
        ("name", Text("The file's base name: lower-case letters, digits and dashes", Whole(RecipeReader.WordPattern))),
        ("summary", Text("What it is, in a few words")),
        ("homepage", Text("Its page")),
        ("license", Text("An SPDX license expression")),
        ("versionForm", Text(@"A regular expression that matches a whole version; \d+\.\d+\.\d+ if it isn't there")),
        ("tag", Text("Upstream's name of a version; v{version} if it isn't there", @"\{version\}")),
        ("releases", Releases()),
        ("variants", Map("Selections of its content, the default first", RecipeReader.WordPattern, Text("What it has"))),
        ("downloads", Map("What upstream serves", RecipeReader.WordPattern, Download())),
        ("files", List("Which files go where", Scoped(["from", "to"],
            ("from", Text("DOWNLOAD, or DOWNLOAD:path/in/the/archive; a folder ends with a slash")),
            ("to", Text("An absolute path in the target", AbsolutePath)),
            ("mode", Text("Three octal digits", Whole(RecipeValues.ModePattern)))))),
        ("links", List("Symbolic links", Scoped(["at", "to"], ("at", Text("The link's absolute path", AbsolutePath)), ("to", Text("What the link says"))))),
        ("config", List("Defaults of configuration files", Scoped(["at", "text"],
            ("at", Text("The file's absolute path", AbsolutePath)), ("text", Text("Its text")), ("mode", Text("Three octal digits; 644 if it isn't there", Whole(RecipeValues.ModePattern)))))),
        ("tmpfiles", List("Lines of tmpfiles.d", Scoped(["line"], ("line", Text("A line as tmpfiles.d(5) describes it"))))),
        ("groups", Texts("System groups without a user", Whole(UnitReader.UserPattern))),
        ("users", List("System users, each with a group of its name", Keys(["name"],
            ("name", Text("The user's name", Whole(UnitReader.UserPattern))), ("comment", Text("Who it is")), ("home", Text("The user's home", AbsolutePath))))),
        ("units", List("systemd units and drop-ins", Scoped(["name"],
            ("name", Text("The unit's name with its suffix", Whole(UnitReader.UnitPattern))),
            ("dropIn", Text("The drop-in's file name", @"\.conf$")),
            ("text", Text("The file's text; absent for a unit that comes with the download")),
            ("wantedBy", Text("The unit that starts it; absent where the user decides", Whole(UnitReader.UnitPattern)))))),
        ("versions", Map("The versions, the newest first", ".+", Keys([],
            [("with", Map("The versions of other recipes that belong to it", RecipeReader.WordPattern, Text("A version that the recipe pins"))),
            .. Archs().Select(arch => (arch, Map($"SHA-256 sums of the downloads for {arch}", RecipeReader.WordPattern, Text("64 hex digits in lower case", Whole(VersionReader.SumPattern)))))]))));

    private static JsonObject Download() => OneOfKeys(["url", "package"], Keys([],
        ("package", Text("The name of the Debian package that it is, in place of a URL: apt's lists say where it is, and by which sum", Whole(DownloadReader.PackagePattern))),
        ("url", Text("The URL, with the placeholders {version}, {tag}, {arch}, {machine}, {file}", "^https://")),
        ("file", Keys([], [.. Archs().Select(arch => (arch, Text($"What {{file}} stands for on {arch}")))])),
        ("archive", OneOf("How it is packed; absent for a file that isn't", DownloadReader.Archives.Select(archive => archive.Name))),
        ("archs", Several(OneOf("The architectures for which it exists; both if it isn't there", Archs()))),
        ("sums", Text("The URL of upstream's own list of checksums", "^https://")),
        ("signature", Text("The URL of the list's signature, where it isn't in the list itself", "^https://")),
        ("key", Text("The fingerprint of the OpenPGP key that signs the list", Whole(DownloadReader.FingerprintPattern)))));

    private static JsonObject Releases()
    {
        var releases = OneOfKeys([.. Enum.GetValues<ReleasesForm>().Select(form => form.LowerName())], Keys([],
            ("feed", Text("An Atom feed whose links end with the names of releases", "^https://")),
            ("latest", Text("A URL that redirects to one that ends with the newest release's name", "^https://")),
            ("text", Text("A file with the newest release's name alone", "^https://")),
            ("listing", Text("A page with links that end with the names of releases", "^https://")),
            ("name", Text("What a release is called there; the tag if it isn't there", @"\{version\}"))));
        releases["description"] = "Where upstream says which versions there are";
        return releases;
    }

    private static JsonObject Scoped(string[] required, params (string Name, JsonObject Schema)[] keys) => Keys(required,
    [
        .. keys,
        ("for", Several(OneOf("What it is for; all of them if it isn't there", Enum.GetValues<RecipeUse>().Select(use => use.LowerName())))),
        ("only", Several(Text("The variants that have it; all if it isn't there", Whole(RecipeReader.WordPattern)))),
    ]);
}
