using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>No seed: the installer knows by itself what to do.</summary>
internal sealed class NoSeed : ISeedKind
{
    /// <inheritdoc/>
    public SeedKind Kind => SeedKind.None;

    /// <inheritdoc/>
    public ConfigMap? Read(string text, string path) => null;

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request) => new() { Carrier = SeedCarrier.Nothing };
}
