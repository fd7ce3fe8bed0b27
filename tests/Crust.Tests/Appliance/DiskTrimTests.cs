using Crust.Appliance;
using Crust.Disks;

namespace Crust.Tests.Appliance;

public sealed class DiskTrimTests
{
    // As qemu-img 7.2 prints them: a line for each range, the first behind '[', the last before ']'.
    [TestCase("""[{ "start": 0, "length": 65536, "depth": 1, "present": true, "zero": false, "data": true, "offset": 0},""", TestName = "Data of the disk itself stays")]
    [TestCase("""{ "start": 65536, "length": 65536, "depth": 1, "present": true, "zero": true, "data": false, "offset": 65536},""", TestName = "A hole of the disk is one already")]
    [TestCase("""{ "start": 131072, "length": 16384, "depth": 0, "present": true, "zero": false, "data": true, "offset": 327680},""", TestName = "What the appliance wrote reaches nobody")]
    [TestCase("", TestName = "An empty line is none")]
    [TestCase("]", TestName = "The end of the list is none")]
    [TestCase("qemu-img: warning: something", TestName = "What qemu-img says beside is none")]
    public void Nothing_is_discarded(string line) => Assert.That(DiskTrim.ReadDiscarded(line), Is.Empty);

    [Test]
    public void What_the_appliance_discarded_is_the_overlays_own_zeros() =>
        Assert.That(DiskTrim.ReadDiscarded("""{ "start": 147456, "length": 32768, "depth": 0, "present": true, "zero": true, "data": false}]"""),
            Is.EqualTo(new[] { new Extent(147456, 32768) }));
}
