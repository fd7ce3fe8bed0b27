using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

internal static class SeedKinds
{
    private static readonly ImmutableArray<ISeedKind> All =
        [new NocloudSeed(), new AutoinstallSeed(), new KickstartSeed(), new PreseedSeed(), new IgnitionSeed(), new EmbeddedSeed(), new NoSeed()];

    public static ISeedKind Of(SeedKind kind) => All.First(one => one.Kind == kind);

    /// <summary>What the kind that a spec names makes of it.</summary>
    /// <exception cref="CrustException">
    /// A file of the user's isn't what this kind takes, or can't have its name where it goes; or the host lacks what is needed to hash a password.
    /// </exception>
    public static SeedContents Compose(SeedRequest request)
    {
        var contents = Of(request.Spec.Seed.Kind).Compose(request);
        SeedFileNames.Check(request, contents);
        return contents;
    }
}
