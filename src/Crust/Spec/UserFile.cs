using System.Text;

namespace Crust.Spec;

/// <summary>Reads text files that the user named.</summary>
internal static class UserFile
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The file's text, without a byte order mark.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="label">What the user calls it, for messages.</param>
    /// <param name="role">What it is for: "spec", "user-data".</param>
    /// <exception cref="CrustException">It isn't there, can't be read, or isn't UTF-8.</exception>
    public static string Read(string path, string label, string role) => Read(path, label, role, out _);

    /// <summary>The same, with the bytes of the file.</summary>
    /// <exception cref="CrustException">As above.</exception>
    public static string Read(string path, string label, string role, out byte[] bytes)
    {
        bytes = Guarded(() => File.ReadAllBytes(path), path, label, role);
        try
        {
            return StrictUtf8.GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The {role} file isn't UTF-8 text", label, "save it as UTF-8", e);
        }
    }

    /// <summary>Opens a file of any kind for reading.</summary>
    /// <exception cref="CrustException">It isn't there or can't be read.</exception>
    public static FileStream Open(string path, string label, string role) => Guarded(() => File.OpenRead(path), path, label, role);

    private static T Guarded<T>(Func<T> read, string path, string label, string role)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CrustException(FailureKind.BadInput, $"The {role} file doesn't exist", label, "check the path", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Directory.Exists(path)
                ? new CrustException(FailureKind.BadInput, $"The {role} file is a folder", label, "name a file", e)
                : new CrustException(FailureKind.BadInput, $"The {role} file can't be read: permission denied", label, "make it readable for you", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The {role} file can't be read: {e.Message}", label, "check the disk it lies on", e);
        }
    }
}
