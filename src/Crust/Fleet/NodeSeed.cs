using System.Collections.Immutable;
using System.Text;
using Crust.Seeds;
using Crust.Seeds.Documents;
using Crust.Seeds.Volumes;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Fleet;

/// <summary>What all nodes' seeds are made of: the user's documents, in which `${NODE_NAME}`, `${NODE_ROLE}` and the like and the node's secrets are put.</summary>
/// <param name="UserData">A cloud-config; null for none.</param>
/// <param name="NetworkConfig">cloud-init's network configuration; null for one made of each node's address.</param>
internal sealed record SeedTemplate(ConfigMap? UserData, ConfigNode? NetworkConfig)
{
    /// <exception cref="CrustException">A file can't be read, or isn't what it should be.</exception>
    public static SeedTemplate Read(string? userData, string? networkConfig) => new(
        userData is null ? null : CloudConfig.Read(UserFile.Read(userData, userData, "user-data"), userData),
        networkConfig is null ? null : ConfigReader.Read(UserFile.Read(networkConfig, networkConfig, "network-config"), networkConfig) as ConfigMap
            ?? throw new CrustException(FailureKind.BadInput, "The network-config isn't a mapping", $"{networkConfig}:1:1",
                "write cloud-init's format, such as: version: 2"));
}

/// <summary>A node's seed: the documents of cloud-init's NoCloud (cloud-init's documentation, "NoCloud"). They hold secrets.</summary>
internal sealed record NodeSeed(ImmutableArray<SeedDocument> Documents)
{
    /// <summary>The volume's label. FAT has it in capitals, and all readers know both.</summary>
    public const string Label = "cidata";

    // Nodes of one fleet, and nodes of another version of the seed, are other instances: cloud-init runs again.
    private const string InstancePrefix = "crust-";

    /// <summary>A SHA-256 in hex over all of it. It is as secret as what it is made of.</summary>
    public string Digest => Checksum.OfText(string.Concat(Documents.Select(document => $"{document.Name}\n{document.Text.Length}\n{document.Text}\n")));

    /// <summary>Its files in a volume.</summary>
    public IReadOnlyList<FatFile> Files => [.. Documents.Select(document => new FatFile(document.Name, Encoding.UTF8.GetBytes(document.Text)))];

    /// <exception cref="CrustException">A document names a variable that there isn't.</exception>
    public static NodeSeed Of(Node node, NodesNetwork network, SeedTemplate template, ImmutableDictionary<string, Secret> secrets)
    {
        var variables = secrets.ToImmutableDictionary(secret => secret.Key, secret => secret.Value.Reveal())
            .Add("NODE_NAME", node.Name)
            .Add("NODE_ROLE", node.Role)
            .Add("NODE_MAC", node.Macs.FirstOrDefault()?.ToString() ?? "")
            .Add("NODE_SERIAL", node.Serial ?? "")
            .Add("NODE_IP", node.Address?.ToString() ?? "");
        var userData = WithHostname((ConfigMap)Filled(template.UserData ?? ConfigMap.Empty, variables), node);
        var config = template.NetworkConfig is { } given ? ConfigWriter.Write(Filled(given, variables)) : NetworkOf(node, network);
        var document = new SeedDocument("user-data", CloudConfig.ToText(userData)) { Tree = userData };
        var instance = Checksum.OfText($"{node.Name}\n{document.Text}\n{config}")[..16];
        return new NodeSeed(
        [
            document,
            new SeedDocument("meta-data", $"instance-id: {InstancePrefix}{node.Name}-{instance}\nlocal-hostname: {node.Name}\n"),
            .. config is null ? [] : new[] { new SeedDocument("network-config", config) },
        ]);
    }

    /// <summary>What it is, without what it holds.</summary>
    public override string ToString() => $"a seed of {string.Join(", ", Documents)}";

    private static ConfigNode Filled(ConfigNode document, ImmutableDictionary<string, string> variables)
    {
        try
        {
            return new Substitution(variables).Apply(document);
        }
        catch (CrustException e) when (e.Rule == Substitution.UndefinedVariable)
        {
            throw new CrustException(FailureKind.BadInput, "A document of the seed names a variable that nodes don't have", e.Where,
                $"give it by --secret, write one of {string.Join(", ", variables.Keys.Order(StringComparer.Ordinal))}, or $${{NAME}} where the text itself is meant", e);
        }
    }

    // What the user says wins.
    private static ConfigMap WithHostname(ConfigMap userData, Node node) => ConfigTree.Find(userData, "hostname") is not null ? userData
        : userData.With([.. ConfigTree.Map(("hostname", ConfigTree.Text(node.Name, Place.Default))).Entries, .. userData.Entries]);

    // Version 2 of cloud-init's network configuration, matched by the card: names of cards differ between kernels.
    // Null where DHCP gives the address: also where nothing says how long the prefix is, of which the reader of the nodes has warned.
    private static string? NetworkOf(Node node, NodesNetwork network)
    {
        if (node.Address is null || node.PrefixLength is null)
        {
            return null;
        }

        static ConfigScalar Text(string value) => ConfigTree.Text(value, Place.Default);
        var card = ConfigTree.Map(
            ("match", node.Macs.IsEmpty ? ConfigTree.Map(("name", Text("e*"))) : ConfigTree.Map(("macaddress", Text(node.Macs[0].ToString())))),
            ("addresses", ConfigTree.List(Text(NodeText.AddressOf(node)))),
            ("routes", network.Gateway is { } gateway ? ConfigTree.List(ConfigTree.Map(("to", Text("default")), ("via", Text(gateway.ToString())))) : null),
            ("nameservers", network.Dns.IsEmpty ? null : ConfigTree.Map(("addresses", ConfigTree.List(network.Dns.Select(server => Text(server.ToString())))))));
        return ConfigWriter.Write(ConfigTree.Map(
            ("version", new ConfigScalar("2", YamlDotNet.Core.ScalarStyle.Plain, Place.Default)),
            ("ethernets", ConfigTree.Map(("node", card)))));
    }
}
