namespace Crust.Storage;

/// <summary>Folders that only this user can enter.</summary>
internal static class PrivateFolder
{
    /// <summary>Their permissions: 0700.</summary>
    public const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode Others = (UnixFileMode)0x3f;

    /// <summary>Makes a folder and those above it, whatever the umask; nothing happens if it is there.</summary>
    /// <exception cref="IOException">It can't be made.</exception>
    public static void Create(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        if (Path.GetDirectoryName(path) is { Length: > 0 } above)
        {
            Create(above);
        }

        if (!Posix.MakePrivateFolder(path) && !Directory.Exists(path))
        {
            throw new IOException($"{path} isn't a folder");
        }
    }

    /// <summary>
    /// Makes a folder in one that others may write to, such as /tmp, or takes one that is there already and this user's own; its permissions are
    /// set right.
    /// </summary>
    /// <returns>False if what is there belongs to somebody else or isn't a folder: it is not to be used.</returns>
    /// <exception cref="IOException">It can't be made.</exception>
    public static bool TryOwn(string path)
    {
        if (Posix.MakePrivateFolder(path))
        {
            return true;
        }

        if (FileFacts.TryOf(path, follow: false) is not { Kind: FileKind.Folder, IsOwn: true } facts)
        {
            return false;
        }

        if ((facts.Mode & Others) != 0)
        {
            File.SetUnixFileMode(path, Mode);
        }

        return true;
    }

    /// <summary>Takes from a folder and all in it what permissions others have. Links, and what belongs to others, are left alone.</summary>
    public static void Tighten(string path)
    {
        if (FileFacts.TryOf(path, follow: false) is not { Kind: FileKind.File or FileKind.Folder, IsOwn: true } facts)
        {
            return;
        }

        if ((facts.Mode & Others) != 0)
        {
            File.SetUnixFileMode(path, facts.Mode & Mode);
        }

        if (facts.Kind is FileKind.Folder)
        {
            foreach (var entry in Directory.EnumerateFileSystemEntries(path))
            {
                Tighten(entry);
            }
        }
    }
}
