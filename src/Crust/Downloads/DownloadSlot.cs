using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crust.Storage;

namespace Crust.Downloads;

/// <summary>What a server said of a file, by which a later request can ask for the rest of the same file.</summary>
internal sealed record DownloadFacts(string? ETag, DateTimeOffset? LastModified)
{
    /// <summary>A condition for `If-Range` (RFC 9110, section 13.1.5: only a strong ETag will do); null if there is none.</summary>
    [JsonIgnore]
    public RangeConditionHeaderValue? SameFile =>
        ETag is not null && EntityTagHeaderValue.Parse(ETag) is { IsWeak: false } tag ? new RangeConditionHeaderValue(tag)
        : LastModified is { } date ? new RangeConditionHeaderValue(date)
        : null;

    public static DownloadFacts Of(HttpResponseMessage response) => new(response.Headers.ETag?.ToString(), response.Content.Headers.LastModified);
}

[JsonSerializable(typeof(DownloadFacts))]
internal sealed partial class DownloadJson : JsonSerializerContext;

/// <summary>
/// The place of one URL's download in the cache: `&lt;cache&gt;/downloads/&lt;SHA-256 of the URL&gt;/`. The file gets its name when
/// it is whole; until then it is `partial`, with what the server said of it beside it.
/// </summary>
internal sealed class DownloadSlot
{
    private readonly string _folder;

    public DownloadSlot(string cacheFolder, Uri url, string fileName)
    {
        _folder = FolderOf(cacheFolder, url);
        Finished = Path.Combine(_folder, fileName);
        try
        {
            PrivateFolder.Create(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The cache can't be written: {e.Message}", _folder, "make it writable, or set CRUST_CACHE to a folder that is", e);
        }
    }

    /// <summary>Where a whole download is, or would be.</summary>
    public static string PathOf(string cacheFolder, Uri url, string fileName) => Path.Combine(FolderOf(cacheFolder, url), fileName);

    /// <summary>The whole file.</summary>
    public string Finished { get; }

    /// <summary>What there is of it so far.</summary>
    public string Partial => Path.Combine(_folder, "partial");

    /// <summary>Held by the one process that downloads it.</summary>
    public string Lock => Path.Combine(_folder, "lock");

    /// <summary>How much there is so far, in bytes.</summary>
    public long PartialLength => File.Exists(Partial) ? new FileInfo(Partial).Length : 0;

    /// <summary>What the server said of the partial file; null if that isn't known.</summary>
    public DownloadFacts? PartialFacts => Load(Partial + ".json");

    /// <summary>What the server said of the whole file; null if that isn't known.</summary>
    public DownloadFacts? FinishedFacts => Load(Finished + ".json");

    /// <summary>Begins anew, with an empty partial file.</summary>
    public void Begin(DownloadFacts facts)
    {
        Discard();
        WholeFile.CreatePrivate(Partial).Dispose();
        WholeFile.Replace(Partial + ".json", JsonSerializer.Serialize(facts, DownloadJson.Default.DownloadFacts));
    }

    /// <summary>Throws away what was downloaded in part.</summary>
    public void Discard() => File.Delete(Partial);

    /// <summary>Gives the partial file its final name.</summary>
    public void Finish()
    {
        PrivateFolder.Tighten(Partial);
        WholeFile.Place(Partial, Finished);
        File.Delete(Finished + ".json");
        if (File.Exists(Partial + ".json"))
        {
            WholeFile.Place(Partial + ".json", Finished + ".json");
        }
    }

    private static string FolderOf(string cacheFolder, Uri url) => Path.Combine(cacheFolder, "downloads", Checksum.OfText(url.AbsoluteUri));

    private static DownloadFacts? Load(string file)
    {
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllText(file), DownloadJson.Default.DownloadFacts) : null;
        }
        catch (JsonException)
        {
            // Cut off by a crash: nothing is known then.
            return null;
        }
    }
}
