using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Crust.Formats;
using Crust.Formats.Archives;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Bases;

/// <summary>
/// Reads the root file system of an image in an OCI archive (OCI image format specification: layout, index, manifest, layer): the layers one over the other, with what they hide. Every blob
/// is compared with its digest. Nothing is unpacked to files of this host.
/// </summary>
/// <param name="tools">Needs what unpacks the layers.</param>
internal sealed class OciRoot(ToolBox tools)
{
    private const int LongestDocument = 4 << 20;
    private const int MostLayers = 200;

    // Of an index in an index.
    private const int Deepest = 3;

    private const string Hides = ".wh.";
    private const string HidesAll = ".wh..wh..opq";

    /// <summary>Merges the layers.</summary>
    /// <param name="arch">Which image is taken of several.</param>
    /// <param name="scratch">A private folder; the tree reads from files in it for as long as it is used.</param>
    /// <param name="largest">The most bytes that may come of a layer.</param>
    /// <exception cref="CrustException">It is no OCI archive, is damaged, has no image of the architecture, or was made to do harm.</exception>
    public async Task<FileTree> ReadAsync(string path, string shown, Arch arch, string scratch, long largest, CancellationToken cancellation)
    {
        try
        {
            await using var file = new FileStream(RegularFile.Open(path, "archive", "name an OCI archive: a regular file"), FileAccess.Read);
            var archive = new Blobs(file, TarIndex.Read(file, new FilePart(0, file.Length), "it"));
            var manifest = ManifestOf(archive, archive.Document("index.json"), arch, Deepest);
            CheckArch(archive, manifest, arch);
            var layers = List(manifest, "layers");
            if (layers.Length is 0 or > MostLayers)
            {
                throw new InvalidDataException($"it has {layers.Length} layers");
            }

            var tree = FileTree.Empty;
            for (var i = 0; i < layers.Length; i++)
            {
                tree = Apply(tree, await LayerAsync(archive, layers[i], Path.Combine(scratch, $"layer-{i}"), shown, largest, cancellation));
            }

            return tree;
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CrustException(FailureKind.BadInput, $"The archive isn't an OCI image that can be read: {(e is InvalidDataException ? e.Message : "its documents aren't those of an OCI image")}", shown,
                "make one as skopeo copy docker://REGISTRY/NAME:TAG oci-archive:FILE does", e);
        }
        catch (CrustException e) when (e.Where.StartsWith(scratch, StringComparison.Ordinal))
        {
            // Nobody has seen the copies of its layers.
            throw e.At(shown);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The archive can't be read: {e.Message}", path, "check the drive that it is on, and the space of the cache's", e);
        }
    }

    /// <summary>A tree with a layer over it: what the layer hides goes first, so that it never hides what it brings itself.</summary>
    internal static FileTree Apply(FileTree below, FileTree layer)
    {
        var (hidden, emptied) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var entry in layer.Entries.Where(entry => entry.Name.StartsWith(Hides, StringComparison.Ordinal)))
        {
            var folder = entry.Path[..^entry.Name.Length];
            if (entry.Name == HidesAll)
            {
                emptied.Add(folder.TrimEnd('/'));
            }
            else
            {
                hidden.Add(folder + entry.Name[Hides.Length..]);
            }
        }

        var kept = hidden.Count + emptied.Count == 0 ? below : below.Without(entry => IsHidden(entry.Path, hidden, emptied));
        return kept.With(layer.Entries.Where(entry => !entry.Name.StartsWith(Hides, StringComparison.Ordinal)));
    }

    private static bool IsHidden(string path, HashSet<string> hidden, HashSet<string> emptied)
    {
        if (hidden.Contains(path) || emptied.Contains(""))
        {
            return true;
        }

        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
        {
            if (path[..slash] is var above && (hidden.Contains(above) || emptied.Contains(above)))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<FileTree> LayerAsync(Blobs archive, JsonElement layer, string path, string shown, long largest, CancellationToken cancellation)
    {
        await archive.CopyAsync(layer, path, cancellation);
        if (Compression.Of(path) is not { } compression)
        {
            return FileTree.FromTar(path, allowDevices: true);
        }

        await compression.UnpackAsync(path, path + ".tar", largest, () => new CrustException(FailureKind.BadInput, $"More comes of a layer than the disk of {Size.Format(largest)} holds", shown,
            "set machine.disk (DISK_SIZE, --disk-size) to more"), _ => { }, tools, cancellation);
        File.Delete(path);
        return FileTree.FromTar(path + ".tar", allowDevices: true);
    }

    // An index may name one image, or one for each platform; also another index, which does.
    private static JsonElement ManifestOf(Blobs archive, JsonElement index, Arch arch, int deepest)
    {
        var all = List(index, "manifests");
        var fitting = all.Where(manifest => IsFor(manifest, arch)).ToList();
        var chosen = all is [var only] ? only
            : fitting is [var one] ? one
            : throw new InvalidDataException($"{(fitting.Count == 0 ? "none" : "several")} of its {all.Length} images {(fitting.Count == 0 ? "is" : "are")} for {arch.LowerName()}");
        var document = archive.Document(chosen);
        return document.TryGetProperty("layers", out _) ? document
            : deepest > 0 ? ManifestOf(archive, document, arch, deepest - 1)
            : throw new InvalidDataException("its indexes lead to no image");
    }

    private static bool IsFor(JsonElement manifest, Arch arch) => manifest.TryGetProperty("platform", out var platform)
        && platform.GetProperty("os").GetString() == "linux" && platform.GetProperty("architecture").GetString() == arch.LowerName();

    private static void CheckArch(Blobs archive, JsonElement manifest, Arch arch)
    {
        var config = archive.Document(manifest.GetProperty("config"));
        if (config.TryGetProperty("architecture", out var of) && of.GetString() is { } name && name != arch.LowerName())
        {
            throw new InvalidDataException($"it is for {CleanText.Line(name, 100)}, and machine.arch is {arch.LowerName()}");
        }
    }

    private static ImmutableArray<JsonElement> List(JsonElement document, string name) => [.. document.GetProperty(name).EnumerateArray()];

    /// <summary>The archive's blobs.</summary>
    private sealed class Blobs(FileStream file, TarIndex members)
    {
        public JsonElement Document(string name)
        {
            using var document = JsonDocument.Parse(TarIndex.ReadBytes(file.SafeFileHandle, members.File(name), LongestDocument, name));
            return document.RootElement.Clone();
        }

        public JsonElement Document(JsonElement descriptor)
        {
            var (name, sum) = BlobOf(descriptor);
            var bytes = TarIndex.ReadBytes(file.SafeFileHandle, members.File(name), LongestDocument, name);
            Check(Convert.ToHexStringLower(SHA256.HashData(bytes)), sum);
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.Clone();
        }

        public async Task CopyAsync(JsonElement descriptor, string path, CancellationToken cancellation)
        {
            var (name, sum) = BlobOf(descriptor);
            var part = members.File(name);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var copy = PrivateFile.Create(path);
            var buffer = new byte[1 << 20];
            for (long done = 0; done < part.Length;)
            {
                var read = await RandomAccess.ReadAsync(file.SafeFileHandle, buffer.AsMemory(0, (int)Math.Min(buffer.Length, part.Length - done)), part.Offset + done, cancellation);
                if (read == 0)
                {
                    throw new InvalidDataException("it is cut off");
                }

                hash.AppendData(buffer, 0, read);
                await copy.WriteAsync(buffer.AsMemory(0, read), cancellation);
                done += read;
            }

            Check(Convert.ToHexStringLower(hash.GetHashAndReset()), sum);
        }

        private static void Check(string actual, string expected)
        {
            if (actual != expected)
            {
                throw new InvalidDataException($"a blob isn't what its digest says: expected {expected}, it has {actual}");
            }
        }

        private static (string Name, string Sum) BlobOf(JsonElement descriptor) =>
            descriptor.GetProperty("digest").GetString() is { } digest && digest.StartsWith("sha256:", StringComparison.Ordinal) && Checksum.IsSha256(digest[7..])
                ? ($"blobs/sha256/{digest[7..]}", digest[7..]) : throw new InvalidDataException("it names a blob by something that is no SHA-256 digest");
    }
}
