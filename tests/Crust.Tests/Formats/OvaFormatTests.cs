using System.Text.RegularExpressions;
using Crust.Formats;
using Crust.Formats.Ova;
using Crust.Spec;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Spec;

namespace Crust.Tests.Formats;

[CancelAfter(120_000)]
public sealed partial class OvaFormatTests : ImageFixture
{
    [Test]
    public async Task It_holds_the_descriptor_first_then_the_manifest_and_the_vmdk_of_which_that_tells()
    {
        var written = await Images.WriteAsync(["ova", "vmdk"], new EventList());
        await SampleImages.RunAsync("tar", "-C", Images.Disk.Folder, "-xf", written[0].Path);

        Assert.That(await SampleImages.RunAsync("tar", "-tf", written[0].Path), Is.EqualTo("edge.ovf\nedge.mf\nedge.vmdk\n"));
        await SampleImages.RunAsync("cmp", Images.Disk.FileFor("edge.vmdk"), written[1].Path);
        var lines = ManifestLine().Matches(await File.ReadAllTextAsync(Images.Disk.FileFor("edge.mf"), Cancellation));
        Assert.That(lines.Select(line => line.Groups["file"].Value), Is.EqualTo(new[] { "edge.ovf", "edge.vmdk" }));
        foreach (Match line in lines)
        {
            Assert.That(await SampleImages.RunAsync("sha256sum", Images.Disk.FileFor(line.Groups["file"].Value)), Does.StartWith(line.Groups["sum"].Value));
        }
    }

    [Test]
    public async Task The_descriptor_is_XML_and_tells_the_files_as_they_are()
    {
        var image = await Images.WriteAsync("ova");
        await SampleImages.RunAsync("tar", "-C", Images.Disk.Folder, "-xf", image.Path);

        Assert.That(await XPathAsync("concat(//*[local-name()='File']/@*[local-name()='href'], ' ', //*[local-name()='File']/@*[local-name()='size'])"),
            Is.EqualTo($"edge.vmdk {new FileInfo(Images.Disk.FileFor("edge.vmdk")).Length}\n"));
        Assert.That(await XPathAsync("string(//*[local-name()='Disk']/@*[local-name()='capacity'])"), Is.EqualTo($"{Images.Disk.Installed.Size}\n"));
    }

    [Test]
    public void The_descriptor_of_a_machine() => RepositoryFile.MustEqual("tests/Crust.Tests/Golden/ova/edge.ovf",
        OvfDescriptor.For("edge", new MachineSpec { Cpus = 4, Memory = 8L << 30 }, 100L << 30, "edge.vmdk", 702545920));

    [Test]
    public void The_descriptor_of_a_machine_with_Secure_Boot_and_a_TPM() => RepositoryFile.MustEqual("tests/Crust.Tests/Golden/ova/secure.ovf",
        OvfDescriptor.For("edge", new MachineSpec { Cpus = 4, Memory = 8L << 30, Firmware = Firmware.UefiSecure, Tpm = true }, 100L << 30, "edge.vmdk", 702545920));

    [Test]
    public void A_TPM_without_UEFI_is_nothing_that_VMware_has() =>
        Assert.That(OvfDescriptor.For("x", new MachineSpec { Tpm = true }, 1, "x", 1), Does.Not.Contain("vtpm").And.Not.Contain("efiSecureBoot").And.Contain("vmx-13"));

    [Test]
    public void A_machine_of_another_kind_is_told_as_such()
    {
        var text = OvfDescriptor.For("a<b>&\"c\"", new MachineSpec { Arch = Arch.Arm64, Firmware = Firmware.Uefi }, 1, "x", 1);

        Assert.That(text, Does.Contain("vmw:key=\"firmware\" vmw:value=\"efi\"").And.Not.Contain("osType").And.Contain("<Name>a&lt;b&gt;&amp;&quot;c&quot;</Name>"));
    }

    [Test]
    public async Task QEMU_reads_the_disk_where_it_is()
    {
        var image = await Images.WriteAsync("ova");

        await Images.MustBeTheDiskAsync(await image.Format.OpenAsync(image.Path, Images.Disk.Folder, SampleDisk.Tools, Cancellation));
    }

    [Test]
    public async Task The_same_disk_gives_the_same_bytes_whether_the_vmdk_is_asked_for_or_not()
    {
        using var again = new SampleImages();

        var both = await Images.WriteAsync(["vmdk", "ova"], new EventList());
        var alone = await again.WriteAsync("ova");

        Assert.That(alone.Sha256, Is.EqualTo(both[1].Sha256));
        Assert.That(await SampleImages.RunAsync("sha256sum", alone.Path), Does.StartWith(alone.Sha256));
        Assert.That(again.Files, Is.EqualTo(new[] { "edge.ova" }));
    }

    [TestCase("")]
    [TestCase("garbage")]
    public async Task Something_else_is_told(string content)
    {
        var path = Images.Disk.FileFor("x.ova");
        await File.WriteAllTextAsync(path, content);

        var error = (await Assert.ThrowsAsync<CrustException>(() => ImageFormats.Named("ova").OpenAsync(path, Images.Disk.Folder, SampleDisk.Tools, Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, path)));
    }

    private Task<string> XPathAsync(string expression) => SampleImages.RunAsync("xmllint", "--xpath", expression, Images.Disk.FileFor("edge.ovf"));

    [GeneratedRegex(@"^SHA256\((?<file>[^)]+)\)= (?<sum>[0-9a-f]{64})$", RegexOptions.Multiline)]
    private static partial Regex ManifestLine();
}
