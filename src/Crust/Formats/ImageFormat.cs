using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Disks;
using Crust.Formats.Splicing;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>What formats work with, beside a disk: the same for all images of a build.</summary>
/// <param name="Appliance">Builds the system of images that boot by themselves.</param>
internal sealed record FormatServices(ToolBox Tools, ApplianceBuilder Appliance)
{
    /// <summary>Packs the root file systems of disks; null where no format is written that needs it.</summary>
    public IRootPacker? Roots { get; init; }
}

/// <summary>What a format is given to write an image.</summary>
/// <param name="Disk">The installed disk; read only its allocated extents.</param>
/// <param name="Path">The file to make. It doesn't exist; its name is temporary, so it may be half-written at any time.</param>
/// <param name="Progress">Receives the part that is done, from 0 to 1; from any thread.</param>
internal sealed record FormatRequest(InstalledDisk Disk, string Path, ToolBox Tools, Action<double> Progress)
{
    /// <summary>The images' base name.</summary>
    public required string Name { get; init; }

    /// <summary>What the user wants. What of it decides the image belongs into <see cref="IImageFormat.RecipeOf"/>.</summary>
    public required BuildSpec Spec { get; init; }

    /// <summary>Builds the system of images that boot by themselves.</summary>
    public required ApplianceBuilder Appliance { get; init; }

    /// <summary>Packs the disk's root file system.</summary>
    public IRootPacker? Roots { get; init; }

    /// <summary>The host's cores, shared with the images that are written side by side.</summary>
    public required CoreShare Cores { get; init; }

    /// <summary>Other images of the same disk, for formats that wrap one.</summary>
    public required IImageParts Parts { get; init; }
}

/// <summary>What a format knows of an image that it has written; the rest is read from the file.</summary>
/// <param name="Sha256">The file's SHA-256 in hex, if it was computed on the way.</param>
/// <param name="Map">
/// The file's block map, or that of what it unpacks to; it is written beside the image. An image with holes has it in place of a SHA-256, which would take time for each hole.
/// </param>
internal sealed record WrittenImage(string? Sha256 = null, BlockMap? Map = null);

/// <summary>
/// A kind of output, which the spec and the command line call by its name. All that is special about it stands here: others ask. Stateless; the same installed disk and
/// recipe give the same bytes.
/// </summary>
internal interface IImageFormat : IImageKind
{
    /// <summary>The image's file name extension with its dot.</summary>
    string Extension { get; }

    /// <summary>The media type of its file, as IANA or shared-mime-info has it.</summary>
    string MediaType { get; }

    /// <summary>How registries have its images; as the layer of an artifact where it doesn't say otherwise.</summary>
    RegistryForm Registry => new();

    /// <summary>The disk controller that the image itself asks for, where QEMU has none of that kind, so that what proves it is booted on another; null where the image asks for none.</summary>
    string? Controller => null;

    /// <summary>What the platform that the format is for hangs a disk on, where it leaves no choice; null where it is the machine's own (`machine.diskBus`). The image is proven on it.</summary>
    DiskBus? Bus => null;

    /// <summary>
    /// What decides the image beside the installed disk: settings of the spec, parts of Crust. An image that was made by another recipe is out of date.
    /// </summary>
    string RecipeOf(BuildSpec spec, FormatServices services) => "";

    /// <summary>What writing the image takes of the host.</summary>
    FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Raw);

    /// <summary>Whether others can be made of a finished image that differ in a few blocks.</summary>
    bool HasTemplates => false;

    /// <summary>Opens a finished image to make others of it, where <see cref="HasTemplates"/> says so.</summary>
    /// <exception cref="IOException">The image can't be read.</exception>
    /// <exception cref="InvalidDataException">Crust hasn't written it.</exception>
    ImageTemplate OpenTemplate(string image) => throw new NotSupportedException($"no other images are made of one that is {Name}");

    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    /// <exception cref="IOException">It can't be written.</exception>
    Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation);
}

/// <summary>The formats. Adding one is a new file beside this one, and its line here: building, inspecting, publishing and pulling go by these lists. See docs/formats.md.</summary>
internal static class ImageFormats
{
    public static ImmutableArray<IImageFormat> All { get; } =
    [
        new ImgFormat(),
        new ImgZstFormat(),
        new Qcow2Format(),
        new KubeVirtFormat(),
        new VmdkFormat(),
        new IsoFormat(),
        new OvaFormat(),
        new VhdFormat(),
        new VhdxFormat(),
        new GceFormat(),
        new RootfsFormat(),
        new RootfsZstFormat(),
        new NetbootFormat(),
    ];

    public static ImmutableArray<string> Names { get; } = [.. All.Select(format => format.Name)];

    /// <summary>What the spec has to know of them.</summary>
    public static ImmutableArray<SpecFormat> ForSpec { get; } = [.. All.Select(format => new SpecFormat(format.Name, format.Registry.ReferenceVariable) { IsInAll = format.HoldsDisk })];

    /// <summary>All kinds of image that are read: the formats, and those that Crust doesn't write.</summary>
    public static ImmutableArray<IImageKind> Readable { get; } = [.. All, new VdiKind()];

    /// <summary>Those of whose images others can be made.</summary>
    public static ImmutableArray<IImageFormat> WithTemplates { get; } = [.. All.Where(format => format.HasTemplates)];

    /// <exception cref="ArgumentException">There is none; the spec's reader lets none through.</exception>
    public static IImageFormat Named(string name) =>
        All.FirstOrDefault(format => format.Name == name) ?? throw new ArgumentException($"no format is called '{name}'", nameof(name));
}
