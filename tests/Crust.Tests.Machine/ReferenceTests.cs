using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Appliance;
using Crust.Isos;
using Crust.Spec;
using Crust.Storage;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>
/// The main job on real input: the reference installer in real QEMU, one install, every format, and what is beside it. Here stands what needs no boot of what was
/// installed; each boot takes a minute or more and proves several things.
/// </summary>
[CancelAfter(1_800_000)]
[Parallelizable(ParallelScope.All)]
[StartsEarly(1)]
public sealed partial class ReferenceTests
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
            machine: {"{"} cpus: 1, disk: 4G, memory: 2G {"}"}
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
    public async Task Every_format_holds_the_same_disk()
    {
        foreach (var format in new[] { "qcow2", "vmdk", "vhdx" })
        {
            Assert.That(await Host.RunAsync("qemu-img", ["compare", Crust.Image("crust-reference.img"), Crust.Image($"crust-reference.{format}")], Cancellation), Does.Contain("identical"));
        }

        Assert.That(await Host.RunAsync("qemu-img", ["check", Crust.Image("crust-reference.qcow2")], Cancellation), Does.Contain("No errors"));
        // A vhd of a fixed size is the disk with a footer behind it.
        var size = new FileInfo(Crust.Image("crust-reference.img")).Length;
        await Host.RunAsync("cmp", ["-n", $"{size}", Crust.Image("crust-reference.img"), Crust.Image("crust-reference.vhd")], Cancellation);
        Assert.That(new FileInfo(Crust.Image("crust-reference.vhd")).Length, Is.GreaterThan(size));
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

        // On a busy host it takes longer, and Crust looks at it more often, while the guest works no more than on an idle one.
        var work = Math.Max(install.GetProperty("qemuCpuSeconds").GetDouble(), install.GetProperty("seconds").GetDouble());
        Assert.That(install.GetProperty("crustCpuSeconds").GetDouble(), Is.LessThan(0.02 * work));
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
