using System.Security.Cryptography;
using System.Text.Json;
using Crust.Tests.Installers;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Bases;

/// <summary>Builds from a disk image, with the whole program. The image is one that a stub guest has installed, which boots in a second.</summary>
[CancelAfter(180_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BaseBuildTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    public async Task A_qcow2_becomes_images_that_boot_and_all_that_tells_of_them_names_the_base()
    {
        var image = await ImageAsync("qcow2");
        var sum = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(image, Cancellation)));
        await WriteSpecAsync($"base: {{ image: {image} }}\nmachine: {{ disk: 256M }}\nformats: [img, vmdk]");

        var dry = await _crust.RunAsync(Cancellation, "build", "--dry-run");
        var built = await _crust.RunAsync(Cancellation, "build", "--verify");
        var again = await _crust.RunAsync(Cancellation, "build", "--verify");
        var other = await _crust.RunAsync(Cancellation, "build", "--format", "ova", "--cpus", "3");

        Assert.That((built.ExitCode, built.Output), Is.EqualTo((0, "images/installs.img\nimages/installs.vmdk\n")), built.Error);
        Assert.That(dry.Output, Does.Contain($"base       {image}").And.Contain("unpack     yes").And.Not.Contain("installer").And.Not.Contain("seed"));
        Assert.That(built.Error, Does.Contain(" base ").And.Contain(" unpack ").And.Not.Contain("install "));
        Assert.That(new FileInfo(_crust.Image("installs.img")).Length, Is.EqualTo(256 << 20));
        Assert.That(again.Error, Does.Contain("up to date"));
        Assert.That(other.Error, Does.Contain("from the cache (").And.Not.Contain("installer"));
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(_crust.Image("installs.manifest.json"), Cancellation));
        var origin = manifest.RootElement.GetProperty("base");
        Assert.That((origin.GetProperty("source").GetString(), origin.GetProperty("sha256").GetString(), origin.GetProperty("form").GetString()), Is.EqualTo((image, sum, "qcow2")));
        Assert.That(manifest.RootElement.TryGetProperty("installer", out _), Is.False);
        using var provenance = JsonDocument.Parse(await File.ReadAllBytesAsync(_crust.Image("installs.provenance.json"), Cancellation));
        var material = provenance.RootElement.GetProperty("predicate").GetProperty("buildDefinition").GetProperty("resolvedDependencies")[0];
        Assert.That((material.GetProperty("name").GetString(), material.GetProperty("digest").GetProperty("sha256").GetString()), Is.EqualTo(("base", sum)));
        var report = await File.ReadAllTextAsync(_crust.Image("installs.report.html"), Cancellation);
        Assert.That(report, Does.Contain("From the base image installs.qcow2").And.Contain("the base image, ").And.Not.Contain("the installer, "));
    }

    [Test]
    public async Task A_compressed_image_comes_over_HTTP_with_its_sum_and_a_wrong_one_is_refused()
    {
        var image = await ImageAsync("raw");
        await Host.RunAsync("xz", ["-T1", image], Cancellation);
        var sum = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(image + ".xz", Cancellation)));
        var content = await File.ReadAllBytesAsync(image + ".xz", Cancellation);
        using var server = new LoopbackServer { Answer = request => LoopbackServer.File(request, content, null) };

        var wrong = await _crust.RunAsync(Cancellation, "build", "--base", server.Url("installs.img.xz"), "--base-sha256", new string('0', 64), "--disk-size", "128M");
        var fetched = await _crust.RunAsync(Cancellation, "fetch", "--base", server.Url("installs.img.xz"), "--base-sha256", sum, "--disk-size", "128M", "--json");
        var built = await _crust.RunAsync(Cancellation, "build", "--base", server.Url("installs.img.xz"), "--base-sha256", sum, "--disk-size", "128M", "--verify");

        Assert.That(wrong.ExitCode, Is.EqualTo(2));
        Assert.That(wrong.Error, Does.Contain("The image isn't the one that the checksum is of"));
        Assert.That(fetched.Output, Does.Contain($"\"sha256\":\"{sum}\"").And.Contain("\"base\":").And.Contain("\"hasDisk\":false"));
        Assert.That((built.ExitCode, built.Output), Is.EqualTo((0, "images/installs.img\n")), built.Error);
        Assert.That(await Host.RunAsync("cmp", ["-n", $"{64 << 20}", await RawAsync(image), _crust.Image("installs.img")], Cancellation), Is.Empty);
    }

    [Test]
    public async Task What_can_not_be_a_base_leaves_nothing()
    {
        var image = await ImageAsync("raw");
        await Host.RunAsync("sh", ["-c", $"xz -T1 -k '{image}' && truncate -s -100 '{image}.xz' && qemu-img create -q -f qcow2 -F raw -b '{image}' '{_crust.Folder}/over.qcow2' && echo text > '{_crust.Folder}/text.img'"],
            Cancellation);

        foreach (var (file, disk, what) in new[]
        {
            ($"{image}.xz", "128M", "The image can't be unpacked: xz failed"),
            (image, "64M", "is larger than the disk of 64.0 MiB"),
            ("over.qcow2", "128M", "The image isn't complete in itself: it needs"),
            ("text.img", "128M", "This is neither an ISO nor a disk image"),
            ("none.img", "128M", "There is no such image"),
        })
        {
            var result = await _crust.RunAsync(Cancellation, "build", "--base", file, "--disk-size", disk);

            Assert.That((result.ExitCode, result.Output), Is.EqualTo((2, "")), file);
            Assert.That(result.Error, Does.Contain(what).And.Contain("where: ").And.Contain("to do: "), file);
            Assert.That(_crust.Products, Is.Empty, file);
            AssertNoDraftIsLeft();
        }
    }

    [Test]
    public async Task Killed_while_it_unpacks_it_leaves_no_program_and_the_next_build_cleans_up()
    {
        var image = await ImageAsync("raw");
        await Host.RunAsync("xz", ["-T1", image], Cancellation);
        await using (var running = _crust.StartIn(["env", $"PATH={await SlowXzAsync()}:/usr/bin:/bin:/usr/sbin:/sbin"], ["build", "--base", image + ".xz", "--disk-size", "128M"]))
        {
            var started = Path.Combine(_crust.Folder, "started");
            while (!File.Exists(started))
            {
                await Task.Delay(50, Cancellation);
            }

            var unpacker = int.Parse(await File.ReadAllTextAsync(started, Cancellation));
            await Host.RunAsync("kill", ["-9", $"{running.Id}"], Cancellation);
            await running.WaitAsync(Cancellation);
            while (Directory.Exists($"/proc/{unpacker}"))
            {
                await Task.Delay(50, Cancellation);
            }
        }

        Assert.That(_crust.Products, Has.None.StartsWith("installs"));
        var built = await _crust.RunAsync(Cancellation, "build", "--base", image + ".xz", "--disk-size", "128M", "--verify");

        Assert.That((built.ExitCode, built.Output), Is.EqualTo((0, "images/installs.img\n")), built.Error);
        Assert.That(_crust.Products, Has.None.StartsWith(".crust-"));
        AssertNoDraftIsLeft();
    }

    [Test]
    public async Task What_is_embedded_builds_the_same_without_the_first_file()
    {
        var image = await ImageAsync("qcow2");
        await WriteSpecAsync($"base: {{ image: {image} }}\nmachine: {{ disk: 128M }}\nformats: [img]");
        var embedded = await _crust.RunAsync(Cancellation, "embed", "-o", "box", "--iso-folder", Path.Combine(_crust.Folder, "box", "iso"));
        File.Delete(image);

        var built = await _crust.RunAsync(Cancellation, "build", "box/work/crust.yaml", "--verify");

        Assert.That(embedded.ExitCode, Is.Zero, embedded.Error);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_crust.Folder, "box", "work", "crust.yaml"), Cancellation), Does.Contain("base:").And.Contain("sha256:").And.Not.Contain("installer"));
        Assert.That((built.ExitCode, built.Output), Is.EqualTo((0, "images/installs.img\n")), built.Error);
    }

    private void AssertNoDraftIsLeft() => Assert.That(
        Directory.EnumerateFileSystemEntries(Path.Combine(_crust.Cache, "disks"), "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) is "unpacked" or "disk"
            || Path.GetFileName(path).StartsWith("scratch-", StringComparison.Ordinal)), Is.Empty);

    private Task WriteSpecAsync(string yaml) => File.WriteAllTextAsync(Path.Combine(_crust.Folder, "crust.yaml"), $"version: 1\n{yaml}\n", Cancellation);

    // Says that it runs, and doesn't end.
    private async Task<string> SlowXzAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_crust.Folder, "slow")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "xz"), $"#!/bin/sh\necho $$ > '{_crust.Folder}/starting' && mv '{_crust.Folder}/starting' '{_crust.Folder}/started'\nhead -c 100000 /dev/urandom\nexec sleep 1000\n", Cancellation);
        File.SetUnixFileMode(Path.Combine(folder, "xz"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    // A disk of 100 MiB with the stub's system.
    private async Task<string> ImageAsync(string format)
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        var result = await _crust.RunAsync(Cancellation, "build", "--iso", iso, "--disk-size", "100M", "--output", "made");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var image = Path.Combine(_crust.Folder, format == "raw" ? "installs.img" : $"installs.{format}");
        await Host.RunAsync("qemu-img", ["convert", "-O", format, Path.Combine(_crust.Folder, "made", "installs.img"), image], Cancellation);
        return image;
    }

    private static async Task<string> RawAsync(string image)
    {
        await Host.RunAsync("xz", ["-d", "-k", image + ".xz"], Cancellation);
        return image;
    }
}
