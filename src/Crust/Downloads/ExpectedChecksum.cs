using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Downloads;

/// <summary>Says which SHA-256 a spec's ISO has to have: the spec itself, or a list of checksums, perhaps a signed one.</summary>
internal sealed class ExpectedChecksum(ChecksumLists lists, ListSignature signatures, IBuildObserver observer)
{
    /// <summary>The sum in lower-case hex; null if the spec says none.</summary>
    /// <param name="path">The parts of the ISO's path or URL.</param>
    /// <exception cref="CrustException">There is no such list, it isn't to be trusted, or it hasn't the ISO.</exception>
    public async Task<string?> FindAsync(InstallerSpec spec, IReadOnlyList<string> path, CancellationToken cancellation)
    {
        if (spec.Sha256 is not { } sha256)
        {
            return null;
        }

        if (Checksum.ValueOf(sha256) is { } sum)
        {
            return sum;
        }

        var shown = ShownOf(sha256);
        CheckWay(spec, shown);
        var list = await ReadAsync(sha256, "installer.sha256", cancellation);
        if (spec.ChecksumKey is { } keys)
        {
            var signature = spec.ChecksumSignature is { } at && at != sha256 ? await ReadAsync(at, "installer.sha256Signature", cancellation) : null;
            var where = signature is null ? $"installer.sha256: {shown}" : $"installer.sha256Signature: {ShownOf(spec.ChecksumSignature!)}";
            list = await signatures.CheckAsync(list, signature, keys, where, cancellation);
        }

        return ChecksumList.Parse(list).Find(path, $"installer.sha256: {shown}");
    }

    // Over plain HTTP, whoever can change the ISO on its way can change the list as well: the two always agree.
    private void CheckWay(InstallerSpec spec, string shown)
    {
        if (spec.ChecksumKey is not null || !UrlOf(spec.Sha256!, out var url) || url!.Scheme != "http")
        {
            return;
        }

        // What comes from this host itself, nobody on the way can change.
        if (!spec.AllowUnverified && !url.IsLoopback)
        {
            throw new CrustException(FailureKind.BadInput, "The list of checksums comes by plain HTTP and isn't signed, so whoever can replace the ISO on its way can replace the list, too",
                $"installer.sha256: {shown}",
                "give the list's https URL, or its signature and the vendor's public key in installer.sha256Signature and installer.key, or the ISO's 64 hex digits; or set "
                    + "installer.allowUnverified to take whatever comes");
        }

        if (!url.IsLoopback || (UrlOf(spec.Iso!, out var iso) && iso!.Scheme == "http"))
        {
            observer.Observe(new BuildEvent.Warned($"{shown} came by plain HTTP and isn't signed: whoever can replace the ISO on its way can replace this list, too"));
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
            throw key == "installer.sha256"
                ? new CrustException(FailureKind.BadInput, $"This is no SHA-256, and no file of them that can be read: {e.Message}", $"{key}: {pathOrUrl}",
                    "give 64 hex digits, or the path or URL of a SHA256SUMS file", e)
                : new CrustException(FailureKind.BadInput, $"The signature can't be read: {e.Message}", $"{key}: {pathOrUrl}", "give the path or URL of the list's signature", e);
        }
    }

    private static string ShownOf(string pathOrUrl) => UrlOf(pathOrUrl, out var url) ? ShownUrl.Of(url!) : pathOrUrl;

    private static bool UrlOf(string text, out Uri? url) => PathOrUrl.IsUrl(text, out url) && url.Scheme is "http" or "https";
}
