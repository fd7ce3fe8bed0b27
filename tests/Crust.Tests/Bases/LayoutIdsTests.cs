using Crust.Bases;
using Crust.Spec;

namespace Crust.Tests.Bases;

public sealed class LayoutIdsTests
{
    private static readonly BaseImage Root = new() { Source = "edge.tar", Path = "/edge.tar", Sha256 = new string('a', 64), Size = 1, BaseName = "edge", FileKind = "tar", IsRoot = true };

    [Test]
    public void The_same_root_on_the_same_disk_has_the_same_identities_and_no_two_are_alike()
    {
        var ids = LayoutIds.Of(Root, new MachineSpec(), DiskLayout.Gpt);

        Assert.That(LayoutIds.Of(Root with { Source = "elsewhere.tar", Path = "/x" }, new MachineSpec { Cpus = 7 }, DiskLayout.Gpt), Is.EqualTo(ids), "where it lies and who boots it play no part");
        Assert.That(ids.Select(id => id.Split('=')[1]).Distinct().Count(), Is.EqualTo(ids.Length));
        Assert.That(ids, Has.All.Match(@"\A[a-z-]+=[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z"));
    }

    [Test]
    public void A_disk_for_a_raspberry_pi_has_identities_of_its_own()
    {
        var ids = LayoutIds.Of(Root, new MachineSpec { Arch = Arch.Arm64 }, DiskLayout.RaspberryPi);

        Assert.That(ids.Select(id => id.Split('=')[0]), Is.EqualTo(new[] { "disk", "boot", "root", "hash-seed" }));
        Assert.That(ids.Intersect(LayoutIds.Of(Root, new MachineSpec { Arch = Arch.Arm64 }, DiskLayout.Gpt)), Is.Empty);
        Assert.That(ids.Select(id => id.Split('=')[1][..8]), Is.Unique.And.Not.Contain("00000000"), "an MBR's disk id is the first four bytes");
    }

    [Test]
    public void Another_root_or_another_disk_has_others()
    {
        var ids = LayoutIds.Of(Root, new MachineSpec(), DiskLayout.Gpt);

        Assert.That(LayoutIds.Of(Root with { Sha256 = new string('b', 64) }, new MachineSpec(), DiskLayout.Gpt).Intersect(ids), Is.Empty);
        Assert.That(LayoutIds.Of(Root, new MachineSpec { Disk = 1L << 30 }, DiskLayout.Gpt).Intersect(ids), Is.Empty);
        Assert.That(LayoutIds.Of(Root, new MachineSpec { Arch = Arch.Arm64 }, DiskLayout.Gpt).Intersect(ids), Is.Empty);
    }
}
