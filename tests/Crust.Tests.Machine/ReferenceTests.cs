using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Crust.Appliance;
using Crust.Inspection;
using Crust.Isos;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Machine.Field;
using Crust.Tests.Machine.Inspection;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>
/// The main job on real input: the reference installer in real QEMU, one install, every format under both firmwares, and
/// a look inside through SSH.
/// </summary>
[CancelAfter(1_800_000)]
[Parallelizable(ParallelScope.Children)]
public sealed class ReferenceTests
{
    private const string Password = "correct horse battery staple";
    private const string Token = "aaaabbbbccccddddeeeeffff00001111";

    private static readonly CrustProcess Crust = new() { CaresForDisks = true };
    private static CrustResult _build = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private static string Key => Path.Combine(Crust.Folder, "id");

    [OneTimeSetUp]
    public async Task Install()
    {
        Crust.ShareDearThings();
        await Host.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Key], CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "user-data.yaml"), "#cloud-config\nhostname: edge-042\n");
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), $"""
            version: 1
            machine: {"{"} disk: 4G, memory: 2G {"}"}
            seed:
              userData: user-data.yaml
              ssh:
                user: edge
                authorizedKeys: ["{(await File.ReadAllTextAsync(Key + ".pub")).Trim()}"]
            formats: [img, qcow2, vmdk, kubevirt, vhd, vhdx, iso]
            iso: {"{"} target: auto {"}"}
            verify: {"{"} boot: false {"}"}
            """);
        Crust.Environment["SSH_PASSWORD"] = Password;
        Crust.Environment["EDGE_HOST_TOKEN"] = Token;
        Crust.Environment["PALETTE_ENDPOINT"] = "palette.example.com";

        _build = await Crust.RunAsync(CancellationToken.None, "build");
        Assert.That(_build.ExitCode, Is.Zero, _build.Error);
    }

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    // All hold the same disk, as another test says: each firmware boots one. A vmdk boots in ContainerTests, and what the iso wrote, below, under UEFI without Secure Boot.
    [TestCase("img", Firmware.UefiSecure, "uefi")]
    [TestCase("qcow2", Firmware.Bios, "bios")]
    public async Task Images_boot_with_the_seed_applied(string format, Firmware firmware, string seen)
    {
        await using var guest = await Guest.BootAsync(Crust.Image($"crust-reference.{format}"), firmware, Crust.Folder, Key, Cancellation);

        Assert.That(await guest.RunAsync("cloud-init status --wait >/dev/null; hostname; id -un; sudo -n id -u", Cancellation), Is.EqualTo("edge-042\nedge\n0\n"));
        Assert.That(await guest.RunAsync("test -d /sys/firmware/efi && echo uefi || echo bios", Cancellation), Is.EqualTo(seen + "\n"));
        Assert.That(await guest.RunAsync("systemctl --failed --no-legend", Cancellation), Is.Empty);
    }

    [Test]
    public async Task Verify_waits_for_an_SSH_servers_banner_where_that_is_asked_for([Values("kubevirt.oci.tar", "vhd")] string extension)
    {
        var image = $"images/crust-reference.{extension}";

        var result = await Crust.RunAsync(Cancellation, "verify", "--verify-ssh", "true", "--memory", "1G", image);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Is.EqualTo($"{image}: up\n"));
    }

    [Test]
    public async Task Verify_logs_in_with_the_seeds_password_and_the_host_key_that_it_tells_is_the_guests_own()
    {
        var result = await Crust.RunAsync(Cancellation, "verify", "--ssh-user", "edge", "--check", "cloud-init status --wait >/dev/null; systemctl is-active ssh", "--check", "cat /etc/ssh/ssh_host_ed25519_key.pub",
            "--memory", "1G", "--json", "images/crust-reference.qcow2");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var ssh = JsonNode.Parse(result.Output)![0]!["ssh"]!;
        var hostKey = Path.Combine(Crust.Folder, "host.pub");
        await File.WriteAllTextAsync(hostKey, (string?)ssh["checks"]![1]!["output"], Cancellation);
        Assert.That(((string?)ssh["user"], (string?)ssh["key"], (string?)ssh["checks"]![0]!["output"]), Is.EqualTo(("edge", (string?)null, "active")));
        Assert.That((string?)ssh["hostKey"]!["fingerprint"], Is.EqualTo(await FingerprintAsync(hostKey)));
        Assert.That(result.Error + result.Output, Does.Not.Contain(Password));
    }

    [Test]
    public async Task Checks_decide_if_an_image_is_proven_and_other_checks_boot_it_again()
    {
        string[] build = ["build", "--name", "checked", "--format", "img", "--verify", "true", "--verify-ssh-user", "edge", "--verify-ssh-key", Key, "--check", "cloud-init status --wait", "--check"];

        var passed = await Crust.RunAsync(Cancellation, [.. build, "systemctl is-active ssh && test -d /etc/cloud"]);
        var manifest = await File.ReadAllTextAsync(Crust.Image("checked.manifest.json"), Cancellation);
        var report = await File.ReadAllTextAsync(Crust.Image("checked.report.html"), Cancellation);
        var again = await Crust.RunAsync(Cancellation, [.. build, "systemctl is-active ssh && test -d /etc/cloud"]);
        var failed = await Crust.RunAsync(Cancellation, [.. build, "echo looking; systemctl is-active k3s"]);

        Assert.That((passed.ExitCode, again.ExitCode, failed.ExitCode), Is.EqualTo((0, 0, 4)), passed.Error + again.Error + failed.Error);
        var ssh = JsonNode.Parse(manifest)!["images"]![0]!["verified"]!["ssh"]!;
        Assert.That(((string?)ssh["key"], (string?)ssh["checks"]![1]!["output"]), Is.EqualTo((await FingerprintAsync(Key), "active")));
        Assert.That(report, Does.Contain("edge logged in by key").And.Contain("<pre class=\"words\">active</pre>"));
        Assert.That(again.Error, Does.Not.Contain("is up after"));
        Assert.That(failed.Error, Does.Contain("the image checked.img came up, and the check 'echo looking; systemctl is-active k3s' (2 of 2) exited with ").And.Contain("| looking\n  | inactive"));
        Assert.That(await File.ReadAllTextAsync(Crust.Image("checked.manifest.json"), Cancellation), Is.EqualTo(manifest), "an image that is there stays as it was");
    }

    [Test]
    public async Task The_iso_puts_the_system_onto_a_larger_disk_that_it_fills_on_its_first_boot_and_it_is_one_to_work_with()
    {
        var target = Path.Combine(Crust.Folder, "field.img");
        await Host.RunAsync("truncate", ["-s", "7G", target], Cancellation);
        await using (var machine = await FieldMachine.StartAsync(Firmware.UefiSecure, target + ".log", Cancellation,
            new Drive.UsbStick { File = Crust.Image("crust-reference.iso") }, new Drive.Disk("raw") { File = target }))
        {
            Assert.That(await machine.EndAsync(Cancellation), Is.InstanceOf<MachineOutcome.PoweredOff>(), machine.Screen);
        }

        await using var guest = await Guest.BootAsync(target, Firmware.Uefi, Crust.Folder, Key, Cancellation);

        await guest.RunAsync("cloud-init status --wait", Cancellation);
        Assert.That(int.Parse(await guest.RunAsync("df --output=size -BM / | tail -1 | tr -dc 0-9", Cancellation)), Is.GreaterThan(6200));
        Assert.That(await guest.RunAsync("systemctl is-active systemd-timesyncd systemd-networkd ssh", Cancellation), Is.EqualTo("active\nactive\nactive\n"));
        Assert.That(await guest.RunAsync("sudo cut -d: -f1,2 /etc/shadow | grep -v ':[!*]'", Cancellation), Does.StartWith("edge:$6$").And.EndsWith("\n").And.Not.Contain("root"));
        Assert.That(await guest.RunAsync("sudo stat -c %a /var/lib/cloud/seed/nocloud/user-data", Cancellation), Is.EqualTo("600\n"));
        Assert.That(await guest.RunAsync("sudo sh -c 'cat /var/lib/cloud/seed/nocloud/user-data'", Cancellation), Does.Contain(Token).And.Not.Contain(Password));
    }

    [Test]
    public async Task The_list_of_packages_is_what_dpkg_knows_in_the_installed_system_and_the_provenance_names_the_very_files()
    {
        var (offset, root) = (await Host.RunAsync("sfdisk", ["-d", Crust.Image("crust-reference.img")], Cancellation), Path.Combine(Crust.Folder, "status"));
        var start = long.Parse(Regex.Match(offset.Split('\n').Single(line => line.Contains("name=\"root\"")), @"start= *([0-9]+)").Groups[1].Value);
        // dpkg-query reads the database that debugfs, and not the appliance, takes out of the image.
        Directory.CreateDirectory(root);
        await Host.RunAsync("debugfs", ["-R", $"dump /var/lib/dpkg/status {root}/status", $"{Crust.Image("crust-reference.img")}?offset={start * 512}"], Cancellation);
        var known = await Host.RunAsync("dpkg-query", [$"--admindir={root}", "-W", "-f", "${db:Status-Status} ${Package} ${Version} ${Architecture}\n"], Cancellation);
        var expected = known.Split('\n').Where(line => line.StartsWith("installed ", StringComparison.Ordinal)).Select(line => line["installed ".Length..]).ToList();

        using var sbom = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("crust-reference.sbom.spdx.json"), Cancellation));
        var packages = sbom.RootElement.GetProperty("packages").EnumerateArray().ToList();
        var told = packages.Skip(1).Select(package => $"{package.GetProperty("name").GetString()} {package.GetProperty("versionInfo").GetString()} {ArchOf(package)}").ToList();
        using var provenance = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("crust-reference.provenance.json"), Cancellation));
        var subjects = provenance.RootElement.GetProperty("subject").EnumerateArray().ToDictionary(subject => subject.GetProperty("name").GetString()!, subject => subject.GetProperty("digest").EnumerateObject().Single());
        var byproduct = provenance.RootElement.GetProperty("predicate").GetProperty("runDetails").GetProperty("byproducts")[0];

        Assert.That(expected, Has.Count.GreaterThan(100));
        Assert.That(told, Is.EquivalentTo(expected));
        Assert.That(packages[0].GetProperty("name").GetString(), Does.StartWith("Debian GNU/Linux 12"));
        Assert.That(subjects.Keys, Is.EquivalentTo(new[] { "img", "img.bmap", "qcow2", "vmdk", "kubevirt.oci.tar", "vhd", "vhd.bmap", "vhdx", "iso" }.Select(extension => $"crust-reference.{extension}")));
        foreach (var (file, digest) in subjects)
        {
            var hashed = digest.Name == "sha256" ? file : file + ".bmap";
            Assert.That((await Host.RunAsync("sha256sum", [Crust.Image(hashed)], Cancellation))[..64], Is.EqualTo(digest.Value.GetString()), file);
        }

        Assert.That((await Host.RunAsync("sha256sum", [Crust.Image(byproduct.GetProperty("name").GetString()!)], Cancellation))[..64], Is.EqualTo(byproduct.GetProperty("digest").GetProperty("sha256").GetString()));

        static string ArchOf(JsonElement package) => Regex.Match(package.GetProperty("externalRefs")[0].GetProperty("referenceLocator").GetString()!, "[?]arch=([^&]*)").Groups[1].Value;
    }

    [Test]
    public async Task The_manifest_and_the_report_tell_what_is_on_the_disk()
    {
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("crust-reference.manifest.json"), Cancellation));
        var install = manifest.RootElement.GetProperty("install");
        var disk = install.GetProperty("inspection");
        var system = disk.GetProperty("systems")[0];

        Assert.That(system.GetProperty("name").GetString(), Does.StartWith("Debian GNU/Linux 12"));
        Assert.That((system.GetProperty("machineId").GetString(), system.GetProperty("sshHostKeys").GetArrayLength()), Is.EqualTo(("empty", 0)));
        Assert.That(system.GetProperty("firstBootAccounts")[0].GetProperty("name").GetString(), Is.EqualTo("edge"));
        Assert.That(disk.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("rule").GetString()), Is.EqualTo(new[] { "seed" }), "which the first boot needs");
        Assert.That(install.GetProperty("tidied").GetArrayLength(), Is.Zero, "it never ran, so there is nothing to tidy");
        Assert.That(await File.ReadAllTextAsync(Crust.Image("crust-reference.report.html"), Cancellation), Does.Contain("What is on the disk").And.Contain("Debian GNU/Linux 12"));
    }

    [Test]
    public async Task Two_clones_of_a_system_that_ran_and_was_tidied_have_identities_of_their_own_and_let_us_in()
    {
        const string Identity = "cloud-init status --wait >/dev/null; cat /etc/machine-id /etc/ssh/ssh_host_*_key.pub; hostname";
        var folder = Directory.CreateDirectory(Path.Combine(Crust.Folder, "clones")).FullName;
        var disk = Path.Combine(folder, "disk.img");
        string before;
        await using (var guest = await Guest.BootAsync(Crust.Image("crust-reference.img"), Firmware.Bios, folder, Key, Cancellation))
        {
            before = await guest.RunAsync(Identity, Cancellation);
            await guest.PowerOffAsync(Cancellation);
        }

        // What it wrote is in the overlay that it ran on.
        await Host.RunAsync("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", Directory.EnumerateFiles(folder, "*.overlay").Single(), disk], Cancellation);
        var worked = await RealDiskCare.In("/tmp").WorkAsync(new DiskWork(disk, Arch.Amd64, Accelerator.Tcg) { Tidy = [.. Enum.GetValues<TidyStep>().Where(step => step is not TidyStep.Seed)], MustTidy = true, Inspect = true }, Cancellation);

        Assert.That(worked.Inspection!.Warnings, Is.Empty);
        Assert.That(worked.Tidied.Select(part => part.Step).Distinct(), Is.SupersetOf(new[] { "machine-id", "ssh-host-keys", "logs", "random-seed" }));
        var clones = await Task.WhenAll(Enumerable.Range(1, 2).Select(async i =>
        {
            await using var guest = await Guest.BootAsync(disk, Firmware.Bios, Directory.CreateDirectory(Path.Combine(folder, $"{i}")).FullName, Key, Cancellation);
            return await guest.RunAsync(Identity, Cancellation);
        }));

        var lines = clones.Append(before).Select(clone => clone.TrimEnd('\n').Split('\n')).ToList();
        Assert.That(lines.Select(clone => clone.Length), Has.All.EqualTo(4), "a machine-id, two keys and a name");
        Assert.That(lines.SelectMany(clone => clone[..3].Select(line => line.Split(' ')[..Math.Min(2, line.Split(' ').Length)][^1])), Is.Unique);
        Assert.That(lines.Select(clone => clone[3]), Has.All.EqualTo("edge-042"));
    }

    [Test]
    public async Task Every_format_holds_the_same_disk()
    {
        foreach (var format in new[] { "qcow2", "vmdk", "vhdx" })
        {
            Assert.That(await Host.RunAsync("qemu-img", ["compare", Crust.Image("crust-reference.img"), Crust.Image($"crust-reference.{format}")], Cancellation), Does.Contain("identical"));
        }

        Assert.That(await Host.RunAsync("qemu-img", ["check", Crust.Image("crust-reference.qcow2")], Cancellation), Does.Contain("No errors"));
    }

    [Test]
    public async Task The_img_is_a_file_of_its_own_and_the_cached_disk_is_private()
    {
        var image = Crust.Image("crust-reference.img");
        var links = await Host.RunAsync("stat", ["-c", "%h", image], Cancellation);

        Assert.That(links.Trim(), Is.EqualTo("1"));
        Assert.That(File.GetUnixFileMode(image), Is.EqualTo(File.GetUnixFileMode(Crust.Image("crust-reference.vmdk"))));
    }

    [Test]
    public async Task No_secret_is_in_what_a_build_prints_or_leaves_beside_the_images()
    {
        var files = Directory.EnumerateFiles(Crust.Images).Where(file => new[] { ".log", ".json" }.Contains(Path.GetExtension(file))).ToList();
        var texts = await Task.WhenAll(files.Select(file => File.ReadAllTextAsync(file, Cancellation)));

        Assert.That(files, Has.Count.GreaterThanOrEqualTo(3));
        Assert.That(texts.Append(_build.Error).Append(_build.Output), Has.None.Contains(Token).And.None.Contains(Password));
        Assert.That(Directory.EnumerateFiles(Crust.Cache, "seed*", SearchOption.AllDirectories), Is.Empty, "the seed volume is removed");
    }

    [Test]
    public async Task Crust_itself_costs_next_to_nothing_while_the_guest_works()
    {
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("crust-reference.manifest.json"), Cancellation));
        var install = manifest.RootElement.GetProperty("install");

        Assert.That(install.GetProperty("crustCpuSeconds").GetDouble(), Is.LessThan(0.02 * install.GetProperty("qemuCpuSeconds").GetDouble()));
        TestContext.Out.WriteLine(install);
    }

    [Test]
    public async Task A_disk_too_small_for_the_installer_is_told_before_anything_boots()
    {
        var result = await Crust.RunAsync(Cancellation, "build", "--disk-size", "1G", "--name", "small");

        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("The disk of 1.0 GiB is too small: this installer needs 3.0 GiB").And.Contain("DISK_SIZE"));
        Assert.That(Crust.ImageFiles, Has.None.StartsWith("small"));
    }

    [Test]
    public async Task A_reference_installer_that_must_not_install_says_so_and_the_host_believes_it()
    {
        var seed = Path.Combine(Crust.Folder, "not-auto.yaml");
        await File.WriteAllTextAsync(seed, "#cloud-config\ninstall:\n  auto: false\n", Cancellation);

        var result = await Crust.RunAsync(Cancellation, "build", "--user-data", seed, "--name", "refused");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("install.auto isn't true"));
        Assert.That(Crust.ImageFiles.Where(file => file.StartsWith("refused", StringComparison.Ordinal)), Is.EquivalentTo(new[] { "refused.log", "refused.report.html", "refused.screen.png", "refused.serial.log" }));
    }

    [Test]
    public async Task A_real_Linux_that_panics_before_any_driver_is_loaded_is_told_in_its_kernels_own_words()
    {
        var result = await Crust.RunAsync(Cancellation, "build", "--iso", await PanickingIsoAsync(), "--disk-size", "64M", "--memory", "512M", "--name", "panics");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("the installer panics.iso ended in a kernel panic: Kernel panic - not syncing: VFS: Unable to mount root fs"));
        Assert.That(Crust.ImageFiles.Where(file => file.StartsWith("panics", StringComparison.Ordinal)), Is.EquivalentTo(new[] { "panics.log", "panics.report.html", "panics.screen.png", "panics.serial.log" }));
    }

    private static async Task<string> FingerprintAsync(string key) => (await Host.RunAsync("ssh-keygen", ["-l", "-f", key], Cancellation)).Split(' ')[1];

    // The appliance's kernel with an initramfs that holds no init.
    private static async Task<string> PanickingIsoAsync()
    {
        var cache = new BuildCache(Crust.Cache, Logger.None);
        var folders = new Folders { Images = Crust.Images, Cache = Crust.Cache, Runtime = Crust.Runtime, Builder = Folders.BuilderBesideProgram };
        var appliance = await new ApplianceBuilder(Host.Tools, cache, folders, new NoObserver()).GetAsync(Arch.Amd64, Cancellation);
        var work = Directory.CreateDirectory(Path.Combine(Crust.Folder, "panics")).FullName;
        var empty = Path.Combine(work, "initramfs");
        await using (var file = File.Create(empty))
        {
            var archive = new CpioArchive();
            archive.AddFolder("/nothing");
            archive.WriteTo(file);
        }

        var iso = Path.Combine(Crust.Folder, "panics.iso");
        await new HybridIso(Host.Tools).WriteAsync(new HybridIsoContent
        {
            VolumeId = "PANICS",
            Title = "An installer that panics",
            Appliance = appliance with { Initramfs = empty },
            KernelArguments = ["console=ttyS0,115200"],
        }, iso, work, _ => { }, Cancellation);
        return iso;
    }
}
