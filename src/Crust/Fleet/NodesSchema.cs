using System.Text.Json.Nodes;
using Crust.Spec;
using static Crust.Spec.SchemaParts;

namespace Crust.Fleet;

/// <summary>The JSON Schema of `nodes.yaml`, for editors. What entries must not share, no schema can say: `crust nodes` does.</summary>
internal static class NodesSchema
{
    /// <summary>The schema (JSON Schema, draft 2020-12) as indented JSON with a line break at its end.</summary>
    public static string ToJson() => Document("The machines of a fleet", Keys(["nodes"],
    [
        ("version", new JsonObject { ["description"] = "The version of this format; 1 if it isn't there", ["enum"] = new JsonArray(1, "1") }),
        ("network", Described("The network in which nodes have fixed addresses", Keys([],
        [
            ("subnet", Text("Its first address and the length of its prefix: 192.168.10.0/24", "^[0-9A-Fa-f.:]+/[0-9]{1,3}$")),
            ("gateway", Address("The router, in the subnet")),
            ("dns", Several(Address("The resolvers"))),
        ]))),
        ("cluster", Described("The cluster that the nodes are", Keys(["kind"],
        [
            ("kind", OneOf("What it is made with; none leaves it to setup.sh", ["k3s", "kubeadm", "none"])),
            ("endpoint", Text("Where nodes join: host and port; the node that begins the cluster if it isn't there", Whole(NodesReader.EndpointPattern))),
        ]))),
        ("roles", Texts("Roles of your own, beside those that are known: setup.sh gets them as NODE_ROLE", Whole(NodesReader.RolePattern))),
        ("nodes", Nodes()),
    ]));

    private static JsonObject Nodes()
    {
        var node = Keys(["hostname", "role"],
        [
            ("mac", Several(Text("The MAC addresses of its cards, in any notation", Whole(MacAddress.Pattern)))),
            ("serial", Value("Its serial number, as the device tree or DMI has it; in quotes where it looks like a number")),
            ("hostname", Text("Its host name: lower-case letters, digits and dashes", Whole(NodesReader.NamePattern))),
            ("role", Text($"What it is: {Nearest.Or([.. NodeRole.Known.Keys])}, or one of roles", Whole(NodesReader.RolePattern))),
            ("ip", Text("Its fixed address, also with the length of its prefix; by DHCP if it isn't there", "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$")),
        ]);
        node["anyOf"] = new JsonArray(new JsonObject { ["required"] = new JsonArray("mac") }, new JsonObject { ["required"] = new JsonArray("serial") });
        var list = List("The machines", node);
        list["minItems"] = 1;
        return list;
    }

    private static JsonObject Address(string description) => Text(description, "^[0-9A-Fa-f.:]+$");

    // 10000000 is a number to YAML; the text is what counts.
    private static JsonObject Value(string description) => new() { ["description"] = description, ["type"] = new JsonArray("string", "integer") };

    private static JsonObject Described(string description, JsonObject schema)
    {
        schema["description"] = description;
        return schema;
    }
}
