using Crust.Disks;
using Crust.Storage;

namespace Crust.Cli.Commands;

/// <summary>Puts a file of the cache where the user wants it, without a second copy where the file system can share blocks.</summary>
internal static class ShareFile
{
    public static string Into(string folder, string source, CancellationToken cancellation)
    {
        try
        {
            var path = Path.Combine(folder, Path.GetFileName(source));
            using var drafts = DraftFolder.Create(folder);
            var draft = Path.Combine(drafts.Path, Path.GetFileName(source));
            SparseFile.Duplicate(source, draft, _ => { }, cancellation);
            OutputFile.Place(draft, path);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The file couldn't be written: {e.Message}", folder, "make the folder writable, or choose another with --output", e);
        }
    }
}
