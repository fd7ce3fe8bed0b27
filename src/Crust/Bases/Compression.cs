using Crust.Downloads;
using Crust.Formats;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Bases;

/// <summary>How a file is compressed, by its first bytes.</summary>
/// <param name="Extension">What names of such files end with.</param>
/// <param name="Program">The program that unpacks it. The runtime's own gzip takes one that is cut off for a whole one.</param>
internal sealed record Compression(string Name, string Extension, string Program)
{
    private const int LongestMagic = 6;

    private static readonly (Compression Kind, byte[] Magic)[] Known =
    [
        (new("xz", ".xz", "xz"), [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]),
        (new("bzip2", ".bz2", "bzip2"), "BZh"u8.ToArray()),
        (new("zstd", ".zst", "zstd"), [0x28, 0xb5, 0x2f, 0xfd]),
        (new("gzip", ".gz", "gzip"), [0x1f, 0x8b]),
    ];

    /// <summary>Those that names of files tell.</summary>
    public static IEnumerable<Compression> All => Known.Select(known => known.Kind);

    /// <summary>The compression that a path or URL tells by its end; null for none.</summary>
    public static Compression? ByName(string source) => All.FirstOrDefault(known => SourceNames.FileOf(source).EndsWith(known.Extension, StringComparison.OrdinalIgnoreCase));

    /// <summary>The compression of a file; null if it isn't compressed.</summary>
    /// <exception cref="CrustException">There is no such file, or it can't be read.</exception>
    public static Compression? Of(string path)
    {
        using var file = RegularFile.Open(path, "image", "name a disk image: a regular file");
        var start = file.ReadUpTo(0L, LongestMagic);
        return Known.FirstOrDefault(known => start.AsSpan().StartsWith(known.Magic)).Kind;
    }

    /// <summary>Unpacks a file into another, whose zeros are holes.</summary>
    /// <param name="target">The path of the other; there must be nothing.</param>
    /// <param name="largest">The most bytes that may come of it.</param>
    /// <param name="tooLarge">Makes the error for more than that.</param>
    /// <param name="progress">Receives how many bytes have come of it.</param>
    /// <exception cref="CrustException">The file is damaged or cut off, there is no room, too much comes of it, or the program is missing.</exception>
    public async Task UnpackAsync(string path, string target, long largest, Func<CrustException> tooLarge, Action<long> progress, ToolBox tools, CancellationToken cancellation)
    {
        using var disk = new SparseDisk(target, path);
        long length = 0;
        void Take(ReadOnlyMemory<byte> bytes)
        {
            length += bytes.Length;
            if (length > largest)
            {
                throw tooLarge();
            }

            disk.Append(bytes.Span);
            progress(length);
        }

        try
        {
            await tools.RunAsync(ToolCommand.Of(Program, "-d", "-c", "-q", "--", Path.GetFullPath(path)) with { OnOutput = Take, Limits = ToolLimits.OfMemory }, cancellation);
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image can't be unpacked: {e.What}", path, $"get the file again: it is damaged or cut off, or isn't compressed with {Name}", e);
        }

        disk.Finish();
    }
}
