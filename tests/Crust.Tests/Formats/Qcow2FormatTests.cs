using System.Text.Json;
using Crust.Formats;
using Crust.Spec;

namespace Crust.Tests.Formats;

[CancelAfter(120_000)]
public sealed class Qcow2FormatTests
{
    [Test]
    public async Task It_is_the_disk_compressed_as_the_spec_says([Values] Qcow2Compression compression)
    {
        using var images = Sample(compression);

        var image = await images.WriteAsync("qcow2");

        await images.MustBeTheDiskAsync("qcow2", image.Path);
        Assert.That(await SampleImages.RunAsync("qemu-img", "check", image.Path), Does.Contain("No errors were found"));
        using var map = JsonDocument.Parse(await SampleImages.RunAsync("qemu-img", "check", "--output=json", image.Path));
        var compressed = map.RootElement.TryGetProperty("compressed-clusters", out var clusters) ? clusters.GetInt32() : 0;
        Assert.That(compressed, compression is Qcow2Compression.None ? Is.Zero : Is.GreaterThan(5));
        using var info = JsonDocument.Parse(await SampleImages.RunAsync("qemu-img", "info", "--output=json", image.Path));
        Assert.That(info.RootElement.GetProperty("format-specific").GetProperty("data").GetProperty("compression-type").GetString(),
            Is.EqualTo(compression is Qcow2Compression.Zstd ? "zstd" : "zlib"));
    }

    [Test]
    public async Task What_is_made_for_old_readers_can_be_read_by_libqcow([Values(Qcow2Compression.Zlib, Qcow2Compression.None)] Qcow2Compression compression)
    {
        using var images = Sample(compression);

        var image = await images.WriteAsync("qcow2");

        Assert.That(await SampleImages.RunAsync("qcowinfo", image.Path), Does.Contain("Format version").And.Contain($"({images.Disk.Installed.Size} bytes)"));
    }

    [Test]
    public async Task The_same_disk_gives_the_same_bytes([Values] Qcow2Compression compression)
    {
        using var images = Sample(compression);
        using var again = Sample(compression);

        Assert.That((await images.WriteAsync("qcow2")).Sha256, Is.EqualTo((await again.WriteAsync("qcow2")).Sha256));
    }

    [Test]
    public void The_compression_is_told_so_that_another_makes_the_image_anew()
    {
        using var images = Sample(Qcow2Compression.Zlib);

        Assert.That(ImageFormats.Named("qcow2").RecipeOf(images.Spec, images.Disk.Services), Is.EqualTo("compression=zlib"));
    }

    private static SampleImages Sample(Qcow2Compression compression) => new() { Spec = new BuildSpec { Qcow2 = new() { Compression = compression } } };
}
