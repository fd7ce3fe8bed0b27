using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Disks;
using Crust.Events;
using Crust.Formats;
using Crust.Isos;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Reports;

/// <summary>The facts of a build for machines: `images/&lt;name&gt;.manifest.json`. Paths in it are file names beside it; times are UTC.</summary>
internal sealed record Manifest
{
    private const int CurrentVersion = 1;

    /// <summary>The version of this document's shape.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>The images' base name.</summary>
    public required string Name { get; init; }

    /// <summary>Crust's version.</summary>
    public required string Crust { get; init; }

    /// <summary>The build key: a SHA-256 over all that decides the installed disk's content, with secrets masked.</summary>
    public required string BuildKey { get; init; }

    /// <summary>
    /// Where there are secrets: an HMAC over them and all else that decides the disk, under a random key that never leaves the machine that built. It tells that machine whether they
    /// have changed, and nobody anything else. Not there where the build key tells it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SecretsMark { get; init; }

    /// <summary>The installer; null where there was a base image.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestInstaller? Installer { get; init; }

    /// <summary>The base image; null where there was an installer.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestBase? Base { get; init; }

    /// <summary>What the disk was made from, whichever of the two it was.</summary>
    [JsonIgnore]
    public ManifestOrigin Origin => Base is { } image ? new(DiskOrigin.BaseKind, image.Source, image.Sha256)
        : new(DiskOrigin.InstallerKind, Installer?.Source ?? "", Installer?.Sha256 ?? "");

    /// <summary>The files that the seed was made of; their contents, which may be secret, are in no manifest.</summary>
    public ImmutableArray<ManifestSeedFile> SeedFiles { get; init; } = [];

    /// <summary>
    /// Where in the seed's documents there are secrets: `stylus.site.edgeHostToken`. The images carry them, since their hosts need them; whoever has an image has these.
    /// </summary>
    public ImmutableArray<string> SecretsCarried { get; init; } = [];

    /// <summary>The machine in which it ran.</summary>
    public required ManifestMachine Machine { get; init; }

    /// <summary>What the installed disk holds: a SHA-256 in hex over its block map; not that of the raw file.</summary>
    public required string DiskContent { get; init; }

    /// <summary>How the installed disk came to be, perhaps in an earlier build.</summary>
    public required InstallFacts Install { get; init; }

    /// <summary>Whether the installed disk came from the cache, so that no installer was booted.</summary>
    public bool FromCache { get; init; }

    /// <summary>The registry's name and digest of the installed disk, if it came from a cache that machines share; null if it was installed here, or no image needed it.</summary>
    public string? DiskFrom { get; init; }

    /// <summary>The host of the build that wrote this document; null in documents of earlier versions.</summary>
    public HostFacts? Host { get; init; }

    /// <summary>When the build that wrote this document began.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>Seconds that each stage took in the build that wrote this document, by the stage's name.</summary>
    public required ImmutableSortedDictionary<string, double> Seconds { get; init; }

    /// <summary>The images of this name, also those of earlier builds that are still there unchanged.</summary>
    public required ImmutableArray<ManifestImage> Images { get; init; }

    /// <summary>The list of the installed system's packages (SPDX); null if the disk wasn't looked at, or has no package database that can be read.</summary>
    public ManifestFile? Sbom { get; init; }

    /// <summary>Where the images come from (an in-toto statement); null in documents of earlier versions.</summary>
    public ManifestFile? Provenance { get; init; }

    /// <summary>The provenance's signature; null if it isn't signed.</summary>
    public ManifestSignature? Signature { get; init; }

    /// <summary>What the user should know.</summary>
    public required ImmutableArray<string> Warnings { get; init; }

    /// <summary>When the guest had powered off.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>The facts of a build that went well. Images that are written just now are still to be put in.</summary>
    internal static Manifest Of(BuildStory story, DiskFacts disk, BuildJournal journal, ImmutableArray<ManifestImage> images) => new()
    {
        Name = story.Name,
        Crust = CrustVersion.Current,
        BuildKey = story.BuildKey,
        SecretsMark = story.SecretsMark,
        Installer = story.Origin is InstallerIso iso ? new() { Source = iso.Source, Sha256 = iso.Sha256, Size = iso.Size, VolumeId = iso.VolumeId } : null,
        Base = story.Origin.IsBase ? new(story.Origin.Source, story.Origin.Sha256, story.Origin.Size, story.Origin.Form) : null,
        SeedFiles = [.. story.SeedFiles.Select(file => new ManifestSeedFile(file.Role, Path.GetFileName(file.Path), file.Size, file.PublicSha256))],
        SecretsCarried = story.SecretsCarried,
        Machine = new()
        {
            Arch = story.Spec.Machine.Arch.LowerName(),
            Firmware = story.Spec.Machine.Firmware.LowerName(),
            Cpus = story.Spec.Machine.Cpus,
            Memory = story.Spec.Machine.Memory,
            Disk = story.Spec.Machine.Disk,
            DiskBus = story.Spec.Machine.DiskBus.LowerName(),
            ExtraDisks = story.Spec.Machine.ExtraDisks,
            Network = story.Spec.Machine.Network.LowerName(),
            Tpm = story.Spec.Machine.Tpm,
        },
        Host = story.Host,
        DiskContent = disk.Content,
        Install = disk.Install,
        FromCache = disk.FromCache,
        DiskFrom = disk.From,
        Started = journal.Started,
        Seconds = journal.SecondsByStage,
        Images = images,
        // What was warned of when the disk was installed holds for all that is made of it.
        Warnings = disk.FromCache ? [.. disk.Install.Warnings.Except(journal.Warnings), .. journal.Warnings] : journal.Warnings,
        Finished = disk.Install.Finished,
    };

    /// <summary>Reads a manifest; null if there is none or it can't be understood, which only costs a build's reuse.</summary>
    public static Manifest? TryLoad(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The same of a manifest's bytes.</summary>
    internal static Manifest? Parse(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ManifestJson.Default.Manifest) is { Version: CurrentVersion } manifest ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The document as indented JSON with a final newline.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ManifestJson.Clean) + "\n";
}

/// <summary>The installer, as the manifest has it.</summary>
internal sealed record ManifestInstaller
{
    /// <summary>Where it came from, as the user named it.</summary>
    public required string Source { get; init; }

    /// <summary>The SHA-256 of the ISO, in hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Its ISO 9660 volume id.</summary>
    public required string VolumeId { get; init; }
}

/// <summary>The base image, as the manifest has it.</summary>
/// <param name="Source">Where it came from, as the user named it.</param>
/// <param name="Sha256">The SHA-256 of its file, in hex.</param>
/// <param name="Size">The file's size in bytes.</param>
/// <param name="Form">What the file is: `qcow2`, `xz`.</param>
internal sealed record ManifestBase(string Source, string Sha256, long Size, string Form);

/// <summary>What the disk was made from.</summary>
/// <param name="Kind">`installer` or `base`.</param>
internal sealed record ManifestOrigin(string Kind, string Source, string Sha256);

/// <summary>A file that the seed was made of.</summary>
/// <param name="Role">What it was for: `user-data`, `network-config`.</param>
/// <param name="File">Its name.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex; null if the file holds a secret, which a SHA-256 would help to guess.</param>
internal sealed record ManifestSeedFile(string Role, string File, long Size, string? Sha256);

/// <summary>An image, as the manifest has it.</summary>
internal sealed record ManifestImage
{
    /// <summary>The format's name.</summary>
    public required string Format { get; init; }

    /// <summary>The file's name in the manifest's folder.</summary>
    public required string File { get; init; }

    /// <summary>Its length in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Its SHA-256 in hex; null where the block map stands in for it, since a SHA-256 of holes takes as long as that of data.</summary>
    public required string? Sha256 { get; init; }

    /// <summary>The block map of what it holds, for `bmaptool`; null if it has none.</summary>
    public ManifestFile? BlockMap { get; init; }

    /// <summary>The key of the installed disk that it was made of.</summary>
    public required string BuildKey { get; init; }

    /// <summary><see cref="Manifest.SecretsMark"/> of that disk.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SecretsMark { get; init; }

    /// <summary>What that disk holds, as <see cref="Manifest.DiskContent"/> tells it: an installer needn't leave the same twice. Empty in documents of earlier versions.</summary>
    public string DiskContent { get; init; } = "";

    /// <summary>What decided it beside the disk: settings of the spec, parts of Crust; empty where there is nothing.</summary>
    public string Recipe { get; init; } = "";

    /// <summary>The library that compressed it, with its version or, where it can't say that, the digest of its file; null if none did, and in documents of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Library { get; init; }

    /// <summary>When it was written last; an image that was touched since isn't reused.</summary>
    public required DateTimeOffset Modified { get; init; }

    /// <summary>How it was proven to boot; null if it wasn't.</summary>
    public required ManifestProof? Verified { get; init; }

    /// <summary>What came of a boot that showed nothing either way; null if it was proven, or wasn't booted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestUnproven? Unproven { get; init; }

    /// <summary>The registry's name and digest of the image, if it was pulled from there in place of being written; null if it was written here.</summary>
    public string? ReusedFrom { get; init; }
}

/// <summary>A file beside an image.</summary>
/// <param name="File">Its name in the manifest's folder.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
internal sealed record ManifestFile(string File, long Size, string Sha256);

/// <summary>A signature of the provenance.</summary>
/// <param name="File">Its name in the manifest's folder.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
/// <param name="Key">The fingerprint of the key that made it, as `ssh-keygen -l` or gpg prints it.</param>
internal sealed record ManifestSignature(string File, long Size, string Sha256, string Key);

[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Manifest))]
internal sealed partial class ManifestJson : JsonSerializerContext
{
    /// <summary>As people read it, too.</summary>
    public static JsonTypeInfo<Manifest> Readable { get; } = new ManifestJson(ReadableJson.Options()).Manifest;

    /// <summary>The same with clean texts.</summary>
    public static JsonTypeInfo<Manifest> Clean { get; } = new ManifestJson(ReadableJson.CleanOptions()).Manifest;
}
