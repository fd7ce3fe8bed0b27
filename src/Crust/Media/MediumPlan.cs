using System.Collections.Immutable;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Media;

/// <summary>A file on the medium, or a part of one.</summary>
/// <param name="InIso">Its path there, without a slash in front.</param>
/// <param name="OnHost">Where it is on this host; absolute.</param>
internal sealed record MediumFile(string InIso, string OnHost)
{
    /// <summary>Where it begins in the file on this host, in bytes.</summary>
    public long Offset { get; init; }

    /// <summary>How many bytes it has; null for the whole file.</summary>
    public long? Length { get; init; }
}

/// <summary>All that goes onto a live medium beside the system, read and checked, not yet staged. It may hold secrets.</summary>
internal sealed record MediumPlan
{
    public const string ContentFolder = "opt/spectrocloud/content";

    private const string EdgeConfig = ".edge_custom_config.yaml";
    private const string ClusterConfig = "opt/spectrocloud/clusterconfig/spc.tgz";

    // What Crust itself puts there, or what boots.
    private static readonly string[] Reserved =
        ["rootfs.squashfs", "boot/kernel", "boot/initrd", "boot/uefi.img", "boot/eltorito.img", "boot/boot.catalog", "opt/spectrocloud/content.json",
            "opt/spectrocloud/content.sha256"];

    /// <summary>What the agent is told.</summary>
    public required Seed Seed { get; init; }

    /// <summary>The files that are taken as they are.</summary>
    public required ImmutableArray<MediumFile> Files { get; init; }

    public required MediumManifest Content { get; init; }

    /// <summary>The overlay; empty for none.</summary>
    public required FileTree Overlay { get; init; }

    /// <summary>The overlay's folder; null for none.</summary>
    public required string? OverlayFolder { get; init; }

    /// <summary>Paths on the medium of all files that the agent would merge.</summary>
    public required ImmutableArray<string> Configs { get; init; }

    /// <summary>Accounts of the user-data that can log in.</summary>
    public required ImmutableArray<string> Accounts { get; init; }

    public long ContentBytes => Content.Bundles.Sum(bundle => bundle.Size + (bundle.Unpacked ?? 0));

    /// <summary>Whether the overlay has its own file at a path.</summary>
    public bool Overrides(string path) => Overlay.Find(path) is not null;

    /// <param name="profile">The family that the base is of.</param>
    /// <param name="content">The content bundles, read.</param>
    /// <param name="instance">Decides the salt of the password's hash; the same for the same spec and base.</param>
    /// <exception cref="CrustException">A file isn't there, or may not go where it would.</exception>
    public static MediumPlan Of(BuildSpec spec, SeedFiles files, SeedProfile profile, MediumContent content, Guid instance)
    {
        var seed = Seed.Compose(spec, files, profile, instance);
        var overlay = spec.Medium.Overlay is { } folder ? FileTree.FromFolder(folder) : FileTree.Empty;
        if (Reserved.FirstOrDefault(path => overlay.Find(path) is not null) is { } taken)
        {
            throw new CrustException(FailureKind.BadInput, $"The overlay has a file /{taken}, which Crust writes itself",
                $"{spec.WhereIs("medium.overlay")}, {spec.Medium.Overlay}", "take it out of the overlay");
        }

        ImmutableArray<MediumFile> onMedium =
        [
            .. seed.Files.Select(file => new MediumFile(file.Name, file.Path)),
            .. FileOf(spec, "medium.edgeConfig", spec.Medium.EdgeConfig, EdgeConfig),
            .. FileOf(spec, "medium.clusterConfig", spec.Medium.ClusterConfig, ClusterConfig),
            .. content.Files,
        ];
        CheckNames(spec, seed, onMedium, overlay);
        return new MediumPlan
        {
            Seed = seed,
            Files = onMedium,
            Content = content.Manifest,
            Overlay = overlay,
            OverlayFolder = spec.Medium.Overlay,
            Configs =
            [
                .. seed.Documents.Select(document => document.Name),
                .. onMedium.Where(file => file.Length is null && LiveSurvey.IsConfig(file.InIso, TreeContent.OfFile(file.OnHost, 0,
                    new FileInfo(file.OnHost).Length))).Select(file => file.InIso),
                .. overlay.Entries.Where(entry => entry.Kind is EntryKind.File && LiveSurvey.IsConfig(entry.Path, entry.Content)).Select(entry => entry.Path),
            ],
            Accounts = AccountsIn(seed, spec, files, profile),
        };
    }

    private static ImmutableArray<string> AccountsIn(Seed seed, BuildSpec spec, SeedFiles files, SeedProfile profile)
    {
        var request = new SeedCheckRequest(spec, files, profile, new SeedContents { Carrier = seed.Carrier, Documents = seed.Documents });
        return [.. SeedAccount.Of(request).Where(account => account is { HasWayIn: true, IsService: false }).Select(account => account.Shown).Distinct()];
    }

    private static IEnumerable<MediumFile> FileOf(BuildSpec spec, string key, string? path, string inIso)
    {
        if (path is null)
        {
            return [];
        }

        using var file = UserFile.Open(path, path, key);
        return file.Length > 0 ? [new MediumFile(inIso, path)] : throw new CrustException(FailureKind.BadInput, "The file is empty", $"{spec.WhereIs(key)}, {path}",
            "name the right file, or leave the key out");
    }

    private static void CheckNames(BuildSpec spec, Seed seed, ImmutableArray<MediumFile> files, FileTree overlay)
    {
        var names = seed.Documents.Select(document => document.Name).Concat(files.Select(file => file.InIso)).ToList();
        if (names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new CrustException(FailureKind.BadInput, $"Two files would have the name /{twice.Key} on the medium", spec.WhereIs("seed.files"),
                "give one of them another name (NAME=FILE), or leave one out");
        }

        if (names.FirstOrDefault(name => overlay.Find(name) is not null) is { } covered)
        {
            throw new CrustException(FailureKind.BadInput, $"The overlay has a file /{covered}, and another key of the spec says what that is",
                $"{spec.WhereIs("medium.overlay")}, {spec.Medium.Overlay}", "leave out one of the two");
        }

        if (names.FirstOrDefault(name => Reserved.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } reserved)
        {
            throw new CrustException(FailureKind.BadInput, $"A file would have the name /{reserved} on the medium, which Crust writes itself",
                spec.WhereIs("seed.files"), "give it another name: NAME=FILE");
        }
    }
}
