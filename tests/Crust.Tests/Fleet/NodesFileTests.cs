using Crust.Fleet;
using Crust.Tests.Cli;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Fleet;

/// <summary>`nodes.yaml`: what it means, what is wrong with it, what is only doubtful, and its schema, which Python's jsonschema is asked about.</summary>
public sealed class NodesFileTests
{
    private const string Good = """
        version: 1
        network: { subnet: 192.168.10.0/24, gateway: 192.168.10.1, dns: [192.168.10.1, 9.9.9.9] }
        cluster: { kind: k3s }
        roles: [camera]
        nodes:
          - { mac: 'DC-A6-32-01-02-03', serial: 10000000abcd0001, hostname: node1, role: control-plane, ip: 192.168.10.11 }
          - { mac: [dca6.3201.0204, 'dc:a6:32:1:2:5'], hostname: node2, role: worker }
          - { serial: ABCD-0003, hostname: node3, role: camera, ip: 192.168.10.13/25 }

        """;

    private const string Validate = """
        import json, sys, yaml, jsonschema
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft202012Validator.check_schema(schema)
        for error in list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))))[:1]:
            print(error.json_path, error.message)
        """;

    [Test]
    public void A_node_has_its_cards_in_one_notation_its_serial_number_its_address_and_its_part_in_the_cluster()
    {
        var file = NodesReader.Parse(Good, "nodes.yaml");

        Assert.That(file.Nodes.Select(node => (node.Name, string.Join(' ', node.Macs), node.Serial, $"{node.Address}/{node.PrefixLength}", node.Join)), Is.EqualTo(new[]
        {
            ("node1", "dc:a6:32:01:02:03", "10000000abcd0001", "192.168.10.11/24", NodeJoin.Init),
            ("node2", "dc:a6:32:01:02:04 dc:a6:32:01:02:05", (string?)null, "/", NodeJoin.Agent),
            ("node3", "", "abcd-0003", "192.168.10.13/25", NodeJoin.None),
        }));
        Assert.That((file.Cluster, file.Endpoint), Is.EqualTo((ClusterKind.K3s, "192.168.10.11:6443")));
        Assert.That(file.Warnings, Is.Empty);
    }

    [Test]
    public void A_list_of_macs_names_and_roles_alone_is_enough()
    {
        var file = NodesReader.Parse("nodes:\n  - { mac: 'dc:a6:32:01:02:03', hostname: node1, role: control-plane, ip: 10.0.0.1 }\n  - { mac: 'dc:a6:32:01:02:04', hostname: node2, role: worker }\n", "nodes.yaml");

        Assert.That(file.Nodes.Select(node => (node.Role, node.Join)), Is.EqualTo(new[] { ("control-plane", NodeJoin.None), ("worker", NodeJoin.None) }), "setup.sh knows what to do");
        Assert.That(file.Warnings.Select(warning => (warning.Where, warning.What)), Is.EqualTo(new[]
        {
            ("nodes.yaml:2:75, nodes[0].ip", "The address of node1 isn't set on the machine, since nothing says how long its subnet's prefix is: setup.sh gets it, and DHCP has to give it"),
        }));
    }

    [TestCase("dc:a6:32:01:02:03")]
    [TestCase("DC-A6-32-01-02-03")]
    [TestCase("dca6.3201.0203")]
    [TestCase("dca6:3201:0203")]
    [TestCase("DCA632010203")]
    [TestCase("dc:a6:32:1:2:3")]
    public void A_mac_may_be_written_as_any_tool_writes_it(string text)
    {
        Assert.That(MacAddress.TryParse(text, out var address), Is.True);
        Assert.That((address!.ToString(), address.WithDashes), Is.EqualTo(("dc:a6:32:01:02:03", "dc-a6-32-01-02-03")));
    }

    [TestCase("")]
    [TestCase("dc:a6:32:01:02")]
    [TestCase("dc:a6:32:01:02:03:04")]
    [TestCase("dc:a6:32:01:02-03")]
    [TestCase("dc:a6:32:01:02:0g")]
    [TestCase("dc:a6:32:01:02:03\n")]
    public void What_has_other_digits_or_another_number_of_them_is_no_mac(string text) => Assert.That(MacAddress.TryParse(text, out _), Is.False);

    [TestCase("version: 1", "version: 2", "nodes.yaml:1:10, version", "another version of Crust")]
    [TestCase("10.0/24", "10.5/24", "nodes.yaml:2:20, network.subnet", "isn't a subnet")]
    [TestCase("gateway: 192.168.10.1,", "gateway: 192.168.11.1,", "nodes.yaml:2:46, network.gateway", "isn't in the subnet 192.168.10.0/24")]
    [TestCase("subnet: 192.168.10.0/24, ", "", "nodes.yaml:2:21, network.gateway", "no subnet that it is the gateway of")]
    [TestCase("9.9.9.9", "9.9.9", "nodes.yaml:2:65, network.dns", "'9.9.9' isn't an address")]
    [TestCase("kind: k3s", "kind: k8s", "nodes.yaml:3:18, cluster.kind", "nothing that a cluster is made with")]
    [TestCase("kind: k3s", "kind: k3s, endpoint: 'https://x'", "nodes.yaml:3:33, cluster.endpoint", "no host and port")]
    [TestCase("[camera]", "[camera, worker]", "nodes.yaml:4:8, roles", "The role worker is known without it")]
    [TestCase("[camera]", "[Camera]", "nodes.yaml:4:8, roles", "can't be a role's name")]
    [TestCase("DC-A6-32-01-02-03", "DC-A6-32-01-02", "nodes.yaml:6:12, nodes[0].mac", "isn't a MAC address")]
    [TestCase("DC-A6-32-01-02-03", "01-00-5e-01-02-03", "nodes.yaml:6:12, nodes[0].mac", "it is that of a group")]
    [TestCase("DC-A6-32-01-02-03", "00-00-00-00-00-00", "nodes.yaml:6:12, nodes[0].mac", "No card has the MAC address")]
    [TestCase("dca6.3201.0204", "dc:a6:32:01:02:03", "nodes.yaml:7:12, nodes[1].mac", "The MAC address dc:a6:32:01:02:03 is there twice: with node1, too (nodes.yaml:6:5, nodes[0])")]
    [TestCase("serial: ABCD-0003", "serial: abcd0001", "nodes.yaml:8:15, nodes[2].serial", null)]
    [TestCase("serial: ABCD-0003", "serial: None", "nodes.yaml:8:15, nodes[2].serial", "what firmware says where there is no serial number")]
    [TestCase("serial: ABCD-0003", "serial: To be filled by O.E.M.", "nodes.yaml:8:15, nodes[2].serial", "can't be a serial number")]
    [TestCase("serial: ABCD-0003, ", "", "nodes.yaml:8:17, nodes[2].hostname", "Nothing says which machine node3 is")]
    [TestCase("hostname: node2", "hostname: node1", "nodes.yaml:7:58, nodes[1].hostname", "The host name node1 is there twice (nodes.yaml:6:5, nodes[0])")]
    [TestCase("hostname: node2", "hostname: Node2", "nodes.yaml:7:58, nodes[1].hostname", "can't be a node's host name")]
    [TestCase("role: worker", "role: wroker", "nodes.yaml:7:71, nodes[1].role", "There is no role 'wroker'")]
    [TestCase("role: worker", "role: worker, rol: x", "nodes.yaml:7:79, nodes[1].rol", "There is no key 'rol' here")]
    [TestCase("role: worker", "role: cluster, ip: 192.168.10.11", "nodes.yaml:7:84, nodes[1].ip", "The address 192.168.10.11 is there twice: with node1, too")]
    [TestCase("10.13/25", "11.13/25", "nodes.yaml:8:61, nodes[2].ip", "lies outside the subnet 192.168.10.0/24")]
    [TestCase("10.13/25", "10.255", "nodes.yaml:8:61, nodes[2].ip", "the subnet's own, or its broadcast address")]
    [TestCase("10.13/25", "10.1", "nodes.yaml:8:61, nodes[2].ip", "is the gateway's")]
    [TestCase("10.13/25", "10.13/33", "nodes.yaml:8:61, nodes[2].ip", "no length of a prefix")]
    [TestCase("role: control-plane", "role: worker", "nodes.yaml:6:3, nodes", "There is no control plane")]
    public void What_is_wrong_is_said_with_line_and_column(string what, string instead, string where, string? says)
    {
        var text = Good.Replace(what, instead);

        Assert.That(text, Is.Not.EqualTo(Good));
        var error = Assert.Throws<CrustException>(() => NodesReader.Parse(text, "nodes.yaml"))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.Where, Is.EqualTo(where), error.Message);
        Assert.That(error.What, Does.Contain(says ?? ""), error.Message);
    }

    [TestCase("role: worker", "role: control-plane, ip: 192.168.10.12", "There are 2 control planes, and etcd survives the loss of no more of them than with 1")]
    [TestCase("gateway: 192.168.10.1, ", "", "node1 has a fixed address and no gateway: it reaches its own subnet alone")]
    [TestCase(", ip: 192.168.10.11", "", "Nodes join node1 by its name, which has to be in their DNS")]
    public void What_works_and_is_probably_not_meant_is_a_warning(string what, string instead, string warning)
    {
        var text = Good.Replace(what, instead);

        Assert.That(text, Is.Not.EqualTo(Good));
        Assert.That(NodesReader.Parse(text, "nodes.yaml").Warnings.Select(one => one.What), Is.EqualTo(new[] { warning }));
    }

    [Test]
    public void Workers_alone_are_an_error_in_a_cluster_and_a_warning_where_their_control_plane_may_be_elsewhere()
    {
        var file = NodesReader.Parse("nodes:\n  - { mac: 'dc:a6:32:01:02:04', hostname: node2, role: worker }\n", "nodes.yaml");

        Assert.That(file.Warnings.Single().What, Is.EqualTo("There is no control plane"));
    }

    [Test]
    public void The_table_has_a_line_for_each_node_and_no_empty_field() => Assert.That(NodesTable.Of(NodesReader.Parse(Good, "nodes.yaml")), Is.EqualTo(
        "# crust-nodes 1\n" +
        "cluster\tk3s\t192.168.10.11:6443\n" +
        "node\tnode1\tdc:a6:32:01:02:03\t10000000abcd0001\t192.168.10.11/24\t192.168.10.1\t192.168.10.1,9.9.9.9\tcontrol-plane\tinit\n" +
        "node\tnode2\tdc:a6:32:01:02:04,dc:a6:32:01:02:05\t-\t-\t-\t-\tworker\tagent\n" +
        "node\tnode3\t-\tabcd-0003\t192.168.10.13/25\t192.168.10.1\t192.168.10.1,9.9.9.9\tcamera\tnone\n"));

    [Test]
    public async Task The_command_prints_the_table_warns_and_is_strict_where_that_is_wanted()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, Good.Replace("gateway: 192.168.10.1, ", ""));
            var run = await CommandLineRun.OfAsync("nodes", path);
            var strict = await CommandLineRun.OfAsync("nodes", path, "--strict");

            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That(run.Output, Does.StartWith(NodesTable.Header + "\n"));
            Assert.That(run.Error, Does.StartWith("warning: ").And.Contain("no gateway").And.Contain(":6:"));
            Assert.That((strict.Code, strict.Output), Is.EqualTo((2, "")));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void The_schema_in_the_docs_is_that_of_the_code() => RepositoryFile.MustEqual("docs/nodes.schema.json", NodesSchema.ToJson());

    [TestCase("", "", true)]
    [TestCase("version: 1", "version: 2", false)]
    [TestCase("kind: k3s", "kind: k8s", false)]
    [TestCase("hostname: node2", "hostname: Node2", false)]
    [TestCase("DC-A6-32-01-02-03", "DC-A6-32-01-02", false)]
    [TestCase("role: worker", "role: worker, rol: x", false)]
    [TestCase("serial: ABCD-0003, ", "", false)]
    public async Task The_schema_says_the_same_as_the_reader(string what, string instead, bool isGood)
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, what.Length == 0 ? Good : Good.Replace(what, instead));
            var result = await new ToolBox(["/usr/bin", "/bin"], Logger.None).RunAsync(ToolCommand.Of("python3", "-c", Validate, RepositoryFile.PathOf("docs/nodes.schema.json"), path), CancellationToken.None);

            Assert.That(result.Output.Length == 0, Is.EqualTo(isGood), result.Output);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
