using System.Text.Json.Nodes;
using Crust.Attestation;
using Crust.Sanitizing;

namespace Crust.Content;

/// <summary>What is in a bundle, as SPDX 2.3 in JSON: images and files with their digests and origins. The same bundle gives the same bytes.</summary>
internal static class ContentSbom
{
    private const string Root = "SPDXRef-Bundle";

    public static string Write(ContentManifest manifest)
    {
        var (packages, relationships, ids) = (new JsonArray(), new JsonArray(), new HashSet<string>(StringComparer.Ordinal) { Root });
        var bundle = SpdxDocument.Element(Root, manifest.Name, "");
        bundle["packageFileName"] = PartNames.Whole(manifest.Name);
        bundle["checksums"] = Sum(manifest.Sha256);
        bundle["comment"] = $"a bundle of container images and files, in {PartNames.Count(manifest.Parts.Length)} whose joined bytes have this checksum";
        packages.Add(bundle);
        relationships.Add(SpdxDocument.Relationship("SPDXRef-DOCUMENT", "DESCRIBES", Root));
        foreach (var image in manifest.Images)
        {
            foreach (var platform in image.Platforms)
            {
                Add(Image(image, platform, SpdxDocument.IdOf($"Image-{image.Names[0]}-{platform.Arch}", ids)));
            }
        }

        foreach (var file in manifest.Files)
        {
            var element = SpdxDocument.Element(SpdxDocument.IdOf($"File-{file.Path}", ids), CleanText.Line(file.Path), "");
            element["packageFileName"] = CleanText.Line(file.Path);
            element["checksums"] = Sum(file.Sha256);
            Add(element);
        }

        return SpdxDocument.Document(PartNames.Whole(manifest.Name), $"urn:crust:content:{manifest.Sha256}", DateTimeOffset.UnixEpoch, packages, relationships)
            .ToJsonString(ReadableJson.Options()) + "\n";

        void Add(JsonObject element)
        {
            packages.Add(element);
            relationships.Add(SpdxDocument.Relationship(Root, "CONTAINS", element["SPDXID"]!.GetValue<string>()));
        }
    }

    /// <summary>A package URL (the purl specification, its type oci): `pkg:oci/app@sha256%3A…?arch=amd64&amp;repository_url=registry.example.com/app`.</summary>
    internal static string PackageUrl(PackedImage image, PackedPlatform platform)
    {
        var repository = image.Names[0].Split('@')[0];
        var tag = repository.LastIndexOf(':') is var colon && colon > repository.LastIndexOf('/') ? repository[(colon + 1)..] : null;
        repository = tag is null ? repository : repository[..colon];
        var name = repository[(repository.LastIndexOf('/') + 1)..];
        return $"pkg:oci/{name}@{Uri.EscapeDataString(platform.Digest)}?arch={platform.Arch}&repository_url={repository}{(tag is null ? "" : $"&tag={tag}")}";
    }

    private static JsonObject Image(PackedImage image, PackedPlatform platform, string id)
    {
        var made = SpdxDocument.Element(id, image.Names[0], platform.Digest);
        made["primaryPackagePurpose"] = "CONTAINER";
        made["checksums"] = Sum(platform.Digest["sha256:".Length..]);
        made["comment"] = $"for {platform.Arch}; pulled from {image.Source}";
        made["externalRefs"] = new JsonArray(new JsonObject { ["referenceCategory"] = "PACKAGE-MANAGER", ["referenceType"] = "purl", ["referenceLocator"] = PackageUrl(image, platform) });
        return made;
    }

    private static JsonArray Sum(string sha256) => new(new JsonObject { ["algorithm"] = "SHA256", ["checksumValue"] = sha256 });
}
