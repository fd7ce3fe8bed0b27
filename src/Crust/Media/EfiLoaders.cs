using System.Collections.Immutable;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Media;

/// <summary>The boot loaders that a base has for UEFI.</summary>
/// <param name="Shim">The signed first one, which firmware with Secure Boot starts; null where GRUB is started by itself.</param>
/// <param name="Grub">GRUB as one file.</param>
/// <param name="Manager">shim's tool for keys; null if there is none.</param>
/// <param name="IsSigned">Whether GRUB is one that its distribution has signed, as far as its name says.</param>
internal sealed record EfiLoaders(TreeEntry? Shim, TreeEntry Grub, TreeEntry? Manager, bool IsSigned)
{
    // Debian's and Ubuntu's; SUSE's; those of Fedora and its kin; Kairos' own place (kairos-sdk, utils/utils.go, GetEfiShimFiles and GetEfiGrubFiles).
    private static readonly ImmutableArray<string> Shims =
    [
        "usr/lib/shim/shim{0}.efi.signed.latest", "usr/lib/shim/shim{0}.efi.signed", "usr/share/efi/{1}/shim.efi", "usr/lib64/efi/shim.efi",
        "boot/efi/EFI/fedora/shim{0}.efi", "boot/efi/EFI/fedora/shim.efi", "boot/efi/EFI/redhat/shim{0}.efi", "boot/efi/EFI/centos/shim{0}.efi",
        "boot/efi/EFI/rocky/shim{0}.efi", "boot/efi/EFI/almalinux/shim{0}.efi", "efi/EFI/fedora/shim{0}.efi", "usr/lib/efi/shim/EFI/BOOT/BOOT{2}.EFI",
    ];

    // gcd* is built to be started from a medium: it looks for its menu on the device that it comes from.
    private static readonly ImmutableArray<(string Path, bool IsSigned)> Grubs =
    [
        ("usr/lib/grub/{1}-efi-signed/gcd{0}.efi.signed", true), ("usr/share/efi/{1}/grub.efi", true), ("usr/lib64/efi/grub.efi", true),
            ("boot/efi/EFI/fedora/gcd{0}.efi", true),
        ("boot/efi/EFI/redhat/gcd{0}.efi", true), ("boot/efi/EFI/fedora/grub{0}.efi", true), ("boot/efi/EFI/redhat/grub{0}.efi", true),
            ("boot/efi/EFI/centos/grub{0}.efi", true),
        ("boot/efi/EFI/rocky/grub{0}.efi", true), ("boot/efi/EFI/almalinux/grub{0}.efi", true), ("usr/lib/grub/{1}-efi-signed/grub{0}.efi.signed", true),
        ("usr/lib/grub/{1}-efi/monolithic/gcd{0}.efi", false), ("usr/lib/grub/{1}-efi/monolithic/grub{0}.efi", false), ("usr/share/grub2/{1}-efi/grub.efi", false),
    ];

    private static readonly ImmutableArray<string> Managers =
        ["usr/lib/shim/mm{0}.efi.signed", "usr/lib/shim/mm{0}.efi", "usr/share/efi/{1}/MokManager.efi", "boot/efi/EFI/fedora/mm{0}.efi",
            "boot/efi/EFI/redhat/mm{0}.efi"];

    /// <exception cref="CrustException">It has no GRUB.</exception>
    public static EfiLoaders Of(FileTree tree, Arch arch, string shown)
    {
        TreeEntry? Find(string pattern) => tree.Follow(PathOf(pattern, arch)) is { Kind: EntryKind.File, Content.Length: > 0 } file ? file : null;
        var shim = Shims.Select(Find).FirstOrDefault(file => file is not null);
        foreach (var (pattern, isSigned) in Grubs)
        {
            if (Find(pattern) is { } grub)
            {
                return new EfiLoaders(shim, grub, Managers.Select(Find).FirstOrDefault(file => file is not null), isSigned);
            }
        }

        throw new CrustException(FailureKind.BadInput, $"The base has no GRUB for UEFI where distributions have it, such as /{PathOf(Grubs[0].Path, arch)}",
            CleanText.Line(shown),
            arch is Arch.Amd64 ? "install it in the base image: grub-efi-amd64-signed and shim-signed, or grub2-efi-x64-cdboot and shim-x64"
                : "install it in the base image: grub-efi-arm64-signed and shim-signed, or grub2-efi-aa64-cdboot and shim-aa64");
    }

    /// <summary>As the UEFI specification abbreviates architectures (section 3.5.1.1), in lower case.</summary>
    public static string Suffix(Arch arch) => arch is Arch.Amd64 ? "x64" : "aa64";

    private static string PathOf(string pattern, Arch arch) => pattern
        .Replace("{0}", Suffix(arch), StringComparison.Ordinal)
        .Replace("{1}", pattern.StartsWith("usr/lib/grub", StringComparison.Ordinal) || pattern.StartsWith("usr/share/grub2", StringComparison.Ordinal)
            ? arch is Arch.Amd64 ? "x86_64" : "arm64"
            : arch is Arch.Amd64 ? "x86_64" : "aarch64", StringComparison.Ordinal)
        .Replace("{2}", Suffix(arch).ToUpperInvariant(), StringComparison.Ordinal);
}
