using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Downloads;

/// <summary>Says which SHA-256 a file that a spec names has to have: the spec itself, or a list of checksums, perhaps a signed one.</summary>
internal sealed class ExpectedChecksum(ChecksumLists lists, ListSignature signatures, IBuildObserver observer)
{
    /// <summary>The sum in lower-case hex; null if the spec says none.</summary>
    /// <param name="path">The parts of the file's path or URL.</param>
    /// <exception cref="CrustException">There is no such list, it isn't to be trusted, or it hasn't the file.</exception>
    public async Task<string?> FindAsync(SourceFile file, IReadOnlyList<string> path, CancellationToken cancellation)
    {
        if (file.Sha256 is not { } sha256)
        {
            return null;
        }

        if (Checksum.ValueOf(sha256) is { } sum)
        {
            return sum;
        }

        var shown = ShownOf(sha256);
        CheckWay(file, shown);
        var list = await ReadAsync(sha256, $"{file.Section}.sha256", cancellation);
        if (file.Key is { } keys)
        {
            var signature = file.ChecksumSignature is { } at && at != sha256 ? await ReadAsync(at, $"{file.Section}.sha256Signature", cancellation) : null;
            var where = signature is null ? $"{file.Section}.sha256: {shown}" : $"{file.Section}.sha256Signature: {ShownOf(file.ChecksumSignature!)}";
            list = await signatures.CheckAsync(list, signature, keys, file.Section, where, cancellation);
        }

        return ChecksumList.Parse(list).Find(path, $"{file.Section}.sha256: {shown}");
    }

    /// <summary>Checks the detached signature of the file itself, if the spec names one.</summary>
    /// <param name="path">The file on this host.</param>
    /// <exception cref="CrustException">It isn't signed by one of the keys that the spec names.</exception>
    public async Task CheckSignatureAsync(SourceFile file, string path, CancellationToken cancellation)
    {
        if (file.Signature is { } at)
        {
            var signature = await ReadAsync(at, $"{file.Section}.signature", cancellation);
            await signatures.CheckFileAsync(path, signature, file.Key!, file, $"{file.Section}.signature: {ShownOf(at)}", cancellation);
        }
    }

    // Over plain HTTP, whoever can change the file on its way can change the list as well: the two always agree.
    private void CheckWay(SourceFile file, string shown)
    {
        if (file.Key is not null || !UrlOf(file.Sha256!, out var url) || url!.Scheme != "http")
        {
            return;
        }

        // What comes from this host itself, nobody on the way can change.
        if (!file.AllowUnverified && !url.IsLoopback)
        {
            throw new CrustException(FailureKind.BadInput,
                $"The list of checksums comes by plain HTTP and isn't signed, so anyone who can replace the {file.Noun} on its way can replace the list, too", $"{file.Section}.sha256: {shown}",
                $"give the list's https URL, or its signature and the vendor's public key in {file.Section}.sha256Signature and {file.Section}.key, or the {file.Noun}'s 64 hex digits; or set "
                    + $"{file.Section}.allowUnverified to take whatever comes");
        }

        if (!url.IsLoopback || (UrlOf(file.Source, out var source) && source!.Scheme == "http"))
        {
            observer.Observe(new BuildEvent.Warned($"{shown} came by plain HTTP and isn't signed: anyone who can replace the {file.Noun} on its way can replace this list, too"));
        }
    }

    private async Task<byte[]> ReadAsync(string pathOrUrl, string key, CancellationToken cancellation)
    {
        if (UrlOf(pathOrUrl, out var url))
        {
            return await lists.GetAsync(url!, cancellation);
        }

        try
        {
            // Opening a pipe would wait for its other end.
            await using var file = new FileStream(RegularFile.Open(pathOrUrl, other => new IOException($"it is {other}")), FileAccess.Read);
            using var bytes = new MemoryStream();
            var piece = new byte[1 << 16];
            for (int read; (read = await file.ReadAsync(piece, cancellation)) > 0;)
            {
                bytes.Write(piece, 0, read);
                if (bytes.Length > ChecksumList.MostBytes)
                {
                    throw new CrustException(FailureKind.BadInput, $"This is no list of checksums, and no signature of one: it has more than {ChecksumList.MostBytes >> 20} MiB", $"{key}: {pathOrUrl}",
                        "give the path of the SHA256SUMS file, or the 64 hex digits themselves");
                }
            }

            return bytes.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw key.EndsWith(".sha256", StringComparison.Ordinal)
                ? new CrustException(FailureKind.BadInput, $"This is no SHA-256, and no file of them that can be read: {e.Message}", $"{key}: {pathOrUrl}",
                    "give 64 hex digits, or the path or URL of a SHA256SUMS file", e)
                : new CrustException(FailureKind.BadInput, $"The signature can't be read: {e.Message}", $"{key}: {pathOrUrl}", "give the path or URL of the signature", e);
        }
    }

    private static string ShownOf(string pathOrUrl) => UrlOf(pathOrUrl, out var url) ? ShownUrl.Of(url!) : pathOrUrl;

    private static bool UrlOf(string text, out Uri? url) => PathOrUrl.IsUrl(text, out url) && url.Scheme is "http" or "https";
}
