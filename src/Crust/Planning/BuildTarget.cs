using System.Collections.Immutable;
using Crust.Disks;
using Crust.Isos;
using Crust.Layers;
using Crust.Seeds;
using Crust.Spec;
using Crust.Storage;
using Crust.Verification;

namespace Crust.Planning;

/// <summary>What a build is about: what `build`, `build --dry-run`, `doctor`, `plan` and `publish` have to know of it before anything is made.</summary>
internal sealed record BuildTarget
{
    private BuildTarget()
    {
    }

    public required BuildSpec Spec { get; init; }

    /// <summary>The images' base name.</summary>
    public required string Name { get; init; }

    /// <summary>The proof that the spec asks for; null for none.</summary>
    internal ExpectedProof? Proof { get; init; }

    /// <summary>Its keys; null if they can't be known yet.</summary>
    public BuildKeys? Keys { get; private init; }

    /// <summary>What is put onto the installed disk.</summary>
    public ImmutableArray<Layer> Layers { get; private init; } = [];

    /// <summary>The keys in this machine's cache of the disks before each layer, that of the bare installed disk first; empty without layers, or where keys aren't known.</summary>
    public ImmutableArray<string> DisksBelow { get; private init; } = [];

    /// <summary>The build key; null if it can't be known yet.</summary>
    public string? Key => Keys?.Published;

    /// <summary>Why the keys can't be known, as a sentence without a full stop; null if they can.</summary>
    public string? Unknown { get; private init; }

    /// <summary>What a spec's build is about, told without fetching, building, booting or writing anything.</summary>
    /// <param name="files">The files that it names.</param>
    /// <param name="local">Gets this machine's secret key, where it counts what is here; null where it has none, or it doesn't count.</param>
    /// <exception cref="CrustException">It can't be built anywhere: its files are missing or wrong, or its installer doesn't fit its machine.</exception>
    public static BuildTarget Of(BuildSpec spec, SeedFiles files, SourceGlance glance, Func<byte[]?> local)
    {
        BuildRules.CheckFormats(spec);
        var target = new BuildTarget
        {
            Spec = spec,
            Name = spec.Name ?? glance.BaseName,
            Layers = Layer.ReadAll(spec),
            Proof = spec.Verify.Boot is not VerifyBoot.False ? new ExpectedProof(spec.Machine, spec.Verify) : null,
        };
        if (spec.HasBase)
        {
            return (glance.Origin?.Sha256 ?? glance.Promised) is { } image ? target.With((its, layers) => BuildKey.ForBase(image, its, layers, local))
                : target with { Unknown = UnknownBase(spec.Base) };
        }

        if (glance.Origin is InstallerIso iso)
        {
            BuildRules.CheckInstaller(iso, spec);
            return target.WithSeed(iso.Sha256, iso.IsReference, () => SeedComposer.KeyOf(spec, files, iso), local);
        }

        if (spec.IsReference)
        {
            return target with { Unknown = "the reference installer isn't built here; crust installer builds it" };
        }

        if (spec.Installer.Built is not null)
        {
            return target with { Unknown = "its installer isn't made here; crust build makes it" };
        }

        // An ISO that isn't here is known by its checksum; what it would say of itself has to be said by the spec.
        return glance.Promised is not { } sha256 ? target with { Unknown = "its installer's checksum isn't known here; give its SHA-256 in installer.sha256, or download it: crust build" }
            : spec.Seed.Profile is not { } profile || spec.Seed.Kind is SeedKind.Embedded
                ? target with { Unknown = "its installer isn't here to say which family of systems it installs; name it in seed.profile" }
            : target.WithSeed(sha256, isReference: false, () => SeedKey.Of(spec, files, profile, sha256), local);
    }

    private static string UnknownBase(BaseSpec given) => given.Debian.Suite is not null ? "its root file system isn't made of packages here; crust build makes it"
        : given.ImageInRegistry is not null ? "only the registry knows which image its tag stands for; name it by its digest in base.oci, or pull it: crust build"
        : "its base image's checksum isn't known here; give its SHA-256 in base.sha256, or download it: crust build";

    /// <summary>The same with who logs in to its images, which takes a key or a password that planning needn't have.</summary>
    internal BuildTarget ProvenBy(SshLogin? login) => this with { Proof = Proof is null ? null : Proof with { Login = login } };

    // Nobody takes care of a disk before all layers are on it.
    private BuildSpec Bare => Spec with { Tidy = [], Trim = false };

    private ImmutableArray<string> Below(BuildKeys bare) => [.. Layers[..^1].Aggregate(ImmutableArray.Create(bare.Local), (keys, layer) => keys.Add(layer.KeyOver(keys[^1])))];

    // By the spec and the layers that count: first all of it, then what is below the layers.
    private BuildTarget With(Func<BuildSpec, ImmutableArray<Layer>, BuildKeys> keys) =>
        Spec.Layers.OfType<LayerSpec.Sysext>().FirstOrDefault(layer => layer.Source is SysextOrigin.Published { Sha256: null }) is { } open
            ? this with { Unknown = $"only the index knows the checksum of the extension {open.Shown}; give it in the layer's sha256, or ask the index: crust build" }
            : this with { Keys = keys(Spec, Layers), DisksBelow = Layers.IsEmpty ? [] : Below(keys(Bare, [])) };

    private BuildTarget WithSeed(string sha256, bool isReference, Func<SeedKey> seed, Func<byte[]?> local)
    {
        try
        {
            var told = seed();
            return With((spec, layers) => BuildKey.For(sha256, isReference, told, spec, layers, local));
        }
        catch (CrustException e) when (e.Kind is FailureKind.HostLacks)
        {
            // A library to hash a password with: the host's checks tell of it.
            return this with { Unknown = e.What };
        }
    }
}
