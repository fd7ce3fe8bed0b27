using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Crust.Isos;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Downloads;

/// <summary>
/// Downloads files into the cache. A cut-off download goes on where it stopped (RFC 9110, section 14), in this run or a
/// later one; a file gets its name only when it is whole and its checksum is right.
/// </summary>
internal sealed class Downloader(HttpSource source, string cacheFolder, IsoHash hashes, IBuildObserver observer, TimeProvider time)
{
    private const int BufferSize = 1 << 18;
    private const int NoSpace = 28; // ENOSPC
    private static readonly TimeSpan BetweenReports = TimeSpan.FromMilliseconds(250);

    /// <summary>The stage that its progress belongs to.</summary>
    public Stage Stage { get; init; } = Stage.Installer;

    /// <summary>The error for a file with another checksum than it has to have: where it is, the expected sum, its own; null for that of a spec's file.</summary>
    public Func<string, string, string, CrustException>? OnMismatch { get; init; }

    /// <summary>Bytes that may still be written to a folder's file system.</summary>
    public Func<string, long> FreeSpace { get; init; } = folder => FolderSpace.Of(folder).Free;

    /// <summary>The same from where the URL says.</summary>
    /// <exception cref="CrustException">As below.</exception>
    public Task<string> GetAsync(Uri url, string fileName, string? sha256, CancellationToken cancellation) => GetAsync(url, url, fileName, sha256, cancellation);

    /// <summary>The file's path in the cache; it is downloaded unless it is there already, and still the same.</summary>
    /// <param name="name">The URL by which it is known in the cache.</param>
    /// <param name="url">The URL to download it from: the same, or that of a mirror.</param>
    /// <param name="fileName">What it is called in the cache.</param>
    /// <param name="sha256">Its checksum in lower-case hex; null if none is known.</param>
    /// <param name="cancellation">Ends the download; what there is of it is kept.</param>
    /// <exception cref="CrustException">It can't be had, there is no room for it, or it isn't the file that the checksum is of.</exception>
    public async Task<string> GetAsync(Uri name, Uri url, string fileName, string? sha256, CancellationToken cancellation)
    {
        var slot = new DownloadSlot(cacheFolder, name, fileName);
        using var held = await FileLock.AcquireAsync(slot.Lock, _ => Report(fileName, null, "another build downloads it; waiting"), cancellation);
        if (sha256 is not null && File.Exists(slot.Finished) && await hashes.OfAsync(slot.Finished, cancellation) == sha256)
        {
            return slot.Finished;
        }

        try
        {
            return await source.RetryAsync(() => TryGetAsync(slot, url, sha256, cancellation), () => slot.PartialLength,
                problem => Report(fileName, null, problem), cancellation);
        }
        catch (PassingProblemException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The download failed: {e.Message}", ShownUrl.Of(url), e.Remedy is { } remedy ? remedy : slot.PartialLength is var kept and > 0
                ? $"check this host's network and run it again: {Size.Format(kept)} of it are kept, and the download goes on from there if the server allows it"
                : "check the URL and this host's network, and run it again", e);
        }
        catch (IOException e) when (e.HResult == NoSpace)
        {
            throw Full(slot, url, null, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The download can't be stored: {e.Message}", slot.Partial, "check the drive that the cache is on, or set CRUST_CACHE", e);
        }
    }

    private async Task<string> TryGetAsync(DownloadSlot slot, Uri url, string? sha256, CancellationToken cancellation)
    {
        var have = slot.PartialLength;

        // Without a checksum, only the server can say that the rest belongs to what is there.
        var sameFile = slot.PartialFacts?.SameFile;
        var resume = have > 0 && (sha256 is not null || sameFile is not null);
        var refresh = !resume && sha256 is null && File.Exists(slot.Finished);
        using var response = await source.GetAsync(url, headers =>
        {
            if (resume)
            {
                headers.Range = new RangeHeaderValue(have, null);
                headers.IfRange = sameFile;
            }
            else if (refresh)
            {
                var facts = slot.FinishedFacts;
                headers.IfModifiedSince = facts?.LastModified;
                headers.TryAddWithoutValidation("If-None-Match", facts?.ETag);
            }
        }, cancellation);

        switch (response.StatusCode)
        {
            case HttpStatusCode.NotModified when refresh:
                return slot.Finished;
            case HttpStatusCode.PartialContent when resume && response.Content.Headers.ContentRange?.From == have:
            case HttpStatusCode.RequestedRangeNotSatisfiable when resume && response.Content.Headers.ContentRange?.Length == have:
                // The second: all of it was here already, and Crust was killed before it could give it its name.
                break;
            case HttpStatusCode.OK:
                slot.Begin(DownloadFacts.Of(response));
                have = 0;
                break;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable when resume:
                slot.Discard();
                throw new PassingProblemException("the server's file isn't the one whose beginning is here");
            default:
                throw PassingProblemException.From(response.StatusCode, response.ReasonPhrase, ShownUrl.Of(url));
        }

        var rest = response.StatusCode is HttpStatusCode.RequestedRangeNotSatisfiable ? 0 : response.Content.Headers.ContentLength;
        if (rest > FreeSpace(Path.GetDirectoryName(slot.Partial)!))
        {
            throw Full(slot, url, rest, null);
        }

        var actual = await ReceiveAsync(slot, response, url, have, have + rest, cancellation);
        if (sha256 is not null && actual != sha256)
        {
            slot.Discard();
            throw have > 0
                ? new PassingProblemException("the server's file isn't the one whose beginning was here")
                : OnMismatch?.Invoke(ShownUrl.Of(url), sha256, actual) ?? Mismatch(ShownUrl.Of(url), sha256, actual, Stage);
        }

        slot.Finish();
        hashes.Remember(slot.Finished, actual);
        return slot.Finished;
    }

    /// <summary>The error for a file that isn't the one its checksum is of.</summary>
    public static CrustException Mismatch(string where, string expected, string actual, Stage stage = Stage.Installer) => new(FailureKind.BadInput,
        $"The {(stage is Stage.Base ? "image" : "ISO")} isn't the one that the checksum is of: expected SHA-256 {expected}, it has {actual}", where,
        $"compare {(stage is Stage.Base ? "base.sha256 (BASE_SHA256)" : "installer.sha256 (ISO_SHA256)")} with what the vendor publishes for this very file; if they agree, the file was damaged or "
            + "replaced on its way");

    // Appends the body to the partial file; gives the SHA-256 of all of it.
    private async Task<string> ReceiveAsync(DownloadSlot slot, HttpResponseMessage response, Uri url, long have, long? total, CancellationToken cancellation)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(slot.Partial, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 0, FileOptions.Asynchronous);
        await using var body = response.IsSuccessStatusCode ? await response.Content.ReadAsStreamAsync(cancellation) : Stream.Null;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int read; file.Position < have && (read = await file.ReadAsync(buffer, cancellation)) > 0;)
            {
                sha.AppendData(buffer, 0, read);
            }

            var reported = 0L;
            for (int read; (read = await source.ReadAsync(body, buffer, url, cancellation)) > 0;)
            {
                await file.WriteAsync(buffer.AsMemory(0, read), cancellation);
                sha.AppendData(buffer, 0, read);
                if (reported == 0 || time.GetElapsedTime(reported) >= BetweenReports)
                {
                    reported = time.GetTimestamp();
                    Report(Path.GetFileName(slot.Finished), (double)file.Position / total, $"{Size.Format(file.Position)} of {(total is { } all ? Size.Format(all) : "an unknown size")}");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        file.Flush(flushToDisk: true);
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    private CrustException Full(DownloadSlot slot, Uri url, long? needed, IOException? inner)
    {
        var folder = Path.GetDirectoryName(slot.Partial)!;
        var missing = needed - FreeSpace(folder);
        return new CrustException(FailureKind.InputOutput,
            $"There is no room for the download of {ShownUrl.Of(url)}{(missing is { } bytes ? $": {bytes} bytes ({Size.Format(bytes)}) are missing" : "")}",
            folder, "make room there, or set CRUST_CACHE to a folder with more; the download goes on where it stopped", inner);
    }

    private void Report(string name, double? fraction, string detail) =>
        observer.Observe(new BuildEvent.Progressed(Stage, null, fraction, $"downloading {name}: {detail}"));
}
