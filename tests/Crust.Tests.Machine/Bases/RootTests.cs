using System.Formats.Tar;
using System.Text;
using System.Text.Json;
using Crust.Spec;
using Crust.Tests.Registries;

namespace Crust.Tests.Machine.Bases;

/// <summary>
/// One root file system, three ways onto a disk: as Debian packages that Crust fetches, as a tar archive, and below another layer as an image in a registry. The first is booted under BIOS until
/// its systemd runs, the second has the same build key, and so the same disk, the third is booted under Secure Boot until it lets users log in.
/// </summary>
[CancelAfter(1_500_000)]
[StartsEarly(2)]
public sealed class RootTests
{
    // Of the line with which systemd greets, in colour or not.
    private const string SystemdRuns = "Debian GNU/Linux 12 (bookworm)";

    private const string Packages = "debian: { suite: bookworm, packages: [linux-image-cloud-amd64] }";

    // A hard link to a file of the layer below, a whiteout, and a unit that says at boot what became of them.
    private const string Unit = """
        [Unit]
        Before=systemd-user-sessions.service
        [Service]
        Type=oneshot
        ExecStart=/bin/sh -c '[ ! -e /etc/legal ] && [ ! -e /etc/motd ] && [ /usr/local/bin/as -ef /usr/bin/env ] && [ "$$(stat -c %%a /usr/bin/su)" = 4755 ] && echo edge-layers-are-right >/dev/console'
        """;

    private static readonly CrustProcess Crust = new() { CaresForDisks = true };

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    [Test]
    public async Task Packages_an_archive_and_an_image_in_a_registry_become_disks_that_boot()
    {
        Crust.ShareDearThings();
        // What comes after systemd's first line differs in nothing from what the third disk shows.
        await WriteSpecAsync(Packages, SystemdRuns);
        var debian = await Crust.RunAsync(Cancellation, "build");
        Assert.That((debian.ExitCode, debian.Output), Is.EqualTo((0, "images/debian-bookworm.img\n")), debian.Error);

        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("debian-bookworm.manifest.json"), Cancellation));
        Assert.That(ProofIn(manifest), Is.EqualTo(("bios", SystemdRuns)));
        var sum = manifest.RootElement.GetProperty("base").GetProperty("sha256").GetString()!;
        var roots = Directory.GetDirectories(Path.Combine(Crust.Cache, "debian")).Select(folder => Path.Combine(folder, "root.sha256")).Where(File.Exists);
        File.Copy(roots.Single(file => File.ReadAllText(file) == sum).Replace(".sha256", ".tar"), Path.Combine(Crust.Folder, "edge.tar"));
        var tar = Path.Combine(Crust.Folder, "edge.tar");
        Assert.That(await Host.RunAsync("tar", ["-xOf", tar, "./etc/hostname"], Cancellation), Is.EqualTo("debian\n"), "nothing of the host that builds");
        Assert.That(await Host.RunAsync("tar", ["-tf", tar], Cancellation), Does.Not.Contain("./etc/resolv.conf"));
        var disks = Directory.GetDirectories(Path.Combine(Crust.Cache, "disks"));
        await WriteSpecAsync("rootfs: edge.tar", "login:");
        var archive = await Crust.RunAsync(Cancellation, "build", "--verify", "false");
        Assert.That((archive.ExitCode, archive.Output), Is.EqualTo((0, "images/edge.img\n")), archive.Error);
        Assert.That((disks.Length, Directory.GetDirectories(Path.Combine(Crust.Cache, "disks"))), Is.EqualTo((1, disks)), "the same root, the same build key");

        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        await PushAsync(registry);
        await WriteSpecAsync($"oci: 'docker://{registry.Host}/edge/system:1.0'", "edge-layers-are-right");
        var image = await Crust.RunAsync(Cancellation, "build", "--firmware", "uefi-secure", "--tls", "false");
        Assert.That((image.ExitCode, image.Output), Is.EqualTo((0, "images/system.img\n")), image.Error);

        using (var proven = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("system.manifest.json"), Cancellation)))
        {
            Assert.That(ProofIn(proven), Is.EqualTo(("uefi-secure", "edge-layers-are-right")));
        }

        using var provenance = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("system.provenance.json"), Cancellation));
        var material = provenance.RootElement.GetProperty("predicate").GetProperty("buildDefinition").GetProperty("resolvedDependencies")[0];
        var digest = material.GetProperty("digest").GetProperty("sha256").GetString();
        Assert.That(image.Error, Does.Contain($"/edge/system:1.0 is {registry.Host}/edge/system@sha256:{digest} now"));
        var pinned = await Crust.RunAsync(Cancellation, "build", "--firmware", "uefi-secure", "--tls", "false", "--oci", $"docker://{registry.Host}/edge/system@sha256:{digest}");
        Assert.That((pinned.ExitCode, pinned.Error), Is.EqualTo((0, pinned.Error)));
        Assert.That(pinned.Error, Does.Contain("up to date"), "a tag and its digest name the same build");
    }

    [Test]
    [Category("Long")]
    public async Task The_same_root_becomes_the_same_bytes_each_time()
    {
        using var crust = new CrustProcess();
        crust.ShareDearThings();
        await File.WriteAllTextAsync(Path.Combine(crust.Folder, "crust.yaml"), Spec(Packages, "login:"), Cancellation);
        foreach (var name in new[] { "first", "second" })
        {
            var built = await crust.RunAsync(Cancellation, "build", "--name", name, "--verify", "false");
            Assert.That(built.ExitCode, Is.Zero, built.Error);
            Directory.Delete(Path.Combine(crust.Cache, "disks"), recursive: true);
        }

        Assert.That(await Host.RunAsync("cmp", [crust.Image("first.img"), crust.Image("second.img")], Cancellation), Is.Empty);
    }

    // Without one, an image is kept with a warning.
    private static (string?, string?) ProofIn(JsonDocument manifest)
    {
        var proof = manifest.RootElement.GetProperty("images")[0].GetProperty("verified");
        return (proof.GetProperty("firmware").GetString(), proof.GetProperty("expected").GetString());
    }

    private static Task WriteSpecAsync(string from, string expect) => File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), Spec(from, expect), Cancellation);

    private static string Spec(string from, string expect) => $$"""
        version: 1
        base: { {{from}} }
        machine: { cpus: 1, disk: 2G, memory: 1G }
        formats: [img]
        verify: { expect: '{{expect}}', deadline: 20m }
        """;

    // An index with an image of two layers.
    private static async Task PushAsync(LocalRegistry registry)
    {
        await Host.RunAsync("zstd", ["-q", "-T0", "-1", Path.Combine(Crust.Folder, "edge.tar")], Cancellation);
        var upper = Path.Combine(Crust.Folder, "upper.tar");
        await using (var file = File.Create(upper))
        {
            await using var writer = new TarWriter(file);
            foreach (var (path, text) in new[]
            {
                ("etc/.wh.motd", ""), ("etc/.wh.legal", ""), ("etc/systemd/system/layers.service", Unit), ("etc/hostname", "edge-root\n"),
            })
            {
                await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) }, Cancellation);
            }

            foreach (var (type, path, target) in new[]
            {
                (TarEntryType.SymbolicLink, "etc/systemd/system/multi-user.target.wants/layers.service", "../layers.service"),
                (TarEntryType.HardLink, "usr/local/bin/as", "usr/bin/env"),
            })
            {
                await writer.WriteEntryAsync(new PaxTarEntry(type, path) { LinkName = target }, Cancellation);
            }
        }

        await Host.RunAsync("gzip", [upper], Cancellation);
        var layout = OciSample.Write(Directory.CreateDirectory(Path.Combine(Crust.Folder, "layout")).FullName, (Arch.Amd64, [Path.Combine(Crust.Folder, "edge.tar.zst"), upper + ".gz"]));
        await Host.RunAsync("skopeo", ["--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", $"oci:{layout}", $"docker://{registry.Host}/edge/system:1.0"], Cancellation);
    }
}

/// <summary>Archives that no disk can be made of; the appliance says so.</summary>
[CancelAfter(600_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BadRootTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [TestCase("touch sbin/init", "512M", "the root file system has no kernel in /boot")]
    [TestCase("rm -r sbin", "512M", "the root file system has no /sbin/init")]
    [TestCase("touch sbin/init; head -c 400000000 /dev/urandom >large", "400M", "the root file system doesn't fit onto the disk of 400.0 MiB")]
    [TestCase("touch sbin/init; ln -s /dev dev; mkdir boot; touch boot/vmlinuz-1", "512M", "the root file system has no grub-mkconfig")]
    public async Task An_archive_that_makes_no_system_is_refused_in_words(string script, string disk, string what)
    {
        _crust.ShareDearThings();
        await Host.RunAsync("sh", ["-c", $"cd '{_crust.Folder}' && mkdir -p bare/sbin && cd bare && {script.Replace("sbin/init", "sbin/init && chmod +x sbin/init", StringComparison.Ordinal)} && tar -cf ../bare.tar ."], Cancellation);

        var result = await _crust.RunAsync(Cancellation, "build", "--rootfs", "bare.tar", "--disk-size", disk);

        Assert.That((result.ExitCode, result.Output), Is.EqualTo((2, "")), result.Error);
        Assert.That(result.Error, Does.Contain(what).And.Match("where: .*bare.tar"));
        Assert.That(_crust.Products, Has.None.StartsWith("bare.img"));
    }

    [TestCase("head -c 1000 bare.tar >cut.tar", "The archive is cut off")]
    [TestCase("echo text >cut.tar", "This is no tar archive of a root file system")]
    [TestCase("gzip -c bare.tar | head -c 100 >cut.tar", "The image can't be unpacked")]
    public async Task One_that_is_none_is_refused_before_a_machine_starts(string script, string what)
    {
        await Host.RunAsync("sh", ["-c", $"cd '{_crust.Folder}' && mkdir -p bare && head -c 20000 /dev/urandom >bare/file && tar -C bare -cf bare.tar . && {script}"], Cancellation);

        var result = await _crust.RunAsync(Cancellation, "build", "--rootfs", "cut.tar", "--disk-size", "512M");

        Assert.That((result.ExitCode, result.Output), Is.EqualTo((2, "")), result.Error);
        Assert.That(result.Error, Does.Contain(what));
    }
}
