using System.Text.Json;

namespace Crust.Tests.Machine.Boards;

/// <summary>
/// An image in the shape of Raspberry Pi OS (pi-gen, export-image/prerun.sh), made of Debian packages by a script: MBR with a disk id, FAT32 boot partition, ext4 root, both named by PARTUUID, packed
/// by xz. It stands in for those of Raspberry Pi OS and Ubuntu, goes through a build with a layer, and becomes the images of two nodes.
/// </summary>
[Category("Long")]
[CancelAfter(1_800_000)]
public sealed class PiVendorImageTests
{
    private const string CommandLine = "console=serial0,115200 console=tty1 root=PARTUUID=1234abcd-02 rootfstype=ext4 fsck.repair=yes rootwait quiet resize\n";
    private const string Fstab = "proc /proc proc defaults 0 0\nPARTUUID=1234abcd-01 /boot/firmware vfat defaults 0 2\nPARTUUID=1234abcd-02 / ext4 defaults,noatime 0 1\n";
    private const string BootOffset = "8388608";
    private const string RootOffset = "109051904";

    private readonly CrustProcess _crust = new() { CaresForDisks = true };

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown() => _crust.Dispose();

    [Test]
    public async Task A_layer_goes_on_top_of_it_and_each_nodes_image_names_its_partitions_by_an_id_of_its_own()
    {
        _crust.ShareDearThings();
        var sha256 = await MakeImageAsync();
        await WriteAsync("overlay/etc/crust-test", "on the root\n");
        await WriteAsync("overlay/boot/firmware/crust-test.txt", "on the boot partition\n");
        await WriteAsync("user-data.yaml", "#cloud-config\npackage_update: false\n");
        await WriteAsync("nodes.yaml", """
            nodes:
            - { mac: 'dc:a6:32:00:00:01', hostname: pi-1, role: control-plane }
            - { mac: 'dc:a6:32:00:00:02', hostname: pi-2, role: worker }
            """);
        await WriteAsync("crust.yaml", $$"""
            version: 1
            name: edge
            base: { image: raspios.img.xz, sha256: {{sha256}}, seedPartition: 960K }
            machine: { arch: arm64, disk: 1G }
            layers:
              - files: overlay
            formats: [img, img.zst]
            verify: { boot: false }
            """);

        var built = await _crust.RunAsync(Cancellation, "build");
        Assert.That(built.ExitCode, Is.Zero, built.Error);
        await CheckAsync(_crust.Image("edge.img"), "1234abcd");
        var table = await Host.RunAsync("sfdisk", ["--dump", _crust.Image("edge.img")], Cancellation);
        Assert.That(table, Does.Contain("img1 : start=       16384").And.Contain("img2 : start=      212992").And.Contain("img3 : start=        2048, size=        1920, type=da"));

        var fleet = await _crust.RunAsync(Cancellation, "fleet", "nodes.yaml", "--from", "images/edge.img.zst", "--as", "image", "--user-data", "user-data.yaml",
            "--inspect", "false", "--output", "fleet");
        Assert.That(fleet.ExitCode, Is.Zero, fleet.Error);
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(PathOf("fleet/fleet.json"), Cancellation));
        var ids = manifest.RootElement.GetProperty("nodes").EnumerateArray().ToDictionary(node => node.GetProperty("name").GetString()!, node => node.GetProperty("diskId").GetString()!);
        Assert.That(ids.Values, Is.Unique.And.None.EqualTo("1234abcd"));
        foreach (var (name, id) in ids)
        {
            await Host.RunAsync("zstd", ["-q", "-d", PathOf($"fleet/{name}.img.zst"), "-o", PathOf($"{name}.img")], Cancellation);
            await CheckAsync(PathOf($"{name}.img"), id);
            Assert.That(await Host.RunAsync("mtype", ["-i", PathOf($"{name}.img") + "@@1M", "::meta-data"], Cancellation), Does.Contain($"local-hostname: {name}\n"));
        }
    }

    // That MBR, command line and fstab say the same, that the rest is as it was, and that the layer is there.
    private static async Task CheckAsync(string image, string id)
    {
        Assert.That(await Host.RunAsync("sfdisk", ["--disk-id", image], Cancellation), Is.EqualTo($"0x{id}\n"));
        Assert.That(await OnBootAsync("cmdline.txt"), Is.EqualTo(CommandLine.Replace("1234abcd", id)));
        Assert.That(await OnBootAsync("crust-test.txt"), Is.EqualTo("on the boot partition\n"));
        Assert.That(await OnRootAsync("/etc/fstab"), Is.EqualTo(Fstab.Replace("1234abcd", id)));
        Assert.That(await OnRootAsync("/etc/crust-test"), Is.EqualTo("on the root\n"));
        // Metadata of ext4 has checksums: none is wrong.
        await Host.RunAsync("e2fsck", ["-f", "-n", $"{image}?offset={RootOffset}"], Cancellation);
        await Host.RunAsync("fsck.fat", ["-n", await PartAsync(image)], Cancellation);

        Task<string> OnBootAsync(string name) => Host.RunAsync("mtype", ["-i", $"{image}@@{BootOffset}", $"::{name}"], Cancellation);

        Task<string> OnRootAsync(string path) => Host.RunAsync("debugfs", ["-R", $"cat {path}", $"{image}?offset={RootOffset}"], Cancellation);
    }

    // fsck.fat knows no offset.
    private static async Task<string> PartAsync(string image)
    {
        await Host.RunAsync("dd", ["status=none", $"if={image}", $"of={image}.boot", "bs=1M", "skip=8", "count=96", "conv=sparse"], Cancellation);
        return image + ".boot";
    }

    /// <returns>Its SHA-256, as the file beside a download has it.</returns>
    private async Task<string> MakeImageAsync()
    {
        await WriteAsync("cmdline.txt", CommandLine);
        await WriteAsync("fstab", Fstab);
        await Host.RunAsync("sh", ["-ec", """
            mmdebstrap --quiet --variant=extract --architectures=arm64 --components=main,non-free-firmware --include=base-files,base-passwd,busybox-static,raspi-firmware trixie root.tar
            mkdir -p root boot/overlays
            tar -xf root.tar -C root --exclude='./dev/*'
            mv root/usr/lib/raspi-firmware/*.* boot/
            mkdir -p root/boot/firmware root/etc root/var/lib/dpkg root/proc root/sys root/dev root/run root/tmp
            cp fstab root/etc/fstab
            echo uninitialized >root/etc/machine-id
            printf 'arm_64bit=1\nauto_initramfs=1\ndtparam=audio=on\n\n[all]\n' >boot/config.txt
            cp cmdline.txt boot/
            for file in kernel8.img kernel_2712.img initramfs8 initramfs_2712; do head -c 3M /dev/urandom >boot/$file; done
            for file in bcm2711-rpi-4-b.dtb bcm2712-rpi-5-b.dtb; do head -c 40000 /dev/urandom >boot/$file; done
            truncate -s 512M raspios.img
            printf 'label: dos\nlabel-id: 0x1234abcd\nstart=16384, size=196608, type=c\nstart=212992, type=83\n' | sfdisk -q raspios.img
            truncate -s 96M boot.img
            mkfs.fat -F 32 -s 1 -n bootfs boot.img >/dev/null
            mcopy -s -i boot.img boot/* ::
            truncate -s 408M root.img
            mke2fs -q -t ext4 -O ^64bit,^huge_file -L rootfs -d root root.img
            dd status=none if=boot.img of=raspios.img bs=1M seek=8 conv=notrunc
            dd status=none if=root.img of=raspios.img bs=1M seek=104 conv=notrunc
            xz -1 -T2 raspios.img
            rm -rf root root.tar root.img boot boot.img
            """], _crust.Folder, Cancellation);
        return (await Host.RunAsync("sha256sum", ["raspios.img.xz"], _crust.Folder, Cancellation)).Split(' ')[0];
    }

    private string PathOf(string name) => Path.Combine(_crust.Folder, name);

    private Task WriteAsync(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        return File.WriteAllTextAsync(PathOf(name), text, Cancellation);
    }
}
