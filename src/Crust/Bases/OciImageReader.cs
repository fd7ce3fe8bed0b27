using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Crust.Oci;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Bases;

/// <summary>
/// Reads images from OCI image layouts, in a folder or in a tar archive (OCI Image Format Specification 1.1: layout, index, manifest, layers). Every blob is compared with its digest.
/// No file of an image is ever written to this host under its own name.
/// </summary>
/// <param name="tools">Needs what unpacks the layers.</param>
internal sealed class OciImageReader(ToolBox tools)
{
    private const int LongestDocument = 4 << 20;
    private const int MostLayers = 200;

    // Of an index in an index.
    private const int Deepest = 3;

    private const string IndexFile = "index.json";

    /// <summary>Whether a tree is an image layout.</summary>
    public static bool IsLayout(FileTree tree) => tree.Find("oci-layout") is not null && tree.Find(IndexFile) is not null;

    /// <summary>A layout, from a folder or an archive; the tree reads from it as long as it is used.</summary>
    /// <exception cref="CrustException">There is none, or it can't be read.</exception>
    public static FileTree Open(string path) => Directory.Exists(path) ? FileTree.FromFolder(path) : FileTree.FromTar(path);

    /// <summary>The manifest of a layout's image for an architecture; its length is that of the image's blobs together.</summary>
    /// <param name="shown">What the layout is called in errors.</param>
    /// <exception cref="CrustException">It is no layout, is damaged, or has no such image.</exception>
    public static OciDescriptor Find(FileTree layout, string shown, Arch arch) => Guard(shown, () =>
    {
        var image = ImageOf(layout, arch);
        return image.Descriptor with { Size = image.Layers.Sum(layer => layer.Size) };
    });

    /// <summary>The image's whole root: its layers one over the other, with what they hide.</summary>
    /// <param name="shown">What the layout is called in errors.</param>
    /// <param name="scratch">A private folder; the tree reads from files in it for as long as it is used.</param>
    /// <param name="largest">The most bytes that may come of a layer.</param>
    /// <exception cref="CrustException">It is no layout, is damaged, has no image of the architecture, or was made to do harm.</exception>
    public Task<FileTree> ReadAsync(FileTree layout, string shown, Arch arch, string scratch, long largest, CancellationToken cancellation) => GuardAsync(shown, scratch, async () =>
    {
        var tree = FileTree.Empty;
        foreach (var (i, layer) in ImageOf(layout, arch).Layers.Index())
        {
            tree = tree.WithLayer(await UnpackAsync(layout, layer, Path.Combine(scratch, $"layer-{i}"), shown, largest, cancellation), allowDevices: true);
        }

        return tree;
    });

    /// <summary>The files of the image's last layer alone, without devices; and the SHA-256 in hex of that layer's blob.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public Task<(FileTree Files, string Sha256)> ReadLastAsync(FileTree layout, string shown, Arch arch, string scratch, long largest, CancellationToken cancellation) => GuardAsync(shown, scratch, async () =>
    {
        var layer = ImageOf(layout, arch).Layers[^1];
        return (FileTree.Empty.WithLayer(await UnpackAsync(layout, layer, Path.Combine(scratch, "layer"), shown, largest, cancellation), allowDevices: false), layer.Sha256);
    });

    /// <summary>What an image consists of, as it is in the layout: its config, and its layers as they are packed.</summary>
    /// <param name="shown">What the layout is called in errors.</param>
    /// <exception cref="CrustException">It is no layout, is damaged, or has no image of the architecture.</exception>
    public static OciImageParts PartsOf(FileTree layout, string shown, Arch arch) => Guard(shown, () =>
    {
        var (_, document) = ManifestOf(layout, arch);
        var config = OciDescriptor.Read(document.GetProperty("config"));
        return config.MediaType == OciManifest.ConfigType ? new OciImageParts(DocumentOf(layout, config), [.. ImageOf(layout, arch).Layers.Select(layer => (layer, BlobOf(layout, layer)))])
            : throw new InvalidDataException($"its config is no OCI image's ({CleanText.Line(config.MediaType, 100)})");
    });

    private static (OciDescriptor Descriptor, JsonElement Document) ManifestOf(FileTree layout, Arch arch)
    {
        var index = layout.Find(IndexFile) is { Kind: EntryKind.File } file ? Parse(file.Content) : throw new InvalidDataException($"it has no {IndexFile}");
        return Choose(layout, index, arch, Deepest);
    }

    private static Image ImageOf(FileTree layout, Arch arch)
    {
        var (descriptor, document) = ManifestOf(layout, arch);
        if (document.TryGetProperty("config", out var named) && OciDescriptor.Read(named) is { MediaType: OciManifest.ConfigType } config
            && DocumentOf(layout, config).TryGetProperty("architecture", out var of) && of.GetString() is { Length: > 0 } name && name != arch.LowerName())
        {
            throw new InvalidDataException($"it is for {CleanText.Line(name, 100)}, and {arch.LowerName()} is wanted");
        }

        ImmutableArray<OciDescriptor> layers = [.. document.GetProperty("layers").EnumerateArray().Select(OciDescriptor.Read)];
        return layers.Length is > 0 and <= MostLayers ? new Image(descriptor, layers) : throw new InvalidDataException($"it has {layers.Length} layers");
    }

    // An index may name one image, or one for each platform; also another index, which does.
    private static (OciDescriptor, JsonElement) Choose(FileTree layout, JsonElement index, Arch arch, int deepest)
    {
        var chosen = OciIndex.Choose(index, arch);
        var document = DocumentOf(layout, chosen);
        return !OciIndex.Is(document) ? (chosen, document)
            : deepest > 0 ? Choose(layout, document, arch, deepest - 1)
            : throw new InvalidDataException("its indexes lead to no image");
    }

    private async Task<string> UnpackAsync(FileTree layout, OciDescriptor layer, string path, string shown, long largest, CancellationToken cancellation)
    {
        var blob = BlobOf(layout, layer);
        using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            await using var copy = PrivateFile.Create(path);
            foreach (var piece in blob.Pieces())
            {
                hash.AppendData(piece.Span);
                await copy.WriteAsync(piece, cancellation);
            }

            Check(hash.GetHashAndReset(), layer);
        }

        // By what it is, not by what its media type says: Docker's names differ from OCI's.
        if (Compression.Of(path) is not { } compression)
        {
            return path;
        }

        var tar = path + ".tar";
        await compression.UnpackAsync(path, tar, largest, () => new CrustException(FailureKind.BadInput, $"More comes of a layer than the {Size.Format(largest)} that it may have", shown,
            "set machine.disk (DISK_SIZE, --disk-size) to more, if the image is what it should be"), _ => { }, tools, cancellation);
        File.Delete(path);
        return tar;
    }

    private static JsonElement DocumentOf(FileTree layout, OciDescriptor descriptor)
    {
        var content = BlobOf(layout, descriptor);
        var document = Parse(content);
        Check(SHA256.HashData(content.Read(0, LongestDocument)), descriptor);
        return document;
    }

    private static JsonElement Parse(TreeContent content)
    {
        using var document = JsonDocument.Parse(content.Length <= LongestDocument ? content.Read(0, LongestDocument) : throw new InvalidDataException("a document of it is too long"));
        return document.RootElement.Clone();
    }

    private static TreeContent BlobOf(FileTree layout, OciDescriptor descriptor) =>
        !descriptor.IsSha256 ? throw new InvalidDataException("it names a blob by something that is no SHA-256 digest")
        : layout.Find($"blobs/sha256/{descriptor.Sha256}") is { Kind: EntryKind.File } blob ? blob.Content
        : throw new InvalidDataException($"it lacks the blob {descriptor.Digest}");

    private static void Check(byte[] sum, OciDescriptor expected)
    {
        if (Convert.ToHexStringLower(sum) is var actual && actual != expected.Sha256)
        {
            throw new InvalidDataException($"a blob isn't what its digest says: expected {expected.Sha256}, it has {actual}");
        }
    }

    private static T Guard<T>(string shown, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw NoImage(shown, e);
        }
    }

    private static async Task<T> GuardAsync<T>(string shown, string scratch, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw NoImage(shown, e);
        }
        catch (CrustException e) when (e.Where.StartsWith(scratch, StringComparison.Ordinal))
        {
            // Nobody has seen the copies of its layers.
            throw e.At(shown);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be read: {e.Message}", shown, "check the drive that it is on, and the space of the cache's", e);
        }
    }

    private static CrustException NoImage(string shown, Exception e) => new(FailureKind.BadInput,
        $"This isn't an OCI image that can be read: {(e is InvalidDataException ? CleanText.Line(e.Message) : "its documents aren't those of an OCI image")}", shown,
        "give an OCI layout or archive as skopeo copy docker://REGISTRY/NAME:TAG oci-archive:FILE writes it, with an image for the architecture", e);

    /// <param name="Descriptor">Of its manifest.</param>
    private sealed record Image(OciDescriptor Descriptor, ImmutableArray<OciDescriptor> Layers);
}

/// <summary>What an image consists of.</summary>
/// <param name="Config">What it runs on and with.</param>
/// <param name="Layers">The lowest first, as they are packed.</param>
internal sealed record OciImageParts(JsonElement Config, ImmutableArray<(OciDescriptor Descriptor, TreeContent Blob)> Layers);
