using Crust.Formats;
using Crust.Formats.Vmdk;
using Crust.Tests.Spec;

namespace Crust.Tests.Formats;

public sealed class FormatDocsTests
{
    [Test]
    public void Each_format_is_in_the_table_with_its_extension()
    {
        var page = File.ReadAllText(RepositoryFile.PathOf("docs/formats.md"));

        Assert.That(ImageFormats.All.Where(format => !page.Contains($"`{format.Name}`") || !page.Contains($"| `{format.Extension}` |")).Select(format => format.Name), Is.Empty);
    }

    [Test]
    public void The_descriptor_is_as_it_is_written() => RepositoryFile.MustHold("docs/formats.md", "vmdk descriptor",
        "```\n" + VmdkDescriptor.For(100L << 21, "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210", "edge.vmdk") + "```\n");
}
