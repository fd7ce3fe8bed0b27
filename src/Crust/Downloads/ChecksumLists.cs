using System.Security.Cryptography;
using System.Text;
using Crust.Sanitizing;
using Crust.Storage;

namespace Crust.Downloads;

/// <summary>
/// Lists of checksums at URLs. The newest copy of each is kept, so that a build whose inputs are all in the cache needs no
/// network.
/// </summary>
internal sealed class ChecksumLists(HttpSource http, string cacheFolder, IBuildObserver observer)
{
    /// <summary>The list, or a signature of one; an earlier copy, with a warning, while its server can't be reached.</summary>
    /// <exception cref="CrustException">It can't be had, and never was.</exception>
    public async Task<byte[]> GetAsync(Uri url, CancellationToken cancellation)
    {
        var kept = Path.Combine(cacheFolder, "checksums", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)))[..32]);
        try
        {
            var bytes = await http.GetSmallAsync(url, cancellation);
            Keep(kept, bytes);
            return bytes;
        }
        // Only what may pass by itself: a server that answers "not found" means it.
        catch (CrustException e) when (e.InnerException is PassingProblemException && File.Exists(kept))
        {
            observer.Observe(new BuildEvent.Warned($"{ShownUrl.Of(url)} can't be reached; its copy of {File.GetLastWriteTimeUtc(kept):yyyy-MM-dd} is used"));
            return await File.ReadAllBytesAsync(kept, cancellation);
        }
    }

    private static void Keep(string path, byte[] bytes)
    {
        try
        {
            PrivateFolder.Create(Path.GetDirectoryName(path)!);
            WholeFile.Replace(path, bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without a copy the next build asks the server again.
        }
    }
}
