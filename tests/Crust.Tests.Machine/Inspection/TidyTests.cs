using Crust.Inspection;
using Crust.Spec;

namespace Crust.Tests.Machine.Inspection;

/// <summary>Tidying disks, by the real appliance. debugfs, which reads ext4 without mounting it, and e2fsck are the judges.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(600_000)]
public sealed class TidyTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private SampleDisks Samples => new(_folder, Cancellation);

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-tidy-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task What_clones_would_share_goes_what_makes_it_anew_stays_and_the_disk_is_whole()
    {
        var disk = await MakeAsync(
            ("etc/cloud/cloud.cfg", "cloud_init_modules:\n - ssh\n"), ("etc/cloud/cloud.cfg.d/90.cfg", "datasource_list: [NoCloud, None]\n"), ("usr/bin/cloud-init", ""),
            ("var/lib/cloud/instances/i-1/boot-finished", "now"), ("var/lib/cloud/data/instance-id", "i-1"), ("var/lib/cloud/sem/config.once", ""),
            ("var/lib/cloud/seed/nocloud/user-data", "#cloud-config\n"),
            ("usr/lib/open-iscsi/startup-checks.sh", ""), ("etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.1993-08.org.debian:01:1\n"));

        var worked = await WorkAsync(new DiskWork(disk, Arch.Amd64, Accelerator.Tcg)
        {
            Tidy = [.. Enum.GetValues<TidyStep>().Where(step => step is not TidyStep.Seed)],
            MustTidy = true,
            Inspect = true,
            Trim = true,
        });

        Assert.That(worked.Inspection!.Warnings.Select(warning => warning.Rule), Is.Empty, "what is told is what is shipped");
        Assert.That(worked.Tidied.Select(part => part.Step).Distinct(), Is.EquivalentTo(Enum.GetValues<TidyStep>().Where(step => step is not TidyStep.Seed).Select(step => step.LowerName())));
        Assert.That(worked.TrimmedBytes, Is.Not.Null);

        var root = await Samples.PartitionAsync(disk, 42, 120, "root.part");
        await Host.RunAsync("e2fsck", ["-fn", root], Cancellation);
        foreach (var gone in new[]
        {
            "/var/lib/dbus/machine-id", "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub", "/var/lib/cloud/instances/i-1", "/var/lib/cloud/data/instance-id",
            "/var/lib/systemd/random-seed", "/var/lib/systemd/credential.secret", "/var/lib/dhcp/dhclient.leases", "/var/log/journal/0123/system.journal", "/var/log/dpkg.log.1",
            "/var/cache/apt/archives/hello.deb", "/tmp/left/over", "/tmp/link", "/root/.bash_history", "/home/edge/.bash_history",
        })
            Assert.That(await DebugAsync(root, $"stat {gone}"), Is.Empty, gone);
        Assert.That(await DebugAsync(root, "cat /etc/machine-id"), Is.Empty, "it is there and empty");
        Assert.That(await DebugAsync(root, "stat /etc/machine-id"), Does.Contain("Type: regular"));
        Assert.That(await DebugAsync(root, "cat /etc/iscsi/initiatorname.iscsi"), Is.EqualTo("GenerateName=yes\n"));
        Assert.That(await DebugAsync(root, "stat /var/log/syslog"), Does.Contain("User:     1").And.Contain("Size: 0"), "a log keeps its owner");
        foreach (var kept in new[] { "/var/lib/cloud/seed/nocloud/user-data", "/var/cache/apt/archives/lock", "/etc/ssh/sshd_config", "/etc/hostname", "/home/edge/work" })
            Assert.That(await DebugAsync(root, $"stat {kept}"), Does.Contain("Type: regular"), kept);
        var esp = await Samples.PartitionAsync(disk, 1, 40, "esp.part");
        Assert.That(await Host.RunAsync("mdir", ["-i", esp, "-/", "-b", "::"], Cancellation), Does.Contain("BOOTX64.EFI").And.Not.Contain("random-seed"));
    }

    [Test]
    public async Task What_would_lock_everybody_out_is_not_done_and_the_disk_is_as_it_was()
    {
        var disk = await MakeAsync();
        var before = await Host.RunAsync("sha256sum", [disk], Cancellation);

        var error = (await Assert.ThrowsAsync<CrustException>(() => WorkAsync(new DiskWork(disk, Arch.Amd64, Accelerator.Tcg) { Tidy = [TidyStep.MachineId, TidyStep.SshHostKeys], MustTidy = true, Trim = true })))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.GuestFailed));
        Assert.That(error.What, Is.EqualTo("The installed disk couldn't be tidied: /etc/ssh: nothing in this system would make new ones, and its SSH server wouldn't start"));
        Assert.That(await Host.RunAsync("sha256sum", [disk], Cancellation), Is.EqualTo(before));
        Assert.That(Directory.EnumerateFiles(_folder, "*.overlay*"), Is.Empty);
    }

    private async Task<string> MakeAsync(params (string Path, string Content)[] more)
    {
        var root = Samples.System("root", "Sample 7",
        [
            ("etc/hostname", "localhost\n"), ("etc/passwd", "root:x:0:0::/root:/bin/bash\nedge:x:1000:1000::/home/edge:/bin/bash\n"), ("etc/shadow", "root:!:1:0:99999:7:::\nedge:$6$a$b:1:0:99999:7:::\n"),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"), ("var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n"), ("etc/ssh/sshd_config", "PasswordAuthentication no\n"),
            ("etc/ssh/ssh_host_ed25519_key", "secret"), ("etc/ssh/ssh_host_ed25519_key.pub", "public"), ("var/lib/systemd/random-seed", "random"), ("var/lib/systemd/credential.secret", "secret"),
            ("var/lib/dhcp/dhclient.leases", "lease {}\n"), ("var/log/journal/0123/system.journal", "journal"), ("var/log/syslog", "logged\n"), ("var/log/dpkg.log.1", "logged\n"),
            ("var/cache/apt/archives/hello.deb", "deb"), ("var/cache/apt/archives/lock", ""), ("tmp/left/over", "x"), ("root/.bash_history", "history"), ("home/edge/.bash_history", "history"), ("home/edge/work", "work"),
            ("boot/vmlinuz-6.1", ""), .. more,
        ]);
        File.CreateSymbolicLink(Path.Combine(root, "tmp/link"), "/home/edge");
        if (Environment.IsPrivilegedProcess)
            await Host.RunAsync("chown", ["1:1", Path.Combine(root, "var/log/syslog")], Cancellation);
        return await Samples.DiskAsync("disk.raw", null,
            new("EF00", "efi", 41, await Samples.VfatAsync("EFI", 40, Samples.Folder("esp", ("EFI/BOOT/BOOTX64.EFI", "MZ"), ("loader/random-seed", "random")))),
            new("8300", "root", 120, await Samples.ExtAsync("ext4", "root", 120, root)));
    }

    private Task<DiskWorked> WorkAsync(DiskWork work) => RealDiskCare.In(_folder).WorkAsync(work, Cancellation);

    // debugfs ends with 0 whatever happens, and tells what is wrong on standard error.
    private static Task<string> DebugAsync(string file, string command) => Host.RunAsync("debugfs", ["-R", command, file], Cancellation);
}
