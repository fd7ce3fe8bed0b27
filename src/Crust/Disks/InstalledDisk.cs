using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crust.Machines;
using Crust.Storage;

namespace Crust.Disks;

/// <summary>How an installed disk came to be; kept beside it.</summary>
internal sealed record InstallFacts
{
    /// <summary>Those of a disk that no installer has run for.</summary>
    internal static InstallFacts None { get; } = new()
    {
        Accelerator = "none",
        Seconds = 0,
        QemuCpuSeconds = 0,
        CrustCpuSeconds = 0,
        BytesWritten = 0,
        Resets = 0,
        Finished = DateTimeOffset.UnixEpoch,
        CommandLine = "",
    };

    /// <summary>What ran the guest: `kvm` or `tcg`; `none` where no installer has run, but a base image was put onto the disk.</summary>
    public required string Accelerator { get; init; }

    /// <summary>From QEMU's start to its end, or what putting a base image onto the disk took, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>CPU time that QEMU used, in seconds.</summary>
    public required double QemuCpuSeconds { get; init; }

    /// <summary>CPU time that Crust itself used meanwhile, in seconds.</summary>
    public required double CrustCpuSeconds { get; init; }

    /// <summary>Bytes that the guest wrote to the disk, or that came from a base image.</summary>
    public required long BytesWritten { get; init; }

    /// <summary>Bytes that the installer had left in free space of file systems, and that were discarded; null if that wasn't tried or couldn't be done.</summary>
    public long? TrimmedBytes { get; init; }

    /// <summary>What was put onto the disk after that, in order.</summary>
    public ImmutableArray<LayerFacts> Layers { get; init; } = [];

    /// <summary>What is on the disk; null if it wasn't looked at, or couldn't be.</summary>
    public DiskInspection? Inspection { get; init; }

    /// <summary>What was tidied on it.</summary>
    public ImmutableArray<TidiedPart> Tidied { get; init; } = [];

    /// <summary>How often the guest reset on its way (`onReboot: continue`).</summary>
    public required int Resets { get; init; }

    /// <summary>When the guest had powered off, or the base image was on the disk.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>QEMU's command line. Holds no secrets: these are on the seed volume.</summary>
    public required string CommandLine { get; init; }

    /// <summary>QEMU's version, as it reports it.</summary>
    public string QemuVersion { get; init; } = "";

    /// <summary>What was warned of meanwhile: by the installer, and by Crust.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>How it went over time.</summary>
    public InstallTrace Trace { get; init; } = InstallTrace.None;
}

/// <summary>A layer that is on a disk.</summary>
/// <param name="Kind">Its kind, as a spec has it: `files`.</param>
/// <param name="Source">What it was made of: a file's or folder's name, packages.</param>
/// <param name="Sha256">The digest that stands for it: docs/layers.md says over what.</param>
internal sealed record LayerFacts(string Kind, string Source, string Sha256);

/// <summary>What is known of an installed disk, which needn't be here itself.</summary>
/// <param name="Content">What it holds, as <see cref="BlockMap.Content"/> computes it.</param>
/// <param name="FromCache">Whether no installer ran for this build.</param>
/// <param name="RunFolder">The folder with its installer's serial log and pictures, if there are any.</param>
/// <param name="From">The registry's name and digest of the disk, if another machine has installed it; null if this one has, or the disk isn't here.</param>
internal sealed record DiskFacts(string Content, InstallFacts Install, bool FromCache, string RunFolder, string? From);

/// <summary>The raw, sparse disk that an installer left. Never written again.</summary>
internal sealed record InstalledDisk
{
    /// <summary>The build key: a SHA-256 over all that decides the disk's content.</summary>
    public required string Key { get; init; }

    public required string Path { get; init; }

    /// <summary>Its size as the guest sees it, in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Where its data is, and what it is.</summary>
    public required BlockMap Map
    {
        get;
        init
        {
            field = value;
            Content = value.Content();
        }
    }

    /// <summary>What it holds, as <see cref="BlockMap.Content"/> computes it. Ids in images derive from it.</summary>
    public string Content { get; private init; } = "";

    /// <summary>What the file system has allocated for it, in bytes.</summary>
    public required long Allocated { get; init; }

    public required InstallFacts Install { get; init; }

    /// <summary>The folder with its installer's serial log and pictures (`Reports.RunFiles` has their names); empty for a disk that no installer has run for.</summary>
    public string RunFolder { get; init; } = "";

    /// <summary>Whether it was taken from the cache.</summary>
    public required bool FromCache { get; init; }

    /// <summary>The registry's name and digest of the disk, if another machine has installed it; null if this one has.</summary>
    public string? From { get; init; }

    public DiskFacts Facts => new(Content, Install, FromCache, RunFolder, From);

    /// <summary>The disk in a raw file that is there.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    internal static InstalledDisk Of(string key, string path, BlockMap map, InstallFacts install) => new()
    {
        Key = key,
        Path = path,
        Size = map.Size,
        Map = map,
        Allocated = SparseFile.AllocatedBytes(path),
        Install = install,
        FromCache = true,
    };
}

/// <summary>A disk that was pulled in place of being installed.</summary>
/// <param name="From">The registry's name and digest of it; null for one that was installed here.</param>
internal sealed record PulledDisk(InstallFacts Install, string? From);

/// <summary>The folder of a disk in the cache. The files of its installer's run are in it as well (`Reports.RunFiles` has their names).</summary>
internal readonly record struct DiskFolder(string Path)
{
    /// <summary>The raw disk.</summary>
    public string Disk => System.IO.Path.Combine(Path, "disk.raw");

    /// <summary>Its block map.</summary>
    public string Map => System.IO.Path.Combine(Path, "disk.bmap");

    /// <summary>Copies the files of an installer's run from the folder of another disk: all that isn't the disk itself.</summary>
    /// <exception cref="IOException">They can't be copied.</exception>
    public void TakeRun(DiskFolder other)
    {
        ImmutableArray<string> own = [other.Disk, other.Map, other.Record];
        foreach (var file in Directory.EnumerateFiles(other.Path, "*", SearchOption.AllDirectories).Where(file => !own.Contains(file)))
        {
            var copy = System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(other.Path, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }

    /// <summary>What is known of it: a <see cref="DiskRecord"/>.</summary>
    public string Record => System.IO.Path.Combine(Path, "disk.json");
}

/// <summary>What lies beside a disk in the cache.</summary>
internal sealed record DiskRecord
{
    public required long Size { get; init; }

    /// <summary>When the disk was written last, in ticks: a disk that somebody has written to since isn't the installed one.</summary>
    public required long ModifiedTicks { get; init; }

    public required InstallFacts Install { get; init; }

    /// <summary>The registry's name and digest of the disk, if it was pulled from there.</summary>
    public string? From { get; init; }

    /// <summary>The packages of each system of the inspection, which no manifest has: they are many. Null if nobody has looked, as in records of earlier versions.</summary>
    public ImmutableArray<ImmutableArray<PackageFacts>?>? Packages { get; init; }

    public static DiskRecord Load(string path)
    {
        var record = JsonSerializer.Deserialize(File.ReadAllBytes(path), DiskJson.Default.DiskRecord) ?? throw new JsonException("null");
        return record.Packages is { } packages && record.Install.Inspection is { } inspection && packages.Length == inspection.Systems.Length
            ? record with { Install = record.Install with { Inspection = WithPackages(inspection, packages) } }
            : record;
    }

    private static DiskInspection WithPackages(DiskInspection inspection, ImmutableArray<ImmutableArray<PackageFacts>?> packages) =>
        inspection with { Systems = [.. inspection.Systems.Zip(packages, (system, its) => system with { Packages = its })], KnowsPackages = true };

    public void Save(string path)
    {
        var inspection = Install.Inspection;
        var record = this with { Packages = inspection is { KnowsPackages: true } ? [.. inspection.Systems.Select(system => system.Packages)] : null };
        WholeFile.Replace(path, JsonSerializer.SerializeToUtf8Bytes(record, DiskJson.Default.DiskRecord));
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DiskRecord))]
internal sealed partial class DiskJson : JsonSerializerContext;
