using System.Text;

namespace Crust.Recipes.Building;

/// <summary>Finds the files of a Debian package (deb(5)): an ar archive with an archive in it.</summary>
internal static class DebPackage
{
    private const int HeaderLength = 60;
    private const int MostMembers = 16;

    /// <summary>Copies the archive with the package's files out of it.</summary>
    /// <returns>How it is packed.</returns>
    /// <exception cref="InvalidDataException">It is no Debian package.</exception>
    public static async Task<ArchiveKind> CopyDataAsync(string package, string to, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(package);
        var header = new byte[HeaderLength];
        if (await file.ReadAtLeastAsync(header.AsMemory(0, 8), 8, throwOnEndOfStream: false, cancellation) < 8 || !header.AsSpan(0, 8).SequenceEqual("!<arch>\n"u8))
        {
            throw new InvalidDataException("it is no Debian package");
        }

        for (var members = 0; members < MostMembers && await file.ReadAtLeastAsync(header, HeaderLength, throwOnEndOfStream: false, cancellation) == HeaderLength; members++)
        {
            var name = Encoding.ASCII.GetString(header, 0, 16).TrimEnd(' ').TrimEnd('/');
            if (!long.TryParse(Encoding.ASCII.GetString(header, 48, 10).TrimEnd(' '), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture,
                out var length) || length > file.Length - file.Position)
            {
                throw new InvalidDataException("a member of the Debian package ends behind it");
            }

            if (KindOf(name) is { } kind)
            {
                await using var data = new FileStream(to, FileMode.CreateNew, FileAccess.Write);
                var buffer = new byte[1 << 18];
                for (int read; length > 0 && (read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length)), cancellation)) > 0; length -= read)
                {
                    await data.WriteAsync(buffer.AsMemory(0, read), cancellation);
                }

                return kind;
            }

            // Members begin at even places.
            file.Position += length + (length & 1);
        }

        throw new InvalidDataException("the Debian package has no files, or they are packed in a way that Crust doesn't know");
    }

    private static ArchiveKind? KindOf(string member) => member switch
    {
        "data.tar.gz" => ArchiveKind.TarGz,
        "data.tar.xz" => ArchiveKind.TarXz,
        "data.tar.zst" => ArchiveKind.TarZst,
        _ => null,
    };
}
