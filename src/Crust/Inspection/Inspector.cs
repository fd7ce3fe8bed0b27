using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Disks;
using Crust.Events;
using Crust.Formats;
using Crust.Machines;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Inspection;

internal sealed record Inspected
{
    /// <summary>The file, as the user named it.</summary>
    public required string File { get; init; }

    /// <summary>Its length in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>What it is: `iso`, or a disk's format, such as `qcow2`.</summary>
    public required string Kind { get; init; }

    /// <summary>What is on the disk; null for what isn't one.</summary>
    public DiskInspection? Disk { get; init; }

    /// <summary>What the ISO is; null for anything else.</summary>
    public IsoInspection? Iso { get; init; }

    /// <summary>What is in an archive with a root file system; null for anything else.</summary>
    public ArchiveContents? Archive { get; init; }
}

/// <summary>The document of `crust inspect --json`. docs/inspect.md says what is in it.</summary>
internal sealed record InspectionDocument
{
    /// <summary>The version of this document's shape.</summary>
    public int Version { get; init; } = 1;

    public string Crust { get; init; } = CrustVersion.Current;

    /// <summary>The files that could be looked at, in the order in which they were named.</summary>
    public required ImmutableArray<Inspected> Files { get; init; }

    /// <summary>The document as indented JSON with a final newline.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, InspectionJson.Readable) + "\n";
}

/// <summary>Looks at files: disk images, by the appliance, and ISOs.</summary>
/// <param name="tools">Needs qemu-img and QEMU.</param>
/// <param name="folders">Says where to unpack images.</param>
/// <param name="observer">Called when it begins with a file and when it ends.</param>
internal sealed class Inspector(ToolBox tools, DiskCare care, AcceleratorProbe probe, Folders folders, IBuildObserver observer, TimeProvider time)
{
    /// <summary>Looks at a file, which isn't changed. No root is needed, and nothing is mounted on this host.</summary>
    /// <exception cref="CrustException">There is no such file, it is no image, or the appliance can't be run.</exception>
    public Task<Inspected> InspectAsync(string path, CancellationToken cancellation) =>
        new StageRunner(observer, time).RunAsync(Stage.Disk, path, () => LookAsync(path, cancellation), done => done.Disk?.Describe() ?? done.Archive?.What ?? "an ISO");

    private async Task<Inspected> LookAsync(string path, CancellationToken cancellation)
    {
        var kind = ForeignImage.KindOf(path);
        var inspected = new Inspected { File = path, Size = new FileInfo(path).Length, Kind = kind.Name };
        if (!kind.HoldsDisk)
        {
            return inspected with { Archive = await kind.ReadContentsAsync(path, cancellation) };
        }

        // Not a disk: a medium, with a volume of ISO 9660.
        if (kind.QemuDriver is null)
        {
            return inspected with { Iso = IsoInspection.Of(path) };
        }

        using var folder = new ScratchFolder(folders.Cache);
        var disk = await ForeignImage.OpenAsync(path, kind, folder.Path, tools, cancellation);
        // The image's architecture plays no part: its programs don't run.
        var arch = HostArch.Current ?? Arch.Amd64;
        var accelerator = await probe.ChooseAsync(Accelerator.Auto, arch, cancellation);
        return inspected with { Disk = await care.InspectAsync(disk, folder.Path, arch, accelerator.Used, cancellation) };
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(InspectionDocument))]
internal sealed partial class InspectionJson : JsonSerializerContext
{
    public static JsonTypeInfo<InspectionDocument> Readable { get; } = new InspectionJson(ReadableJson.CleanOptions()).InspectionDocument;
}
