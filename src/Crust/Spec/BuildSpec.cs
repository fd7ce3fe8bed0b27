using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>All that a build needs to know, complete and checked: what the user said, and defaults for the rest.</summary>
internal sealed record BuildSpec
{
    /// <summary>The images' base name; null for the base name of the installer ISO or the base image.</summary>
    public string? Name { get; init; }

    public InstallerSpec Installer { get; init; } = new();

    /// <summary>What the build starts from in place of an installer, if it names an image.</summary>
    public BaseSpec Base { get; init; } = new();

    /// <summary>Whether the build starts from a base, and no installer is booted.</summary>
    public bool HasBase => Base.IsGiven;

    /// <summary>Whether it says how an installer is made (`crust installer`), and not how a disk is.</summary>
    public bool IsInstaller { get; init; }

    /// <summary>What lies on the medium of an installer that is made from a base.</summary>
    public MediumSpec Medium { get; init; } = new();

    /// <summary>What a site's network asks of the system that such an installer installs.</summary>
    public SiteSpec Site { get; init; } = new();

    /// <summary>The file that the system comes from, as the user named it; null for the reference installer, and for Debian packages.</summary>
    public SourceFile? SourceFile => Base.File is { } file
        ? new("base", Base.Image is null ? "archive" : "image", file)
        {
            Sha256 = Base.Sha256,
            ChecksumSignature = Base.ChecksumSignature,
            Signature = Base.Signature,
            Key = Base.Key,
            AllowUnverified = Base.AllowUnverified,
        }
        : Installer.File;

    /// <summary>What the system comes from, for people.</summary>
    public string ShownSource => SourceFile?.Shown ?? (HasBase ? Base.Debian.Shown : Installer.Shown);

    /// <summary>Whether it comes from Crust's own installer.</summary>
    public bool IsReference => SourceFile is null && !HasBase && Installer.Built is not { HasBase: true };

    public MachineSpec Machine { get; init; } = new();

    public SeedSpec Seed { get; init; } = new();

    /// <summary>What is put onto the installed disk, in this order.</summary>
    public ImmutableArray<LayerSpec> Layers { get; init; } = [];

    /// <summary>The same with what other keys put onto it, which comes first.</summary>
    public ImmutableArray<LayerSpec> AllLayers => Base.Vendor is { } vendor ? [new LayerSpec.Vendor(vendor) { Where = WhereIs("base.vendor") }, .. Layers] : Layers;

    /// <summary>What is tidied on the installed disk, so that images of it can be cloned; null for what suits the installer.</summary>
    public ImmutableArray<TidyStep>? Tidy { get; init; }

    /// <summary>Whether the installed disk is looked at before anything is made of it.</summary>
    public bool Inspect { get; init; } = true;

    /// <summary>Whether free space of file systems is taken out of the installed disk before anything is made of it.</summary>
    public bool Trim { get; init; } = true;

    /// <summary>The names of the formats to write, in the user's order, each once.</summary>
    public ImmutableArray<string> Formats { get; init; } = ["img"];

    public Qcow2Spec Qcow2 { get; init; } = new();

    /// <summary>What the `iso` does where it is booted.</summary>
    public IsoSpec Iso { get; init; } = new();

    public VerifySpec Verify { get; init; } = new();

    public SignSpec Sign { get; init; } = new();

    public PublishSpec Publish { get; init; } = new();

    /// <summary>The repository that machines share as a cache, `registry/path`; null for none.</summary>
    public string? Cache { get; init; }

    /// <summary>The keys of which one has to have signed what is taken from there: public keys, or paths of files; empty if whoever may write there is trusted.</summary>
    public ImmutableArray<string> CacheTrust { get; init; } = [];

    /// <summary>Where each key that was given was given: key path → `crust.yaml:7:9, machine.disk`.</summary>
    public ImmutableDictionary<string, string> Origins { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The files and folders of this host that were named, the spec's own among them: absolute paths.</summary>
    public ImmutableArray<string> InputFiles { get; init; } = [];

    /// <summary>Where a key's value comes from, for messages: `option --disk-size`, or `machine.disk (default)`.</summary>
    public string WhereIs(string path) => Origins.GetValueOrDefault(path, $"{path} (default)");
}

internal sealed record InstallerSpec
{
    /// <summary>A path or an http(s) URL; null for the reference installer.</summary>
    public string? Iso { get; init; }

    /// <summary>The path of the spec of an installer that is made first; null for none.</summary>
    public string? Build { get; init; }

    /// <summary>That spec; null for none.</summary>
    public BuildSpec? Built { get; init; }

    /// <summary>The same for people: without a login or a token that a URL may hold.</summary>
    public string Shown => Iso is not null ? SourceFile.ShownOf(Iso) : Built is { HasBase: true } built ? $"an installer from {built.ShownSource}" : "the reference installer";

    /// <summary>The ISO with what proves it; null for the reference installer.</summary>
    public SourceFile? File => Iso is null ? null : new("installer", "ISO", Iso)
    {
        Sha256 = Sha256,
        ChecksumSignature = ChecksumSignature,
        Key = ChecksumKey,
        AllowUnverified = AllowUnverified,
    };

    /// <summary>The SHA-256 that the ISO must have: 64 hex digits, or a path or URL of a SHA256SUMS file; null for none.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The signature of the SHA256SUMS file, by path or URL; null for none, or where the file is signed in the clear.</summary>
    public string? ChecksumSignature { get; init; }

    /// <summary>A file of GPG's public keys, one of which has to have signed the SHA256SUMS file; null if nobody has to.</summary>
    public string? ChecksumKey { get; init; }

    /// <summary>Takes a URL without a checksum, and a SHA256SUMS file that comes by plain HTTP and isn't signed.</summary>
    public bool AllowUnverified { get; init; }

    /// <summary>The kernel in the ISO that the machine starts with, by its path there, in place of the ISO's boot loader; null for none.</summary>
    public string? BootKernel { get; init; }

    /// <summary>The initramfs in the ISO that the kernel is given, by its path there; null for none.</summary>
    public string? BootInitrd { get; init; }

    /// <summary>The kernel's command line; null for none.</summary>
    public string? BootAppend { get; init; }

    /// <summary>What is typed at the machine's keyboard while it boots, in Packer's notation; empty for nothing.</summary>
    public ImmutableArray<string> BootKeys { get; init; } = [];

    /// <summary>The text, on the serial port or on a screen in text mode, after which it is typed; null for at once.</summary>
    public string? BootKeysAfter { get; init; }
}

/// <summary>How the clusters of a qcow2 are compressed.</summary>
public enum Qcow2Compression
{
    /// <summary>Small and quick; read by QEMU 5.1 and newer.</summary>
    Zstd,

    /// <summary>A little larger and slow to write; read by older QEMUs, too.</summary>
    Zlib,

    None,
}

/// <summary>How qcow2 images are made, also those inside others.</summary>
internal sealed record Qcow2Spec
{
    public Qcow2Compression Compression { get; init; } = Qcow2Compression.Zstd;
}

/// <summary>How a machine ends once its disk is written.</summary>
public enum AfterFlash
{
    Poweroff,

    Reboot,
}

/// <summary>What the `iso` does where it is booted.</summary>
internal sealed record IsoSpec
{
    /// <summary>
    /// The disk that it writes to: `ask` (at the console), `auto` (the largest that isn't the medium), a path, `size&gt;=` or `size&lt;=` with a size
    /// (the largest of those), or `serial:` with a pattern.
    /// </summary>
    public string Target { get; init; } = "ask";

    /// <summary>Writes to a disk that holds data without asking.</summary>
    public bool Overwrite { get; init; }

    /// <summary>How the machine ends once its disk is written.</summary>
    public AfterFlash After { get; init; } = AfterFlash.Poweroff;
}
