using Crust.Disks;

namespace Crust.Cli.Commands;

/// <summary>Puts a file of the cache where the user wants it, without a second copy where the file system can share blocks.</summary>
internal static class ShareFile
{
    public static string Into(string folder, string source, CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var path = Path.Combine(folder, Path.GetFileName(source));
            var temporary = $"{path}.{Environment.ProcessId}.partial";
            File.Delete(temporary);
            SparseFile.CloneOrCopy(source, temporary, _ => { }, cancellation);
            File.Move(temporary, path, overwrite: true);
            File.Delete(temporary); // rename(2) leaves it where both were links to one file already.
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The file couldn't be written: {e.Message}", folder, "make the folder writable, or choose another with --output", e);
        }
    }
}
