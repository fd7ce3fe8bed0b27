using System.Diagnostics;
using Crust.Disks;
using Crust.Machines;
using Crust.Spec;
using Crust.Tests.Machine.Field;

namespace Crust.Tests.Machine.Live;

/// <summary>An installer from a base, made without root, installed in a machine without a network, and what it installed booted: from CDs and sticks, by each
/// firmware.</summary>
[CancelAfter(3_600_000)]
[StartsEarly(3)]
public sealed class LiveInstallerTests
{
    private const string Told = """
        #cloud-config
        install: { auto: true, device: auto, poweroff: true }
        users: [{ name: edge, groups: [admin], passwd: '$6$salt$notahash' }]
        """;

    private static readonly CrustProcess Crust = new() { CaresForDisks = true };

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        Crust.ShareDearThings();
        Directory.CreateSymbolicLink(InFolder("layout"), await LiveStandIn.LayoutAsync());
        await WriteAsync("user-data", Told);
        await WriteAsync("edge.yaml", "edge: settings\n");
        await WriteAsync("overlay/decoy.yaml", "# no header: the agent passes over it\ninstall: { auto: false }\n");
        await File.WriteAllBytesAsync(InFolder("apps.tar.zst"), new byte[1 << 20], Cancellation);
        await WriteAsync("spc.tgz", "definition");
        await WriteAsync("charts/values.yaml", "replicas: 1\n");
        await WriteAsync("site.yaml", "version: 1\nfiles: [charts]\n");
        // It runs in the base, by the base's own programs.
        await WriteAsync("customize.sh", """
            #!/bin/sh
            set -e
            . /etc/os-release
            echo "customised $ID" >/etc/from-script
            sed -i 's|and lost \$lost|and lost $lost, $(cat /etc/from-script)|' /usr/bin/kairos-agent
            """);
        await WriteAsync("installer.yaml", """
            version: 1
            name: edge-live
            base: { oci: layout }
            seed: { userData: user-data }
            machine: { memory: 1G, network: none }
            medium: { edgeConfig: edge.yaml, content: [apps.tar.zst, site.yaml], clusterConfig: spc.tgz, overlay: overlay }
            layers: [{ script: customize.sh }]
            """);
    }

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    [Test]
    public async Task A_build_makes_the_installer_and_installs_it_and_the_disk_finds_its_active_image()
    {
        await WriteAsync("crust.yaml", """
            version: 1
            name: edge
            installer: { build: installer.yaml }
            machine: { disk: 12G, memory: 2G, cpus: 1, network: none, deadline: 60m }
            seed: { kind: none }
            formats: [img]
            inspect: false
            tidy: none
            trim: false
            verify: { expect: 'live-agent: booted COS_ACTIVE with apps.tar.zst site.tar.zst and lost nothing, customised debian' }
            """);

        var build = await Crust.RunAsync(Cancellation, "build");

        Assert.That((build.ExitCode, build.Output), Is.EqualTo((0, "images/edge.img\n")), build.Error);
        var log = await File.ReadAllTextAsync(Crust.Image("edge.serial.log"), Cancellation);
        string[] said = ["configs: /run/initramfs/live/config.yaml", "users: 1", "fits: /dev/vda has", "content: apps.tar.zst site.tar.zst", "edge config: edge: settings", "cluster config"];
        Assert.That(said.Where(line => !log.Contains($"live-agent: {line}", StringComparison.Ordinal)), Is.Empty, log);
    }

    [TestCase(Firmware.Bios, true, Category = "Long")]
    [TestCase(Firmware.Uefi, false, Category = "Long")]
    [TestCase(Firmware.Uefi, true, Category = "Long")]
    [TestCase(Firmware.UefiSecure, false, Category = "Long")]
    [TestCase(Firmware.UefiSecure, true, Category = "Long")]
    public async Task The_medium_installs_from_a_CD_and_from_a_stick(Firmware firmware, bool isStick) => await InstallAsync(await MakeAsync(), Arch.Amd64, firmware, isStick);

    [Test]
    [Category("Long")]
    public async Task A_stick_to_which_the_files_of_the_medium_were_copied_installs_under_Secure_Boot()
    {
        var (files, stick) = (InFolder("files"), InFolder("stick.img"));
        await Host.RunAsync("xorriso", ["-osirrox", "on", "-indev", await MakeAsync(), "-extract", "/", files], Cancellation);
        await using (var file = File.Create(stick))
        {
            file.SetLength(2L << 30);
        }

        // One FAT32 partition from 1 MiB on, as sticks are sold.
        await Host.RunAsync("sh", ["-ec", $"echo 'start=2048, type=c' | sfdisk -q '{stick}' && mkfs.vfat -F 32 -n COS_LIVE --offset 2048 '{stick}' 2096128"], Cancellation);
        await Host.RunAsync("mcopy", ["-s", "-i", $"{stick}@@1M", .. Directory.EnumerateFileSystemEntries(files), "::"], Cancellation);

        await InstallAsync(stick, Arch.Amd64, Firmware.UefiSecure, isStick: true);
    }

    [Test]
    [Category("Long")]
    public async Task A_medium_for_arm64_installs_too()
    {
        Directory.CreateSymbolicLink(InFolder("layout-arm64"), await LiveStandIn.LayoutAsync(Arch.Arm64));
        await WriteAsync("arm64.yaml", "base: { oci: layout-arm64 }\nname: arm64\nmachine: { arch: arm64 }\nseed: { userData: user-data }\n");

        var result = await Crust.RunAsync(Cancellation, "installer", "arm64.yaml");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        await InstallAsync(InFolder("iso/arm64.iso"), Arch.Arm64, Firmware.Uefi, isStick: false);
    }

    private static async Task InstallAsync(string iso, Arch arch, Firmware firmware, bool isStick)
    {
        var name = $"target-{Path.GetFileNameWithoutExtension(iso)}-{arch}-{firmware}-{isStick}";
        await using (var file = File.Create(InFolder(name)))
        {
            file.SetLength(12L << 30);
        }

        Drive medium = isStick ? new Drive.UsbStick { File = iso } : new Drive.Cdrom { File = iso };
        await using (var machine = await FieldMachine.StartAsync(arch, firmware, 2L << 30, InFolder($"{name}.log"), Cancellation, medium, new Drive.Disk("raw") { File = InFolder(name) }))
        {
            // Step by step: each may take its time on a busy host.
            foreach (var step in new[] { "configs: /run/initramfs/live/config.yaml", "installing to", "installed" })
            {
                await machine.ExpectAsync($"live-agent: {step}", Cancellation);
            }

            Assert.That(await machine.EndAsync(Cancellation), Is.InstanceOf<MachineOutcome.PoweredOff>(), machine.Screen);
        }

        await using var installed = await FieldMachine.StartAsync(arch, firmware, 2L << 30, InFolder($"{name}.second.log"), Cancellation, new Drive.Disk("raw") { File = InFolder(name) });
        await installed.ExpectAsync("live-agent: told 640 name: edge", Cancellation);
        await installed.ExpectAsync("live-agent: booted COS_ACTIVE", Cancellation);
        await installed.ExpectAsync("lost nothing", Cancellation);
    }

    [Test]
    [Category("Long")]
    public async Task Content_that_is_larger_than_the_target_is_refused_before_anything_is_written()
    {
        var target = InFolder("small");
        await using (var file = File.Create(target))
        {
            file.SetLength(4L << 30);
        }

        await using var machine = await FieldMachine.StartAsync(Arch.Amd64, Firmware.Bios, 2L << 30, InFolder("small.log"), Cancellation, new Drive.Cdrom { File = await MakeAsync() },
            new Drive.Disk("raw") { File = target });
        await machine.ExpectAsync("is too small", Cancellation);
        Assert.That(await machine.EndAsync(Cancellation), Is.InstanceOf<MachineOutcome.PoweredOff>(), machine.Screen);
        Assert.That(SparseFile.AllocatedBytes(target), Is.Zero);
    }

    [Test]
    [Category("Long")]
    public async Task The_same_spec_makes_the_same_bytes()
    {
        var first = await File.ReadAllTextAsync(await MakeAsync() + ".sha256", Cancellation);
        Directory.Delete(Path.Combine(Crust.Cache, "live-roots"), recursive: true);
        Assert.That(await File.ReadAllTextAsync(await MakeAsync() + ".sha256", Cancellation), Is.EqualTo(first));
    }

    [Test]
    public async Task Another_user_data_packs_nothing_anew()
    {
        var first = await File.ReadAllTextAsync(await MakeAsync() + ".sha256", Cancellation);
        var roots = Directory.GetDirectories(Path.Combine(Crust.Cache, "live-roots")).Select(folder => (folder, Directory.GetCreationTimeUtc(folder))).ToList();
        await WriteAsync("user-data", Told + "\nhostname: other\n");
        var started = Stopwatch.GetTimestamp();
        Assert.That(await File.ReadAllTextAsync(await MakeAsync() + ".sha256", Cancellation), Is.Not.EqualTo(first));
        TestContext.Out.WriteLine($"with another user-data: {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        Assert.That(Directory.GetDirectories(Path.Combine(Crust.Cache, "live-roots")).Select(folder => (folder, Directory.GetCreationTimeUtc(folder))),
            Is.EqualTo(roots));
        await WriteAsync("user-data", Told);
    }

    [Test]
    public async Task A_full_cache_is_told_and_nothing_is_left_in_it()
    {
        using var other = new CrustProcess();
        using var small = await SmallFileSystem.MountAsync(other.Cache, "64M", Cancellation);

        var result = await other.RunAsync(Cancellation, "installer", InFolder("installer.yaml"));

        Assert.That((result.ExitCode, result.Output), Is.EqualTo((3, "")), result.Error);
        Assert.That(result.Error, Does.Contain("There is too little space to unpack the base").And.Contain($"where: {other.Cache}").And.Contain("CRUST_CACHE"));
        Assert.That(Directory.EnumerateFiles(other.Cache, "*", SearchOption.AllDirectories).Where(file => new FileInfo(file).Length > 1 << 20), Is.Empty);
        Assert.That(Directory.Exists(Path.Combine(other.Folder, "iso")) ? Directory.GetFileSystemEntries(Path.Combine(other.Folder, "iso")) : [], Is.Empty);
    }

    [Test]
    [Category("Long")]
    public async Task One_that_is_killed_while_it_packs_leaves_nothing_that_counts()
    {
        await WriteAsync("layer/etc/marker", "killed\n");
        await WriteAsync("killed.yaml", "base: { oci: layout }\nname: killed\nseed: { userData: user-data }\nlayers: [{ files: layer }]\n");
        await using (var running = Crust.Start("installer", "killed.yaml"))
        {
            await running.ExpectErrorAsync("(packing the system)", Cancellation);
            Process.GetProcessById(running.Id).Kill();
            await running.WaitAsync(Cancellation);
        }

        Assert.That(Directory.Exists(InFolder("iso")) ? Directory.GetFiles(InFolder("iso"), "killed*") : [], Is.Empty);
        var again = await Crust.RunAsync(Cancellation, "installer", "killed.yaml");
        Assert.That((again.ExitCode, again.Output), Is.EqualTo((0, "iso/killed.iso\n")), again.Error);
    }

    private static async Task<string> MakeAsync()
    {
        var result = await Crust.RunAsync(Cancellation, "installer", "installer.yaml");
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((0, "iso/edge-live.iso\n")), result.Error);
        return InFolder("iso/edge-live.iso");
    }

    private static Task WriteAsync(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(InFolder(name))!);
        return File.WriteAllTextAsync(InFolder(name), text, Cancellation);
    }

    private static string InFolder(string name) => Path.Combine(Crust.Folder, name);
}
