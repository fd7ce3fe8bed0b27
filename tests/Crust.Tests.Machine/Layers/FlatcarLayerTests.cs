using System.Text;
using System.Text.Json.Nodes;
using Crust.Layers;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Tests.Installers;
using Crust.Tests.Machine.Inspection;
using Crust.Trees;

namespace Crust.Tests.Machine.Layers;

/// <summary>Layers on disks that are shaped as Flatcar's and Kairos' are, made by the file systems' own programs.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(600_000)]
public sealed class FlatcarLayerTests
{
    private const int OemAt = 1 + 34 + 2 + 8 + 8 + 1;
    private const int OemSize = 128;
    private const int RootAt = OemAt + OemSize + 1 + 1;
    private const int RootSize = 64;

    private string _folder = null!;
    private SampleDisks _disks = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-flatcar-").FullName;
        _disks = new SampleDisks(_folder, Cancellation);
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_Flatcar_image_gets_files_extension_and_vendor_where_Flatcar_looks_twice_the_same_and_its_usr_stays_alone()
    {
        var disk = await FlatcarAsync();
        using var server = new LoopbackServer();
        var extension = await BuildAsync("tool", SysextProfile.Flatcar);
        var list = $"{(await Host.RunAsync("sha256sum", [extension], Cancellation))[..64]}  tool-1.2-x86-64.raw\n";
        server.Answer = request => request.Path switch
        {
            "/x/SHA256SUMS" => WebAnswer.Text(list),
            "/x/tool-1.2-x86-64.raw" => LoopbackServer.File(request, File.ReadAllBytes(extension), null),
            _ => new WebAnswer("404 Not Found", []),
        };
        _disks.Folder("overlay", ("etc/agent.conf", "site: 42\n"), ("opt/agent/run", "#!/bin/sh\n"), ("oem/config.ign", """{"ignition":{"version":"3.3.0"}}"""), ("boot/flatcar/first_boot", "x"));
        LayerSpec[] layers =
        [
            new LayerSpec.Vendor("vmware") { Where = "here" },
            new LayerSpec.Files(_disks.PathOf("overlay")) { Where = "here" },
            new LayerSpec.Sysext(new SysextOrigin.Published(new Uri(server.Url("x/")), "tool", "1.2"), "flatcar", "OEM") { Where = "here" },
            new LayerSpec.Sysext(new SysextOrigin.Local(await BuildAsync("other", SysextProfile.Flatcar)), "flatcar", "ROOT") { Where = "here" },
        ];

        var (root, oem) = await BakeAsync(disk, "one", layers);

        Assert.That(await File.ReadAllTextAsync(Path.Combine(oem, "grub.cfg"), Cancellation), Is.EqualTo("# Flatcar GRUB settings\nset linux_append=\"flatcar.autologin\"\nset oem_id=\"vmware\"\n"));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(root, "etc/agent.conf"), Cancellation), Is.EqualTo("site: 42\n"));
        Assert.That(File.Exists(Path.Combine(oem, "config.ign")), "below /oem is the partition");
        Assert.That(new FileInfo(Path.Combine(root, "etc/extensions/tool.raw")).LinkTarget, Is.EqualTo("/oem/extensions/tool/tool-1.2-x86-64.raw"));
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(oem, "extensions/tool/tool-1.2-x86-64.raw"), Cancellation), Is.EqualTo(await File.ReadAllBytesAsync(extension, Cancellation)));
        Assert.That(new FileInfo(Path.Combine(root, "etc/extensions/other.raw")).LinkTarget, Is.EqualTo("/opt/extensions/other/other-1.2-x86-64.raw"));
        Assert.That(new FileInfo(Path.Combine(root, "opt/extensions/other/other-1.2-x86-64.raw")).Length, Is.Positive);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(root, "etc/sysupdate.tool.d/tool.transfer"), Cancellation), Does.Contain($"Path={server.Url("x/")}"));

        // What brings link and definitions back after a reset stands beside what the OEM partition had.
        var ignition = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(oem, "base/base.ign"), Cancellation))!;
        Assert.That((string)ignition["ignition"]!["version"]!, Is.EqualTo("2.3.0"));
        Assert.That(ignition["storage"]!["files"]!.AsArray().Select(file => $"{file!["filesystem"]} {file["path"]}"), Is.EqualTo(new[]
        {
            "root /etc/hostname", "root /etc/sysupdate.tool.d/tool.transfer", "root /etc/sysupdate.tool.d/tool.conf", "root /etc/sysupdate.d/noop.transfer", "root /etc/sysupdate.d/noop.conf",
        }));
        Assert.That((string)ignition["storage"]!["links"]![0]!["target"]!, Is.EqualTo("/oem/extensions/tool/tool-1.2-x86-64.raw"));
        Assert.That(ignition["systemd"], Is.Not.Null, "all else stays");
        Assert.That(Directory.GetFileSystemEntries(Path.Combine(oem, "base")).Select(Path.GetFileName), Is.EqualTo(new[] { "base.ign" }));

        // The places at which things were mounted are gone again; of ROOT there is nothing more than came.
        Assert.That(Directory.GetFileSystemEntries(root).Select(Path.GetFileName).Order(), Is.EqualTo(new[] { "boot", "etc", "lost+found", "opt", "usr" }));
        Assert.That(Directory.GetFileSystemEntries(Path.Combine(root, "boot")), Is.Empty, "that went to EFI-SYSTEM");
        Assert.That(await Host.RunAsync("mdir", ["-b", "-i", await _disks.PartitionAsync(_disks.PathOf("one.raw"), 1, 34, "efi.part"), "::flatcar"], Cancellation), Does.Contain("first_boot"));

        var (rootAgain, oemAgain) = await BakeAsync(disk, "two", layers);
        Assert.That(List(rootAgain), Is.EqualTo(List(root)));
        Assert.That(List(oemAgain), Is.EqualTo(List(oem)));

        _disks.Folder("below-usr", ("usr/bin/agent", "#!/bin/sh\n"));
        var refused = await Task.Run(() => Assert.ThrowsAsync<CrustException>(() => ApplyAsync(disk, new LayerSpec.Files(_disks.PathOf("below-usr")) { Where = "here" })))!;
        Assert.That(refused!.What, Does.Contain("the system on this disk is Flatcar, whose /usr can't be written: what belongs there has to be a system extension (sysext)"));
    }

    [Test]
    public async Task Kairos_gets_an_extension_on_the_partition_that_stays_and_other_disks_get_neither_that_nor_a_vendor()
    {
        var kairos = await _disks.DiskAsync("kairos.raw", null,
            new SamplePartition("8300", "state", 16, await _disks.ExtAsync("ext4", "COS_STATE", 16, _disks.Folder("state.d", ("cOS/active.img", "x")))),
            new SamplePartition("8300", "persistent", 64, await _disks.ExtAsync("ext4", "COS_PERSISTENT", 64, _disks.Folder("persistent.d", (".state/var-log.bind/x", "x")))));
        var extension = new SysextOrigin.Local(await BuildAsync("tool", SysextProfile.Kairos));

        await ApplyAsync(kairos, new LayerSpec.Sysext(extension, "kairos", null) { Where = "here" });

        var part = await _disks.PartitionAsync(kairos, 17, 64, "persistent.part");
        await Host.RunAsync("e2fsck", ["-fn", part], Cancellation);
        Assert.That(await Host.RunAsync("debugfs", ["-R", "ls -p /.state/var-lib-kairos.bind/extensions", part], Cancellation), Does.Contain("/tool.sysext.raw/"));
        Assert.That(await Host.RunAsync("debugfs", ["-R", "stat /.state/var-lib-kairos.bind/extensions/common/tool.sysext.raw", part], Cancellation), Does.Contain("/var/lib/kairos/extensions/tool.sysext.raw"));
        Assert.That(await Host.RunAsync("debugfs", ["-R", "ls -p /", part], Cancellation), Does.Not.Contain("/proc/"));

        var plain = await _disks.DiskAsync("plain.raw", null, new SamplePartition("8304", "root", 32, await _disks.ExtAsync("ext4", "root", 32, _disks.System("system", "Sample 7"))));
        foreach (var (layer, why) in new (LayerSpec, string)[]
        {
            (new LayerSpec.Vendor("qemu") { Where = "here" }, "the system on this disk isn't Flatcar: it has no partitions USR-A and ROOT"),
            (new LayerSpec.Sysext(new SysextOrigin.Local(await BuildAsync("tool", SysextProfile.Flatcar)), "flatcar", "OEM") { Where = "here" }, "the system on this disk isn't Flatcar: it has no partitions USR-A and ROOT"),
            (new LayerSpec.Sysext(extension, "kairos", null) { Where = "here" }, "no file system on this disk is called COS_PERSISTENT"),
            (new LayerSpec.Sysext(new SysextOrigin.Local(await BuildAsync("tool", SysextProfile.Debian)), "debian", null) { Where = "here" }, "the system on this disk has no /usr/lib/systemd/system/systemd-sysext.service"),
        })
        {
            var error = await Task.Run(() => Assert.ThrowsAsync<CrustException>(() => ApplyAsync(plain, layer)))!;
            Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.GuestFailed, error.What)));
            Assert.That(error.What, Does.Contain(why));
        }
    }

    // As build_library/disk_layout.json of flatcar/scripts has it, with partitions of fewer blocks. ROOT has what their build leaves there: two places to mount something at.
    private async Task<string> FlatcarAsync()
    {
        var oem = _disks.Folder("oem.d", ("grub.cfg", "# Flatcar GRUB settings\nset oem_id=\"qemu\"\nset linux_append=\"flatcar.autologin\"\n"),
            ("base/base.ign", """{"ignition":{"version":"2.3.0"},"storage":{"files":[{"filesystem":"root","path":"/etc/hostname","contents":{"source":"data:,x"}}]},"systemd":{"units":[]}}"""));
        var root = _disks.Folder("root.d");
        foreach (var folder in new[] { "boot", "usr" })
            Directory.CreateDirectory(Path.Combine(root, folder));
        return await _disks.DiskAsync("flatcar.raw", null,
            new SamplePartition("EF00", "EFI-SYSTEM", 34, await _disks.VfatAsync("EFI-SYSTEM", 34, _disks.Folder("efi.d", ("EFI/boot/grub.cfg", "x")))),
            new SamplePartition("EF02", "BIOS-BOOT", 2, null),
            new SamplePartition("5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6", "USR-A", 8, await _disks.SquashfsAsync("usr.squashfs", _disks.Folder("usr.d", ("lib/os-release", "ID=flatcar\n")))),
            new SamplePartition("5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6", "USR-B", 8, null),
            new SamplePartition("8300", "ROOT-C", 1, null),
            new SamplePartition("8300", "OEM", OemSize, await _disks.BtrfsAsync("OEM", OemSize, oem)),
            new SamplePartition("C95DC21A-DF0E-4340-8D7B-26CBFA9A03E0", "OEM-CONFIG", 1, null),
            new SamplePartition("8300", "flatcar-reserved", 1, null),
            new SamplePartition("3884DD41-8582-4404-B9A8-E9B84F2DF50E", "ROOT", RootSize, await _disks.ExtAsync("ext4", "ROOT", RootSize, root)));
    }

    private async Task<string> BuildAsync(string name, SysextProfile profile)
    {
        var plan = new SysextPlan { Name = name, Version = "1.2", Profile = profile }.For(SysextPlan.AnyOs);
        var tree = FileTree.Empty.With(TreeEntry.File($"usr/bin/{name}", TreeContent.Of("#!/bin/sh\n"), TreeEntry.Executable));
        var folder = Directory.CreateDirectory(Path.Combine(_folder, $"{name}-{profile}")).FullName;
        return (await RealLayers.BuilderIn(_folder).BuildAsync(plan, new SysextContent(tree, []), new SignSpec(), folder, Cancellation)).Path;
    }

    private async Task<(string Root, string Oem)> BakeAsync(string disk, string name, LayerSpec[] layers)
    {
        var copy = _disks.PathOf($"{name}.raw");
        await Host.RunAsync("cp", ["--sparse=always", disk, copy], Cancellation);
        foreach (var layer in layers)
            await ApplyAsync(copy, layer);
        var root = await _disks.PartitionAsync(copy, RootAt, RootSize, $"{name}.root");
        await Host.RunAsync("e2fsck", ["-fn", root], Cancellation);
        var oem = await _disks.PartitionAsync(copy, OemAt, OemSize, $"{name}.oem");
        await Host.RunAsync("btrfs", ["check", "--readonly", oem], Cancellation);
        var (rootFolder, oemFolder) = (Directory.CreateDirectory(_disks.PathOf($"{name}.root.d")).FullName, Directory.CreateDirectory(_disks.PathOf($"{name}.oem.d")).FullName);
        await Host.RunAsync("debugfs", ["-R", $"rdump / {rootFolder}", root], Cancellation);
        await Host.RunAsync("btrfs", ["restore", "-m", "-S", oem, oemFolder], Cancellation);
        return (rootFolder, oemFolder);
    }

    private async Task ApplyAsync(string disk, LayerSpec layer)
    {
        var machine = new MachineSpec { Network = MachineNetwork.None, Memory = 1L << 30 };
        await RealLayers.In(_folder).ApplyAsync(Layer.ReadAll(new BuildSpec { Layers = [layer] })[0], disk, machine, Accelerator.Tcg, _folder, Cancellation);
    }

    // All but the times of folders, which are those of the last change in them.
    private static string List(string folder)
    {
        var text = new StringBuilder();
        foreach (var entry in FileTree.FromFolder(folder).Entries)
            text.Append($"{entry.Kind} {entry.Path} {entry.Mode} {entry.Uid} {entry.Gid} {entry.LinkTarget} {TreeDigest.Of(FileTree.Empty.With(entry with { Path = "x" }))} ")
                .Append(entry.Kind is EntryKind.File ? $"{File.GetLastWriteTimeUtc(Path.Combine(folder, entry.Path)):O}\n" : "\n");
        return text.ToString();
    }
}
