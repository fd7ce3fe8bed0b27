using System.Text;
using Crust.Formats;
using Crust.Tests.Installers;
using Crust.Tools;

namespace Crust.Tests.Formats;

public sealed class ImageKindTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-image-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private static IEnumerable<TestCaseData> Kinds() =>
    [
        Kind("iso", IsoBytes.With("EDGE", 0)),
        Kind("img", Bytes(4096, (510, [0x55, 0xaa]))),
        Kind("img", new byte[1 << 20], "img, with nothing on it"),
        Kind("img", Bytes(1 << 17, (0x438, [0x53, 0xef]), (0, "x"u8.ToArray())), "img, an ext4 without a partition table"),
        Kind("img", Bytes(1 << 17, (512, "LABELONE"u8.ToArray()), (0, "x"u8.ToArray())), "img, an LVM volume without a partition table"),
        Kind("qcow2", Bytes(4096, (0, [(byte)'Q', (byte)'F', (byte)'I', 0xfb]))),
        Kind("vmdk", Bytes(4096, (0, "KDMV"u8.ToArray()))),
        Kind("vmdk", Encoding.ASCII.GetBytes("# Disk DescriptorFile\nversion=1\n"), "vmdk, a descriptor"),
        Kind("vhdx", Bytes(4096, (0, "vhdxfile"u8.ToArray()))),
        Kind("vhd", Bytes(4096, (0, "conectix"u8.ToArray()))),
        Kind("vhd", Bytes(4096, (4096 - 512, "conectix"u8.ToArray()), (510, [0x55, 0xaa])), "vhd, a fixed one"),
        Kind("vdi", Bytes(4096, (0x40, [0x7f, 0x10, 0xda, 0xbe]))),
        Kind("img.zst", Bytes(100, (0, [0x28, 0xb5, 0x2f, 0xfd]))),
        Kind("gce", Bytes(100, (0, [0x1f, 0x8b]))),
        Kind("ova", Bytes(4096, (0, "edge.ovf"u8.ToArray()), (257, "ustar"u8.ToArray()))),
        Kind("kubevirt", Bytes(4096, (0, "oci-layout"u8.ToArray()), (257, "ustar"u8.ToArray()))),
    ];

    [TestCaseSource(nameof(Kinds))]
    public void A_kind_is_told_by_the_content_whatever_the_name_is(string kind, byte[] content) => Assert.That(ForeignImage.KindOf(Write(content)).Name, Is.EqualTo(kind));

    // Data before or behind another kind's signs mustn't decide.
    private static IEnumerable<TestCaseData> Mixtures() =>
    [
        Kind("iso", With(IsoBytes.With("EDGE", 0), (510, [0x55, 0xaa])), "an ISO with a boot sector, for USB sticks"),
        Kind("qcow2", Bytes(4096, (0, [(byte)'Q', (byte)'F', (byte)'I', 0xfb]), (4096 - 512, "conectix"u8.ToArray())), "a qcow2 that ends as a VHD does"),
        Kind("vhd", Bytes(4096, (0, [0x1f, 0x8b]), (4096 - 512, "conectix"u8.ToArray())), "a fixed VHD whose disk begins as gzip does"),
        Kind("gce", Bytes(4096, (0, [0x1f, 0x8b]), (257, "ustar"u8.ToArray()), (510, [0x55, 0xaa])), "gzip with a tar's name in it"),
        Kind("kubevirt", Bytes(4096, (0, "blobs/"u8.ToArray()), (257, "ustar"u8.ToArray()), (510, [0x55, 0xaa])), "an OCI archive with a boot sector's end"),
        Kind("ova", Bytes(4096, (0, "other"u8.ToArray()), (257, "ustar"u8.ToArray()), (510, [0x55, 0xaa])), "an archive with a boot sector's end"),
    ];

    [TestCaseSource(nameof(Mixtures))]
    public void Of_several_signs_the_surest_decides(string kind, byte[] content) => Assert.That(ForeignImage.KindOf(Write(content)).Name, Is.EqualTo(kind));

    [Test]
    public void What_is_no_image_is_bad_input()
    {
        (string Path, string What)[] cases =
        [
            (Write("just a text, longer than a sector is: " + new string('x', 600)), "neither an ISO nor a disk image"),
            (Write([.. Enumerable.Repeat((byte)7, 4096)]), "neither an ISO nor a disk image"),
            (Write([]), "empty"),
            (_folder, "folder"),
            (Path.Combine(_folder, "missing.img"), "no such image"),
            (Path.Combine(_folder, "missing", "x.img"), "no such image"),
        ];
        foreach (var (path, what) in cases)
        {
            var error = Assert.Throws<CrustException>(() => ForeignImage.KindOf(path))!;

            Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput), path);
            Assert.That(error.What, Does.Contain(what));
            Assert.That(error.Where, Is.EqualTo(path));
        }
    }

    [TestCase("backing")]
    [TestCase("data")]
    [TestCase("flat")]
    public async Task An_image_that_would_show_another_file_of_this_host_is_refused(string how)
    {
        var secret = Write(new byte[1 << 20]);
        var image = Path.Combine(_folder, "image");
        var kind = how == "flat" ? "vmdk" : "qcow2";
        await (how switch
        {
            "backing" => (Task)RunAsync("create", "-q", "-f", "qcow2", "-F", "raw", "-b", secret, image),
            "data" => RunAsync("create", "-q", "-f", "qcow2", "-o", $"data_file={secret},data_file_raw=on", image, "1M"),
            _ => File.WriteAllTextAsync(image, $"# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW 2048 FLAT \"{secret}\" 0\nddb.adapterType = \"ide\"\n"),
        });

        Assert.That(ForeignImage.KindOf(image).Name, Is.EqualTo(kind));
        var error = (await Assert.ThrowsAsync<CrustException>(() => ForeignImage.OpenAsync(image, ImageFormats.Named(kind), _folder, IsoSample.Tools, CancellationToken.None)))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Does.StartWith("The image isn't complete in itself").And.Contain(secret));
    }

    [Test]
    public async Task An_image_that_is_whole_is_opened_and_one_that_is_not_is_bad_input()
    {
        var image = Path.Combine(_folder, "image");
        await RunAsync("create", "-q", "-f", "qcow2", image, "1M");

        var disk = await ForeignImage.OpenAsync(image, ImageFormats.Named("qcow2"), _folder, IsoSample.Tools, CancellationToken.None);
        Assert.That((disk.Driver, disk.Path), Is.EqualTo(("qcow2", image)));

        await File.WriteAllBytesAsync(image, Bytes(4096, (0, [(byte)'Q', (byte)'F', (byte)'I', 0xfb, 0, 0, 0, 9])));
        Assert.That((await Assert.ThrowsAsync<CrustException>(() => ForeignImage.OpenAsync(image, ImageFormats.Named("qcow2"), _folder, IsoSample.Tools, CancellationToken.None)))!.Kind, Is.EqualTo(FailureKind.BadInput));
    }

    private static Task<ToolResult> RunAsync(params string[] arguments) => IsoSample.Tools.RunAsync(ToolCommand.Of("qemu-img", arguments), CancellationToken.None);

    private string Write(string text) => Write(Encoding.ASCII.GetBytes(text));

    private string Write(byte[] content)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}");
        File.WriteAllBytes(path, content);
        return path;
    }

    private static byte[] Bytes(int length, params (int Offset, byte[] Bytes)[] parts) => With(new byte[length], parts);

    private static byte[] With(byte[] bytes, params (int Offset, byte[] Bytes)[] parts)
    {
        foreach (var (offset, part) in parts)
            part.CopyTo(bytes, offset);
        return bytes;
    }

    private static TestCaseData Kind(string kind, byte[] content, string? name = null) => new TestCaseData(kind, content).SetArgDisplayNames(name ?? kind);
}
