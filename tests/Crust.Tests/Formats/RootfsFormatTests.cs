using Crust.Formats;
using Crust.Tests.Disks;
using Crust.Verification;

namespace Crust.Tests.Formats;

[CancelAfter(300_000)]
public sealed class RootfsFormatTests : ImageFixture
{
    private static IEnumerable<string> Formats => ["rootfs", "rootfs.zst"];

    [TestCase("rootfs", "gzip")]
    [TestCase("rootfs.zst", "zstd")]
    public async Task The_archive_is_what_the_appliance_packed_and_tar_reads_it(string format, string program)
    {
        var root = Root();
        var image = await WriteAsync(root, format);

        await SampleImages.RunAsync(program, "--test", "-q", image.Path);
        await SampleImages.RunAsync("sh", "-c", $"{program} -dc '{image.Path}' | cmp - '{root.Archive}'");
        Assert.That(await SampleImages.RunAsync("sha256sum", image.Path), Does.StartWith(image.Sha256!));
        var list = await SampleImages.RunAsync("tar", "--numeric-owner", $"--use-compress-program={program}", "-tvf", image.Path);
        Assert.That(list, Does.Contain("1234/0").And.Contain("./link -> etc/os-release").And.Contain("/a-folder-with-a-long-name/file"));
        Assert.That(await SampleImages.RunAsync("bsdtar", "-tf", image.Path), Is.EqualTo(await SampleImages.RunAsync("tar", "-tf", root.Archive)));
        Assert.That(Images.Files, Is.EqualTo(new[] { $"edge{image.Format.Extension}" }), "nothing is left of the uncompressed one");
    }

    [TestCaseSource(nameof(Formats))]
    public async Task The_same_disk_gives_the_same_bytes(string format)
    {
        var root = Root();
        var first = (await WriteAsync(root, format)).Sha256;
        var second = (await WriteAsync(root, format)).Sha256;

        Assert.That(second, Is.EqualTo(first));
    }

    [TestCaseSource(nameof(Formats))]
    public async Task It_is_known_by_its_content_and_what_is_in_it_is_told(string format)
    {
        var image = await WriteAsync(Root(), format);
        var renamed = Images.Disk.FileFor("renamed");
        File.Move(image.Path, renamed);

        var kind = ForeignImage.KindOf(renamed);
        var contents = (await kind.ReadContentsAsync(renamed, Cancellation))!;

        Assert.That((kind.Name, kind.HoldsDisk, kind.QemuDriver), Is.EqualTo((format, false, (string?)null)));
        Assert.That((contents.What, contents.System), Is.EqualTo(("a root file system", "Sample Linux 7")));
        Assert.That(contents.Kernels, Is.EqualTo(new[] { "/boot/vmlinuz-6.1.0-1", "/boot/vmlinuz-6.12.0-1" }));
        Assert.That(contents.Members, Is.EqualTo(24));
        Assert.That(contents.Bytes, Is.EqualTo(await LengthOfFilesAsync()));
    }

    [TestCaseSource(nameof(Formats))]
    public async Task One_that_is_cut_off_or_damaged_is_told(string format)
    {
        var image = await WriteAsync(Root(), format);
        var whole = await File.ReadAllBytesAsync(image.Path);
        var kind = ImageFormats.Named(format);

        foreach (var damaged in new[] { whole[..(whole.Length / 2)], [.. whole[..(whole.Length / 2)], .. new byte[64], .. whole[(whole.Length / 2 + 64)..]] })
        {
            await File.WriteAllBytesAsync(image.Path, damaged);

            var error = (await Assert.ThrowsAsync<CrustException>(() => kind.ReadContentsAsync(image.Path, Cancellation)))!;
            Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, image.Path)));
            Assert.That(error.What, Does.StartWith("The archive is damaged: "));
        }
    }

    [TestCaseSource(nameof(Formats))]
    public void Where_nothing_can_be_packed_nothing_is_left_and_the_reason_is_told(string format)
    {
        var root = new SampleRoot(Images.Disk.FileFor("root")) { Failure = new CrustException(FailureKind.GuestFailed, "no system is on this disk", "here", "mend it") };

        Assert.That(async () => await WriteAsync(root, format), Throws.TypeOf<CrustException>().With.Property("What").EqualTo("no system is on this disk"));
        Assert.That(Images.Files, Is.Empty);
    }

    [TestCaseSource(nameof(Formats))]
    public async Task There_is_no_disk_in_it(string format)
    {
        var image = await WriteAsync(Root(), format);

        var error = (await Assert.ThrowsAsync<CrustException>(async () => await ImageFormats.Named(format).OpenAsync(image.Path, Images.Disk.Folder, SampleDisk.Tools, Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, image.Path)));
        Assert.That(error.Remedy, Does.Contain("base.rootfs"));
    }

    [Test]
    public async Task Nobody_takes_it_for_a_disk_whose_extension_it_ends_with()
    {
        var image = await WriteAsync(Root(), "rootfs");

        Assert.That(image.Path, Does.EndWith(ImageFormats.Named("gce").Extension));
        Assert.That(() => BootVerifier.FormatOf(image.Path), Throws.TypeOf<CrustException>().With.Property("Kind").EqualTo(FailureKind.BadInput));
    }

    [Test]
    public void All_formats_are_those_with_a_disk() =>
        Assert.That(ImageFormats.ForSpec.Where(format => !format.IsInAll).Select(format => format.Name), Is.SupersetOf(new[] { "rootfs", "rootfs.zst" }).And.Not.Contain("iso"));

    private SampleRoot Root() => new(Images.Disk.FileFor("root"));

    private Task<DraftImage> WriteAsync(SampleRoot root, string format)
    {
        Images.Roots = root;
        return Images.WriteAsync(format);
    }

    private async Task<long> LengthOfFilesAsync() =>
        long.Parse(await SampleImages.RunAsync("sh", "-c", $"find '{Images.Disk.FileFor("root")}' -type f -printf '%s\\n' | awk '{{ sum += $1 }} END {{ printf \"%d\", sum }}'"));
}
