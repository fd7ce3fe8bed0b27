using System.Security.Cryptography;
using System.Text;

namespace Crust.Storage;

/// <summary>Small files of the cache: a file under its final name is whole, and only this user can read it.</summary>
internal static class WholeFile
{
    /// <summary>The permissions of a private file: 0600.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Puts a file in the place of what is there, if there is something; a symbolic link there is replaced, not followed.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Replace(string path, string text) => Replace(path, Encoding.UTF8.GetBytes(text));

    /// <summary>The same with bytes.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Replace(string path, byte[] content)
    {
        // By no process id: two containers that share a cache both have the same.
        var draft = $"{path}.{RandomNumberGenerator.GetHexString(12, lowercase: true)}";
        try
        {
            using (var file = CreatePrivate(draft))
            {
                file.Write(content);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }

    /// <summary>Makes a file that only this user can read, whatever the umask; there must be none.</summary>
    /// <exception cref="IOException">It can't be made.</exception>
    public static FileStream CreatePrivate(string path) =>
        new(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private });
}
