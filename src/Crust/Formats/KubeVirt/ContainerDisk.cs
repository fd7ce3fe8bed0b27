using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crust.Oci;
using Crust.Spec;

namespace Crust.Formats.KubeVirt;

/// <summary>
/// The documents of a containerDisk: an OCI image of one layer. Nothing in it tells when it was made: the same layer is the same image.
/// </summary>
internal sealed class ContainerDisk
{
    /// <param name="name">What it is called where it is imported.</param>
    /// <param name="arch">The architecture that the guest is for; clusters with several choose by it.</param>
    /// <param name="layerSha256">The layer's SHA-256 in hex. It isn't compressed, so that this names its content as well.</param>
    /// <param name="layerLength">The layer's length in bytes.</param>
    public ContainerDisk(string name, Arch arch, string layerSha256, long layerLength)
    {
        var layer = new OciDescriptor(OciManifest.LayerType, OciDescriptor.DigestOf(layerSha256), layerLength);
        var config = OciManifest.Platform(arch.LowerName());
        config["config"] = new JsonObject();
        config["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(layer.Digest) };
        config["history"] = new JsonArray(new JsonObject { ["created_by"] = "crust" });
        Config = OciDocument.Of(config);
        Manifest = OciManifest.Of(OciDescriptor.Of(OciManifest.ConfigType, Config), [layer], Annotation(OciManifest.Title, name));
        // As it always was: platform before the annotations. An index in an archive isn't pushed.
        var entry = OciDescriptor.Of(OciManifest.ManifestType, Manifest).For(arch).ToJson();
        entry["annotations"] = OciManifest.Texts(Annotation(OciManifest.RefName, name));
        Index = OciDocument.Of(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = OciManifest.IndexType, ["manifests"] = new JsonArray(entry) });
    }

    /// <summary>What the image runs on.</summary>
    public OciDocument Config { get; }

    /// <summary>What the image consists of.</summary>
    public OciDocument Manifest { get; }

    /// <summary>The images in the layout: this one.</summary>
    public OciDocument Index { get; }

    private static ImmutableSortedDictionary<string, string> Annotation(string key, string value) =>
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add(key, value);
}
