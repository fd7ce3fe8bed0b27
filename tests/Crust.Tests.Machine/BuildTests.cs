using System.Text.Json;
using Crust.Formats;
using Crust.Spec;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine;

/// <summary>The whole program with real QEMU and guests of a few hundred bytes: what a user sees when it goes well.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BuildTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    // All but media, which aren't disks that come up.
    private static IEnumerable<IImageFormat> Disks => ImageFormats.All.Where(format => format.QemuDriver is not null);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    public async Task One_install_gives_all_formats_each_proven_to_boot()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        var result = await BuildAsync(iso, "--format", string.Join(',', Disks.Select(format => format.Name)), "--verify");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Is.EqualTo(string.Concat(Disks.Select(format => $"images/installs{format.Extension}\n"))));
        Assert.That(_crust.ImageFiles, Is.EquivalentTo(new[] { "SHA256SUMS", "installs.log", "installs.manifest.json", "installs.provenance.json", "installs.report.html", "installs.serial.log" }
            .Concat(Disks.Select(format => $"installs{format.Extension}"))
            .Concat(["installs.img.bmap", "installs.img.zst.bmap", "installs.vhd.bmap"])));
        foreach (var format in Disks)
        {
            var disk = await format.OpenAsync(_crust.Image($"installs{format.Extension}"), _crust.Folder, Host.Tools, Cancellation);
            // Of a fixed VHD the footer alone tells what it is, and qemu-img doesn't look there.
            string[] driver = disk.Part is null ? ["-F", disk.Driver] : [];
            Assert.That(await Host.RunAsync("qemu-img", ["compare", "-f", "raw", .. driver, _crust.Image("installs.img"), disk.Reference], Cancellation), Does.Contain("identical"), format.Name);
        }

        Assert.That(await Host.RunAsync("sh", ["-c", $"cd '{_crust.Images}' && sha256sum -c SHA256SUMS"], Cancellation), Does.Contain("installs.vmdk: OK").And.Contain("installs.img.bmap: OK"));
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(_crust.Image("installs.manifest.json"), Cancellation));
        Assert.That(manifest.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("verified").GetProperty("expected").GetString()),
            Has.Exactly(Disks.Count()).EqualTo("stub login:"));
        Assert.That(manifest.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("verified"))
                .Select(proof => ((proof.GetProperty("diskBus").GetString(), proof.GetProperty("sameAs").GetString()))).GroupBy(proof => proof).Select(group => (group.Key.Item1, group.Key.Item2, group.Count())),
            Is.EquivalentTo(new[] { ("virtio", null, 1), ("virtio", "installs.img", Disks.Count() - 2), ("scsi", "installs.img", 1) }), "one boot on each bus that is promised, a gce's is scsi");
        Assert.That(await File.ReadAllTextAsync(_crust.Image("installs.serial.log"), Cancellation), Does.Contain("stub: installer started"));
    }

    [Test]
    public async Task A_key_that_is_given_later_signs_what_is_there_and_verify_knows_its_images_without_a_boot()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        var key = Path.Combine(_crust.Folder, "id");
        await Host.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key], Cancellation);
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "allowed"), $"builder@example.org {await File.ReadAllTextAsync(key + ".pub", Cancellation)}", Cancellation);
        await BuildAsync(iso, "--format", "img,vmdk");
        var written = File.GetLastWriteTimeUtc(_crust.Image("installs.vmdk"));

        var signed = await BuildAsync(iso, "--format", "img,vmdk", "--sign-key", key);
        var again = await BuildAsync(iso, "--format", "img,vmdk", "--sign-key", key);
        var good = await _crust.RunAsync(Cancellation, "verify", "--signature", "allowed", "images/installs.img", "images/installs.vmdk");
        await using (var image = File.OpenWrite(_crust.Image("installs.img")))
        {
            image.Position = 12345;
            image.WriteByte(1);
        }

        var bad = await _crust.RunAsync(Cancellation, "verify", "--signature", "allowed", "images/installs.img");

        Assert.That((signed.ExitCode, signed.Output), Is.EqualTo((0, "images/installs.img\nimages/installs.vmdk\n")), signed.Error);
        Assert.That(signed.Error, Does.Not.Contain("up to date").And.Not.Contain("booting"));
        Assert.That(File.GetLastWriteTimeUtc(_crust.Image("installs.vmdk")), Is.EqualTo(written));
        Assert.That(again.Error, Does.Contain("up to date"));
        Assert.That((good.ExitCode, good.Output), Is.EqualTo((0, $"images/installs.img: signed by builder@example.org, {await FingerprintAsync(key)}\nimages/installs.vmdk: signed by builder@example.org, {await FingerprintAsync(key)}\n")), good.Error);
        Assert.That((bad.ExitCode, bad.Output), Is.EqualTo((2, "images/installs.img: not as it was signed\n")));
        Assert.That(bad.Error, Does.StartWith("crust: The image isn't the one that the provenance is about"));
    }

    private static async Task<string> FingerprintAsync(string key) => (await Host.RunAsync("ssh-keygen", ["-l", "-f", key], Cancellation)).Split(' ')[1];

    [Test]
    public async Task A_second_build_with_unchanged_inputs_does_nothing_and_says_so()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        await BuildAsync(iso, "--format", "vmdk");
        var written = File.GetLastWriteTimeUtc(_crust.Image("installs.vmdk"));

        var again = await BuildAsync(iso, "--format", "vmdk");

        Assert.That(again.ExitCode, Is.Zero);
        Assert.That(again.Error, Does.Contain("up to date"));
        Assert.That(again.Output, Is.EqualTo("images/installs.vmdk\n"));
        Assert.That(File.GetLastWriteTimeUtc(_crust.Image("installs.vmdk")), Is.EqualTo(written));
    }

    [Test]
    public async Task Another_format_comes_from_the_cached_disk_without_booting_the_installer()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        await BuildAsync(iso, "--format", "vmdk");

        var again = await BuildAsync(iso, "--format", "qcow2");

        Assert.That(again.Error, Does.Contain("from the cache; the installer wasn't booted"));
        Assert.That(_crust.ImageFiles, Does.Contain("installs.vmdk").And.Contain("installs.qcow2"));
    }

    [Test]
    [CancelAfter(600_000)]
    public async Task An_iso_is_made_again_when_it_is_to_do_something_else_and_only_that()
    {
        _crust.ShareDearThings();
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        await BuildAsync(iso, "--format", "iso,img", "--verify");

        var same = await BuildAsync(iso, "--format", "iso,img", "--verify");
        var changed = await BuildAsync(iso, "--format", "iso,img", "--verify", "--iso-after", "reboot");

        Assert.That(same.Error, Does.Contain("up to date"));
        Assert.That(changed.ExitCode, Is.Zero, changed.Error);
        Assert.That(changed.Output, Is.EqualTo("images/installs.iso\nimages/installs.img\n"));
        Assert.That(changed.Error, Does.Contain("iso").And.Not.Contain("img is up"));
        Assert.That(_crust.ImageFiles, Has.None.EndsWith(".work"));
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(_crust.Image("installs.manifest.json"), Cancellation));
        var image = manifest.RootElement.GetProperty("images").EnumerateArray().Single(image => image.GetProperty("format").GetString() == "iso");
        Assert.That(image.GetProperty("verified").GetProperty("sameAs").GetString(), Is.EqualTo("installs.img"), "the disk that it writes was compared");
        Assert.That(image.GetProperty("recipe").GetString(), Does.StartWith("iso 2 zstd 1 target=ask overwrite=false after=reboot appliance="));
    }

    [Test]
    public async Task A_changed_seed_installs_anew()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        await BuildAsync(iso, "--format", "img");
        _crust.Environment["PALETTE_ENDPOINT"] = "palette.example.com";

        var again = await BuildAsync(iso, "--format", "img");

        Assert.That(again.Error, Does.Contain("install").And.Not.Contain("from the cache").And.Not.Contain("up to date"));
    }

    [Test]
    public async Task An_image_that_somebody_wrote_to_is_made_again_from_the_cached_disk()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        await BuildAsync(iso, "--format", "img");
        await using (var image = new FileStream(_crust.Image("installs.img"), FileMode.Open, FileAccess.ReadWrite))
        {
            image.WriteByte(0x42);
        }

        var again = await BuildAsync(iso, "--format", "img", "--verify");

        Assert.That(again.ExitCode, Is.Zero, again.Error);
        Assert.That(again.Error, Does.Contain("is up after").And.Contain("from the cache"));
    }

    [Test]
    public async Task The_disk_hangs_on_the_bus_that_the_spec_names_with_empty_ones_beside_it([Values] DiskBus bus)
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        var result = await BuildAsync(iso, "--format", "img", "--verify", "--network", "none", "--disk-bus", bus.LowerName(), "--extra-disk", "1G", "--extra-disk", "2G");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(Directory.EnumerateFiles(_crust.Cache, "*.raw", SearchOption.AllDirectories).Select(Path.GetFileName), Is.EqualTo(new[] { "disk.raw" }));
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(_crust.Image("installs.manifest.json"), Cancellation));
        Assert.That(manifest.RootElement.GetProperty("install").GetProperty("commandLine").GetString(),
            Does.Contain(bus switch { DiskBus.Virtio => "virtio-blk-pci", DiskBus.Scsi => "scsi-hd", DiskBus.Sata => "ide-hd", _ => "nvme" }).And.Contain("extra2.raw").And.Not.Contain("netdev"));
    }

    [Test]
    public async Task An_installer_that_resets_has_finished_if_the_spec_says_so()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.InstallsThenResets, _crust.Folder, Cancellation);

        var result = await BuildAsync(iso, "--format", "img", "--on-reboot", "finish", "--verify");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    [Test]
    public async Task An_installer_that_resets_on_its_way_goes_on_if_the_spec_says_so()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.ResetsOnceThenInstalls, _crust.Folder, Cancellation);

        var result = await BuildAsync(iso, "--format", "img", "--on-reboot", "continue", "--verify");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(_crust.Image("resets-once-then-installs.manifest.json"), Cancellation));
        Assert.That(manifest.RootElement.GetProperty("install").GetProperty("resets").GetInt32(), Is.EqualTo(1));
    }

    [Test]
    public async Task An_installer_that_asks_at_its_screen_is_answered_without_losing_a_key()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.AsksForKeys, _crust.Folder, Cancellation);

        var result = await BuildAsync(iso, "--format", "img", "--boot-after", "then F10:",
            "--boot-keys", "linux /vmlinuz root=LABEL=\"x_y\" ip=::1:{2} -- A?B < c > 50%$3 'q' \\ ~ ^ & * ( ) + |<enter>", "--boot-keys", "<wait1s><f10>");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(await File.ReadAllTextAsync(_crust.Image("asks-for-keys.serial.log"), Cancellation), Does.Contain("keys are right").And.Not.Contain("wrong"));
    }

    [Test]
    public async Task With_json_standard_output_is_one_document_and_nothing_else()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        var result = await BuildAsync(iso, "--format", "img", "--json");

        using var manifest = JsonDocument.Parse(result.Output);
        Assert.That(manifest.RootElement.GetProperty("name").GetString(), Is.EqualTo("installs"));
    }

    [Test]
    public async Task Verify_boots_an_image_and_leaves_it_as_it_is()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        await BuildAsync(iso, "--format", "qcow2");
        var before = await File.ReadAllBytesAsync(_crust.Image("installs.qcow2"), Cancellation);

        var result = await _crust.RunAsync(Cancellation, "verify", "images/installs.qcow2");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Is.EqualTo("images/installs.qcow2: up\n"));
        await SameBytes.AssertFileAsync(_crust.Image("installs.qcow2"), before, Cancellation);
    }

    [Test]
    public async Task Two_builds_of_the_same_at_once_install_once()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        var results = await Task.WhenAll(
            _crust.RunAsync(Cancellation, "build", "--iso", iso, "--disk-size", "64M", "--format", "img", "--name", "one"),
            _crust.RunAsync(Cancellation, "build", "--iso", iso, "--disk-size", "64M", "--format", "vmdk", "--name", "two"));

        Assert.That(results.Select(result => result.ExitCode), Is.All.Zero, string.Concat(results.Select(result => result.Error)));
        Assert.That(results.Count(result => result.Error.Contains("from the cache")), Is.EqualTo(1));
    }

    private Task<CrustResult> BuildAsync(string iso, params string[] arguments) =>
        _crust.RunAsync(Cancellation, ["build", "--iso", iso, "--disk-size", "64M", "--memory", "256M", .. arguments]);
}
