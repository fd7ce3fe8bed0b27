using System.Text.Json;
using Crust.Tests.Machine.Inspection;

namespace Crust.Tests.Machine.Formats;

/// <summary>Root file systems of disks, packed by the real appliance, and judged by tar, bsdtar, getcap, getfattr and getfacl.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(600_000)]
public sealed class RootfsTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private SampleDisks Samples => new(_folder, Cancellation);

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-rootfs-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task All_that_the_system_mounts_is_in_both_archives_with_owners_attributes_capabilities_and_ACLs_and_the_same_each_time()
    {
        var disk = await MakeDiskAsync();
        using var crust = new CrustProcess();
        crust.ShareDearThings();

        var built = await crust.RunAsync(Cancellation, "build", "--base", disk, "--disk-size", "256M", "--format", "rootfs,rootfs.zst", "--name", "edge");

        Assert.That((built.ExitCode, built.Output), Is.EqualTo((0, "images/edge.rootfs.tar.gz\nimages/edge.rootfs.tar.zst\n")), built.Error);
        var (gzip, zstd) = (crust.Image("edge.rootfs.tar.gz"), crust.Image("edge.rootfs.tar.zst"));
        await ShellAsync($"gzip -dc '{gzip}' >'{_folder}/gzip.tar' && zstd -q -dc '{zstd}' >'{_folder}/zstd.tar' && cmp '{_folder}/gzip.tar' '{_folder}/zstd.tar'");

        // Two appliances have packed them, so this is the same twice; what tar gives back is what was put onto the disk.
        var tree = Directory.CreateDirectory(Samples.PathOf("unpacked")).FullName;
        await Host.RunAsync("tar", ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner", "-xpf", Samples.PathOf("zstd.tar"), "-C", tree], Cancellation);
        foreach (var look in new[]
        {
            "find . -path ./boot -prune -o ! -path './proc/*' ! -path './tmp/*' -printf '%p %y %m %U:%G %n %l\\n' | LC_ALL=C sort",
            "getfattr -hRd -m - . 2>/dev/null | grep -v '^$'",
            "getfacl -Rnp ./srv",
            "stat -c '%n %t:%T %Y' opt/null usr/bin/ping",
        })
        {
            Assert.That(await ShellAsync($"cd '{tree}' && {look}"), Is.EqualTo(await ShellAsync($"cd '{Samples.PathOf("root")}' && {look}")), look);
        }

        Assert.That(await ShellAsync($"cd '{tree}' && getcap usr/bin/ping"), Does.Contain("cap_net_raw"));
        Assert.That(await ShellAsync($"cd '{tree}' && cat boot/vmlinuz-6.1 boot/efi/EFI/BOOT/BOOTX64.EFI && stat -c '%h' usr/bin/one usr/bin/two && find tmp run proc sys dev lost+found -mindepth 1 2>/dev/null | wc -l"), Is.EqualTo("kernelloader2\n2\n0\n"));
        Assert.That(await Host.RunAsync("bsdtar", ["-tf", gzip], Cancellation), Is.EqualTo(await Host.RunAsync("tar", ["-tf", Samples.PathOf("zstd.tar")], Cancellation)));

        var told = await crust.RunAsync(Cancellation, "inspect", "--json", "--quiet", "images/edge.rootfs.tar.zst");
        using var json = JsonDocument.Parse(told.Output);
        var archive = json.RootElement.GetProperty("files")[0].GetProperty("archive");
        Assert.That((archive.GetProperty("system").GetString(), archive.GetProperty("kernels")[0].GetString()), Is.EqualTo(("Sample Server 7", "/boot/vmlinuz-6.1")));
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(crust.Image("edge.manifest.json"), Cancellation));
        Assert.That(manifest.RootElement.GetProperty("images").EnumerateArray().Select(image => (image.GetProperty("format").GetString(), image.GetProperty("file").GetString())),
            Is.EqualTo(new[] { ("rootfs", "edge.rootfs.tar.gz"), ("rootfs.zst", "edge.rootfs.tar.zst") }));
        await Host.RunAsync("sh", ["-c", $"cd '{crust.Images}' && sha256sum -c --quiet SHA256SUMS"], Cancellation);
    }

    [Test]
    public async Task A_disk_without_a_system_is_told_and_no_archive_is_left()
    {
        var data = Samples.Folder("data", ("readme", "no system"));
        var disk = await Samples.DiskAsync("disk.raw", null, new SamplePartition("8300", "data", 20, await Samples.ExtAsync("ext4", "DATA", 20, data)));
        using var crust = new CrustProcess();
        crust.ShareDearThings();

        var built = await crust.RunAsync(Cancellation, "build", "--base", disk, "--disk-size", "64M", "--format", "rootfs", "--name", "edge");

        Assert.That(built.ExitCode, Is.EqualTo(4), built.Error);
        Assert.That(built.Error, Does.Contain("no system is on this disk whose root can be packed").And.Contain("leave the formats of root file systems out"));
        Assert.That(crust.Products, Is.Empty);
    }

    // A system on three file systems, whose files have what an archive may lose.
    private async Task<string> MakeDiskAsync()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("other owners than one's own, devices and capabilities take root");
        }

        var root = Samples.System("root", "Sample Server 7", ("etc/fstab", "LABEL=ROOT / ext4 defaults 0 1\nLABEL=BOOT /boot ext4 defaults 0 2\nLABEL=EFI /boot/efi vfat umask=0077 0 1\n"),
            ("usr/bin/ping", "ping"), ("usr/bin/one", "linked"), ("srv/shared/file", "shared"), ("srv/large", new string('x', 3 << 20)), ("tmp/left", "left"), ("etc/ünï-" + new string('n', 150), "name"));
        await ShellAsync($"""
            cd '{root}' && mkdir -p boot run dev sys var/lib && chmod 1777 tmp && ln usr/bin/one usr/bin/two && ln -s ../one usr/bin/three && mknod -m 666 opt-null c 1 3 && mkdir opt && mv opt-null opt/null
            mkfifo var/lib/fifo && chown 3000000:54321 usr/bin/one && chmod 4755 usr/bin/one && setcap cap_net_raw+ep usr/bin/ping && touch -d @1700000000.123456789 usr/bin/ping
            setfattr -n user.note -v 'kept' srv/large && setfattr -n trusted.note -v 'kept, too' srv/large && setfacl -m u:1234:rw,d:g:77:r srv/shared && mkdir -p empty/folder && chmod 700 empty
            """);
        var boot = Samples.Folder("boot", ("vmlinuz-6.1", "kernel"), ("initrd.img-6.1", "initrd"));
        Directory.CreateDirectory(Path.Combine(boot, "efi"));
        var efi = Samples.Folder("efi", ("EFI/BOOT/BOOTX64.EFI", "loader"));
        return await Samples.DiskAsync("disk.raw", null,
            new SamplePartition("EF00", "efi", 34, await Samples.VfatAsync("EFI", 34, efi)),
            new SamplePartition("8300", "boot", 20, await Samples.ExtAsync("ext4", "BOOT", 20, boot)),
            new SamplePartition("8304", "root", 60, await Samples.ExtAsync("ext4", "ROOT", 60, root)));
    }

    private static Task<string> ShellAsync(string script) => Host.RunAsync("sh", ["-ec", script], Cancellation);
}
