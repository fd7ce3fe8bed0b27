using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Formats.Archives;
using Crust.Formats.Headers;
using Crust.Oci;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Formats.KubeVirt;

/// <summary>Finds the disk in a containerDisk. Nothing is unpacked, and no name in it is looked for outside of it.</summary>
internal static partial class ContainerDiskReader
{
    // Of documents; layers may have any length.
    private const int Longest = 4 << 20;

    private const string Folder = "disk/";

    /// <summary>The disk in an OCI archive, to be read where it is.</summary>
    /// <exception cref="CrustException">It is no OCI archive, or its layer is compressed or has no file below /disk.</exception>
    public static QemuDisk Open(string path) => Read(path, "a containerDisk with one uncompressed layer and a qcow2 or a raw disk in it",
        "give an image that Crust has made, or take the disk out of the layer and give that", (file, members) =>
        {
            using var index = Document(file, members, "index.json");
            using var manifest = Document(file, members, BlobOf(Only(index, "manifests")));
            var layer = Only(manifest, "layers");
            if (Text(layer, "mediaType") is var type && type != OciManifest.LayerType)
            {
                throw new InvalidDataException($"its layer is of the type {Shown(type)}");
            }

            return DiskIn(file, TarIndex.Read(file, members.File(BlobOf(layer)), "its layer"), path);
        });

    /// <summary>The manifest of the image in an OCI archive, as it is there.</summary>
    /// <exception cref="CrustException">It is no OCI archive with one image.</exception>
    public static OciDocument ReadManifest(string path) => Read(path, "an OCI archive with one image in it", "build it again", (file, members) =>
    {
        using var index = Document(file, members, "index.json");
        var name = BlobOf(Only(index, "manifests"));
        return new OciDocument(TarIndex.ReadBytes(file.SafeFileHandle, members.File(name), Longest, name));
    });

    private static T Read<T>(string path, string what, string remedy, Func<FileStream, TarIndex, T> read)
    {
        using var file = new FileStream(RegularFile.Open(path, "image", "name a containerDisk: a regular file"), FileAccess.Read);
        try
        {
            var members = TarIndex.Read(file, new FilePart(0, file.Length), "it");
            members.RequireFilesOnly();
            return read(file, members);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CrustException(FailureKind.BadInput, $"The image isn't {what}: {(e is InvalidDataException ? e.Message : "its documents aren't those of an OCI image")}", path, remedy, e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be read: {e.Message}", path, "check the drive that it is on", e);
        }
    }

    private static QemuDisk DiskIn(FileStream file, TarIndex layer, string path)
    {
        // A link in place of the folder would lead elsewhere, too.
        var below = layer.Members.Where(member => member.Name.StartsWith(Folder, StringComparison.Ordinal) && member.Name != Folder || member.Name == Folder[..^1] && member.Kind is not TarKind.Folder)
            .Where(member => member.Kind is not TarKind.Folder).ToList();
        if (below is not [var one])
        {
            throw new InvalidDataException($"its layer has {below.Count} files in /disk");
        }

        // KubeVirt takes raw disks as well (its user guide, "containerDisk").
        var part = layer.FileOf(one);
        var isQcow2 = new ImageBytes(file.SafeFileHandle, part.Offset, part.Length).ReadUpTo(0, Qcow2Header.Magic.Length).AsSpan().SequenceEqual(Qcow2Header.Magic);
        return new QemuDisk(isQcow2 ? "qcow2" : "raw", path) { Part = part };
    }

    private static JsonDocument Document(FileStream file, TarIndex members, string name) => JsonDocument.Parse(TarIndex.ReadBytes(file.SafeFileHandle, members.File(name), Longest, name));

    private static JsonElement Only(JsonDocument document, string list) => document.RootElement.GetProperty(list) is { ValueKind: JsonValueKind.Array } all && all.GetArrayLength() is var count
        ? count == 1 ? all[0] : throw new InvalidDataException($"it has {count} {list}")
        : throw new InvalidDataException($"its {list} are no list");

    private static string BlobOf(JsonElement descriptor) => Text(descriptor, "digest") is var digest && DigestPattern().IsMatch(digest)
        ? $"blobs/{digest.Replace(':', '/')}" : throw new InvalidDataException($"it names something by {Shown(digest)}, which is no SHA-256 digest");

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new JsonException($"{name} is null");

    private static string Shown(string text) => ImageBytes.Printable(Encoding.UTF8.GetBytes(text));

    [GeneratedRegex(@"\Asha256:[0-9a-f]{64}\z")]
    private static partial Regex DigestPattern();
}
