using System.Security.Cryptography;
using Crust.Formats;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tools;

namespace Crust.Tests.Formats;

[CancelAfter(60_000)]
public sealed class ImageWriterTests
{
    private SampleDisk _disk = null!;

    [SetUp]
    public void SetUp() => _disk = new SampleDisk(64 << 20, new Piece(0, 4 << 20, PieceKind.Noise), new Piece(40 << 20, 1000));

    [TearDown]
    public void TearDown() => _disk.Dispose();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Images => _disk.FileFor("images");

    [Test]
    public async Task Each_image_comes_with_its_size_and_SHA_256_whoever_computed_it()
    {
        using var drafts = DraftFolder.Create(Images);

        var images = await WriteAsync(drafts, new EventList(), Cancellation, "qcow2", "vmdk");

        foreach (var image in images)
        {
            var bytes = await File.ReadAllBytesAsync(image.Path, Cancellation);
            Assert.That((image.Size, image.Sha256), Is.EqualTo(((long)bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)))), image.Format.Name);
        }
    }

    [Test]
    public async Task Each_image_names_the_library_that_compressed_it()
    {
        using var drafts = DraftFolder.Create(Images);

        var images = await WriteAsync(drafts, new EventList(), Cancellation, "img", "qcow2", "img.zst", "vmdk", "ova", "gce");

        Assert.That(images.Select(image => (image.Format.Name, image.Library)), Is.EqualTo(new[]
        {
            ("img", null),
            ("qcow2", null),
            ("img.zst", HostLibrary.Zstd.Identity),
            ("vmdk", HostLibrary.Deflate.Identity),
            ("ova", HostLibrary.Deflate.Identity),
            ("gce", HostLibrary.Deflate.Identity),
        }));
        Assert.That(ImageWriter.LibraryOf(ImageFormats.Named("iso"), new BuildSpec()), Is.EqualTo(HostLibrary.Zstd.Identity));
    }

    [Test]
    public async Task Cancelled_in_the_middle_it_leaves_no_file()
    {
        using var cancel = new CancellationTokenSource();
        var observer = new CancelAt(0.5, cancel);

        using (var drafts = DraftFolder.Create(Images))
        {
            await Assert.ThatAsync(() => WriteAsync(drafts, observer, cancel.Token, "vmdk"), Throws.InstanceOf<OperationCanceledException>());
        }

        Assert.That(observer.Seen, Is.LessThan(1));
        Assert.That(Directory.GetFileSystemEntries(Images), Is.Empty);
    }

    [Test]
    public async Task A_full_file_system_is_an_error_that_says_what_to_do()
    {
        using var drafts = DraftFolder.Create(Images);
        var path = Path.Combine(drafts.Path, "x.vmdk");
        File.CreateSymbolicLink(path, "/dev/full");

        var error = (await Assert.ThrowsAsync<CrustException>(() => WriteAsync(drafts, new EventList(), Cancellation, "vmdk")))!;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
            Assert.That(error.What, Does.StartWith("The vmdk image couldn't be written: no space is left, and about "));
            Assert.That(error.Where, Is.EqualTo(path));
            Assert.That(error.Remedy, Does.StartWith("free space in the images folder"));
        }
    }

    [Test]
    public async Task One_format_that_fails_takes_no_other_with_it()
    {
        using var drafts = DraftFolder.Create(Images);
        File.CreateSymbolicLink(Path.Combine(drafts.Path, "x.vmdk"), "/dev/full");

        var error = (await Assert.ThrowsAsync<CrustException>(() => WriteAsync(drafts, new EventList(), Cancellation, "vmdk", "ova", "img", "vhdx")))!;

        Assert.That(error.What, Does.StartWith("The vmdk image couldn't be written: "));
        Assert.That(error.Find<FinishedDrafts>()!.Images.Select(image => image.Format.Name), Is.EqualTo(new[] { "img", "vhdx" }), "the ova wraps the vmdk");
        Assert.That(error.Find<FinishedDrafts>()!.Images.Select(image => image.Path), Has.All.Exist);
    }

    private async Task<IReadOnlyList<DraftImage>> WriteAsync(DraftFolder drafts, IBuildObserver observer, CancellationToken cancellation, params string[] formats) =>
        await new ImageWriter(_disk.Services, observer).WriteAsync(_disk.Installed, [.. formats.Select(ImageFormats.Named)], "x", new BuildSpec(), drafts, cancellation);

    private sealed class CancelAt(double fraction, CancellationTokenSource cancel) : IBuildObserver
    {
        public double Seen { get; private set; }

        public void Observe(BuildEvent buildEvent)
        {
            if (buildEvent is BuildEvent.Progressed { Fraction: { } seen })
            {
                Seen = seen;
                if (seen > fraction)
                {
                    cancel.Cancel();
                }
            }
        }
    }
}
