using System.Security.Cryptography;
using System.Text;
using Crust.Storage;

namespace Crust.Installers;

/// <summary>
/// Lists of checksums at URLs. The newest copy of each is kept, so that a build whose inputs are all in the cache needs no
/// network.
/// </summary>
internal sealed class ChecksumLists(HttpSource http, string cacheFolder, IBuildObserver observer)
{
    /// <summary>The list's text; an earlier copy, with a warning, while its server can't be reached.</summary>
    /// <exception cref="CrustException">It can't be had, and never was.</exception>
    public async Task<string> GetAsync(Uri url, CancellationToken cancellation)
    {
        var kept = Path.Combine(cacheFolder, "checksums", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)))[..32]);
        try
        {
            var text = await http.GetTextAsync(url, cancellation);
            Keep(kept, text);
            return text;
        }
        // Only what may pass by itself: a server that answers "not found" means it.
        catch (CrustException e) when (e.InnerException is PassingProblemException && File.Exists(kept))
        {
            observer.Observe(new BuildEvent.Warned($"{HttpSource.Show(url)} can't be reached; its copy of {File.GetLastWriteTimeUtc(kept):yyyy-MM-dd} is used"));
            return await File.ReadAllTextAsync(kept, cancellation);
        }
    }

    private static void Keep(string path, string text)
    {
        try
        {
            PrivateFolder.Create(Path.GetDirectoryName(path)!);
            WholeFile.Replace(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without a copy the next build asks the server again.
        }
    }
}
