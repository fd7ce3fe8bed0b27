using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Crust.Storage;

/// <summary>
/// Files that users find: images and what lies beside them. Each gets its name by rename(2), which replaces a symbolic link and never follows one; has
/// the permissions that the umask says, whatever program has written it; and is marked as Crust's, so that a later build knows what it may replace.
/// </summary>
internal static partial class OutputFile
{
    // An extended attribute goes with the file when it is renamed, stays when somebody writes to it, and isn't copied by `cp`: a file of another
    // origin under one of Crust's names has none.
    private const string Mark = "user.crust";
    private const int NotSupported = 95;
    private const int NoAttribute = 61;

    /// <summary>Gives a finished file its name.</summary>
    /// <param name="draft">The file, in a folder on the same file system that others can't enter.</param>
    /// <param name="path">Its name, under which something may be.</param>
    /// <exception cref="IOException">It can't be done; the file that was there stays.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Place(string draft, string path)
    {
        File.SetUnixFileMode(draft, ModeIn(Path.GetDirectoryName(draft)!));
        Sign(draft);
        WholeFile.Place(draft, path);
    }

    /// <summary>The same for one that only this user may read, whatever the umask says: it holds secrets.</summary>
    /// <exception cref="IOException">It can't be done; the file that was there stays.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void PlacePrivate(string draft, string path)
    {
        File.SetUnixFileMode(draft, WholeFile.Private);
        Sign(draft);
        WholeFile.Place(draft, path);
    }

    /// <summary>Writes a text and gives it its name.</summary>
    /// <param name="drafts">A folder on the same file system that others can't enter.</param>
    /// <param name="path">Its name, under which something may be.</param>
    /// <exception cref="IOException">It can't be written; the file that was there stays.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Write(string drafts, string path, string text)
    {
        var draft = Path.Combine(drafts, Path.GetFileName(path));
        File.WriteAllText(draft, text);
        Place(draft, path);
    }

    /// <summary>Marks a file as Crust's, where the file system can.</summary>
    internal static void Sign(string path)
    {
        var value = Encoding.ASCII.GetBytes(CrustVersion.Current);
        _ = SetAttribute(path, Mark, value, (nuint)value.Length, 0);
    }

    /// <summary>Whether a file was placed by Crust, perhaps written to since; null if its file system can't tell.</summary>
    internal static bool? IsSigned(string path) =>
        Posix.GetAttribute(path, Mark, null, 0) >= 0 ? true
        : Marshal.GetLastPInvokeError() switch
        {
            NoAttribute => false,
            NotSupported => null,
            _ => false,
        };

    // As a new file's: 0666 without the umask, or what the folder's default ACL says.
    private static UnixFileMode ModeIn(string folder)
    {
        var probe = Path.Combine(folder, $".mode-{RandomNumberGenerator.GetHexString(12)}");
        using (File.OpenHandle(probe, FileMode.CreateNew, FileAccess.Write))
        {
        }

        var mode = File.GetUnixFileMode(probe);
        File.Delete(probe);
        return mode;
    }

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetAttribute(string path, string name, byte[] value, nuint size, int flags);
}
