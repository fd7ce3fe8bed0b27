using System.Text;
using Crust.Storage;

namespace Crust.Spec;

/// <summary>Reads text files that the user named: regular files, or a pipe such as a shell's `&lt;(…)`, which is read once and remembered.</summary>
internal static class UserFile
{
    // Nobody writes a larger one by hand; one that has no end must not take all memory.
    private const int MostBytes = 64 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The file's text, without a byte order mark.</summary>
    /// <param name="label">What the user calls it, for messages.</param>
    /// <param name="role">What it is for: "spec", "user-data".</param>
    /// <exception cref="CrustException">It isn't there, can't be read, or isn't UTF-8.</exception>
    public static string Read(string path, string label, string role) => Read(path, label, role, out _);

    /// <summary>The same, with the bytes of the file.</summary>
    /// <exception cref="CrustException">As above.</exception>
    public static string Read(string path, string label, string role, out byte[] bytes)
    {
        bytes = Guarded(() => Bytes(path, label, role), label, role);
        try
        {
            return StrictUtf8.GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The {role} file isn't UTF-8 text", label, "save it as UTF-8", e);
        }
    }

    /// <summary>Opens a regular file of any content for reading.</summary>
    /// <exception cref="CrustException">It isn't there, isn't a regular file or can't be read.</exception>
    public static FileStream Open(string path, string label, string role) =>
        Guarded(() => new FileStream(RegularFile.Open(path, other => Special(role, other, label)), FileAccess.Read), label, role);

    /// <summary>The bytes of a small file of any content, such as one with keys.</summary>
    /// <param name="most">How many there may be.</param>
    /// <param name="remedy">What to do about one that has more.</param>
    /// <exception cref="CrustException">As above, or it has more.</exception>
    public static byte[] ReadSmall(string path, string label, string role, int most, string remedy)
    {
        using var file = Open(path, label, role);
        using var read = new MemoryStream();
        var piece = new byte[1 << 16];
        // The kernel's own files say that they are empty.
        for (int count; (count = Guarded(() => file.Read(piece), label, role)) > 0;)
        {
            read.Write(piece, 0, count);
            if (read.Length > most)
            {
                throw new CrustException(FailureKind.BadInput, $"The {role} file has more than {Size.Format(most)}", label, remedy);
            }
        }

        return read.ToArray();
    }

    private static byte[] Bytes(string path, string label, string role)
    {
        if (PipeInput.IsPipe(path))
        {
            return PipeInput.Read(path, MostBytes) ?? throw TooLarge(role, label);
        }

        using var file = Open(path, label, role);
        if (file.Length > MostBytes)
        {
            throw TooLarge(role, label);
        }

        // The kernel's own files say that they are empty.
        using var content = new MemoryStream();
        file.CopyTo(content);
        return content.ToArray();
    }

    private static CrustException TooLarge(string role, string label) =>
        new(FailureKind.BadInput, $"The {role} file is larger than {Size.Format(MostBytes)}", label, "name the right file");

    private static CrustException Special(string role, string other, string label) =>
        new(FailureKind.BadInput, $"The {role} file is {other}", label, "name a file");

    private static T Guarded<T>(Func<T> read, string label, string role)
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
            throw new CrustException(FailureKind.HostLacks, $"The {role} file may not be read by this user", label, "give this user the right to read it (chmod, chown)", e);
        }
        catch (TimeoutException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The {role} file is a pipe, and {e.Message}", label, "have a program write to it and close it, or name a regular file", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The {role} file can't be read: {e.Message}", label, "check the disk it lies on", e);
        }
    }
}
