using System.Collections.Immutable;
using Crust.Downloads;
using Crust.Isos;
using Crust.Recipes;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Tools;
using Serilog;

namespace Crust.Layers;

/// <summary>Takes extensions from published indexes, as systemd-sysupdate does: by their lists of checksums, and the lists' signatures.</summary>
/// <param name="tools">Needs gpgv where an index is signed.</param>
internal sealed class IndexedSysexts(string cacheFolder, HttpSource http, ToolBox tools, IBuildObserver observer, TimeProvider time, ILogger log)
{
    private readonly ChecksumLists _lists = new(http, cacheFolder, observer);
    private readonly ListSignature _signatures = new(tools, cacheFolder);

    // Many specs of one plan may name the same index, and the sum that decided a build is the one that its file is compared with.
    private readonly Dictionary<(Uri Url, string? Key), Task<ImmutableArray<(string Name, string Sum)>>> _read = new();
    private readonly Lock _lock = new();

    /// <summary>The spec with the SHA-256 of each extension that it leaves to an index, as the index has it now: with it, the build's key is known.</summary>
    /// <exception cref="CrustException">An index can't be had, isn't signed by one of the keys, or hasn't the file.</exception>
    public async Task<BuildSpec> PinAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var layers = spec.Layers.ToBuilder();
        for (var i = 0; i < layers.Count; i++)
        {
            if (layers[i] is LayerSpec.Sysext { Source: SysextOrigin.Published { Sha256: null } published } layer)
            {
                var sum = await SumAsync(published, SysextLayer.FileOf(published, layer, spec.Machine.Arch), layer.Where, cancellation);
                layers[i] = layer with { Source = published with { Sha256 = sum } };
            }
        }

        return spec with { Layers = layers.ToImmutable() };
    }

    /// <summary>The file's path in the cache.</summary>
    /// <param name="where">The layer's place.</param>
    /// <exception cref="CrustException">It can't be had, the index isn't signed by one of the keys, or hasn't the file, or the file is another one.</exception>
    public async Task<string> FetchAsync(SysextOrigin.Published published, SysextFile wanted, string where, CancellationToken cancellation)
    {
        var sha256 = await SumAsync(published, wanted, where, cancellation);
        var hashes = new IsoHash(cacheFolder, observer, log) { Stage = Stage.Layers };
        var downloader = new Downloader(http, cacheFolder, hashes, observer, time)
        {
            Stage = Stage.Layers,
            OnMismatch = (url, expected, actual) => new CrustException(FailureKind.BadInput, $"The extension isn't the one that the checksum is of: expected SHA-256 {expected}, it has {actual}", $"{where}: {url}",
                "ask the index's publisher: the file was changed after the list was written, or damaged on its way"),
        };
        return await downloader.GetAsync(new Uri(published.Url, Uri.EscapeDataString(wanted.FileName)), wanted.FileName, sha256, cancellation);
    }

    /// <summary>The keys that sign an index, in the form that systemd-sysupdate reads.</summary>
    /// <exception cref="CrustException">The file holds no public key.</exception>
    public static byte[] KeyringOf(string key, string where) => ListSignature.ReadKeys(key, $"{where}: sysext");

    private async Task<string> SumAsync(SysextOrigin.Published published, SysextFile wanted, string where, CancellationToken cancellation)
    {
        // A sum that the spec says needs no list; a key asks for one, since the machine will check it, too.
        if (published is { Sha256: { } said, Key: null })
        {
            return said;
        }

        var url = new Uri(published.Url, SysextIndex.ListName);
        var sums = await SumsAsync(published, url, where, cancellation);
        var sum = sums.FirstOrDefault(entry => entry.Name == wanted.FileName).Sum ?? throw Lacks(sums, wanted, $"{where}: {ShownUrl.Of(url)}");
        return published.Sha256 is null || published.Sha256 == sum ? sum
            : throw new CrustException(FailureKind.BadInput, $"The index says another SHA-256 of {wanted.FileName} than the spec: {sum}", $"{where}: {ShownUrl.Of(url)}",
                "ask the index's publisher why the file changed; a published version never should");
    }

    private Task<ImmutableArray<(string Name, string Sum)>> SumsAsync(SysextOrigin.Published published, Uri url, string where, CancellationToken cancellation)
    {
        lock (_lock)
        {
            // What failed is asked again.
            if (!_read.TryGetValue((url, published.Key), out var reading) || reading.IsFaulted || reading.IsCanceled)
            {
                _read[(url, published.Key)] = reading = ReadAsync(published, url, where, cancellation);
            }

            return reading;
        }
    }

    private async Task<ImmutableArray<(string Name, string Sum)>> ReadAsync(SysextOrigin.Published published, Uri url, string where, CancellationToken cancellation)
    {
        var list = await _lists.GetAsync(url, cancellation);
        if (published.Key is { } keys)
        {
            var signature = await _lists.GetAsync(new Uri(published.Url, SysextIndex.SignatureName), cancellation);
            list = await _signatures.CheckAsync(list, signature, keys, "sysext", $"{where}: {ShownUrl.Of(url)}", cancellation);
        }
        else if (url.Scheme == Uri.UriSchemeHttp)
        {
            observer.Observe(new BuildEvent.Warned($"{ShownUrl.Of(url)} came by plain HTTP and isn't signed: anyone who can replace an extension on its way can replace this list, too"));
        }

        return [.. ChecksumList.Parse(list).Sha256Sums];
    }

    private static CrustException Lacks(ImmutableArray<(string Name, string Sum)> sums, SysextFile wanted, string where)
    {
        var known = sums.Select(entry => SysextFile.Of(entry.Name)).OfType<SysextFile>().Where(file => file.Arch == wanted.Arch && file.Suffix == wanted.Suffix).ToList();
        var versions = known.Where(file => file.Name == wanted.Name).Select(file => file.Version).OrderByDescending(version => version, VersionOrder.Instance).Take(5).ToList();
        return new CrustException(FailureKind.BadInput, $"The index has no {wanted.FileName}", where,
            versions.Count > 0 ? $"take one of the versions that it has: {CleanText.Line(string.Join(", ", versions))}"
            : known.Count > 0 ? CleanText.Line(Nearest.Suggest(wanted.Name, [.. known.Select(file => file.Name).Distinct().Take(20)]))
            : $"it has nothing for {wanted.Arch.LowerName()} whose name ends in {wanted.Suffix}");
    }
}
