using System.Collections.Immutable;
using Crust.Oci;
using Crust.Spec;

namespace Crust.Content;

/// <summary>An image whose registry has told what it consists of.</summary>
/// <param name="Target">What its name stands for: its manifest, or the index over several.</param>
/// <param name="Documents">
/// The index, if there is one, and the manifests and configs of the architectures that are taken: bytes that the registry gave, and that have the digests they are named by.
/// </param>
/// <param name="Platforms">What is taken of it.</param>
internal sealed record ResolvedImage(ContentImage Image, RegistryReference Source, OciDescriptor Target, ImmutableArray<OciDocument> Documents, ImmutableArray<ResolvedPlatform> Platforms)
{
    /// <summary>As the bundle's manifest has it.</summary>
    public PackedImage ToPacked() => new([.. Image.NamesAs(Target.Digest)], Source.With(Target.Digest).ToString(), Target.MediaType, Target.Digest,
        [.. Platforms.Select(platform => platform.ToPacked())]);
}

/// <summary>An image for an architecture.</summary>
internal sealed record ResolvedPlatform(Arch Arch, OciDescriptor Manifest, OciDescriptor Config, ImmutableArray<OciDescriptor> Layers)
{
    public PackedPlatform ToPacked() =>
        new(Arch.LowerName(), Manifest.Digest, Config.Size + Layers.Sum(layer => layer.Size), [Config.Digest, .. Layers.Select(layer => layer.Digest)]);
}
