using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>The keys of the spec's section `medium`.</summary>
internal static partial class MediumKeys
{
    private const int MostFiles = 64;
    private const int MostArguments = 64;
    private const string TitleForm = @"[A-Za-z0-9][A-Za-z0-9 ._+:/()-]{0,63}";

    // It stands in GRUB's menu between quotes.
    private static readonly ValueType<string> Title = new(
        "TEXT",
        given => TitlePattern().IsMatch(given.Single.Text) ? given.Single.Text
            : throw ValueTypes.Bad(given.Single, "can't be the menu's title", "use letters, digits, blanks and . _ + : / ( ) -, at most 64 of them"),
        value => value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = $"^{TitleForm}$" });

    // GRUB reads the menu as a script: an argument may have nothing in it that means something there.
    private static readonly ValueType<ImmutableArray<string>> Arguments = new(
        "ARGUMENT",
        given => given.Items.Length > MostArguments
            ? throw new CrustException(FailureKind.BadInput, $"There are {given.Items.Length} arguments, and at most {MostArguments} may be", given.Where,
                "leave some out")
            : [.. given.Items.Select(item => ArgumentPattern().IsMatch(item.Text) ? item.Text
                : throw ValueTypes.Bad(item, "can't be an argument of a kernel in a boot menu",
                    "write one argument an entry, without blanks, quotes, $, \\, ; and the like"))],
        _ => null,
        () => new JsonObject
        {
            ["type"] = "array",
            ["items"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Za-z0-9._,:/=+@%~-]+$" },
            ["maxItems"] = MostArguments
        })
    { IsList = true };

    public static IEnumerable<SpecKey> All()
    {
        static BuildSpec With(BuildSpec s, Func<MediumSpec, MediumSpec> change) => s with { Medium = change(s.Medium) };
        return
        [
            SpecKey.Of("medium.title", Title, s => s.Medium.Title, (s, v) => With(s, m => m with { Title = v }),
                "What the boot menu of an installer from a base calls it (crust installer)."),
            SpecKey.Of("medium.edgeConfig", ValueTypes.FilePath, s => s.Medium.EdgeConfig, (s, v) => With(s, m => m with { EdgeConfig = v }),
                "The edge configuration that the installed system gets in /oem, CanvOS' .edge-custom-config.yaml."),
            SpecKey.Of("medium.content", ListType.Of(ValueTypes.Given(ValueTypes.FilePath), MostFiles), s => s.Medium.Content, (s, v) => With(s, m =>
                m with { Content = v }),
                "Content bundles (.zst, .tar), and content specs (.yaml), which are packed first, for sites without a network, at most 64; they lie on the medium in parts of 3 GB with their digests."),
            SpecKey.Of("medium.clusterConfig", ValueTypes.FilePath, s => s.Medium.ClusterConfig, (s, v) => With(s, m => m with { ClusterConfig = v }),
                "An exported cluster definition (.tgz)."),
            SpecKey.Of("medium.localUi", ValueTypes.FilePath, s => s.Medium.LocalUi, (s, v) => With(s, m => m with { LocalUi = v }),
                "A tar archive with the local user interface, unpacked into the system's /opt/spectrocloud. Of the keys of medium, this one alone packs the system anew."),
            SpecKey.Of("medium.overlay", ValueTypes.FilePath, s => s.Medium.Overlay, (s, v) => With(s, m => m with { Overlay = v }),
                "A folder whose files go onto the medium's root; a boot/grub2/grub.cfg in it takes the place of Crust's boot menu."),
            SpecKey.Of("medium.interactive", ValueTypes.Boolean, s => s.Medium.Interactive, (s, v) => With(s, m => m with { Interactive = v }),
                "Whether the menu starts the interactive installer by itself."),
            SpecKey.Of("medium.debug", ValueTypes.Boolean, s => s.Medium.Debug, (s, v) => With(s, m => m with { Debug = v }),
                "Whether the live system's initramfs logs in detail what it does."),
            SpecKey.Of("medium.arguments", Arguments, s => s.Medium.Arguments, (s, v) => With(s, m => m with { Arguments = v }),
                "Further arguments of the live system's kernel. No place for secrets: the medium shows them."),
        ];
    }

    [GeneratedRegex($@"\A{TitleForm}\z")]
    private static partial Regex TitlePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9._,:/=+@%~-]{1,256}\z")]
    private static partial Regex ArgumentPattern();
}
