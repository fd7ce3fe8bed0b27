using Crust.Layers;
using Crust.Spec;
using Crust.Tests.Machine.Inspection;

namespace Crust.Tests.Machine.Layers;

/// <summary>Layers on small disks that the file systems' own programs make and judge.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(900_000)]
public sealed class LayerTests
{
    private string _folder = null!;
    private SampleDisks _disks = null!;
    private string _overlay = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-layer-").FullName;
        _disks = new SampleDisks(_folder, Cancellation);
        _overlay = Directory.CreateDirectory(Path.Combine(_folder, "overlay")).FullName;
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Files_get_their_places_modes_and_one_time_and_what_is_there_stays_what_it_is()
    {
        var root = _disks.System("system", "Sample 7", ("usr/lib/there", "old\n"), ("etc/replaced", "old\n"), ("outside/kept", "kept\n"));
        Directory.CreateSymbolicLink(Path.Combine(root, "lib"), "usr/lib");
        Directory.CreateSymbolicLink(Path.Combine(root, "etc/away"), "/outside");
        File.SetUnixFileMode(Path.Combine(root, "root"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var disk = await _disks.DiskAsync("disk.raw", null, new SamplePartition("8304", "root", 64, await _disks.ExtAsync("ext4", "root", 64, root)));
        Overlay(("lib/brought", "new\n"), ("etc/replaced", "new\n"), ("root/run.sh", "#!/bin/sh\n"), ("etc/away/through", "new\n"));
        File.SetUnixFileMode(Path.Combine(_overlay, "root/run.sh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(Path.Combine(_overlay, "etc/link"), "replaced");

        await ApplyAsync(disk, new LayerSpec.Files(_overlay) { Where = "here" });

        var part = await _disks.PartitionAsync(disk, 1, 64, "part");
        await Host.RunAsync("e2fsck", ["-fn", part], Cancellation);
        Assert.That(await CatAsync(part, "/usr/lib/brought"), Is.EqualTo("new\n"), "through the link that was there");
        Assert.That(await CatAsync(part, "/usr/lib/there"), Is.EqualTo("old\n"));
        Assert.That(await CatAsync(part, "/etc/replaced"), Is.EqualTo("new\n"));
        Assert.That(await CatAsync(part, "/outside/through"), Is.EqualTo("new\n"), "an absolute link starts at the disk's own root");
        Assert.That(await StatAsync(part, "/lib"), Does.Contain("Type: symlink"));
        Assert.That(await StatAsync(part, "/etc/link"), Does.Contain("Fast link dest: \"replaced\""));
        Assert.That(await StatAsync(part, "/root"), Does.Contain("Mode:  0700"), "a folder that is there keeps its mode");
        Assert.That(await StatAsync(part, "/root/run.sh"), Does.Contain("Mode:  0700").And.Contain("User:     0   Group:     0").And.Match("mtime: 0x677485[0-9a-f]{2}"));
        Assert.That(await StatAsync(part, "/proc"), Does.Contain("Type: directory"), "and nothing of the tools is in it");
        Assert.That(await Host.RunAsync("debugfs", ["-R", "ls /proc", part], Cancellation), Does.Not.Contain("busybox"));
    }

    [Test]
    public async Task Files_come_onto_btrfs_in_a_subvolume_onto_xfs_and_onto_a_logical_volume_with_a_part_of_its_own()
    {
        Overlay(("etc/brought", "brought by a layer\n"), ("var/brought", "brought by a layer\n"));
        var layer = new LayerSpec.Files(_overlay) { Where = "here" };

        var xfs = await _disks.DiskAsync("xfs.raw", null, new SamplePartition("8304", "root", 320, await _disks.XfsAsync("xroot", 320, _disks.System("xsystem", "Sample X"))));
        await ApplyAsync(xfs, layer);
        var part = await _disks.PartitionAsync(xfs, 1, 320, "xfs.part");
        await Host.RunAsync("xfs_repair", ["-n", "-f", part], Cancellation);
        Assert.That(await Host.RunAsync("xfs_db", ["-r", "-c", "path /etc/brought", "-c", "print core.size", part], Cancellation), Does.Contain("core.size = 19"));

        // mkfs.btrfs of Debian 12 makes no subvolumes: a script does, in the disk's own system.
        var system = _disks.System("bsystem", "Sample B");
        Directory.CreateDirectory(Path.Combine(system, "dev"));
        Directory.CreateDirectory(Path.Combine(system, "sys"));
        Directory.CreateDirectory(Path.Combine(system, "run"));
        await RealLayers.AddProgramsAsync(system, Cancellation, "/usr/bin/dash", "/usr/bin/btrfs", "/usr/bin/cp", "/usr/bin/rm");
        File.CreateSymbolicLink(Path.Combine(system, "bin"), "usr/bin");
        File.CreateSymbolicLink(Path.Combine(system, "usr/bin/sh"), "dash");
        // As systemd-resolved has it; a file would be covered while the script runs.
        File.CreateSymbolicLink(Path.Combine(system, "etc/resolv.conf"), "../run/systemd/resolve/stub-resolv.conf");
        var btrfs = await _disks.DiskAsync("btrfs.raw", null, new SamplePartition("8304", "root", 256, await _disks.BtrfsAsync("broot", 256, system)));
        await ApplyAsync(btrfs, Script("set -e\nbtrfs subvolume create /@\ntest -s /etc/resolv.conf\ncp -a /etc /root /usr /bin /tmp /var /@/\nfor name in proc sys dev run; do cp -a /root /@/$name; done\nrm -rf /etc\n"));
        await ApplyAsync(btrfs, layer);
        part = await _disks.PartitionAsync(btrfs, 1, 256, "btrfs.part");
        await Host.RunAsync("btrfs", ["check", "--readonly", part], Cancellation);
        await Host.RunAsync("btrfs", ["restore", part, Directory.CreateDirectory(Path.Combine(_folder, "restored")).FullName], Cancellation);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_folder, "restored/@/etc/brought"), Cancellation), Is.EqualTo("brought by a layer\n"));

        var lsystem = _disks.System("lsystem", "Sample L", ("etc/fstab", "/dev/mapper/vg-root / ext4 defaults 0 1\n/dev/mapper/vg-var /var ext4 defaults 0 2\n"));
        var lvm = await _disks.LvmAsync("vg", 200, ("root", 64, await _disks.ExtAsync("ext4", "lroot", 64, lsystem)), ("var", 64, await _disks.ExtAsync("ext4", "lvar", 64, _disks.Folder("lvar.d", ("cache/x", "x")))));
        var disk = await _disks.DiskAsync("lvm.raw", null, new SamplePartition("8E00", "pv", 200, lvm));
        await ApplyAsync(disk, layer);
        Assert.That(await CatAsync(await _disks.PartitionAsync(disk, 2, 64, "lroot.part"), "/etc/brought"), Is.EqualTo("brought by a layer\n"));
        Assert.That(await CatAsync(await _disks.PartitionAsync(disk, 66, 64, "lvar.part"), "/brought"), Is.EqualTo("brought by a layer\n"), "on the volume that fstab names");
    }

    [Test]
    public async Task What_cannot_be_done_is_said_before_anything_is_written()
    {
        Overlay(("etc/brought", "brought by a layer\n"));
        var files = new LayerSpec.Files(_overlay) { Where = "crust.yaml:3:5, layers[0]" };
        var ext4 = await _disks.ExtAsync("ext4", "root", 16, _disks.System("system", "Sample 7"));

        var none = await _disks.DiskAsync("none.raw", null, new SamplePartition("8300", "data", 16, await _disks.ExtAsync("ext4", "data", 16, _disks.Folder("data.d", ("x", "x")))));
        await RefusesAsync(none, files, "no system that can be written is on this disk");
        var squashfs = await _disks.DiskAsync("squashfs.raw", null, new SamplePartition("8304", "root", 16, await _disks.SquashfsAsync("root.squashfs", Path.Combine(_folder, "system"))));
        await RefusesAsync(squashfs, files, "its root file system is squashfs, which can't be written");
        var two = await _disks.DiskAsync("two.raw", null, new SamplePartition("8304", "a", 16, ext4), new SamplePartition("8304", "b", 16, ext4));
        await RefusesAsync(two, files, "there are several systems on this disk");
        var one = await _disks.DiskAsync("one.raw", null, new SamplePartition("8304", "root", 16, ext4));
        await RefusesAsync(one, Script("true\n"), "the system on this disk has no /bin/sh that can run on this machine");
        await RefusesAsync(one, new LayerSpec.Packages(["htop"], false) { Where = files.Where }, "the system on this disk has no /bin/sh that can run on this machine");
        var config = Path.Combine(_disks.Folder("config", ("50-site.cfg", "runcmd: [true]\n")), "50-site.cfg");
        await RefusesAsync(one, new LayerSpec.Config(config) { Where = files.Where }, "the system on this disk has no /etc/cloud/cloud.cfg.d: nothing there would read what this layer brings");
        await File.WriteAllBytesAsync(Path.Combine(_overlay, "large"), new byte[20 << 20], Cancellation);
        await RefusesAsync(one, files, "there is no room: 20.0 MiB go to /, and ");
    }

    [Test]
    public async Task A_script_runs_in_the_disks_own_system_without_anything_of_this_host_and_its_failure_has_its_last_lines()
    {
        var disk = await ScriptableDiskAsync();
        var before = await SumAsync(disk);

        await ApplyAsync(disk, Script("set -e\necho hello >/etc/said\nenv >/etc/environment-of\n(while :; do :; done) &\necho \"quoted \\\"text\\\" and \\\\ \"\n"));
        var part = await _disks.PartitionAsync(disk, 1, 128, "part");
        await Host.RunAsync("e2fsck", ["-fn", part], Cancellation);
        Assert.That(await SumAsync(disk), Is.Not.EqualTo(before));
        Assert.That(await CatAsync(part, "/etc/said"), Is.EqualTo("hello\n"));
        Assert.That((await CatAsync(part, "/etc/environment-of")).Split('\n').Select(line => line.Split('=')[0]).Where(name => name.Length > 0),
            Is.SubsetOf(new[] { "HOME", "PATH", "LANG", "TERM", "DEBIAN_FRONTEND", "SOURCE_DATE_EPOCH", "PWD", "OLDPWD", "_", "SHLVL" }));
        Assert.That(await Host.RunAsync("debugfs", ["-R", "ls -l /run", part], Cancellation), Does.Not.Contain("script"), "nothing of the run stays");

        var failed = await FailAsync(disk, Script("for i in 1 2 3; do echo line $i; done\necho \"it is broken\" >&2\nexit 7\n"));
        Assert.That((failed.Kind, failed.What, failed.Where), Is.EqualTo((FailureKind.GuestFailed, "layer 1 (script customize.sh) failed: the script ended with exit code 7", "crust.yaml:3:5, layers[0]")));
        Assert.That(failed.Detail, Is.EqualTo("line 1\nline 2\nline 3\nit is broken"));

        var full = await FailAsync(disk, Script("exec cat /dev/zero >/filled\n"));
        Assert.That(full.Detail, Does.Contain("No space left on device"));

        var hangs = await FailAsync(disk, Script("echo waiting\nkill -STOP $$\n"), TimeSpan.FromSeconds(20));
        Assert.That(hangs.What, Does.StartWith("layer 1 (script customize.sh) hadn't finished after 20s"));
        Assert.That((hangs.Detail, hangs.Remedy), Is.EqualTo(("waiting", "look at what it printed last, and at the log, for what it waited for; if it only needs longer, raise machine.deadline (--deadline)")));
    }

    [Test]
    public async Task Packages_are_installed_by_the_package_manager_that_the_system_has()
    {
        var system = await RealLayers.ScriptableSystemAsync(_disks, Cancellation);
        // The real one is run on the reference system.
        await File.WriteAllTextAsync(Path.Combine(system, "usr/bin/apk"), "#!/bin/sh\necho \"$@\" >>/etc/asked\n[ \"$2\" != missing ] || { echo \"missing (no such package)\" && exit 1; }\n", Cancellation);
        File.SetUnixFileMode(Path.Combine(system, "usr/bin/apk"), (UnixFileMode)0x1ed);
        var disk = await _disks.DiskAsync("disk.raw", null, new SamplePartition("8304", "root", 128, await _disks.ExtAsync("ext4", "root", 128, system)));

        // With more memory than the saved appliance has: one boots.
        await ApplyAsync(disk, new LayerSpec.Packages(["htop", "curl=8.1"], true) { Where = "here" }, memory: 2L << 30);
        Assert.That(await CatAsync(await _disks.PartitionAsync(disk, 1, 128, "part"), "/etc/asked"), Is.EqualTo("update\nupgrade\nadd htop curl=8.1\n"));

        var failed = await FailAsync(disk, new LayerSpec.Packages(["missing"], false) { Where = "here" });
        Assert.That(failed.What, Is.EqualTo("layer 1 (packages missing) failed: apk add missing ended with exit code 1"));
        Assert.That(failed.Detail, Is.EqualTo("missing (no such package)"));
    }

    private async Task<string> ScriptableDiskAsync() =>
        await _disks.DiskAsync("disk.raw", null, new SamplePartition("8304", "root", 128, await _disks.ExtAsync("ext4", "root", 128, await RealLayers.ScriptableSystemAsync(_disks, Cancellation))));

    private void Overlay(params (string Path, string Content)[] files) => _disks.Folder("overlay", files);

    private LayerSpec.Script Script(string text)
    {
        var path = Path.Combine(_folder, "customize.sh");
        File.WriteAllText(path, "#!/bin/sh\n" + text);
        return new LayerSpec.Script(path) { Where = "crust.yaml:3:5, layers[0]" };
    }

    private async Task ApplyAsync(string disk, LayerSpec layer, TimeSpan? deadline = null, long memory = 1L << 30)
    {
        var machine = new MachineSpec { Network = MachineNetwork.None, Memory = memory, Deadline = deadline ?? TimeSpan.FromMinutes(5) };
        await RealLayers.In(_folder).ApplyAsync(Layer.ReadAll(new BuildSpec { Layers = [layer] })[0], disk, machine, Accelerator.Tcg, _folder, Cancellation);
    }

    private async Task<CrustException> FailAsync(string disk, LayerSpec layer, TimeSpan? deadline = null) =>
        (await Task.Run(() => Assert.ThrowsAsync<CrustException>(() => ApplyAsync(disk, layer, deadline))))!;

    private async Task RefusesAsync(string disk, LayerSpec layer, string why)
    {
        var before = await SumAsync(disk);
        var error = await FailAsync(disk, layer);
        Assert.That(error.What, Does.Contain(why));
        Assert.That(error.Kind, Is.EqualTo(FailureKind.GuestFailed));
        // A file system that was mounted for writing says when; nothing else of it has changed.
        Assert.That(before == await SumAsync(disk) || (await CatAsync(await _disks.PartitionAsync(disk, 1, 16, "refused.part"), "/etc/brought")).Length == 0);
    }

    private static async Task<string> SumAsync(string file) => (await Host.RunAsync("sha256sum", [file], Cancellation))[..64];

    private static Task<string> CatAsync(string part, string path) => Host.RunAsync("debugfs", ["-R", $"cat {path}", part], Cancellation);

    private static Task<string> StatAsync(string part, string path) => Host.RunAsync("debugfs", ["-R", $"stat {path}", part], Cancellation);
}
