namespace Crust.Storage;

/// <summary>The cache as a whole: what is in it is this user's own, and no one else reads it.</summary>
internal static class CacheFolder
{
    // Says that all that is in it was made, or made private, by a Crust that does so.
    private const string Mark = ".private";

    private static readonly string[] Parts = ["appliance", "checksums", "disks", "downloads", "failed", "installers", "logs", "roots", "warm", "accelerator-probe"];

    /// <summary>Takes the permissions of others from what earlier versions have left in a cache, once; and removes what killed processes have left.</summary>
    public static void Tidy(string root)
    {
        try
        {
            if (!Directory.Exists(root))
            {
                return;
            }

            ScratchFolder.RemoveAbandoned(root);
            var mark = Path.Combine(root, Mark);
            if (File.Exists(mark))
            {
                return;
            }

            // By name: a cache may have been set to a folder that holds other things, too.
            foreach (var part in Parts)
            {
                PrivateFolder.Tighten(Path.Combine(root, part));
            }

            WholeFile.Replace(mark, "");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's, or one that can't be written: the host's checks tell of it.
        }
    }
}
