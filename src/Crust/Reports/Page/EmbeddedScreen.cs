using System.Buffers.Binary;
using System.Collections.Immutable;
using Crust.Machines;

namespace Crust.Reports.Page;

/// <summary>A picture of the guest's screen, as it goes into the report.</summary>
/// <param name="Seconds">When it was taken, since QEMU's start.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
internal sealed record EmbeddedScreen(double Seconds, ReadOnlyMemory<byte> Png, int Width, int Height)
{
    private const int Most = 200;

    // A graphical screen's PNG may have a megabyte; the report is to stay a page that opens at once.
    private const long MostBytes = 24L << 20;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    public string DataUri => $"data:image/png;base64,{Convert.ToBase64String(Png.Span)}";

    /// <summary>The pictures of a trace that are there. Of too many or too large ones every second is left out until they fit; the last one always stays.</summary>
    public static ImmutableArray<EmbeddedScreen> ReadAll(InstallTrace? trace, string? folder)
    {
        if (trace is null || folder is null || !Directory.Exists(folder))
        {
            return [];
        }

        var files = trace.Screens.Select(screen => (screen.Seconds, File: new FileInfo(Path.Combine(folder, Path.GetFileName(screen.File)))))
            .Where(screen => screen.File.Exists && screen.File.Length <= MostBytes).ToList();
        while (files.Count > Most || (files.Count > 1 && files.Sum(screen => screen.File.Length) > MostBytes))
        {
            files = [.. files.Where((_, i) => (files.Count - 1 - i) % 2 == 0)];
        }

        return [.. files.Select(screen => TryRead(screen.Seconds, screen.File.FullName)).OfType<EmbeddedScreen>()];
    }

    /// <summary>One picture; null if it isn't there or isn't one.</summary>
    public static EmbeddedScreen? TryRead(double seconds, string? path)
    {
        try
        {
            if (path is null || !File.Exists(path) || new FileInfo(path).Length > MostBytes)
            {
                return null;
            }

            var png = File.ReadAllBytes(path);
            // The header (IHDR) comes first: PNG specification, section 5.6.
            return png.Length > 24 && png.AsSpan().StartsWith(Signature)
                ? new EmbeddedScreen(seconds, png, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)))
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
