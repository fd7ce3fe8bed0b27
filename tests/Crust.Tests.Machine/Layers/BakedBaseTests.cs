using Crust.Tests.Machine.Inspection;

namespace Crust.Tests.Machine.Layers;

/// <summary>
/// Images as vendors have them, each with its root on another file system, made of one Debian by mmdebstrap and qemu-img. Packages, files, a script and an account are put into
/// each, and what comes of it boots and answers what it is asked: the image that each build itself boots, the others being compared with it, and of each file system another format.
/// </summary>
[CancelAfter(3_000_000)]
[NonParallelizable] // It takes half an hour, and two gigabytes for each machine.
[Category("Long")]
public sealed class BakedBaseTests
{
    private const string Packages = "linux-image-amd64,systemd-sysv,udev,dbus,login,sudo,openssh-server,cloud-init,grub-efi-amd64-bin,btrfs-progs,xfsprogs,lvm2,zstd,systemd-resolved";

    // What a boot loader needs to find a kernel on any of the file systems.
    private const string GrubModules = "part_gpt fat ext2 btrfs xfs lvm normal linux search search_label serial echo";

    private const int RootSize = 2600;

    private static readonly CrustProcess Crust = new() { CaresForDisks = true };
    private static readonly string[] Formats = ["img", "qcow2", "vmdk", "kubevirt", "vhdx"];

    private static SampleDisks _disks = null!;
    private static string _root = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task MakeRoot()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Ignore("owners and set-id bits of a root file system take root");
        Crust.ShareDearThings();
        _disks = new SampleDisks(Crust.Folder, CancellationToken.None);
        _root = Path.Combine(Crust.Folder, "root");
        await Host.RunAsync("mmdebstrap", ["--quiet", "--mode=root", "--variant=minbase", $"--include={Packages}", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
            "--customize-hook=echo baked > \"$1/etc/hostname\"; rm -rf \"$1\"/etc/ssh/ssh_host_* \"$1\"/var/cache/apt/*; : > \"$1/etc/machine-id\"", "bookworm", _root], CancellationToken.None);
        // Devices are files that some of the file systems' makers don't take; the kernel brings them.
        Directory.Delete(Path.Combine(_root, "dev"), recursive: true);
        Directory.CreateDirectory(Path.Combine(_root, "dev"));
        await PrepareLayersAsync();
    }

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    [TestCase("ext4", "LABEL=edge-root", "qcow2")]
    [TestCase("btrfs", "LABEL=edge-root", "vmdk")]
    [TestCase("xfs", "LABEL=edge-root", "kubevirt.oci.tar")]
    [TestCase("lvm", "/dev/mapper/edge-root", "vhdx")]
    public async Task Five_formats_of_a_baked_image_boot_and_pass_their_checks(string kind, string root, string other)
    {
        await ImageAsync(kind, root);
        await WriteSpecAsync(kind);

        var built = await Crust.RunAsync(Cancellation, "build");
        Assert.That(built.ExitCode, Is.Zero, built.Error);

        Assert.That(built.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(Formats.Length));

        var verified = await Crust.RunAsync(Cancellation,
            ["verify", "--firmware", "uefi", "--cpus", "1", "--memory", "1G", "--verify-deadline", "20m", "--ssh-user", "edge", "--ssh-key", "id", .. ChecksOf(kind).SelectMany(check => new[] { "--check", check }), $"images/{kind}.{other}"]);
        Assert.That(verified.ExitCode, Is.Zero, verified.Error);

        Directory.Delete(Crust.Images, recursive: true);
        Directory.Delete(Path.Combine(Crust.Cache, "disks"), recursive: true);
    }

    private static string[] ChecksOf(string kind) =>
    [
        "grep 42 /etc/agent.conf", "grep crust-sample /etc/script-was-here", "test -s /usr/share/crust-sample/here", "sudo -n true", $"df -T / | grep {(kind == "lvm" ? "/dev/mapper/edge-root" : kind)}",
    ];

    private static async Task ImageAsync(string kind, string root)
    {
        await Host.RunAsync("sh", ["-c", $"""
            cd '{Crust.Folder}' && rm -rf esp && mkdir -p esp/EFI/BOOT && cat >grub.cfg <<EOF
            serial
            terminal_output serial
            search --no-floppy --label edge-root --set root
            linux /vmlinuz root={root} rw console=tty0 console=ttyS0,115200
            initrd /initrd.img
            boot
            EOF
            cp grub.cfg root/grub.cfg && chroot root grub-mkimage -O x86_64-efi -p /boot/grub -c /grub.cfg -o /grub.efi {GrubModules} && mv root/grub.efi esp/EFI/BOOT/BOOTX64.EFI && rm root/grub.cfg
            """], Cancellation);
        var system = kind switch
        {
            "btrfs" => await _disks.BtrfsAsync("edge-root", RootSize, _root),
            "xfs" => await _disks.XfsAsync("edge-root", RootSize, _root),
            _ => await _disks.ExtAsync("ext4", "edge-root", RootSize, _root),
        };
        var content = kind == "lvm" ? await _disks.LvmAsync("edge", RootSize + 8, ("root", RootSize, system)) : system;
        var disk = await _disks.DiskAsync($"{kind}.raw", null,
            new SamplePartition("EF00", "esp", 64, await _disks.VfatAsync("ESP", 64, Path.Combine(Crust.Folder, "esp"))),
            new SamplePartition(kind == "lvm" ? "8E00" : "8304", "root", RootSize + 8, content));
        await Host.RunAsync("qemu-img", ["convert", "-O", "qcow2", disk, Path.Combine(Crust.Folder, "base.qcow2")], Cancellation);
        foreach (var file in new[] { disk, system, content }.Distinct())
            File.Delete(file);
    }

    private static async Task PrepareLayersAsync()
    {
        await Host.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(Crust.Folder, "id")], CancellationToken.None);
        var key = (await File.ReadAllTextAsync(Path.Combine(Crust.Folder, "id.pub"))).Trim();
        _disks.Folder("overlay",
            ("etc/agent.conf", "site: 42\n"),
            ("etc/systemd/network/20-wired.network", "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n"),
            ("etc/apt/sources.list", "deb [trusted=yes] file:/opt/packages ./\n"));
        await SamplePackage.WriteAsync(Path.Combine(Crust.Folder, "overlay/opt/packages"), CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "setup.sh"), "#!/bin/sh\nset -e\nsystemctl enable systemd-networkd ssh\ndpkg -s crust-sample >/etc/script-was-here\n");
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "50-site.cfg"), $$"""
            datasource_list: [None]
            network: { config: disabled }
            ssh_genkeytypes: [ed25519]
            users: [{ name: edge, sudo: "ALL=(ALL) NOPASSWD:ALL", shell: /bin/bash, ssh_authorized_keys: ["{{key}}"] }]
            """);
    }

    private static Task WriteSpecAsync(string name) => File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), $$"""
        version: 1
        name: {{name}}
        base: { image: base.qcow2 }
        machine: { cpus: 1, disk: 3G, memory: 1G, firmware: uefi }
        layers:
          - files: overlay/
          - packages: [crust-sample]
          - script: setup.sh
          - config: 50-site.cfg
        formats: [{{string.Join(", ", Formats)}}]
        verify:
          deadline: 20m
          ssh: { user: edge, key: id }
          checks: [{{string.Join(", ", ChecksOf(name).Select(check => $"\"{check}\""))}}]
        """, Cancellation);
}
