using Crust.Appliance;

namespace Crust.Tests.Appliance;

public sealed class KernelModulesTests
{
    private const string Dependencies = """
        kernel/drivers/scsi/sd_mod.ko: kernel/drivers/scsi/scsi_mod.ko kernel/drivers/scsi/scsi_common.ko
        kernel/drivers/scsi/scsi_mod.ko: kernel/drivers/scsi/scsi_common.ko
        kernel/drivers/scsi/scsi_common.ko:
        kernel/drivers/usb/host/xhci-pci.ko: kernel/drivers/usb/host/xhci-hcd.ko
        kernel/drivers/usb/host/xhci-hcd.ko:
        kernel/fs/nls/nls_utf8.ko.xz:

        """;

    private const string BuiltIn = "kernel/drivers/input/serio/i8042.ko\n";

    private static IReadOnlyList<string> Resolve(params string[] wanted) => new KernelModules(Dependencies, BuiltIn).Resolve(wanted);

    [Test]
    public void A_module_brings_all_that_it_depends_on() => Assert.That(Resolve("sd_mod"), Is.EqualTo(new[]
    {
        "kernel/drivers/scsi/scsi_common.ko",
        "kernel/drivers/scsi/scsi_mod.ko",
        "kernel/drivers/scsi/sd_mod.ko",
    }));

    [Test]
    public void What_two_modules_share_comes_once() =>
        Assert.That(Resolve("scsi_mod", "sd_mod"), Is.EqualTo(Resolve("sd_mod")));

    [Test]
    public void Dashes_and_underscores_are_the_same() =>
        Assert.That(Resolve("xhci_pci"), Is.EqualTo(Resolve("xhci-pci")).And.Count.EqualTo(2));

    [Test]
    public void A_folder_stands_for_all_modules_in_it() =>
        Assert.That(Resolve("drivers/usb/"), Is.EqualTo(new[] { "kernel/drivers/usb/host/xhci-hcd.ko", "kernel/drivers/usb/host/xhci-pci.ko" }));

    [Test]
    public void A_compressed_module_is_found_by_its_name() =>
        Assert.That(Resolve("nls_utf8"), Is.EqualTo(new[] { "kernel/fs/nls/nls_utf8.ko.xz" }));

    [Test]
    public void A_module_that_is_built_in_needs_no_file() => Assert.That(Resolve("i8042"), Is.Empty);

    [Test]
    public void A_module_that_the_kernel_does_not_have_is_named_with_the_list() =>
        Assert.That(() => Resolve("sd_mod", "floopy"), Throws.TypeOf<CrustException>()
            .With.Message.Contains("'floopy'").And.Message.Contains("modules.list"));
}
