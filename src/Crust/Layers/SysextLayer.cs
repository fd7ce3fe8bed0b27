using System.Security.Cryptography;
using Crust.Appliance;
using Crust.Recipes;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;

namespace Crust.Layers;

/// <summary>A system extension as a layer. What decides it is known before anything is fetched or built.</summary>
/// <param name="Recipe">What it is built from; null where it is there already.</param>
/// <param name="Origin">What of its origin decides it.</param>
internal sealed record SysextLayer(LayerSpec.Sysext Spec, Arch Arch, RecipeLayer? Recipe, string Origin)
{
    // Changes whenever the same extension would be put elsewhere, or be built otherwise.
    private const int Version = 1;

    public SysextProfile Profile { get; } = ProfileOf(Spec);

    /// <exception cref="CrustException">There is no such recipe, file or key.</exception>
    public static SysextLayer Of(LayerSpec.Sysext spec, Arch arch)
    {
        switch (spec.Source)
        {
            case SysextOrigin.Built built:
                var recipe = RecipeLayer.Of(built.Recipe, arch, RecipeUse.Sysext);
                return new SysextLayer(spec, arch, recipe, recipe.Material());
            case SysextOrigin.Local local:
                return new SysextLayer(spec, arch, null, SumOf(local.Path, "extension", "name a file that crust sysext build wrote"));
            case SysextOrigin.Published published:
                // A build has the SHA-256 from the spec or, before its key is known, from the index.
                var key = published.Key is { } path ? SumOf(path, "key", "name a file with the publisher's public key") : "";
                return new SysextLayer(spec, arch, null, $"{published.Url.AbsoluteUri} {published.Name} {published.Version} {published.Sha256} {key}");
            default:
                throw new ArgumentOutOfRangeException(nameof(spec));
        }
    }

    /// <summary>The file of an index that is for a machine of an architecture.</summary>
    public static SysextFile FileOf(SysextOrigin.Published published, LayerSpec.Sysext spec, Arch arch) =>
        new(published.Name, published.Version, arch, SysextPlace.SuffixOf(ProfileOf(spec)));

    /// <summary>All that decides what is put onto the disk.</summary>
    public string Material() => $"{Version} {Spec.Profile} {Spec.Partition} {Arch}\n{Origin}\n";

    /// <summary>How it is built from its recipe: for every system of its kind, since no disk is looked at before.</summary>
    public SysextPlan PlanOf(RecipePick pick) => new SysextPlan
    {
        Name = pick.Recipe.Name,
        Version = pick.Version.Version,
        Profile = Profile,
        Arch = Arch,
        // It is merged when systemd has long read its units.
        Reload = true,
        Epoch = Mmdebstrap.Epoch,
    }.For(SysextPlan.AnyOs);

    private static SysextProfile ProfileOf(LayerSpec.Sysext spec) => Enum.GetValues<SysextProfile>().First(profile => profile.LowerName() == spec.Profile);

    private static string SumOf(string path, string noun, string remedy)
    {
        using var file = new FileStream(RegularFile.Open(path, noun, remedy), FileAccess.Read);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
