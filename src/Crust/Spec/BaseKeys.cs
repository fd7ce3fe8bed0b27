using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>The keys of the spec's section `base`.</summary>
internal static partial class BaseKeys
{
    // As Flatcar's own ids are; what GRUB and the kernel's command line take as one word.
    private static readonly ValueType<string?> Vendor = new(
        "ID",
        given => VendorPattern().IsMatch(given.Single.Text) ? given.Single.Text
            : throw ValueTypes.Bad(given.Single, "can't be an OEM id", "write lower-case letters, digits, - and _, such as vmware, openstack or qemu"),
        value => value,
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^[a-z0-9][a-z0-9_-]{0,31}$" });

    public static IEnumerable<SpecKey> All()
    {
        static BuildSpec With(BuildSpec s, Func<BaseSpec, BaseSpec> change) => s with { Base = change(s.Base) };
        static BuildSpec WithDebian(BuildSpec s, Func<DebianSpec, DebianSpec> change) => With(s, b => b with { Debian = change(b.Debian) });
        return
        [
            SpecKey.Of("base.image", ValueTypes.FileOrUrl, s => s.Base.Image, (s, v) => With(s, b => b with { Image = v }),
                "A disk image that the build starts from in place of an installer, a path or an http(s) URL: raw, or any other kind of disk image that crust inspect reads, perhaps compressed with xz, gzip, bzip2 or zstd.",
                "--base", "BASE_IMAGE"),
            SpecKey.Of("base.rootfs", ValueTypes.FileOrUrl, s => s.Base.Rootfs, (s, v) => With(s, b => b with { Rootfs = v }),
                "A root file system that the build starts from, a tar archive by path or http(s) URL, perhaps compressed with xz, gzip, bzip2 or zstd; it brings its own kernel and GRUB.", "--rootfs"),
            SpecKey.Of("base.oci", BaseTypes.Oci, s => s.Base.Oci, (s, v) => With(s, b => b with { Oci = v }),
                "An OCI image that the build starts from: in a registry (docker://REGISTRY/NAME:TAG, or @sha256:… in place of the tag), in a layout's folder, or in an archive by path or http(s) URL, as "
                    + "skopeo copy writes oci-archive:FILE; it brings its own kernel and GRUB.", "--oci"),
            SpecKey.Of("base.debian.suite", BaseTypes.Suite, s => s.Base.Debian.Suite, (s, v) => WithDebian(s, d => d with { Suite = v }),
                "The release of Debian, by its code name, whose packages the build starts from: mmdebstrap makes a root file system of them."),
            SpecKey.Of("base.debian.packages", BaseTypes.Packages, s => s.Base.Debian.Packages, (s, v) => WithDebian(s, d => d with { Packages = v }),
                "The packages beside those that a system needs to boot; without a kernel's package among them (linux-image-…), Debian's usual one is taken."),
            SpecKey.Of("base.debian.mirror", BaseTypes.Mirror, s => s.Base.Debian.Mirror, (s, v) => WithDebian(s, d => d with { Mirror = v }),
                "The http(s) URL of a mirror or of a day's snapshot that all packages come from; without it, Debian's own with security updates."),
            SpecKey.Of("base.layout", ValueTypes.Choice<DiskLayout>(), s => s.Base.Layout, (s, v) => With(s, b => b with { Layout = v }),
                "How the disk of base.rootfs, base.oci or base.debian is divided: gpt is a partition for GRUB under BIOS, the EFI system partition and the root; raspberry-pi is "
                    + "the boot partition that the firmware of a Raspberry Pi 4 or 5 reads, and the root.", "--layout"),
            SpecKey.Of("base.seedPartition", BaseTypes.SeedPartition, s => s.Base.SeedPartition, (s, v) => With(s, b => b with { SeedPartition = v }),
                "The size of a small partition that is added to the disk's GPT or MBR in space that nobody uses, for crust fleet: each node's image has a seed of its own in it. 960K fits before the first partition of "
                    + "both layouts and of most disk images; without it, there is none.", "--seed-partition"),
            SpecKey.Of("base.vendor", Vendor, s => s.Base.Vendor, (s, v) => With(s, b => b with { Vendor = v }),
                "The OEM id that a Flatcar image is to carry in its OEM partition's grub.cfg, as the images for one platform do: vmware, openstack, qemu and so on.", "--base-vendor"),
            SpecKey.Of("base.sha256", ValueTypes.Checksum, s => s.Base.Sha256, (s, v) => With(s, b => b with { Sha256 = v }),
                "The SHA-256 that the file must have, as it is downloaded: 64 hex digits, or a SHA256SUMS file by path or URL.", "--base-sha256", "BASE_SHA256"),
            SpecKey.Of("base.sha256Signature", ValueTypes.FileOrUrl, s => s.Base.ChecksumSignature, (s, v) => With(s, b => b with { ChecksumSignature = v }),
                "The GPG signature of the SHA256SUMS file, by path or URL; not needed where the file is signed in the clear.", "--base-sha256-signature"),
            SpecKey.Of("base.signature", ValueTypes.FileOrUrl, s => s.Base.Signature, (s, v) => With(s, b => b with { Signature = v }),
                "The detached GPG signature of the file itself, by path or URL; base.sha256 isn't needed then.", "--base-signature"),
            SpecKey.Of("base.key", ValueTypes.FilePath, s => s.Base.Key, (s, v) => With(s, b => b with { Key = v }),
                "A file of GPG's public keys, one of which has to have signed the SHA256SUMS file or the file itself.", "--base-key"),
            SpecKey.Of("base.allowUnverified", ValueTypes.Boolean, s => s.Base.AllowUnverified, (s, v) => With(s, b => b with { AllowUnverified = v }),
                "Takes a file from a URL without a checksum or a signature, and a SHA256SUMS file that comes by plain HTTP without a signature.", "--base-allow-unverified"),
        ];
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,31}\z")]
    private static partial Regex VendorPattern();
}
