using System.Security.Cryptography;
using Crust.Attestation;
using Crust.Downloads;
using Crust.Sanitizing;
using Crust.Storage;

namespace Crust.Sysexts.Baking;

/// <summary>Takes what a site has published, so that the next run goes on from it.</summary>
internal sealed class Publication(HttpSource http, Downloader downloader, IBuildObserver observer)
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

    /// <summary>Brings files that are listed into the folder, unless they are there, with their SBOMs and provenances.</summary>
    /// <exception cref="CrustException">One can't be had, or isn't the one that is listed.</exception>
    public async Task FetchFilesAsync(Uri url, string folder, IEnumerable<(string Name, string Sha256)> listed, CancellationToken cancellation)
    {
        foreach (var (name, sha256) in listed)
        {
            var path = Path.Combine(folder, name);
            if (SysextFile.Of(name) is null)
            {
                continue;
            }

            await FetchDocumentsAsync(url, folder, name, sha256, cancellation);
            if (File.Exists(path) && await Checksum.OfFileAsync(path, cancellation) == sha256)
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

    // A site that is published as a whole, as Pages are, loses what isn't fetched. No list has the sums of these documents: a provenance counts if it is of the file that is listed, and has the SBOM's.
    private async Task FetchDocumentsAsync(Uri url, string folder, string name, string sha256, CancellationToken cancellation)
    {
        var start = name[..^".raw".Length];
        string[] names = [start + Attestor.SbomExtension, start + ImageCheck.Extension];
        if (names.All(document => File.Exists(Path.Combine(folder, document))))
        {
            return;
        }

        var documents = new List<byte[]>();
        foreach (var document in names)
        {
            if (await http.FindSmallAsync(new Uri(url, Uri.EscapeDataString(document)), cancellation) is not { } bytes)
            {
                return;
            }

            documents.Add(bytes);
        }

        if (!AreOf(name, sha256, documents[0], documents[1]))
        {
            observer.Observe(new BuildEvent.Warned($"The provenance of {name} that is published isn't of this file and its SBOM: both are left out ({ShownUrl.Of(new Uri(url, Uri.EscapeDataString(names[1])))})"));
            return;
        }

        try
        {
            using var drafts = DraftFolder.Create(folder);
            foreach (var (document, bytes) in names.Zip(documents))
            {
                var draft = Path.Combine(drafts.Path, document);
                await File.WriteAllBytesAsync(draft, bytes, cancellation);
                OutputFile.Place(draft, Path.Combine(folder, document));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Full(folder, e);
        }
    }

    private static bool AreOf(string name, string sha256, byte[] sbom, byte[] provenance)
    {
        try
        {
            var statement = Statement.Parse(provenance);
            var sum = Convert.ToHexStringLower(SHA256.HashData(sbom));
            return statement.Subject.Any(file => file.Name == name && file.Digest?.GetValueOrDefault(Resource.Sha256) == sha256)
                && statement.Predicate.RunDetails.Byproducts is { IsDefault: false } byproducts && byproducts.Any(file => file.Digest?.GetValueOrDefault(Resource.Sha256) == sum);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static CrustException Full(string folder, Exception e) =>
        new(FailureKind.InputOutput, $"What is published can't be kept: {e.Message}", folder, "make room there, or choose another folder with --output", e);
}
