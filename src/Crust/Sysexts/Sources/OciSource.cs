using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Sources;

/// <summary>The files of an OCI image's last layer (OCI Image Format Specification 1.1), from a layout in a folder or an archive, or from a registry.</summary>
/// <param name="tools">Needs zstd for layers packed by it, skopeo for registries.</param>
internal sealed class OciSource(ToolBox tools)
{
    private const string Registry = "docker://";
    private const int LongestDocument = 4 << 20;

    /// <summary>Whether a source names an image in a registry.</summary>
    public static bool IsRegistry(string source) => source.StartsWith(Registry, StringComparison.Ordinal);

    /// <summary>Whether a tree is an image layout.</summary>
    public static bool IsLayout(FileTree tree) => tree.Find("oci-layout") is not null && tree.Find("index.json") is not null;

    /// <summary>Fetches an image: its layout.</summary>
    /// <exception cref="CrustException">It can't be fetched.</exception>
    public async Task<FileTree> FetchAsync(string source, Arch arch, string scratch, CancellationToken cancellation)
    {
        var folder = Path.Combine(scratch, "oci");
        try
        {
            await tools.RunAsync(ToolCommand.Of("skopeo", $"--override-arch={arch.LowerName()}", "--override-os=linux", "copy", source, $"oci:{folder}") with { Inherits = ToolEnvironment.Proxies }, cancellation);
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be fetched: {CleanText.Line(e.What)}", source, "check its name and the network; log in with skopeo login", e);
        }

        return FileTree.FromFolder(folder);
    }

    /// <summary>The last layer's files, as an extension may have them.</summary>
    /// <param name="layout">A layout.</param>
    /// <param name="source">What it is called in errors.</param>
    /// <exception cref="CrustException">It has no image for the architecture, or isn't whole.</exception>
    public async Task<SysextContent> ReadAsync(FileTree layout, string source, string name, Arch arch, string scratch, CancellationToken cancellation)
    {
        try
        {
            var manifest = ManifestOf(layout, Document(layout.Find("index.json")!), arch);
            var layer = manifest["layers"]!.AsArray() is { Count: > 0 } layers ? layers[^1]! : throw new InvalidDataException("it has no layers");
            var blob = Blob(layout, layer);
            var tar = Path.Combine(scratch, "layer.tar");
            await UnpackAsync(blob, (string)layer["mediaType"]!, tar, scratch, cancellation);
            var digest = ((string)layer["digest"]!)["sha256:".Length..];
            return new SysextContent(SystemTree.ToExtension([FileTree.FromTar(tar)], name),
                [new SysextPart(IsRegistry(source) ? source[Registry.Length..] : Path.GetFileName(Path.TrimEndingDirectorySeparator(source))) { Files = [new PartFile("layer", digest, null)] }]);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new CrustException(FailureKind.BadInput, $"It is no OCI image for {arch.LowerName()} that can be used: {(e is InvalidDataException ? CleanText.Line(e.Message) : "its documents aren't those of an image")}",
                source, "give a layout, an archive (oci-archive) or docker://NAME with an image for the architecture", e);
        }
    }

    // An index may list others; each has images by platform.
    private static JsonNode ManifestOf(FileTree layout, JsonNode index, Arch arch, int depth = 0)
    {
        var listed = index["manifests"]!.AsArray();
        var chosen = listed.FirstOrDefault(entry => entry!["platform"] is { } platform && (string?)platform["architecture"] == arch.LowerName() && (string?)platform["os"] == "linux")
            ?? listed.FirstOrDefault(entry => entry!["platform"] is null) ?? throw new InvalidDataException("no image in it is for that");
        var document = Document(Blob(layout, chosen));
        return document["manifests"] is null ? document : depth < 4 ? ManifestOf(layout, document, arch, depth + 1) : throw new InvalidDataException("its indexes lead nowhere");
    }

    private static JsonNode Document(TreeEntry entry) => JsonNode.Parse(entry.Content.Read(0, LongestDocument))!;

    // What a digest names is what it says, or isn't used.
    private static TreeEntry Blob(FileTree layout, JsonNode descriptor)
    {
        var digest = (string)descriptor["digest"]!;
        var entry = digest.StartsWith("sha256:", StringComparison.Ordinal) && layout.Find($"blobs/sha256/{digest[7..]}") is { Kind: EntryKind.File } found ? found : throw new InvalidDataException($"it lacks {digest}");
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var piece in entry.Content.Pieces())
        {
            sum.AppendData(piece.Span);
        }

        return Convert.ToHexStringLower(sum.GetHashAndReset()) == digest[7..] ? entry : throw new InvalidDataException($"{digest} has another content");
    }

    private async Task UnpackAsync(TreeEntry blob, string type, string tar, string scratch, CancellationToken cancellation)
    {
        var packed = Path.Combine(scratch, "layer");
        await using (var file = File.Create(packed))
        {
            foreach (var piece in blob.Content.Pieces())
            {
                await file.WriteAsync(piece, cancellation);
            }
        }

        if (type.EndsWith("+zstd", StringComparison.Ordinal))
        {
            await tools.RunAsync(ToolCommand.Of("zstd", "-d", "-q", "-f", packed, "-o", tar), cancellation);
        }
        else if (type.EndsWith("+gzip", StringComparison.Ordinal) || type.EndsWith(".gzip", StringComparison.Ordinal))
        {
            await using var gzip = new GZipStream(File.OpenRead(packed), CompressionMode.Decompress);
            await using var to = File.Create(tar);
            await gzip.CopyToAsync(to, cancellation);
        }
        else
        {
            File.Move(packed, tar);
        }
    }
}
