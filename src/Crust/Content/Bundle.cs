using System.Collections.Immutable;
using System.Text;
using Crust.Oci;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Content;

/// <summary>
/// A bundle, before it is packed: an OCI image layout (OCI Image Format Specification 1.1) as a tar archive, which containerd, k3s and RKE2 import as it is, with the files beside it in `files/`.
/// Each blob is in it once, however many images have it.
/// </summary>
/// <param name="Key">A SHA-256 over all that decides its bytes.</param>
internal sealed record Bundle(ContentPlan Plan, ImmutableArray<ResolvedImage> Images, BundleFiles Files, ImmutableArray<BundleMember> Members, string Key)
{
    /// <summary>The annotation by which containerd names what it imports.</summary>
    public const string ImageName = "io.containerd.image.name";

    // Changes whenever the same inputs would give other bytes.
    private const int Version = 1;

    /// <summary>How long the archive is, in bytes.</summary>
    public long Length { get; } = Members.Sum(member => member.Header.Room) + TarMember.EndOfArchive.Length;

    /// <summary>All layers of its images, each once.</summary>
    public static ImmutableArray<OciDescriptor> LayersOf(IEnumerable<ResolvedImage> images) =>
        [.. images.SelectMany(image => image.Platforms).SelectMany(platform => platform.Layers).DistinctBy(layer => layer.Digest)];

    /// <summary>Puts a bundle together; nothing is read of blobs and files before it is packed.</summary>
    public static Bundle Of(ContentPlan plan, ImmutableArray<ResolvedImage> images, BundleFiles files, BlobStore blobs) =>
        new(plan, images, files, [.. Layout(images, blobs), .. files.Members], KeyOf(plan, images, files));

    /// <summary>The archive's bytes in pieces; each is good until the next is asked for.</summary>
    /// <exception cref="CrustException">Something isn't what it was, or can't be read.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Pieces() => Members.SelectMany(member => member.Pieces()).Append(TarMember.EndOfArchive);

    private static IEnumerable<BundleMember> Layout(ImmutableArray<ResolvedImage> images, BlobStore store)
    {
        if (images.IsEmpty)
        {
            yield break;
        }

        // First: who reads it as a stream knows from then on what comes.
        yield return BundleMember.Of("oci-layout", OciManifest.Layout.Json);
        yield return BundleMember.Of("index.json", IndexOf(images).Json);
        var documents = images.SelectMany(image => image.Documents).DistinctBy(document => document.Digest)
            .Select(document => (document.Sha256, Member: BundleMember.Of(PathOf(document.Sha256), document.Json)));
        var layers = LayersOf(images).Select(layer => (layer.Sha256, Member: MemberOf(layer, store)));
        foreach (var (_, member) in documents.Concat(layers).DistinctBy(entry => entry.Sha256).OrderBy(entry => entry.Sha256, StringComparer.Ordinal))
        {
            yield return member;
        }
    }

    private static BundleMember MemberOf(OciDescriptor blob, BlobStore store) =>
        new(new TarMember(PathOf(blob.Sha256), blob.Size), TreeContent.OfFile(store.PathOf(blob), 0, blob.Size), blob.Sha256, store.PathOf(blob)) { IsCached = true };

    private static OciDocument IndexOf(IEnumerable<ResolvedImage> images) => OciManifest.Index(images
        .SelectMany(image => image.Image.NamesAs(image.Target.Digest).Select(name => (Name: name, image.Target)))
        .DistinctBy(entry => entry.Name).OrderBy(entry => entry.Name, StringComparer.Ordinal)
        .Select(entry => entry.Target with { Annotations = entry.Target.Annotations.Clear().Add(ImageName, entry.Name).Add(OciManifest.RefName, entry.Name) }));

    private static string PathOf(string sha256) => $"blobs/sha256/{sha256}";

    private static string KeyOf(ContentPlan plan, ImmutableArray<ResolvedImage> images, BundleFiles files)
    {
        var material = new StringBuilder($"content {Version}\n{HostLibrary.Zstd.Identity}\nname {plan.Name}\nlevel {plan.Level}\nsplit {plan.Split}\n");
        foreach (var image in images)
        {
            material.Append($"image {string.Join(' ', image.Image.NamesAs(image.Target.Digest))} {image.Target.MediaType}\n");
            foreach (var platform in image.Platforms)
            {
                material.Append($"  {platform.Arch.LowerName()} {platform.Manifest.Digest}\n");
            }
        }

        foreach (var member in files.Members)
        {
            material.Append($"file {Hex(member.Header.Name)} {(int)member.Header.Mode} {member.Header.Kind} {Hex(member.Header.LinkTarget)} {member.Sha256}\n");
        }

        return Checksum.OfText(material.ToString());
    }

    // Names may have line breaks in them.
    private static string Hex(string name) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(name));
}
