using System.Text.Json;
using Crust.Formats.Archives;
using Crust.Oci;

namespace Crust.Formats.KubeVirt;

/// <summary>Finds the disk in a containerDisk.</summary>
internal static class ContainerDiskReader
{
    // Of documents; layers may have any length.
    private const long Longest = 4 << 20;

    /// <summary>The disk in an OCI archive, to be read where it is.</summary>
    /// <exception cref="CrustException">It is no OCI archive, or its layer is compressed or has no file below /disk.</exception>
    public static QemuDisk Open(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var members = TarIndex.Read(file, 0);
            var manifest = Descriptor(Read(file, members, "index.json"), "manifests");
            var layer = Descriptor(Read(file, members, BlobOf(manifest)), "layers");
            if (Text(layer, "mediaType") is var type && type != OciManifest.LayerType)
            {
                throw new InvalidDataException($"its layer is of the type {type}");
            }

            var disk = TarIndex.Read(file, members[BlobOf(layer)].Offset).Single(member => member.Key.TrimStart('.', '/').StartsWith("disk/", StringComparison.Ordinal)).Value;
            return new QemuDisk("qcow2", path) { Part = disk };
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CrustException(FailureKind.BadInput, $"The image isn't a containerDisk with one uncompressed layer and a qcow2 in it: {e.Message}", path,
                "give an image that Crust has made, or take the qcow2 out of the layer and give that", e);
        }
    }

    /// <summary>The manifest of the image in an OCI archive, as it is there.</summary>
    /// <exception cref="CrustException">It is no OCI archive with one image.</exception>
    public static OciDocument ReadManifest(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var members = TarIndex.Read(file, 0);
            return new OciDocument(ReadBytes(file, members, BlobOf(Descriptor(Read(file, members, "index.json"), "manifests"))));
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CrustException(FailureKind.BadInput, $"The image isn't an OCI archive with one image in it: {e.Message}", path, "build it again", e);
        }
    }

    // The documents are small, and nothing of theirs is kept.
    private static JsonElement Read(FileStream file, IReadOnlyDictionary<string, FilePart> members, string name) => JsonDocument.Parse(ReadBytes(file, members, name)).RootElement;

    private static byte[] ReadBytes(FileStream file, IReadOnlyDictionary<string, FilePart> members, string name)
    {
        var part = members[name];
        if (part.Length > Longest)
        {
            throw new InvalidDataException($"{name} is too long");
        }

        var json = new byte[part.Length];
        file.Position = part.Offset;
        file.ReadExactly(json);
        return json;
    }

    private static JsonElement Descriptor(JsonElement document, string list) => document.GetProperty(list).EnumerateArray().Single();

    private static string BlobOf(JsonElement descriptor) => $"blobs/{Text(descriptor, "digest").Replace(':', '/')}";

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new JsonException($"{name} is null");
}
