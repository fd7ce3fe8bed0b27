using System.IO.Compression;
using System.Text;
using Crust.Disks;
using Crust.Formats;
using Crust.Formats.Ova;
using Crust.Formats.Zstd;
using Crust.Tests.Disks;
using Crust.Trees;

namespace Crust.Tests.Formats.Archives;

/// <summary>Archives that are made to do harm: each is bad input with its file and a reason, in a moment and with little memory.</summary>
[CancelAfter(120_000)]
[NonParallelizable] // It counts the bytes that the whole process allocates.
public sealed class HostileArchiveTests
{
    private const int LengthField = 124;

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-archive-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private static IEnumerable<TestCaseData> Lengths() =>
    [
        Length("negative, in binary", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Length("beyond 64 bits", [0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        Length("the largest", [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Length("2 GiB, in binary", [0x80, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0]),
        Length("the largest in octal digits", "777777777777"u8.ToArray()),
        Length("with a sign", "-00000000001"u8.ToArray()),
        Length("no digits", "9xyz        "u8.ToArray()),
        Length("a byte behind the file", "00000010000 "u8.ToArray()),
    ];

    [TestCaseSource(nameof(Lengths))]
    public async Task A_length_that_cannot_be_is_bad_input_for_every_kind_of_archive(byte[] length)
    {
        foreach (var type in "0LxgKS15")
        {
            var header = new TarMember("edge.ovf", 0).Header();
            header[156] = (byte)type;
            length.CopyTo(header, LengthField);
            byte[] archive = [.. Summed(header), .. new byte[1024]];
            await MustBeRefusedAsync("x.ova", archive);
            await MustBeRefusedAsync("x.kubevirt.oci.tar", archive);
            await MustBeRefusedAsync("x.tar.gz", Gzip(archive));
        }
    }

    [Test]
    public async Task Links_devices_and_names_that_lead_out_of_an_archive_are_refused()
    {
        foreach (var (type, name, reason) in new[]
        {
            ('2', "edge.vmdk", "edge.vmdk in it is a link"), ('1', "edge.vmdk", "edge.vmdk in it is a link"), ('6', "edge.vmdk", "edge.vmdk in it is no regular file"),
            ('3', "edge.vmdk", "no regular file"), ('0', "../edge.vmdk", "leaves it: ../edge.vmdk"), ('0', "/edge.vmdk", "leaves it: /edge.vmdk"), ('0', "a/../../edge.vmdk", "leaves it"),
        })
        {
            var header = new TarMember(name, 0).Header();
            header[156] = (byte)type;
            "/etc/passwd"u8.CopyTo(header.AsSpan(157));
            byte[] archive = [.. Summed(header), .. new byte[1024]];

            Assert.That(await MustBeRefusedAsync("x.ova", archive), Does.Contain(reason));
            await MustBeRefusedAsync("x.kubevirt.oci.tar", archive);
        }
    }

    [Test]
    public async Task An_OVA_whose_descriptor_names_what_is_not_in_it_is_refused()
    {
        foreach (var name in new[] { "../../etc/shadow", "/etc/shadow", "http://example.org/x.vmdk", "other.vmdk" })
        {
            var xml = $"<Envelope xmlns:ovf=\"o\"><References><File ovf:id=\"f\" ovf:href=\"{name}\"/></References></Envelope>";
            Assert.That(await MustBeRefusedAsync("x.ova", Archive(("x.ovf", Encoding.UTF8.GetBytes(xml)), ("x.vmdk", new byte[512]))), Does.Contain($"names {name}, which isn't in it"));
        }

        var bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><Envelope>&c;</Envelope>"u8.ToArray();
        Assert.That(await MustBeRefusedAsync("x.ova", Archive(("x.ovf", bomb), ("x.vmdk", new byte[512]))), Does.Contain("isn't XML"));
    }

    [Test]
    public async Task The_disk_in_an_archive_may_name_no_file_of_this_host_either()
    {
        var secret = In("secret");
        await File.WriteAllBytesAsync(secret, new byte[1 << 20], Cancellation);
        await SampleImages.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-F", "raw", "-b", $"json:{{\"driver\":\"file\",\"filename\":\"{secret}\"}}", In("d.qcow2"), "1M");
        Assert.That(await MustBeRefusedAsync("x.kubevirt.oci.tar", ContainerDisk(Archive(("disk/d.qcow2", await File.ReadAllBytesAsync(In("d.qcow2"), Cancellation))))), Does.Contain("isn't complete in itself").And.Contain(secret));

        await SampleImages.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", $"data_file={secret}", In("e.qcow2"), "1M");
        Assert.That(await MustBeRefusedAsync("x.kubevirt.oci.tar", ContainerDisk(Archive(("disk/d.qcow2", await File.ReadAllBytesAsync(In("e.qcow2"), Cancellation))))), Does.Contain("isn't complete in itself"));

        var descriptor = Encoding.ASCII.GetBytes($"# Disk DescriptorFile\nRW 2048 FLAT \"{secret}\" 0\n");
        Assert.That(await MustBeRefusedAsync("x.ova", Archive(("x.vmdk", descriptor))), Does.Contain("isn't complete in itself").And.Contain(secret));
    }

    [Test]
    public async Task A_link_in_a_layer_in_place_of_the_disk_or_its_folder_is_refused()
    {
        foreach (var (name, type) in new[] { ("disk/d.qcow2", '2'), ("disk/d.qcow2", '1'), ("disk", '2') })
        {
            var header = new TarMember(name, 0).Header();
            header[156] = (byte)type;
            "/etc/shadow"u8.CopyTo(header.AsSpan(157));
            Assert.That(await MustBeRefusedAsync("x.kubevirt.oci.tar", ContainerDisk([.. Summed(header), .. new byte[1024]])), Does.Contain("in its layer is a link"));
        }
    }

    [TestCase("json:{\\\"driver\\\":\\\"file\\\",\\\"filename\\\":\\\"/etc/shadow\\\"}")]
    [TestCase("sha256:../../../../etc/shadow")]
    [TestCase("/etc/shadow")]
    public async Task An_index_that_names_something_else_than_a_digest_is_refused(string digest)
    {
        var index = Encoding.UTF8.GetBytes($"{{\"manifests\":[{{\"digest\":\"{digest}\"}}]}}");

        Assert.That(await MustBeRefusedAsync("x.kubevirt.oci.tar", Archive(("index.json", index))), Does.Contain("which is no SHA-256 digest"));
    }

    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("{\"manifests\":{}}")]
    [TestCase("{\"manifests\":[1]}")]
    [TestCase("{\"manifests\":[{\"digest\":\"\\ud800\"}]}")]
    [TestCase("{\"manifests\":[]}")]
    public async Task Documents_of_another_shape_are_bad_input(string index) => await MustBeRefusedAsync("x.kubevirt.oci.tar", Archive(("index.json", Encoding.UTF8.GetBytes(index))));

    [Test]
    public async Task A_raw_disk_in_a_containerDisk_is_found()
    {
        var disk = new byte[4096];
        (disk[510], disk[511]) = (0x55, 0xaa);
        await File.WriteAllBytesAsync(In("x.kubevirt.oci.tar"), ContainerDisk(Archive(("disk/d.img", disk))), Cancellation);

        var found = await ForeignImage.OpenAsync(In("x.kubevirt.oci.tar"), ImageFormats.Named("kubevirt"), _folder, SampleDisk.Tools, Cancellation);

        Assert.That((found.Driver, found.Part!.Length), Is.EqualTo(("raw", 4096L)));
        Assert.That(await SampleImages.RunAsync("qemu-img", "info", found.Reference), Does.Contain("virtual size: 4 KiB"));
    }

    [TestCase("gnu")]
    [TestCase("oldgnu")]
    [TestCase("pax")]
    [TestCase("posix")]
    [TestCase("ustar")]
    [TestCase("v7")]
    public async Task Archives_by_tar_are_read_in_all_of_its_formats(string format)
    {
        var name = format == "v7" ? "edge.vmdk" : "a-folder-of-many-letters/and-another-one/" + new string('n', 80) + ".vmdk";
        Directory.CreateDirectory(Path.GetDirectoryName(In("tree/" + name))!);
        await File.WriteAllTextAsync(In("tree/" + name), "the disk", Cancellation);
        await SampleImages.RunAsync("tar", $"--format={format}", "-C", In("tree"), "-cf", In("x.ova"), ".");

        var disk = OvaReader.Open(In("x.ova"));

        await using var file = File.OpenRead(In("x.ova"));
        file.Position = disk.Part!.Offset;
        var content = new byte[disk.Part.Length];
        await file.ReadExactlyAsync(content, Cancellation);
        Assert.That(Encoding.ASCII.GetString(content), Is.EqualTo("the disk"));
    }

    [Test]
    public async Task A_zstd_bomb_is_given_up_long_before_it_fills_the_disk()
    {
        // 98 KB that become 3 GiB of the letter A: a frame (RFC 8878, section 3.1.1) of run-length blocks of 128 KiB each.
        const int Blocks = 24576;
        byte[] Block(bool isLast) => [.. BitConverter.GetBytes(((128 << 10) << 3) | (1 << 1) | (isLast ? 1 : 0))[..3], (byte)'A'];
        await File.WriteAllBytesAsync(In("bomb.img.zst"),
            [0x28, 0xb5, 0x2f, 0xfd, 0xc0, 7 << 3, .. BitConverter.GetBytes((long)Blocks << 17), .. Enumerable.Range(1, Blocks).SelectMany(block => Block(block == Blocks))], Cancellation);
        Assert.That(await SampleImages.RunAsync("zstd", "-l", In("bomb.img.zst")), Does.Contain("3.00 GiB"));

        var error = (await Assert.ThrowsAsync<CrustException>(() => ForeignImage.OpenAsync(In("bomb.img.zst"), ImageFormats.Named("img.zst"), _folder, SampleDisk.Tools, Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, In("bomb.img.zst"))));
        Assert.That(error.What, Does.StartWith("The image unpacks to more than 1000 times its length"));
        Assert.That(new DirectoryInfo(_folder).GetFiles("*.raw").Sum(file => file.Length), Is.LessThan(400 << 20));
    }

    [TestCase(127, FailureKind.HostLacks)]
    [TestCase(128, null)]
    public void A_disk_that_is_unpacked_leaves_others_some_space(int freeMiB, FailureKind? kind)
    {
        File.WriteAllBytes(In("image"), new byte[1 << 20]);
        using var disk = new SparseDisk(In("disk"), In("image"), _ => (long)freeMiB << 20);
        var piece = new byte[1 << 20];
        Array.Fill(piece, (byte)'A');
        void Unpack() => Enumerable.Range(0, 100).ToList().ForEach(_ => disk.Append(piece));

        if (kind is null)
            Assert.DoesNotThrow(Unpack);
        else
            Assert.That(Assert.Throws<CrustException>(Unpack)!.Kind, Is.EqualTo(kind));
        Assert.That(new FileInfo(In("disk")).Length, Is.LessThanOrEqualTo(kind is null ? 100 << 20 : 64 << 20));
    }

    [TestCase('L')]
    [TestCase('K')]
    [TestCase('x')]
    [TestCase('g')]
    public async Task A_name_or_records_without_end_are_refused(char type)
    {
        const int Length = (64 << 10) + 1;
        var header = new TarMember("././@LongLink", Length).Header();
        header[156] = (byte)type;

        Assert.That(await MustBeRefusedAsync("x.ova", [.. Summed(header), .. Enumerable.Repeat((byte)'a', Length), .. new byte[511 + 1024]]), Does.Contain("longer than any file's"));
    }

    [Test]
    public void Only_blocks_with_something_in_them_count_as_data_and_take_space()
    {
        File.WriteAllBytes(In("image"), []);
        using (var disk = new SparseDisk(In("disk"), In("image")))
        {
            var piece = new byte[64 << 10];
            piece[^1] = 1;
            for (var count = 0; count < 8192; count++)
            {
                disk.Append(piece);
            }

            disk.Finish();
        }

        Assert.That(new FileInfo(In("disk")).Length, Is.EqualTo(512L << 20));
        Assert.That(SparseFile.AllocatedBytes(In("disk")), Is.LessThan(40 << 20));
        using var file = File.OpenHandle(In("disk"));
        var last = new byte[4096];
        Assert.That(RandomAccess.Read(file, last, (512L << 20) - 4096), Is.EqualTo(4096));
        Assert.That((last[^2], last[^1]), Is.EqualTo(((byte)0, (byte)1)));
    }

    [Test]
    public async Task A_disk_in_a_compressed_archive_may_be_as_sparse_as_it_likes_and_no_longer_than_a_file()
    {
        var small = Gzip([.. new TarMember("disk.raw", 1L << 40).Header(), .. new byte[1 << 20]]);
        Assert.That(await MustBeRefusedAsync("x.tar.gz", small), Does.Contain("it ends within a member"));
        await MustBeRefusedAsync("x.tar.gz", Gzip([.. new TarMember("disk.raw", long.MaxValue / 2 - 4096).Header(), .. new byte[1 << 20]]));
        await MustBeRefusedAsync("x.tar.gz", small[..100]);
    }

    [TestCase(-1, 5)]
    [TestCase(5, -1)]
    [TestCase(int.MinValue, int.MinValue)]
    public void A_table_of_zstd_frames_with_lengths_that_cannot_be_is_none(int length, int content)
    {
        File.WriteAllBytes(In("table"), SeekTable.Of([new ZstdFrame(0, length, 0, content)]));

        Assert.That(() => SeekTable.Read(In("table")), Throws.InstanceOf<InvalidDataException>());
    }

    [Test]
    public void A_table_of_more_zstd_frames_than_a_disk_has_is_none()
    {
        File.WriteAllBytes(In("table"), SeekTable.Of([.. Enumerable.Range(0, 3).Select(_ => new ZstdFrame(0, 1, 0, 1))]));

        Assert.That(SeekTable.Read(In("table"), 3), Has.Length.EqualTo(3));
        Assert.That(() => SeekTable.Read(In("table"), 2), Throws.InstanceOf<InvalidDataException>());
    }

    private async Task<string> MustBeRefusedAsync(string name, byte[] content)
    {
        var path = In(name);
        await File.WriteAllBytesAsync(path, content, Cancellation);
        var before = GC.GetTotalAllocatedBytes();

        var error = (await Assert.ThrowsAsync<CrustException>(() => ForeignImage.OpenAsync(path, ImageFormats.All.Single(format => name.EndsWith("x" + format.Extension, StringComparison.Ordinal)), _folder, SampleDisk.Tools, Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, path)), error.What);
        Assert.That(GC.GetTotalAllocatedBytes() - before, Is.LessThan(16 << 20), "bytes of memory");
        return error.What;
    }

    // An OCI archive with one image of one layer.
    private static byte[] ContainerDisk(byte[] layer)
    {
        const string LayerName = "1111111111111111111111111111111111111111111111111111111111111111", ManifestName = "2222222222222222222222222222222222222222222222222222222222222222";
        return Archive(
            ("oci-layout", "{}"u8.ToArray()),
            ("index.json", Encoding.UTF8.GetBytes($"{{\"manifests\":[{{\"digest\":\"sha256:{ManifestName}\"}}]}}")),
            ($"blobs/sha256/{ManifestName}", Encoding.UTF8.GetBytes($"{{\"layers\":[{{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:{LayerName}\"}}]}}")),
            ($"blobs/sha256/{LayerName}", layer));
    }

    private static byte[] Archive(params (string Name, byte[] Content)[] members) =>
        [.. members.SelectMany(member => TarMember.File(member.Name, member.Content)).SelectMany(piece => piece.ToArray()), .. TarMember.EndOfArchive.ToArray()];

    private static byte[] Summed(byte[] header)
    {
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0").CopyTo(header, 148);
        return header;
    }

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }

    private static TestCaseData Length(string name, byte[] field) => new TestCaseData(field).SetArgDisplayNames(name);

    private string In(string name) => Path.Combine(_folder, name);
}
