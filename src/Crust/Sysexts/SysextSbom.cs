using System.Text.Json.Nodes;
using Crust.Attestation;
using Crust.Sanitizing;

namespace Crust.Sysexts;

/// <summary>What is in an extension, as SPDX 2.3 in JSON: the software with its versions, and the files that it came in with their checksums. The same extension gives the same bytes.</summary>
internal static class SysextSbom
{
    private const string Root = "SPDXRef-Extension";

    /// <param name="sha256">The extension's SHA-256 in lower-case hex.</param>
    public static string Write(SysextPlan plan, SysextContent content, string sha256)
    {
        var (packages, relationships, ids) = (new JsonArray(), new JsonArray(), new HashSet<string>(StringComparer.Ordinal) { Root });
        var extension = SpdxDocument.Element(Root, plan.Name, plan.Version ?? "");
        extension["packageFileName"] = plan.FileName;
        extension["checksums"] = Sum(sha256);
        extension["comment"] = $"a system extension for {SysextFile.ArchName(plan.Arch)}";
        packages.Add(extension);
        relationships.Add(SpdxDocument.Relationship("SPDXRef-DOCUMENT", "DESCRIBES", Root));
        foreach (var part in content.Parts)
        {
            var id = SpdxDocument.IdOf($"Part-{part.Name}-{part.Version}", ids);
            packages.Add(Part(part, id));
            relationships.Add(SpdxDocument.Relationship(Root, "CONTAINS", id));
            foreach (var file in part.Files)
            {
                var source = SpdxDocument.IdOf($"Source-{part.Name}-{file.Name}", ids);
                packages.Add(Source(file, source));
                relationships.Add(SpdxDocument.Relationship(id, "GENERATED_FROM", source));
            }
        }

        var time = DateTimeOffset.FromUnixTimeSeconds(plan.Epoch);
        return SpdxDocument.Document(plan.FileName, $"urn:crust:sysext:{sha256}", time, packages, relationships).ToJsonString(ReadableJson.Options()) + "\n";
    }

    private static JsonObject Part(SysextPart part, string id)
    {
        var made = SpdxDocument.Element(id, CleanText.Line(part.Name), part.Version ?? "");
        if (part.License is { } license)
        {
            made["licenseDeclared"] = license;
        }

        if (part.Homepage is { } homepage)
        {
            made["homepage"] = homepage;
        }

        if (part.PackageUrl is { } url)
        {
            made["externalRefs"] = new JsonArray(new JsonObject { ["referenceCategory"] = "PACKAGE-MANAGER", ["referenceType"] = "purl", ["referenceLocator"] = url });
        }

        return made;
    }

    private static JsonObject Source(PartFile file, string id)
    {
        var made = SpdxDocument.Element(id, CleanText.Line(file.Name), "");
        made["packageFileName"] = CleanText.Line(file.Name);
        made["checksums"] = Sum(file.Sha256);
        if (file.Url is { } url)
        {
            made["downloadLocation"] = url;
        }

        return made;
    }

    private static JsonArray Sum(string sha256) => new(new JsonObject { ["algorithm"] = "SHA256", ["checksumValue"] = sha256 });
}
