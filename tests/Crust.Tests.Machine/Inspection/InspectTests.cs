using System.Text.Json;
using Crust.Disks;
using Crust.Inspection;
using Crust.Spec;

namespace Crust.Tests.Machine.Inspection;

/// <summary>Looking at disks, by the real appliance: disks that Debian's own tools have made, and one that was made to do harm.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(600_000)]
public sealed class InspectTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private SampleDisks Samples => new(_folder, Cancellation);

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-inspect-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Every_file_system_is_read_a_system_is_put_together_of_its_parts_and_what_cannot_be_read_says_so()
    {
        var disk = await MakeServerAsync();
        var image = Samples.PathOf("server.qcow2");
        await Host.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", disk, image], Cancellation);
        using var crust = new CrustProcess();
        crust.ShareDearThings();

        var result = await crust.RunAsync(Cancellation, "inspect", "--json", "--quiet", image);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var json = JsonDocument.Parse(result.Output);
        var told = JsonSerializer.Deserialize<InspectionDocument>(result.Output, JsonSerializerOptions.Web)!.Files.Single();
        var found = told.Disk!;
        Assert.That((told.Kind, found.Table, found.Boot.Bios, found.Boot.BiosPartition, found.Boot.UefiFallback), Is.EqualTo(("qcow2", "gpt", "unknown", false, true)));
        Assert.That(found.Volumes.Select(volume => (volume.Name, volume.FileSystem, volume.Label, IsRead: volume.Used is not null)), Is.EqualTo(new[]
        {
            ("partition 1", null, null, false),
            ("partition 2", "vfat", "EFI", true),
            ("partition 3", "ext4", "BOOT", true),
            ("partition 4", "LVM2_member", null, false),
            ("partition 5", "btrfs", "OTHER", true),
            ("partition 6", "squashfs", null, true),
            ("partition 7", "swap", "SWAP", false),
            ("partition 8", "crypto_LUKS", null, false),
            ("edge-a/root", "xfs", "ROOT", true),
            ("edge-a/var", "ext3", "VAR", true),
        }));
        Assert.That(found.Volumes[7].Unread, Is.EqualTo("it is encrypted (LUKS)"));

        var server = found.Systems.Single(system => system.Name == "Sample Server 7");
        Assert.That((server.Volume, server.HostName, server.MachineId), Is.EqualTo(("edge-a/root", "host9", "set")));
        Assert.That(server.Kernels, Is.EqualTo(new[] { "/boot/vmlinuz-6.1.0-1" }), "from a partition of its own");
        Assert.That(server.RandomSeed, Is.EqualTo(new[] { "/var/lib/systemd/random-seed" }), "from another");
        Assert.That(server.Accounts, Is.EqualTo(new[] { new AccountFacts("edge", "sha512", 2) { Shell = "/bin/bash" } }));
        Assert.That(server.SshHostKeys.Single(), Does.StartWith("ED25519 SHA256:"));
        Assert.That(server.Swap, Is.EqualTo(new[] { "partition 7" }));
        Assert.That(found.Systems.Single(system => system.Name == "Sample Snapshot 7"), Has.Property("Volume").EqualTo("partition 5").And.Property("Folder").EqualTo("/@rootfs"));
        Assert.That(found.Warnings.Select(warning => warning.Rule), Is.SupersetOf(new[] { "machine-id", "ssh-host-keys", "random-seed", "no-login" }));
        Assert.That(result.Output, Does.Not.Contain("$6$"), "no hash leaves the disk");
        Assert.That(result.Output, Does.Not.Contain("hunter2"), "no secret of a seed, either");
        Assert.That(Directory.EnumerateFiles(crust.Cache, "*.overlay*", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public async Task Kairos_is_found_inside_its_images()
    {
        var active = await Samples.ExtAsync("ext2", "COS_ACTIVE", 40, Samples.System("active", "Kairos 3.1", ("boot/vmlinuz-6.1", ""), ("etc/passwd", "root:x:0:0::/root:/bin/bash\n"), ("etc/shadow", "root:*:1:0:99999:7:::\n"),
            ("lib/apk/db/installed", "C:Q1sample=\nP:musl\nV:1.2.5-r0\nA:x86_64\nT:the musl c library\nL:MIT\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\nP:libcrypto3\nV:3.3.1-r3\nA:x86_64\no:openssl\n\n")));
        Directory.CreateDirectory(Samples.PathOf("state/cOS"));
        File.Move(active, Samples.PathOf("state/cOS/active.img"));
        var fedora = Samples.System("recovery", "Kairos 3.1 recovery");
        await Samples.RpmDatabaseAsync("sample-tool", "1.5~rc1", Directory.CreateDirectory(Path.Combine(fedora, "usr/lib/sysimage/rpm")).FullName);
        var recovery = await Samples.SquashfsAsync("recovery.squashfs", fedora);
        Directory.CreateDirectory(Samples.PathOf("rescue/cOS"));
        File.Move(recovery, Samples.PathOf("rescue/cOS/recovery.squashfs"));
        var disk = await Samples.DiskAsync("kairos.raw", null,
            new("EF00", "efi", 40, await Samples.VfatAsync("COS_GRUB", 40, Samples.Folder("esp", ("EFI/BOOT/bootx64.efi", "MZ"), ("EFI/BOOT/grub.cfg", "")))),
            new("8300", "oem", 16, await Samples.ExtAsync("ext4", "COS_OEM", 16, Samples.Folder("oem", ("90_custom.yaml", "#cloud-config\nstylus:\n  site:\n    edgeHostToken: hunter2\n")))),
            new("8300", "recovery", 64, await Samples.ExtAsync("ext4", "COS_RECOVERY", 64, Samples.PathOf("rescue"))),
            new("8300", "state", 100, await Samples.ExtAsync("ext4", "COS_STATE", 100, Samples.PathOf("state"))),
            new("8300", "persistent", 64, await Samples.LuksAsync(64)));

        var found = await InspectAsync(disk);

        Assert.That(found.Systems.Select(system => (system.Name, system.Volume)), Is.EqualTo(new[] { ("Kairos 3.1 recovery", "partition 3, cOS/recovery.squashfs"), ("Kairos 3.1", "partition 4, cOS/active.img") }));
        Assert.That(found.Systems[1].Kernels, Is.EqualTo(new[] { "/boot/vmlinuz-6.1" }));
        Assert.That(found.Systems[0].Packages, Is.EqualTo(new[] { new PackageFacts("rpm", "sample-tool", "1.5~rc1-3.fc40", "noarch", "sample-tool-1.5~rc1-3.fc40.src.rpm", "2") }));
        Assert.That(found.Systems[1].Packages, Is.EqualTo(new[] { new PackageFacts("apk", "libcrypto3", "3.3.1-r3", "x86_64", "openssl"), new PackageFacts("apk", "musl", "1.2.5-r0", "x86_64") }));
        Assert.That(InstallMarks.Missing(found, SeedProfile.Kairos), Is.Empty, "a partition that is encrypted counts by its name");
        Assert.That(found.Warnings, Is.Empty, "accounts come from its configuration at each boot");
    }

    [Test]
    public async Task A_disk_that_was_made_to_do_harm_is_told_and_nothing_of_the_appliance_is()
    {
        var disk = await MakeHostileAsync();

        var found = await InspectAsync(disk);

        Assert.That(found.Volumes, Has.Length.EqualTo(4));
        Assert.That(found.Volumes[0].Label, Is.EqualTo("a\"b'c$(id)\\"));
        Assert.That(found.Volumes[2].Unread, Does.StartWith("it can't be mounted: "));
        var system = found.Systems.Single();
        Assert.That(system.Name, Does.StartWith("evil \"quotes\" 'and' $(reboot) `id`").And.Not.Contain("\e"));
        Assert.That(system.HostName, Is.Empty, "a link to /proc/sys/kernel/hostname leads nowhere");
        Assert.That(system.MachineId, Is.EqualTo("absent"), "a pipe is no file");
        Assert.That(system.Accounts.Select(account => account.Name), Is.EqualTo(new[] { "..%2Froot" }), "names that are paths lead nowhere");
        Assert.That(system.Kernels, Has.Length.InRange(1, 3000), "of a folder with more names than anybody has, only some are told");
        Assert.That(system.SshHostKeys, Is.Empty);
    }

    private Task<DiskInspection> InspectAsync(string disk) =>
        RealDiskCare.In(_folder).InspectAsync(new Crust.Formats.QemuDisk("raw", disk), _folder, Arch.Amd64, Accelerator.Tcg, Cancellation);

    private async Task<string> MakeServerAsync()
    {
        var root = Samples.System("server", "Sample Server 7",
            ("etc/hostname", "host9\n"),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
            ("etc/fstab", "/dev/mapper/edge--a-root / xfs defaults 0 0\nLABEL=BOOT /boot ext4 defaults 0 0\n/dev/edge-a/var /var ext3 defaults 0 0\nLABEL=SWAP none swap sw 0 0\n"),
            ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nedge:x:1000:1000::/home/edge:/bin/bash\n"),
            ("etc/shadow", "root:!:19000:0:99999:7:::\nedge:$6$salt$hash:19000:0:99999:7:::\n"),
            ("home/edge/.ssh/authorized_keys", "# mine\nssh-ed25519 AAAA one\nno-pty ssh-rsa AAAA two\n"),
            ("var/lib/cloud/seed/nocloud/user-data", "#cloud-config\npassword: hunter2\n"));
        Directory.CreateDirectory(Path.Combine(root, "etc/ssh"));
        await Host.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(root, "etc/ssh/ssh_host_ed25519_key")], Cancellation);
        Directory.CreateDirectory(Path.Combine(root, "boot"));
        return await Samples.DiskAsync("server.raw", [0xfa, 0xeb, 0xfe],
            new("EF02", "bios", 1, null),
            new("EF00", "efi", 40, await Samples.VfatAsync("EFI", 40, Samples.Folder("esp", ("EFI/BOOT/BOOTX64.EFI", "MZ"), ("EFI/sample/grubx64.efi", "MZ")))),
            new("8300", "boot", 32, await Samples.ExtAsync("ext4", "BOOT", 32, Samples.Folder("boot", ("vmlinuz-6.1.0-1", ""), ("initrd.img-6.1.0-1", "")))),
            new("8E00", "lvm", 460, await Samples.LvmAsync("edge-a", 460,
                ("root", 400, await Samples.XfsAsync("ROOT", 400, root)),
                ("var", 48, await Samples.ExtAsync("ext3", "VAR", 48, Samples.Folder("var", ("lib/systemd/random-seed", "random")))))),
            new("8300", "other", 128, await Samples.BtrfsAsync("OTHER", 128, Path.GetDirectoryName(Samples.System("other/@rootfs", "Sample Snapshot 7", ("etc/passwd", "root:!:0:0::/root:/bin/bash\n")))!)),
            new("8300", "live", 8, await Samples.SquashfsAsync("live.squashfs", Samples.Folder("live", ("readme", "hello")))),
            new("8200", "swap", 8, await Samples.SwapAsync("SWAP", 8)),
            new("8309", "secret", 8, await Samples.LuksAsync(8)));
    }

    // Names that a shell, JSON or a terminal would take for more than names; links that lead out; pipes, devices and files without end.
    private async Task<string> MakeHostileAsync()
    {
        var root = Samples.System("evil", "x", ("etc/passwd", "..%2Froot:$6$a$b:0:0::/../../../etc:/bin/sh\nx:x:1:1::/proc:/bin/sh\nnot a line\n"));
        File.WriteAllText(Path.Combine(root, "etc/os-release"), "PRETTY_NAME=\"evil \"quotes\" 'and' $(reboot) `id` \e[2J\0\r\"\nID=\"\\\"}\\n{\"\n");
        Directory.CreateDirectory(Path.Combine(root, "etc/ssh"));
        foreach (var (link, target) in new[]
        {
            ("etc/hostname", "/proc/sys/kernel/hostname"), ("etc/shadow", "../../../../../../proc/1/environ"), ("etc/fstab", "fstab"), ("etc/iscsi", "/crust"),
            ("etc/ssh/ssh_host_rsa_key.pub", "/proc/busybox"), ("etc/netplan", "/proc"), ("var/lib", "/proc"), ("usr/lib", "../../../usr/lib"),
        })
            File.CreateSymbolicLink(Path.Combine(root, link), target);
        await Host.RunAsync("mkfifo", [Path.Combine(root, "etc/machine-id")], Cancellation);
        Directory.CreateDirectory(Path.Combine(root, "boot"));
        for (var i = 0; i < 5000; i++)
            File.WriteAllBytes(Path.Combine(root, $"boot/vmlinuz-{i}\n\"{{$(id)"), []);
        await Host.RunAsync("truncate", ["-s", "100G", Path.Combine(root, "root/.bash_history")], Cancellation);
        var loop = Samples.Folder("loop", ("etc/os-release", "PRETTY_NAME=never\n"));
        File.CreateSymbolicLink(Path.Combine(loop, "proc"), "/");
        var broken = await Samples.ExtAsync("ext4", "BROKEN", 16, loop);
        await using (var file = File.OpenWrite(broken))
        {
            // The superblock says ext4, what it points to is noise.
            file.Position = 4096;
            await file.WriteAsync(new byte[2 << 20].Select((_, i) => (byte)(i * 31)).ToArray(), Cancellation);
        }

        return await Samples.DiskAsync("evil.raw", null,
            new("8300", "a\"b'c$(id)\\", 120, await Samples.ExtAsync("ext4", "a\"b'c$(id)\\", 120, root)),
            new("8300", "loop", 16, await Samples.ExtAsync("ext4", "LOOP", 16, loop)),
            new("8300", "broken", 16, broken),
            new("8300", "noise", 8, await NoiseAsync()));
    }

    private async Task<string> NoiseAsync()
    {
        await File.WriteAllBytesAsync(Samples.PathOf("noise"), [.. Enumerable.Range(0, 8 << 20).Select(i => (byte)(i * 7919 >> 3))], Cancellation);
        return Samples.PathOf("noise");
    }
}
