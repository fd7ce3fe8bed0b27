using Crust.Formats;
using Crust.Formats.Netboot;
using Crust.Spec;

namespace Crust.Tests.Formats;

/// <summary>The archive of the format netboot, of small roots, read by tar and cpio.</summary>
[CancelAfter(300_000)]
public sealed class NetbootFormatTests : ImageFixture
{
    private const string Pi = "boot/bcm2711-rpi-4-b.dtb";

    private string Version => Directory.GetDirectories(Unpacked("netboot/versions")).Single();

    [Test]
    public async Task A_PC_gets_the_newest_kernel_and_an_initramfs_with_the_scripts_behind_the_distributions_own()
    {
        var root = Root();
        await WriteAsync(root);

        Assert.That(Files(), Is.EqualTo(new[] { "boot/grubx64.efi", "boot/initrd.img", "boot/shimx64.efi", "boot/vmlinuz", "fstab", "root.tar.zst", "version" }));
        Assert.That(Read("boot/vmlinuz"), Is.EqualTo("kernel 6.12"));
        Assert.That(Read("version"), Is.EqualTo("name=edge\narch=amd64\nkernel=6.12.0-1\nconsoles=console=tty0 console=ttyS0,115200\n"));
        Assert.That(Read("fstab").Split('\n').Where(line => line.Length > 0 && line[0] != '#'), Is.Empty);
        var initramfs = await File.ReadAllBytesAsync(Path.Combine(Version, "boot/initrd.img"));
        Assert.That(initramfs.AsSpan().StartsWith("initramfs 6.12\0\0"u8), "the first archive, filled up to four bytes");
        await SampleImages.RunAsync("sh", "-c", $"mkdir '{Unpacked("cpio")}' && cd '{Unpacked("cpio")}' && tail -c +17 '{Version}/boot/initrd.img' | cpio -idm --quiet");
        Assert.That(File.ReadAllText(Unpacked("cpio/scripts/nfs-bottom/ORDER")), Does.StartWith("/scripts/nfs-bottom/crust-netboot \"$@\"\n"));
        Assert.That(File.ReadAllText(Unpacked("cpio/crust/overlay.ko")), Is.EqualTo("overlay 6.12"));
        Assert.That(File.GetUnixFileMode(Unpacked("cpio/scripts/nfs-bottom/crust-netboot")).HasFlag(UnixFileMode.UserExecute));
        Assert.That(File.GetUnixFileMode(Unpacked("netboot/netboot")).HasFlag(UnixFileMode.UserExecute));
        await SampleImages.RunAsync("sh", "-c", $"zstd -q -dc '{Version}/root.tar.zst' | cmp - '{root.Archive}'");
    }

    [Test]
    public async Task A_Raspberry_Pi_gets_a_compressed_kernel_device_trees_of_that_kernel_and_its_firmware()
    {
        await WriteAsync(PiRoot(), Arch.Arm64);

        Assert.That(Files(), Is.EqualTo(new[]
        {
            Pi, "boot/bcm2712-rpi-5-b.dtb", "boot/config.txt", "boot/fixup4.dat", "boot/initrd.img", "boot/overlays/README", "boot/start4.elf", "boot/vmlinuz", "fstab", "root.tar.zst", "version",
        }));
        Assert.That(await SampleImages.RunAsync("gzip", "-dc", Path.Combine(Version, "boot/vmlinuz")), Is.EqualTo("kernel 6.12"));
        Assert.That(Read(Pi), Is.EqualTo("tree of 6.12"));
        Assert.That(Read("boot/start4.elf"), Is.EqualTo("of the package"));
        Assert.That(Read("boot/config.txt"), Does.Contain("arm_64bit=1\n").And.Contain("kernel=vmlinuz\ninitramfs initrd.img\n"));
    }

    [Test]
    public async Task The_same_disk_gives_the_same_bytes_and_it_is_known_by_its_content()
    {
        var first = await WriteAsync(Root());
        var again = await Images.WriteAsync("netboot");

        var contents = (await ForeignImage.KindOf(again.Path).ReadContentsAsync(again.Path, Cancellation))!;

        Assert.That(again.Sha256, Is.EqualTo(first.Sha256));
        Assert.That(ForeignImage.KindOf(again.Path).Name, Is.EqualTo("netboot"));
        Assert.That((contents.What, contents.System, contents.Kernels.Single()), Is.EqualTo(("a tree for starting over the network", $"edge, amd64, version {Path.GetFileName(Version)}", "6.12.0-1")));
        Assert.That(Images.Files, Is.EqualTo(new[] { "edge.netboot.tar" }), "the archive that it wraps wasn't asked for");
    }

    [Test]
    public async Task One_that_is_cut_off_is_told()
    {
        var image = await WriteAsync(Root());
        await SampleImages.RunAsync("truncate", "-s", "-20000", image.Path);

        var error = (await Assert.ThrowsAsync<CrustException>(() => image.Format.ReadContentsAsync(image.Path, Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, image.Path)));
    }

    [TestCase("boot/vmlinuz-6.1.0-1,boot/vmlinuz-6.12.0-1", Arch.Amd64, "has no kernel /boot/vmlinuz-VERSION")]
    [TestCase("boot/initrd.img-6.12.0-1", Arch.Amd64, "The kernel 6.12.0-1 has no initramfs (/boot/initrd.img-6.12.0-1)")]
    [TestCase("usr/share/initramfs-tools/scripts/nfs", Arch.Amd64, "isn't made by initramfs-tools")]
    [TestCase("usr/lib/modules/6.12.0-1/dtb/broadcom/bcm2712-rpi-5-b.dtb,usr/lib/raspi-firmware/fixup4.dat", Arch.Arm64, "No Raspberry Pi starts with this system")]
    public async Task A_root_that_can_not_start_over_the_network_is_told_with_what_it_lacks(string missing, Arch arch, string what)
    {
        var root = PiRoot();
        foreach (var file in missing.Split(','))
        {
            File.Delete(Images.Disk.FileFor($"root/{file}"));
        }

        var error = (await Assert.ThrowsAsync<CrustException>(() => WriteAsync(root, arch)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "formats: netboot")));
        Assert.That(error.What, Does.Contain(what));
        Assert.That(error.Remedy, Does.StartWith("install "));
        Assert.That(Images.Files, Is.Empty);
    }

    [Test]
    public async Task What_old_EEPROMs_do_not_load_is_noted()
    {
        var root = PiRoot();
        using (var file = File.OpenWrite(Images.Disk.FileFor("root/boot/initrd.img-6.12.0-1")))
        {
            file.SetLength(NetbootTree.LargestOverTftp + 1);
        }

        await WriteAsync(root, Arch.Arm64);

        Assert.That(Read("version"), Does.Contain("note=initrd.img has more than 64.0 MiB, which Raspberry Pis with an EEPROM before 2025-09-23"));
    }

    private SampleRoot Root() => SampleRoot.ForNetboot(Images.Disk.FileFor("root"));

    private SampleRoot PiRoot()
    {
        var root = Root();
        root.Write("usr/lib/modules/6.12.0-1/dtb/broadcom/bcm2711-rpi-4-b.dtb", "tree of 6.12");
        root.Write("usr/lib/modules/6.12.0-1/dtb/broadcom/bcm2712-rpi-5-b.dtb", "tree of 6.12");
        root.Write("usr/lib/modules/6.12.0-1/dtb/broadcom/bcm2837-rpi-3-b.dtb", "of a board that isn't served");
        root.Write("usr/lib/modules/6.1.0-1/dtb/broadcom/bcm2711-rpi-4-b.dtb", "tree of 6.1");
        root.Write("usr/lib/raspi-firmware/start4.elf", "of the package");
        root.Write("usr/lib/raspi-firmware/fixup4.dat", "of the package");
        root.Write("usr/lib/raspi-firmware/overlays/README", "overlays");
        root.Write("boot/firmware/start4.elf", "of the disk");
        return root;
    }

    private async Task<DraftImage> WriteAsync(SampleRoot root, Arch arch = Arch.Amd64)
    {
        Images.Roots = root;
        Images.Spec = new BuildSpec { Machine = new MachineSpec { Arch = arch } };
        var image = await Images.WriteAsync("netboot");
        Directory.CreateDirectory(Unpacked(""));
        await SampleImages.RunAsync("tar", "-xf", image.Path, "-C", Unpacked(""));
        return image;
    }

    private string Unpacked(string path) => Path.Combine(Images.Disk.FileFor("unpacked"), path);

    private IEnumerable<string> Files() => Directory.EnumerateFiles(Version, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Version, file)).Order(StringComparer.Ordinal);

    private string Read(string path) => File.ReadAllText(Path.Combine(Version, path));
}
