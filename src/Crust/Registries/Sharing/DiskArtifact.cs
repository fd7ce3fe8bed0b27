using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crust.Disks;
using Crust.Formats.Zstd;
using Crust.Oci;
using Crust.Spec;

namespace Crust.Registries.Sharing;

/// <summary>An installed disk in a registry: an OCI artifact of two layers, the disk as a zstd stream and what the cache keeps beside it.</summary>
/// <param name="Digest">The digest of its manifest.</param>
/// <param name="Disk">The stream.</param>
/// <param name="Content">What the disk holds (<see cref="BlockMap.Content"/>).</param>
/// <param name="Data">Bytes that the disk occupies.</param>
internal sealed record DiskArtifact(string Digest, OciDescriptor Disk, OciDescriptor Pack, string Content, long Data)
{
    public const string Type = "application/vnd.crust.disk.v1";

    private const string DiskType = Type + "+zstd";
    private const string PackType = "application/vnd.crust.disk-pack.v1.tar";
    private const string DiskData = "vnd.crust.disk-data";
    private const string DiskSize = "vnd.crust.disk-size";

    /// <summary>Bytes that are pulled.</summary>
    public long Length => Disk.Size + Pack.Size;

    /// <summary>Makes one that can be pushed. Compresses the disk.</summary>
    /// <param name="progress">Receives the part that is done, from 0 to 1.</param>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    public static async Task<Artifact> PackAsync(InstalledDisk disk, SharedBuild build, string scratch, Action<double> progress, CancellationToken cancellation)
    {
        var stream = Path.Combine(scratch, "disk.raw.zst");
        var beside = Path.Combine(scratch, "disk.tar");
        var sha256 = await ZstdDisk.WriteAsync(disk, stream, Environment.ProcessorCount, progress, null, cancellation);
        DiskPack.Write(disk, beside);
        ImmutableArray<OciDescriptor> layers =
        [
            Artifact.FileLayer(DiskType, Path.GetFileName(stream), sha256, new FileInfo(stream).Length),
            Artifact.FileLayer(PackType, Path.GetFileName(beside), await SparseHash.ComputeAsync(beside, cancellation), new FileInfo(beside).Length),
        ];
        var layout = OciLayout.Create(scratch);
        layout.Add(layers[0], stream);
        layout.Add(layers[1], beside);
        return Artifact.Of(layout, Type, layers, Artifact.With(Describe(disk, build), disk.Install), null);
    }

    /// <summary>Reads the manifest of what a registry has for a build key.</summary>
    /// <exception cref="InvalidDataException">It isn't a disk of that key.</exception>
    public static DiskArtifact Read(OciDocument manifest, string buildKey)
    {
        try
        {
            using var json = JsonDocument.Parse(manifest.Json);
            var type = Text(json.RootElement, "artifactType");
            var said = OciManifest.AnnotationsOf(json.RootElement);
            if (type != Type)
            {
                throw new InvalidDataException($"{manifest.Digest} isn't an installed disk ({type ?? "without a type"})");
            }

            if (said.GetValueOrDefault(Artifact.BuildKey) is var key && key != buildKey)
            {
                throw new InvalidDataException($"{manifest.Digest} is the disk of another build ({key ?? "without a build key"})");
            }

            var layers = json.RootElement.GetProperty("layers").EnumerateArray().Select(OciDescriptor.Read).ToList();
            return layers is [{ MediaType: DiskType, Size: > 0 } disk, { MediaType: PackType, Size: > 0 } pack] && disk.IsSha256 && pack.IsSha256
                ? new DiskArtifact(manifest.Digest, disk, pack, said[Artifact.DiskContent], long.Parse(said[DiskData], CultureInfo.InvariantCulture))
                : throw new InvalidDataException($"{manifest.Digest} hasn't the two layers of an installed disk");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{manifest.Digest} isn't an installed disk: {e.Message}", e);
        }
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static ImmutableSortedDictionary<string, string> Describe(InstalledDisk disk, SharedBuild build) => ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)
        .Add(OciManifest.Title, build.Name)
        .Add(Artifact.Arch, build.Spec.Machine.Arch.LowerName())
        .Add(Artifact.BuildKey, disk.Key)
        .Add(Artifact.DiskContent, disk.Content)
        .Add(Artifact.OriginOf(build.Spec.HasBase ? DiskOrigin.BaseKind : DiskOrigin.InstallerKind), OciDescriptor.DigestOf(build.SourceSha256))
        .Add(DiskSize, disk.Size.ToString(CultureInfo.InvariantCulture))
        .Add(DiskData, disk.Map.Data.ToString(CultureInfo.InvariantCulture));
}
