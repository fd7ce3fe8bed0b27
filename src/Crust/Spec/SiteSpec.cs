using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>What the network of a site asks of the systems there: proxies, certificates of authorities, mirrors of registries. Commands that run while the system is made have it, too.</summary>
internal sealed record SiteSpec
{
    // One for all: specs that say the same are the same.
    private static readonly ImmutableSortedDictionary<string, string> NoMirrors = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The proxy for http URLs; null for none.</summary>
    public string? HttpProxy { get; init; }

    /// <summary>The proxy for https URLs; null for none.</summary>
    public string? HttpsProxy { get; init; }

    /// <summary>What is reached without a proxy, with commas between; null for nothing.</summary>
    public string? NoProxy { get; init; }

    /// <summary>Files with certificates of authorities, PEM or DER: absolute paths.</summary>
    public ImmutableArray<string> Certificates { get; init; } = [];

    /// <summary>Registries' hosts, each with the URL of its mirror.</summary>
    public ImmutableSortedDictionary<string, string> Mirrors { get; init; } = NoMirrors;

    /// <summary>Where it is said, for messages.</summary>
    public string Where { get; init; } = "site";

    /// <summary>Whether it asks for nothing.</summary>
    public bool IsEmpty => Proxies.IsEmpty && Certificates.IsEmpty && Mirrors.IsEmpty;

    /// <summary>The proxies by the names of their variables; programs read the one or the other of two.</summary>
    public ImmutableSortedDictionary<string, string> Proxies => new (string Name, string? Value)[] { ("http_proxy", HttpProxy), ("https_proxy", HttpsProxy), ("no_proxy", NoProxy) }
        .Where(proxy => proxy.Value is not null).SelectMany(proxy => new[] { proxy, (proxy.Name.ToUpperInvariant(), proxy.Value) })
        .ToImmutableSortedDictionary(proxy => proxy.Item1, proxy => proxy.Item2!, StringComparer.Ordinal);
}
