using System.Collections.Immutable;
using System.Text.Json;
using Crust.Oci;
using Crust.Spec;

namespace Crust.Registries;

/// <summary>
/// An index under a tag that several publishers may write at once. A registry can't write it only if nobody else has: each reads it back and writes
/// it again until it holds what is in the registry by then.
/// </summary>
internal sealed class SharedIndex(Registry registry)
{
    // Each round that fails is another publisher's success.
    private const int MostRounds = 20;

    /// <summary>Sees to it that an index holds what it should.</summary>
    /// <param name="wanted">Given the entries that are there, says which should be.</param>
    /// <param name="annotations">What is said of it; null for nothing.</param>
    /// <returns>The index as the registry has it.</returns>
    public async Task<OciDocument> KeepAsync(
        RegistryReference at, Func<ImmutableArray<OciDescriptor>, Task<ImmutableArray<OciDescriptor>>> wanted, ImmutableSortedDictionary<string, string>? annotations, CancellationToken cancellation)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var there = await registry.ReadAsync(at, cancellation);
            var entries = there is null ? [] : EntriesOf(there);
            var should = await wanted(entries);
            if (there is not null && IsSame(entries, should))
            {
                return there;
            }

            await registry.PushIndexAsync(at, should, annotations, cancellation);
        }

        throw new RegistryException(RegistryFault.Altered, $"The registry {at.Registry} never has under this tag what was pushed to it", at.ToString(),
            "see who else pushes to the tag, or whether the registry changes what it is given");
    }

    /// <summary>Sees to it that an index holds the manifests of all architectures that are there, each under the index's tag with `-amd64` or `-arm64` behind it.</summary>
    /// <param name="name">What the index is called. Another name's manifest under such a tag was refused before, or may be overwritten.</param>
    /// <returns>The index as the registry has it.</returns>
    public Task<OciDocument> KeepArchitecturesAsync(RegistryReference at, string name, CancellationToken cancellation) => KeepAsync(at, async _ =>
    {
        var entries = ImmutableArray.CreateBuilder<OciDescriptor>();
        foreach (var arch in Enum.GetValues<Arch>())
        {
            if (await registry.ReadAsync(at.With(PublishTarget.TagOf(at.Tag, arch)), cancellation) is { } manifest && TagOwner.IsName(manifest, name))
            {
                entries.Add(Artifact.DescriptorOf(manifest).For(arch));
            }
        }

        return entries.ToImmutable();
    }, ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add(OciManifest.Title, name), cancellation);

    /// <summary>The entries of an index; none of what isn't one.</summary>
    public static ImmutableArray<OciDescriptor> EntriesOf(OciDocument document)
    {
        try
        {
            using var json = JsonDocument.Parse(document.Json);
            return json.RootElement.TryGetProperty("manifests", out var manifests) ? [.. manifests.EnumerateArray().Select(OciDescriptor.Read)] : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return [];
        }
    }

    private static bool IsSame(ImmutableArray<OciDescriptor> one, ImmutableArray<OciDescriptor> other) =>
        one.Select(entry => (entry.Digest, entry.Architecture)).Order().SequenceEqual(other.Select(entry => (entry.Digest, entry.Architecture)).Order());
}
