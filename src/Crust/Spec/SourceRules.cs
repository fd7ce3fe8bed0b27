using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>What must hold of the file that a system comes from: an installer's ISO, or a base image.</summary>
internal static partial class SourceRules
{
    // The boot partition, what aligns it, and the smallest root that boots.
    private const long SmallestPiDisk = 1L << 30;

    private static readonly string[] Files = ["base.image", "base.rootfs", "base.oci", "base.debian.suite"];
    private static readonly string[] OfFiles = ["base.sha256", "base.sha256Signature", "base.signature", "base.key", "base.allowUnverified"];
    private static readonly string[] OfInstallersRun = ["machine.onReboot", "machine.extraDisks"];

    /// <summary>Nothing is told to a base: no installer reads a seed.</summary>
    public static SeedSpec Complete(BuildSpec spec) => spec is { HasBase: true, IsInstaller: true } ? InstallerRules.Complete(spec)
        : spec.HasBase ? spec.Seed with { Kind = SeedKind.None } : spec.Seed;

    /// <summary>A Raspberry Pi's disk is for arm64, also where nobody says so.</summary>
    public static MachineSpec CompleteMachine(BuildSpec spec) =>
        IsForPi(spec) && !spec.Origins.ContainsKey("machine.arch") ? spec.Machine with { Arch = Arch.Arm64 } : spec.Machine;

    /// <exception cref="CrustException">Two keys contradict each other.</exception>
    public static void Check(BuildSpec spec, Func<string, string> whereIs)
    {
        CheckBase(spec, whereIs);
        if (spec.SourceFile is { } file)
            CheckProof(file, whereIs);
    }

    private static void CheckBase(BuildSpec spec, Func<string, string> whereIs)
    {
        string? GivenIn(string section) => spec.Origins.Keys.Where(key => key.StartsWith(section, StringComparison.Ordinal)).Order(StringComparer.Ordinal).FirstOrDefault();
        if (!spec.HasBase)
        {
            if (GivenIn("base.") is { } alone)
                throw Bad($"There is a {alone}, and no base that it is for", whereIs(alone), "name the image in base.image (BASE_IMAGE, --base), the archive in base.rootfs or base.oci, or the release in base.debian.suite, or leave it out");
            return;
        }

        if (Files.Where(spec.Origins.ContainsKey).ToList() is [var one, var other, ..])
            throw Bad($"The system would come from two places, {one} and {other}", $"{whereIs(one)}; {whereIs(other)}", "leave out one of the two");
        if (spec.Base.Image is not null && spec.Origins.ContainsKey("base.layout"))
            throw Bad("A disk image is divided already, and base.layout is for a root file system", whereIs("base.layout"), "leave it out");
        if (spec.Base.Image is null && spec.Base.Vendor is not null)
            throw Bad("base.vendor is for Flatcar's disk images, and the base is a root file system", whereIs("base.vendor"), "name a Flatcar image in base.image, or leave it out");
        if (IsForPi(spec) && spec.Machine.Arch is not Arch.Arm64)
            throw Bad($"A Raspberry Pi 4 or 5 runs arm64 programs, and machine.arch is {spec.Machine.Arch.LowerName()}", $"{whereIs("base.layout")}; {whereIs("machine.arch")}", "set machine.arch to arm64, or leave it out");
        if (IsForPi(spec) && spec.Machine.Disk < SmallestPiDisk)
            throw Bad($"A disk of {Size.Format(spec.Machine.Disk)} has no room for a boot partition of 512 MiB and a root", whereIs("machine.disk"), $"set machine.disk (DISK_SIZE, --disk-size) to {Size.ToSpecText(SmallestPiDisk)} or more");
        var key = spec.Base.FileKey;
        if (spec.Base.Debian.Suite is null && GivenIn("base.debian.") is { } debian)
            throw Bad($"There is a {debian}, and no release that it is of", whereIs(debian), "name the release in base.debian.suite, or leave it out");
        if ((spec.Base.ImageInRegistry is not null || spec.Base.File is null) && OfFiles.FirstOrDefault(spec.Origins.ContainsKey) is { } proof)
            throw Bad($"{proof} is of a file, and {key} names none", whereIs(proof), spec.Base.File is null ? "leave it out; apt checks Debian's own signatures"
                : "leave it out; an image in a registry is known by its digest: docker://REGISTRY/NAME@sha256:…");
        if (GivenIn("installer.") is { } installer)
            throw Bad("The system would come from two places, an installer and a base", $"{whereIs(installer)}; {whereIs(key)}", "leave out installer, or base");
        if (spec.IsInstaller)
            return;
        if (GivenIn("seed.") is { } seed)
            throw Bad($"{seed} is for an installer, and with {key} none is booted", $"{whereIs(seed)}; {whereIs(key)}",
                "leave out seed; what the system's own cloud-init or Ignition is to read comes from the platform that boots it");
        if (OfInstallersRun.FirstOrDefault(spec.Origins.ContainsKey) is { } run)
            throw Bad($"{run} is about an installer's run, and with {key} none is booted", $"{whereIs(run)}; {whereIs(key)}", "leave it out");
    }

    /// <summary>Whether the disk is one that Crust lays out for Raspberry Pis.</summary>
    public static bool IsForPi(BuildSpec spec) => spec.Base is { IsRoot: true, Layout: DiskLayout.RaspberryPi };

    private static void CheckProof(SourceFile file, Func<string, string> whereIs)
    {
        string Key(string name) => $"{file.Section}.{name}";
        var isList = file.Sha256 is { } sum && !Sha256Digits().IsMatch(sum);
        if (file.ChecksumSignature is not null && file.Key is null)
            throw Bad("There is a signature of the list of checksums, and no key that may have made it", whereIs(Key("sha256Signature")),
                $"name a file with the vendor's public key in {Key("key")}");
        if (file.Signature is not null && file.Key is null)
            throw Bad($"There is a signature of the {file.Noun}, and no key that may have made it", whereIs(Key("signature")), $"name a file with the vendor's public key in {Key("key")}");
        if (file.ChecksumSignature is not null && file.Section == "base" && !isList)
            throw Bad("There is a signature of a list of checksums, and base.sha256 names no list", whereIs(Key("sha256Signature")), "give the signature of the image itself in base.signature");
        if (file.Key is not null && file.Signature is null && !isList)
            throw Bad($"There is a key for the list of checksums, and {(file.Sha256 is null ? "no list" : $"{Key("sha256")} is no list but a checksum, which needs none")}", whereIs(Key("key")),
                $"name the vendor's list (SHA256SUMS) in {Key("sha256")}, by path or URL; or leave the key out");
    }

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex Sha256Digits();
}
