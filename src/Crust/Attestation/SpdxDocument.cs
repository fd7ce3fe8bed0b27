using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crust.Disks;
using Crust.Sanitizing;

namespace Crust.Attestation;

/// <summary>The packages of the systems on a disk as SPDX 2.3 in JSON. The same disk gives the same bytes.</summary>
internal static class SpdxDocument
{
    private const string Unknown = "NOASSERTION";

    /// <summary>The document; null if no system's packages are known.</summary>
    /// <param name="content">What the disk holds: <see cref="InstalledDisk.Content"/>.</param>
    /// <param name="created">When the disk was ready.</param>
    /// <param name="layers">What was put onto it. Which packages came with one, nobody knows: they stand among the system's.</param>
    public static string? Write(DiskInspection? inspection, string content, DateTimeOffset created, ImmutableArray<LayerFacts> layers)
    {
        ImmutableArray<SystemFacts> systems = [.. (inspection?.Systems ?? []).Where(system => system.Packages is { IsEmpty: false })];
        if (systems.IsEmpty)
        {
            return null;
        }

        var packages = new JsonArray();
        var relationships = new JsonArray();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (layer, number) in layers.Select((layer, i) => (layer, i + 1)))
        {
            var id = IdOf($"Layer-{number}-{layer.Kind}", ids);
            var made = Element(id, $"layer {number}: {layer.Kind} {layer.Source}", "");
            made["comment"] = $"put onto the installed disk; sha256:{layer.Sha256}";
            packages.Add(made);
            relationships.Add(Relationship("SPDXRef-DOCUMENT", "DESCRIBES", id));
        }

        foreach (var system in systems)
        {
            var root = IdOf($"System-{system.Name}", ids);
            packages.Add(System(system, root));
            relationships.Add(Relationship("SPDXRef-DOCUMENT", "DESCRIBES", root));
            foreach (var package in system.Packages!.Value)
            {
                var id = IdOf($"Package-{package.Kind}-{package.Name}-{package.Version}-{package.Arch}", ids);
                packages.Add(Package(package, system, id));
                relationships.Add(Relationship(root, "CONTAINS", id));
            }
        }

        return Document(systems[0].Name, $"urn:crust:disk:{content}", created, packages, relationships).ToJsonString(ReadableJson.Options()) + "\n";
    }

    /// <summary>A document.</summary>
    /// <param name="space">A URI that no other document has.</param>
    internal static JsonObject Document(string name, string space, DateTimeOffset created, JsonArray packages, JsonArray relationships) => new()
    {
        ["spdxVersion"] = "SPDX-2.3",
        ["dataLicense"] = "CC0-1.0",
        ["SPDXID"] = "SPDXRef-DOCUMENT",
        ["name"] = name,
        ["documentNamespace"] = space,
        ["creationInfo"] = new JsonObject
        {
            ["created"] = ProvenanceWriter.Time(created),
            ["creators"] = new JsonArray($"Tool: crust-{CrustVersion.Current.Split('+')[0]}"),
        },
        ["packages"] = packages,
        ["relationships"] = relationships,
    };

    private static JsonObject System(SystemFacts system, string id)
    {
        var made = Element(id, system.Name, system.Version);
        made["primaryPackagePurpose"] = "OPERATING_SYSTEM";
        made["comment"] = $"the system in {system.Folder} on {system.Volume}";
        return made;
    }

    private static JsonObject Package(PackageFacts package, SystemFacts system, string id)
    {
        var made = Element(id, package.Name, package.Epoch.Length > 0 ? $"{package.Epoch}:{package.Version}" : package.Version);
        made["externalRefs"] = new JsonArray(new JsonObject
        {
            ["referenceCategory"] = "PACKAGE-MANAGER",
            ["referenceType"] = "purl",
            ["referenceLocator"] = PackageUrl(package, system),
        });
        if (package.Source.Length > 0)
        {
            made["sourceInfo"] = $"built from {package.Source}";
        }

        return made;
    }

    /// <summary>A package of which no more is known than its name and version: nothing of files and licences.</summary>
    internal static JsonObject Element(string id, string name, string version)
    {
        var made = new JsonObject { ["SPDXID"] = id, ["name"] = name };
        if (version.Length > 0)
        {
            made["versionInfo"] = version;
        }

        made["downloadLocation"] = Unknown;
        made["filesAnalyzed"] = false;
        made["licenseConcluded"] = Unknown;
        made["licenseDeclared"] = Unknown;
        made["copyrightText"] = Unknown;
        return made;
    }

    /// <summary>A package URL (the purl specification, its types deb, apk and rpm): `pkg:deb/debian/libc6@2.36-9?arch=amd64&amp;distro=debian-12`.</summary>
    internal static string PackageUrl(PackageFacts package, SystemFacts system)
    {
        var vendor = system.Id.Length > 0 ? system.Id.ToLowerInvariant() : package.Kind switch { "deb" => "debian", "apk" => "alpine", _ => "" };
        var distro = system.Version.Length > 0 ? $"{vendor}-{system.Version}" : vendor;
        // Qualifiers stand in the order of their names; one without a value is left out.
        var qualifiers = new (string Name, string Value)[] { ("arch", package.Arch), ("distro", distro), ("epoch", package.Epoch) }
            .Where(qualifier => qualifier.Value.Length > 0).Select(qualifier => $"{qualifier.Name}={Encode(qualifier.Value)}");
        var name = package.Kind is "deb" or "apk" ? package.Name.ToLowerInvariant() : package.Name;
        return $"pkg:{package.Kind}/{(vendor.Length > 0 ? Encode(vendor) + "/" : "")}{Encode(name)}@{Encode(package.Version)}?{string.Join('&', qualifiers)}";
    }

    // Colons aren't encoded in package URLs.
    private static string Encode(string text) => Uri.EscapeDataString(text).Replace("%3A", ":", StringComparison.Ordinal);

    /// <summary>An identifier (SPDX 2.3, section 7.2: letters, numbers, '.' and '-') that isn't taken yet.</summary>
    internal static string IdOf(string text, HashSet<string> taken)
    {
        var id = $"SPDXRef-{string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-'))}";
        var unique = id;
        for (var i = 2; !taken.Add(unique); i++)
        {
            unique = $"{id}-{i}";
        }

        return unique;
    }

    internal static JsonObject Relationship(string from, string type, string to) => new()
    {
        ["spdxElementId"] = from,
        ["relationshipType"] = type,
        ["relatedSpdxElement"] = to,
    };
}
