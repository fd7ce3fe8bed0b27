using System.Collections.Concurrent;
using System.Text.Json;
using Crust.Storage;

namespace Crust.Seeds.Schemas;

/// <summary>The schemas that lie in builder/schemas beside the program, each read once, when it is needed.</summary>
internal static class SchemaLibrary
{
    private static readonly ConcurrentDictionary<string, Schema> Read = [];

    /// <summary>Crust's own, of what Kairos reads.</summary>
    public static Schema Kairos => Of("kairos");

    /// <summary>Crust's own, of what bundles of Kairos' community read beside that.</summary>
    public static Schema Bundles => Of("bundles");

    /// <summary>Crust's own, of what stylus reads beside that.</summary>
    public static Schema Stylus => Of("stylus");

    /// <summary>Crust's own, of what Elemental reads beside that.</summary>
    public static Schema Elemental => Of("elemental");

    /// <summary>Crust's own, of what the reference installer reads.</summary>
    public static Schema Reference => Of("reference");

    /// <summary>Crust's own, of what Ubuntu's installer reads.</summary>
    public static Schema Autoinstall => Of("autoinstall");

    public static Schema CloudConfig => Of("cloud-config");

    /// <summary>cloud-init's of the version that the reference system has.</summary>
    public static Schema ReferenceCloudConfig => Of("cloud-config-22.4");

    /// <summary>cloud-init's, of a network-config of version 1.</summary>
    public static Schema NetworkConfig => Of("network-config-v1");

    /// <summary>Crust's own, of netplan's format: a network-config of version 2.</summary>
    public static Schema Netplan => Of("netplan");

    /// <summary>Crust's own, of what Ignition 2.x read.</summary>
    public static Schema Ignition2 => Of("ignition-2");

    public static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Folders.BuilderBesideProgram, "schemas", $"{name}.json"));

    private static Schema Of(string name) => Read.GetOrAdd(name, static name => Schema.Of(JsonDocument.Parse(Bytes(name)).RootElement));
}
