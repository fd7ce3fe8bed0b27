using Crust.Disks;

namespace Crust.Tests.Disks;

public sealed class DiskPatchTests
{
    private static readonly DiskPatch[] Patches = [new(4095, new byte[] { 1, 2 }), new(20_000, new byte[9000]), new(100, ReadOnlyMemory<byte>.Empty)];

    [Test]
    public void The_units_that_patches_touch_are_each_told_once_and_in_order() =>
        Assert.That(DiskPatch.UnitsOf(Patches, 4096), Is.EqualTo(new long[] { 0, 1, 4, 5, 6, 7 }));

    [Test]
    public void Units_that_follow_one_another_are_a_run() =>
        Assert.That(DiskPatch.RunsOf(Patches, 4096), Is.EqualTo(new[] { (0L, 2), (4L, 4) }));

    [Test]
    public void A_buffer_gets_what_lies_in_it_of_each_patch()
    {
        var buffer = Enumerable.Repeat((byte)9, 10).ToArray();

        DiskPatch.Apply([new DiskPatch(98, new byte[] { 1, 2, 3 }), new DiskPatch(108, new byte[] { 4, 5, 6 }), new DiskPatch(500, new byte[] { 7 })], buffer, 100);

        Assert.That(buffer, Is.EqualTo(new byte[] { 3, 9, 9, 9, 9, 9, 9, 9, 4, 5 }));
    }
}
