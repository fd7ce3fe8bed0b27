using Crust.Sanitizing;

namespace Crust.Spec;

/// <summary>What a build starts from in place of an installer: a disk image, or a root file system.</summary>
internal sealed record BaseSpec
{
    /// <summary>A path or an http(s) URL; null where an installer is booted.</summary>
    public string? Image { get; init; }

    /// <summary>The archive of a root file system, a path or an http(s) URL, which is put onto a disk; null for none.</summary>
    public string? Rootfs { get; init; }

    /// <summary>An OCI archive whose image is put onto a disk, a path or an http(s) URL; null for none.</summary>
    public string? Oci { get; init; }

    /// <summary>How the disk of a root file system is divided.</summary>
    public DiskLayout Layout { get; init; }

    /// <summary>The file, whichever of them it is; null where an installer is booted.</summary>
    public string? File => Image ?? Rootfs ?? Oci;

    /// <summary>Whether it is a root file system, which has to be put onto a disk file by file.</summary>
    public bool IsRoot => Rootfs is not null || Oci is not null;

    /// <summary>The key that names the file.</summary>
    public string FileKey => Image is not null ? "base.image" : Rootfs is not null ? "base.rootfs" : "base.oci";

    /// <summary>The SHA-256 that the file must have: 64 hex digits, or a path or URL of a SHA256SUMS file; null for none.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The signature of the SHA256SUMS file, by path or URL; null for none, or where the file is signed in the clear.</summary>
    public string? ChecksumSignature { get; init; }

    /// <summary>The detached signature of the image's file itself, by path or URL; null for none.</summary>
    public string? Signature { get; init; }

    /// <summary>A file of GPG's public keys, one of which has to have made the signatures.</summary>
    public string? Key { get; init; }

    /// <summary>Takes a URL without a checksum or a signature, and a SHA256SUMS file that comes by plain HTTP and isn't signed.</summary>
    public bool AllowUnverified { get; init; }
}

/// <summary>How the disk of a root file system is divided.</summary>
public enum DiskLayout
{
    /// <summary>GPT: a partition for GRUB under BIOS, where there is BIOS; the EFI system partition; the root.</summary>
    Gpt,
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
        source.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(source, UriKind.Absolute, out var url) ? ShownUrl.Of(url) : source;
}
