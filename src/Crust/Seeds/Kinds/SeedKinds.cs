using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>All kinds of seeds.</summary>
internal static class SeedKinds
{
    private static readonly ImmutableArray<ISeedKind> All = [new NocloudSeed(), new NoSeed()];

    /// <summary>The kind that a spec names.</summary>
    public static ISeedKind Of(SeedKind kind) => All.First(one => one.Kind == kind);
}
