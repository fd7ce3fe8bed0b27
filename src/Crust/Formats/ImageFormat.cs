using System.Collections.Immutable;
using Crust.Disks;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>What a format is given to write an image.</summary>
/// <param name="Disk">The installed disk; read only its allocated extents.</param>
/// <param name="Path">The file to make. It doesn't exist; its name is temporary, so it may be half-written at any time.</param>
/// <param name="Tools">Other programs.</param>
/// <param name="Progress">Told the part that is done, from 0 to 1; from any thread.</param>
public sealed record FormatRequest(InstalledDisk Disk, string Path, ToolBox Tools, Action<double> Progress);

/// <summary>A kind of output. Stateless; the same installed disk gives the same bytes.</summary>
public interface IImageFormat
{
    /// <summary>What the spec and the command line call it.</summary>
    string Name { get; }

    /// <summary>The image's file name extension with its dot.</summary>
    string Extension { get; }

    /// <summary>The QEMU block driver that reads it.</summary>
    string QemuDriver { get; }

    /// <summary>Writes the image.</summary>
    /// <returns>The file's SHA-256 in hex, if it was computed on the way; null otherwise, and then the file is read for it.</returns>
    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    /// <exception cref="IOException">It can't be written.</exception>
    Task<string?> WriteAsync(FormatRequest request, CancellationToken cancellation);
}

/// <summary>The formats. Adding one is a new file beside this one, and its line here.</summary>
public static class ImageFormats
{
    /// <summary>All formats.</summary>
    public static ImmutableArray<IImageFormat> All { get; } =
    [
        new ImgFormat(),
        new Qcow2Format(),
        new VmdkFormat(),
    ];

    /// <summary>Their names.</summary>
    public static ImmutableArray<string> Names { get; } = [.. All.Select(format => format.Name)];

    /// <summary>The format of that name.</summary>
    /// <exception cref="ArgumentException">There is none; the spec's reader lets none through.</exception>
    public static IImageFormat Named(string name) =>
        All.FirstOrDefault(format => format.Name == name) ?? throw new ArgumentException($"no format is called '{name}'", nameof(name));
}
