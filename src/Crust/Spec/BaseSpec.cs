using System.Collections.Immutable;
using Crust.Sanitizing;

namespace Crust.Spec;

/// <summary>What a build starts from in place of an installer: a disk image, or a root file system.</summary>
internal sealed record BaseSpec
{
    /// <summary>A path or an http(s) URL; null where an installer is booted.</summary>
    public string? Image { get; init; }

    /// <summary>The archive of a root file system, a path or an http(s) URL, which is put onto a disk; null for none.</summary>
    public string? Rootfs { get; init; }

    /// <summary>An OCI image that is put onto a disk: `docker://…` in a registry, the path of a layout or an archive, or an archive's http(s) URL; null for none.</summary>
    public string? Oci { get; init; }

    /// <summary>Debian packages that are put onto a disk, if a suite is named.</summary>
    public DebianSpec Debian { get; init; } = new();

    /// <summary>The image in a registry; null where there is none.</summary>
    public RegistryReference? ImageInRegistry => Oci is { } name && RegistryReference.IsImage(name) ? RegistryReference.ParseImage(name, "base.oci") : null;

    /// <summary>Whether the build starts from a base at all.</summary>
    public bool IsGiven => File is not null || Debian.Suite is not null;

    /// <summary>How the disk of a root file system is divided.</summary>
    public DiskLayout Layout { get; init; }

    /// <summary>The size in bytes of the partition that each node's image has a seed in; null for none.</summary>
    public long? SeedPartition { get; init; }

    /// <summary>The file or the image, whichever of them it is; null for packages, and where an installer is booted.</summary>
    public string? File => Image ?? Rootfs ?? Oci;

    /// <summary>Whether it is a root file system, which has to be put onto a disk file by file.</summary>
    public bool IsRoot => IsGiven && Image is null;

    /// <summary>The key that names it.</summary>
    public string FileKey => Image is not null ? "base.image" : Rootfs is not null ? "base.rootfs" : Oci is not null ? "base.oci" : "base.debian.suite";

    /// <summary>The SHA-256 that the file must have: 64 hex digits, or a path or URL of a SHA256SUMS file; null for none.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The signature of the SHA256SUMS file, by path or URL; null for none, or where the file is signed in the clear.</summary>
    public string? ChecksumSignature { get; init; }

    /// <summary>The detached signature of the image's file itself, by path or URL; null for none.</summary>
    public string? Signature { get; init; }

    /// <summary>A file of GPG's public keys, one of which has to have made the signatures.</summary>
    public string? Key { get; init; }

    /// <summary>The OEM id that a Flatcar image is to carry, as those for one platform do; null to leave what it has.</summary>
    public string? Vendor { get; init; }

    /// <summary>Takes a URL without a checksum or a signature, and a SHA256SUMS file that comes by plain HTTP and isn't signed.</summary>
    public bool AllowUnverified { get; init; }
}

/// <summary>Debian packages that a root file system is made of.</summary>
internal sealed record DebianSpec
{
    /// <summary>The release's code name; null where none is made.</summary>
    public string? Suite { get; init; }

    /// <summary>The packages beside those that a system needs to boot.</summary>
    public ImmutableArray<string> Packages { get; init; } = [];

    /// <summary>The mirror's URL; null for Debian's own.</summary>
    public string? Mirror { get; init; }

    /// <summary>What it is, for people.</summary>
    public string Shown => $"Debian {Suite}";
}

/// <summary>How the disk of a root file system is divided.</summary>
public enum DiskLayout
{
    /// <summary>GPT: a partition for GRUB under BIOS, where there is BIOS; the EFI system partition; the root.</summary>
    Gpt,

    /// <summary>MBR, for the Raspberry Pi 4 and 5: a FAT32 boot partition that their firmware reads; the root.</summary>
    RaspberryPi,
}

/// <summary>A file that a spec names by path or URL, and what proves that it is the right one.</summary>
/// <param name="Section">The section of the spec that has its keys: `installer`.</param>
/// <param name="Noun">What it is, in messages: `ISO`.</param>
/// <param name="Source">The path or URL.</param>
internal sealed record SourceFile(string Section, string Noun, string Source)
{
    public string? Sha256 { get; init; }

    public string? ChecksumSignature { get; init; }

    public string? Signature { get; init; }

    public string? Key { get; init; }

    public bool AllowUnverified { get; init; }

    /// <summary>The source for people: without a login or a token that a URL may hold.</summary>
    public string Shown => ShownOf(Source);

    internal static string ShownOf(string source) =>
        !RegistryReference.IsImage(source) && source.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(source, UriKind.Absolute, out var url) ? ShownUrl.Of(url) : source;
}
