using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Providers;

/// <summary>What was pushed.</summary>
/// <param name="Layers">What was put over the base, by its descriptors' digests and what it is.</param>
/// <param name="Pushed">Whether anything was pushed; else all of it was there.</param>
internal sealed record PublishedArch(Arch Arch, RegistryReference Reference, string Digest, ImmutableArray<PublishedLayer> Layers, bool Pushed);

internal sealed record PublishedLayer(string Shown, string Digest, long Size);

/// <param name="Digest">Of the index.</param>
internal sealed record PublishedProvider(KubernetesVersion Version, RegistryReference Reference, string Digest, ImmutableArray<PublishedArch> Archs);

/// <param name="Base">The base as it was taken: with its digest, where it came from a registry.</param>
internal sealed record ProviderResult(string Base, ImmutableArray<PublishedProvider> Images, PackValues Values);
