using Crust.Downloads;
using Crust.Sanitizing;
using Crust.Storage;

namespace Crust.Sysexts.Baking;

/// <summary>Takes what a site has published, so that the next run goes on from it.</summary>
internal sealed class Publication(HttpSource http, Downloader downloader)
{
    private static readonly string[] Lists = [SysextIndex.ListName, SysextIndex.SignatureName, BakedList.FileName];

    /// <summary>Brings the lists of a publication into a folder, in place of those that are there.</summary>
    /// <param name="mayBeFirst">Whether there may be none yet.</param>
    /// <exception cref="CrustException">There is none, or it can't be had.</exception>
    public async Task FetchListsAsync(Uri url, string folder, bool mayBeFirst, CancellationToken cancellation)
    {
        var lists = new List<(string Name, byte[]? Bytes)>();
        foreach (var name in Lists)
        {
            lists.Add((name, await http.FindSmallAsync(new Uri(url, name), cancellation)));
        }

        if (lists[0].Bytes is null && !mayBeFirst)
        {
            throw new CrustException(FailureKind.InputOutput, "Nothing is published there", ShownUrl.Of(new Uri(url, SysextIndex.ListName)), "check the URL; for the first publication say so with --first");
        }

        if (lists[0].Bytes is null)
        {
            return;
        }

        try
        {
            using var drafts = DraftFolder.Create(folder);
            foreach (var (name, bytes) in lists)
            {
                var (draft, path) = (Path.Combine(drafts.Path, name), Path.Combine(folder, name));
                if (bytes is null)
                {
                    File.Delete(path);
                    continue;
                }

                await File.WriteAllBytesAsync(draft, bytes, cancellation);
                OutputFile.Place(draft, path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Full(folder, e);
        }
    }

    /// <summary>Brings files that are listed into the folder, unless they are there.</summary>
    /// <exception cref="CrustException">One can't be had, or isn't the one that is listed.</exception>
    public async Task FetchFilesAsync(Uri url, string folder, IEnumerable<(string Name, string Sha256)> listed, CancellationToken cancellation)
    {
        foreach (var (name, sha256) in listed)
        {
            var path = Path.Combine(folder, name);
            if (SysextFile.Of(name) is null || (File.Exists(path) && await Checksum.OfFileAsync(path, cancellation) == sha256))
            {
                continue;
            }

            var cached = await downloader.GetAsync(new Uri(url, Uri.EscapeDataString(name)), name, sha256, cancellation);
            try
            {
                using var drafts = DraftFolder.Create(folder);
                var draft = Path.Combine(drafts.Path, name);
                File.Copy(cached, draft);
                OutputFile.Place(draft, path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Full(folder, e);
            }
        }
    }

    private static CrustException Full(string folder, Exception e) =>
        new(FailureKind.InputOutput, $"What is published can't be kept: {e.Message}", folder, "make room there, or choose another folder with --output", e);
}
