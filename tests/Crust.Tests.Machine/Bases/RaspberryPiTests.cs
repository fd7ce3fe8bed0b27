using System.Text.Json;

namespace Crust.Tests.Machine.Bases;

/// <summary>
/// A disk for Raspberry Pis, of a root that has files by the names that a Pi's firmware asks for, and of about their lengths; nothing in them runs. That a real kernel starts from such a disk isn't
/// shown here: docs/raspberry-pi.md.
/// </summary>
[CancelAfter(900_000)]
public sealed class RaspberryPiTests
{
    private const string Release = "6.18.15+deb13-arm64";
    private const long BootOffset = 8 << 20;

    private static readonly CrustProcess Crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public void SetUp() => Crust.ShareDearThings();

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    [Test]
    public async Task A_root_becomes_a_disk_with_all_that_both_models_ask_for_and_the_same_one_each_time()
    {
        await PackAsync("pi.tar", "true");
        await WriteSpecAsync("pi.tar");
        var first = await Crust.RunAsync(Cancellation, "build");
        Assert.That((first.ExitCode, first.Output), Is.EqualTo((0, "images/edge.img\n")), first.Error);
        Assert.That(first.Error, Does.Not.Contain("won't boot"));

        var table = await Host.RunAsync("sfdisk", ["--dump", Crust.Image("edge.img")], Cancellation);
        Assert.That(table, Does.Contain("label: dos").And.Match("start= +16384, size= +1048576, type=c").And.Match("start= +1064960, size= +[0-9]+, type=83"));
        var id = table.Split('\n').Single(line => line.StartsWith("label-id: 0x", StringComparison.Ordinal))[12..].Trim();
        Assert.That(id, Does.Match(@"\A[0-9a-f]{8}\z").And.Not.EqualTo("00000000"));

        var listing = await FatAsync("mdir", "-/", "-b", "::");
        foreach (var name in new[] { "config.txt", "cmdline.txt", "start4.elf", "fixup4.dat", "bcm2711-rpi-4-b.dtb", "bcm2712-rpi-5-b.dtb", "bcm2712-d-rpi-5-b.dtb", $"vmlinuz-{Release}", $"initrd.img-{Release}", "overlays/README.md" })
        {
            Assert.That(listing, Does.Contain($"::/{name}\n"));
        }

        Assert.That(await FatAsync("mtype", "::cmdline.txt"), Is.EqualTo($"console=tty0 console=ttyAMA10,115200 console=ttyS1,115200 root=PARTUUID={id}-02 rw rootwait fsck.repair=yes net.ifnames=0\n"));
        Assert.That(await FatAsync("mtype", "::config.txt"), Does.EndWith($"kernel=vmlinuz-{Release}\ninitramfs initrd.img-{Release}\n").And.Contain("arm_64bit=1\n").And.Contain("upstream_kernel=1\n"));

        var inspected = await Crust.RunAsync(Cancellation, "inspect", "--json", "images/edge.img");
        using var document = JsonDocument.Parse(inspected.Output);
        var disk = document.RootElement.GetProperty("files")[0].GetProperty("disk");
        Assert.That(disk.GetProperty("boot").GetProperty("raspberryPi").EnumerateArray().Select(model => model.GetString()), Is.EqualTo(new[] { "Pi 4", "Pi 5" }));
        Assert.That(disk.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("rule").GetString()), Has.None.StartsWith("pi").And.None.EqualTo("no-boot-loader"));

        var kept = Path.Combine(Crust.Folder, "first.img");
        File.Move(Crust.Image("edge.img"), kept);
        Directory.Delete(Path.Combine(Crust.Cache, "disks"), recursive: true);
        var second = await Crust.RunAsync(Cancellation, "build");
        Assert.That(second.ExitCode, Is.Zero, second.Error);
        Assert.That(await Host.RunAsync("cmp", [kept, Crust.Image("edge.img")], Cancellation), Is.Empty, "the same bytes, also on the FAT");
    }

    [Test]
    public async Task A_layer_finds_the_root_on_such_a_disk_and_writes_to_its_boot_partition()
    {
        await PackAsync("pi.tar", "true");
        Directory.CreateDirectory(Path.Combine(Crust.Folder, "overlay/boot/firmware"));
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "overlay/boot/firmware/user-data"), "#cloud-config\n", Cancellation);
        await WriteSpecAsync("pi.tar", "layers: [{ files: overlay }]");

        var result = await Crust.RunAsync(Cancellation, "build");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(await FatAsync("mtype", "::user-data"), Is.EqualTo("#cloud-config\n"));
    }

    [TestCase("rm -r usr/lib/modules", "has no device trees", Category = "Long")]
    [TestCase("rm boot/initrd.img-*", "has no initramfs", Category = "Long")]
    [TestCase("head -c 400000000 /dev/zero | tr '\\0' x >boot/initrd.img-6.18.15+deb13-arm64; head -c 200000000 /dev/zero | tr '\\0' x >boot/vmlinuz-6.18.15+deb13-arm64", "the kernel doesn't fit onto the boot partition")]
    [TestCase("rm -r usr/lib/raspi-firmware usr/lib/modules/*/dtb/broadcom/bcm2712-*", "the disk would boot on no Raspberry Pi", Category = "Long")]
    public async Task A_root_that_no_pi_starts_is_refused_in_words(string script, string what)
    {
        await PackAsync("bad.tar", script);
        await WriteSpecAsync("bad.tar");

        var result = await Crust.RunAsync(Cancellation, "build", "--name", "bad", "--disk-size", "2G");

        Assert.That(result.ExitCode, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.Contain(what));
        Assert.That(Crust.Products, Has.None.StartsWith("bad.img"));
    }

    [Test]
    public async Task A_missing_dtb_for_a_pi_5_is_a_warning_by_its_name()
    {
        await PackAsync("four.tar", "rm usr/lib/modules/*/dtb/broadcom/bcm2712-*");
        await WriteSpecAsync("four.tar");

        var result = await Crust.RunAsync(Cancellation, "build", "--name", "four");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Contain("missing DTB for Pi 5 (bcm2712-rpi-5-b.dtb)"));
    }

    private static Task<string> FatAsync(string program, params string[] arguments) => Host.RunAsync(program, ["-i", $"{Crust.Image("edge.img")}@@{BootOffset}", .. arguments], Cancellation);

    private static Task WriteSpecAsync(string root, string more = "") => File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), $$"""
        version: 1
        name: edge
        base: { rootfs: {{root}}, layout: raspberry-pi }
        machine: { disk: 1G }
        formats: [img]
        verify: { boot: false }
        {{more}}
        """, Cancellation);

    private static async Task PackAsync(string name, string script)
    {
        var trees = $"usr/lib/modules/{Release}/dtb/broadcom";
        await Host.RunAsync("sh", ["-ec", $"""
            cd '{Crust.Folder}'
            rm -rf root && mkdir root && cd root
            mkdir -p sbin etc proc boot/firmware {trees} usr/lib/raspi-firmware/overlays
            printf '#!/bin/sh\n' >sbin/init && chmod +x sbin/init
            head -c 4000000 /dev/zero | tr '\0' k >boot/vmlinuz-{Release}
            head -c 3000000 /dev/zero | tr '\0' i >boot/initrd.img-{Release}
            for name in bcm2711-rpi-4-b bcm2712-rpi-5-b bcm2712-d-rpi-5-b; do head -c 30000 /dev/zero | tr '\0' t >{trees}/$name.dtb; done
            echo elf >usr/lib/raspi-firmware/start4.elf
            echo dat >usr/lib/raspi-firmware/fixup4.dat
            echo overlays >usr/lib/raspi-firmware/overlays/README.md
            echo stale >boot/firmware/config.txt
            printf 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n' >etc/os-release
            : >etc/machine-id
            {script}
            tar --sort=name --mtime=@1735689600 --owner=0 --group=0 -cf ../{name} .
            """], Cancellation);
    }
}
