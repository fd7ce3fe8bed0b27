using Crust.Fleet;
using Crust.Planning;

namespace Crust.Tests.Planning;

public sealed class FleetPlanTests
{
    private static readonly NodesFile Ten = NodesReader.Parse("nodes:\n" + string.Concat(Enumerable.Range(0, 10).Select(i => $"- {{ mac: '02:00:00:00:00:0{i}', hostname: n{i}, role: control-plane }}\n")), "my nodes.yaml");

    [Test]
    public void All_nodes_are_in_one_part_each()
    {
        var plan = FleetPlan.Of(Ten, 4, null);

        Assert.That(plan.ToLines(), Is.EqualTo("1/3\tmy nodes.yaml\n2/3\tmy nodes.yaml\n3/3\tmy nodes.yaml\n"));
        Assert.That(plan.Include.Select(part => part.Count), Is.EqualTo(new[] { 4, 3, 3 }));
    }

    [Test]
    public void A_limit_makes_parts_larger_and_leaves_no_node_out() =>
        Assert.That(FleetPlan.Of(Ten, 1, 2).ToJson(), Is.EqualTo("{\"include\":[{\"nodes\":\"my nodes.yaml\",\"shard\":\"1/2\",\"count\":5},{\"nodes\":\"my nodes.yaml\",\"shard\":\"2/2\",\"count\":5}]}\n"));
}
