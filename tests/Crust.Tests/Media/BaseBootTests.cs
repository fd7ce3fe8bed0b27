using Crust.Media;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Tests.Media;

public sealed class BaseBootTests
{
    [Test]
    public void Links_are_followed_inside_the_base()
    {
        var boot = BaseBoot.Of(LiveSample.Base, "edge");

        Assert.That((boot.Kernel.Path, boot.Initrd.Path, boot.Version), Is.EqualTo(("boot/vmlinuz-6.1.0-18-amd64", "boot/initrd.img-6.1.0-18-amd64",
            "6.1.0-18-amd64")));
        Assert.That(boot.Others, Is.Empty);
        Assert.That(boot.ModulesIn(LiveSample.Base), Is.EqualTo("usr/lib/modules/6.1.0-18-amd64"));
    }

    [Test]
    public void The_link_decides_between_kernels_and_the_initramfs_is_that_of_the_kernel()
    {
        var tree = LiveSample.Base.With(
            LiveSample.File("boot/vmlinuz-6.5.0", "newer"), LiveSample.File("boot/initrd.img-6.5.0", "newer"), TreeEntry.Folder("usr/lib/modules/6.5.0"),
                TreeEntry.Symlink("boot/initrd", "initrd.img-6.5.0"));

        var boot = BaseBoot.Of(tree, "edge");

        Assert.That((boot.Kernel.Path, boot.Initrd.Path), Is.EqualTo(("boot/vmlinuz-6.1.0-18-amd64", "boot/initrd.img-6.1.0-18-amd64")));
        Assert.That(boot.Others, Is.EqualTo(new[] { "boot/vmlinuz-6.5.0" }));
    }

    [Test]
    public void Kernels_that_were_put_aside_are_none()
    {
        var tree = LiveSample.Base.With(LiveSample.File("boot/vmlinuz-6.0.0.old", "old"), LiveSample.File("boot/initrd.img-6.1.0-18-amd64kdump", "kdump"));

        Assert.That(BaseBoot.Of(tree, "edge").Others, Is.Empty);
    }

    [Test]
    public void A_link_that_leads_nowhere_is_no_kernel()
    {
        var tree = FileTree.Empty.With(TreeEntry.Symlink("boot/vmlinuz", "/etc/hostname-of-nobody"));

        var error = Assert.Throws<CrustException>(() => BaseBoot.Of(tree, "edge"))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "edge")));
        Assert.That(error.What, Does.StartWith("The base has no kernel in /boot"));
    }

    [Test]
    public void A_kernel_without_an_initramfs_is_refused()
    {
        var error = Assert.Throws<CrustException>(() => BaseBoot.Of(FileTree.Empty.With(LiveSample.File("boot/Image", "kernel")), "edge"))!;

        Assert.That(error.What, Does.StartWith("The base has no initramfs in /boot"));
        Assert.That(error.Remedy, Does.Contain("dracut"));
    }

    [Test]
    public void The_loaders_are_the_signed_ones_for_media()
    {
        var loaders = EfiLoaders.Of(LiveSample.Base, Arch.Amd64, "edge");

        Assert.That((loaders.Shim?.Path, loaders.Grub.Path, loaders.Manager, loaders.IsSigned),
            Is.EqualTo(("usr/lib/shim/shimx64.efi.signed", "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", (TreeEntry?)null, true)));
    }

    [Test]
    public void Loaders_of_another_architecture_are_none()
    {
        var error = Assert.Throws<CrustException>(() => EfiLoaders.Of(LiveSample.Base, Arch.Arm64, "edge"))!;

        Assert.That(error.What, Does.Contain("usr/lib/grub/arm64-efi-signed/gcdaa64.efi.signed"));
    }
}
