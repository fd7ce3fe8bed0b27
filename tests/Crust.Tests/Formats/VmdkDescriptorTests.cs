using System.Text;
using Crust.Formats.Vmdk;
using Crust.Tests.Spec;

namespace Crust.Tests.Formats;

public sealed class VmdkDescriptorTests
{
    private const string Content = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";

    [Test]
    public void The_descriptor_of_a_disk_of_100_GiB() =>
        RepositoryFile.MustEqual("tests/Crust.Tests/Golden/vmdk/descriptor-100G.txt", VmdkDescriptor.For(100L << 21, Content, "edge.vmdk"));

    [Test]
    public void It_begins_with_the_lines_by_which_VMware_knows_it() =>
        Assert.That(VmdkDescriptor.For(1, Content, "x.vmdk"), Does.StartWith("# Disk DescriptorFile\nversion=1\n"));

    [Test]
    public void It_fits_its_room_for_any_disk_and_name() =>
        Assert.That(Encoding.UTF8.GetBytes(VmdkDescriptor.For(long.MaxValue, new string('f', 64), new string('ü', 255))),
            Has.Length.LessThan(VmdkStructure.DescriptorSectors * VmdkStructure.Sector));

    [TestCase("edge 1.vmdk", "edge 1.vmdk")]
    [TestCase("kante-ü.vmdk", "kante-ü.vmdk")]
    [TestCase("a\"b\nc.vmdk", "a_b_c.vmdk")]
    public void The_extent_is_the_image_itself(string fileName, string written) =>
        Assert.That(VmdkDescriptor.For(1, Content, fileName), Does.Contain($"\nRDONLY 1 SPARSE \"{written}\"\n"));

    [Test]
    public void The_content_id_is_never_one_that_VMware_keeps_for_itself() =>
        Assert.That(VmdkDescriptor.For(1, new string('f', 64), "x.vmdk"), Does.Contain("CID=7fffffff\n"));

    [Test]
    public void The_long_content_id_ends_with_the_short_one() =>
        Assert.That(VmdkDescriptor.For(1, Content, "x.vmdk"), Does.Contain("CID=4cddeeff\n").And.Contain("ddb.longContentID = \"00112233445566778899aabb4cddeeff\"\n"));

    [TestCase(1, 1)]
    [TestCase(255 * 63 * 100, 100)]
    [TestCase(long.MaxValue, 65535)]
    public void Cylinders_are_within_what_the_geometry_can_say(long sectors, int cylinders) =>
        Assert.That(VmdkDescriptor.For(sectors, Content, "x.vmdk"), Does.Contain($"ddb.geometry.cylinders = \"{cylinders}\"\n"));
}
