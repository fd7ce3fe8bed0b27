using System.Text;
using Crust.Formats;
using Crust.Tests.Disks;
using Crust.Tools;
using Crust.Verification;

namespace Crust.Tests.Formats.Headers;

/// <summary>Images by other writers than Crust: those that are whole are taken, and none is that names another file. Nothing of QEMU's opens a refused one.</summary>
[CancelAfter(120_000)]
public sealed class ForeignImageTests
{
    private const string NotComplete = "The image isn't complete in itself: it needs ";

    private string _folder = null!;
    private string _secret = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-foreign-").FullName;
        _secret = In("secret.raw");
        File.WriteAllBytes(_secret, [.. "a secret of this host"u8, .. new byte[(1 << 20) - 21]]);
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [TestCase("x.qcow2", "qcow2", "")]
    [TestCase("x.qcow2", "qcow2", "compat=0.10")]
    [TestCase("x.qcow2", "qcow2", "cluster_size=512")]
    [TestCase("x.qcow2", "qcow2", "cluster_size=2M,preallocation=metadata")]
    [TestCase("x.qcow2", "qcow2", "extended_l2=on,cluster_size=128k")]
    [TestCase("x.qcow2", "qcow2", "compression_type=zstd,lazy_refcounts=on")]
    [TestCase("x.vmdk", "vmdk", "subformat=monolithicSparse")]
    [TestCase("x.vmdk", "vmdk", "subformat=streamOptimized")]
    [TestCase("x.vmdk", "vmdk", "subformat=streamOptimized,adapter_type=lsilogic,compat6=on")]
    [TestCase("x.vhd", "vpc", "subformat=dynamic")]
    [TestCase("x.vhd", "vpc", "subformat=fixed")]
    [TestCase("x.vhdx", "vhdx", "subformat=dynamic")]
    [TestCase("x.vhdx", "vhdx", "subformat=fixed")]
    public async Task An_image_by_qemu_img_that_is_whole_is_taken(string name, string driver, string options)
    {
        var image = In(name);
        await QemuImgAsync(["convert", "-f", "raw", "-O", driver, .. options.Length == 0 ? Array.Empty<string>() : ["-o", options], _secret, image]);

        var disk = await OpenAsync(image);

        Assert.That(disk.Driver, Is.EqualTo(driver));
        Assert.That(await SampleImages.RunAsync("qemu-img", "compare", "-f", "raw", _secret, disk.Reference), Does.Contain("identical"));
    }

    [Test]
    public async Task A_vdi_is_taken_by_inspect()
    {
        await QemuImgAsync("convert", "-f", "raw", "-O", "vdi", _secret, In("x.vdi"));

        Assert.That((await ForeignImage.OpenAsync(In("x.vdi"), ForeignImage.KindOf(In("x.vdi")), _folder, SampleDisk.Tools, Cancellation)).Driver, Is.EqualTo("vdi"));
    }

    [Test]
    public async Task An_image_with_snapshots_and_bitmaps_or_of_many_TiB_is_taken()
    {
        var image = In("x.qcow2");
        await QemuImgAsync("create", "-q", "-f", "qcow2", image, "100T");
        await QemuImgAsync("snapshot", "-c", "one", image);
        await QemuImgAsync("bitmap", "--add", image, "dirty");
        await OpenAsync(image);
        await QemuImgAsync("create", "-q", "-f", "vhdx", In("x.vhdx"), "60T");
        await OpenAsync(In("x.vhdx"));
    }

    [TestCase("-F raw -b SECRET", "the backing file SECRET")]
    [TestCase("-u -F raw -b nbd://127.0.0.1/x", "the backing file nbd://127.0.0.1/x")]
    [TestCase("-u -F raw -b json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"SECRET\"}}", "the backing file json:{")]
    [TestCase("-o compat=0.10 -F raw -b SECRET", "the backing file SECRET")]
    [TestCase("-o data_file=SECRET,data_file_raw=on", "the external data file SECRET")]
    public async Task A_qcow2_that_names_another_file_is_refused(string options, string needs)
    {
        await QemuImgAsync(["create", "-q", "-f", "qcow2", .. options.Replace("SECRET", _secret).Split(' '), In("x.qcow2"), "1M"]);

        await MustBeRefusedAsync(In("x.qcow2"), needs.Replace("SECRET", _secret));
    }

    [Test]
    public async Task A_qcow2_that_backs_itself_is_refused_at_once()
    {
        await QemuImgAsync("create", "-q", "-f", "qcow2", "-u", "-F", "qcow2", "-b", In("y.qcow2"), In("x.qcow2"), "1M");
        Replace(In("x.qcow2"), In("y.qcow2"), In("x.qcow2"));

        await MustBeRefusedAsync(In("x.qcow2"), $"the backing file {In("x.qcow2")}");
    }

    [TestCase("monolithicFlat")]
    [TestCase("twoGbMaxExtentSparse")]
    [TestCase("twoGbMaxExtentFlat")]
    public async Task A_vmdk_in_pieces_is_refused(string subformat)
    {
        await QemuImgAsync("convert", "-f", "raw", "-O", "vmdk", "-o", $"subformat={subformat}", _secret, In("x.vmdk"));

        await MustBeRefusedAsync(In("x.vmdk"), "the extents that its descriptor names: x-");
    }

    [Test]
    public async Task A_vmdk_whose_extent_is_a_FIFO_is_refused_at_once()
    {
        await SampleImages.RunAsync("mkfifo", In("fifo"));
        await File.WriteAllTextAsync(In("x.vmdk"), $"# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW 2048 FLAT \"{In("fifo")}\" 0\n");

        await MustBeRefusedAsync(In("x.vmdk"), $"the extents that its descriptor names: {In("fifo")}");
    }

    [Test]
    public async Task A_vmdk_with_a_parent_is_refused_wherever_its_descriptor_says_so()
    {
        await QemuImgAsync("convert", "-f", "raw", "-O", "vmdk", _secret, In("base.vmdk"));
        await QemuImgAsync("create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", In("base.vmdk"), In("x.vmdk"));
        await MustBeRefusedAsync(In("x.vmdk"), $"the parent disk {In("base.vmdk")}");

        // QEMU looks for it at 0x200, whatever the header says of the descriptor.
        var bytes = await File.ReadAllBytesAsync(In("x.vmdk"), Cancellation);
        bytes.AsSpan(28, 16).Clear();
        await File.WriteAllBytesAsync(In("x.vmdk"), bytes, Cancellation);
        await MustBeRefusedAsync(In("x.vmdk"), $"the parent disk {In("base.vmdk")}");

        Replace(In("base.vmdk"), "parentCID=ffffffff", "parentCID=12345678");
        await MustBeRefusedAsync(In("base.vmdk"), "the disk that it is a child of");
    }

    [Test]
    public async Task A_sparse_vmdk_whose_descriptor_counts_in_place_of_its_header_is_refused()
    {
        await QemuImgAsync("convert", "-f", "raw", "-O", "vmdk", _secret, In("x.vmdk"));
        Replace(In("x.vmdk"), "RW 2048 SPARSE \"x.vmdk\"", $"RW 2048 FLAT \"{_secret}\" 0");
        await MustBeRefusedAsync(In("x.vmdk"), $"the extents that its descriptor names: {_secret}");
        Patch(In("x.vmdk"), 12, new byte[8]);
        await MustBeRefusedAsync(In("x.vmdk"), "the extents that the descriptor in it names");
    }

    [Test]
    public async Task Differencing_disks_of_Hyper_V_and_VirtualBox_are_refused()
    {
        await QemuImgAsync("convert", "-f", "raw", "-O", "vpc", _secret, In("x.vhd"));
        Patch(In("x.vhd"), 512 + 64, Encoding.BigEndianUnicode.GetBytes("parent.vhd"));
        await MustBeRefusedAsync(In("x.vhd"), "the parent disk parent.vhd");
        Patch(In("x.vhd"), 512 + 64, new byte[20]);
        Patch(In("x.vhd"), 512 + 576, "W2ku"u8);
        await MustBeRefusedAsync(In("x.vhd"), "a parent disk, for which it has a locator");
        Patch(In("x.vhd"), 60, [0, 0, 0, 4]);
        await MustBeRefusedAsync(In("x.vhd"), "a parent disk: it is a differencing one");

        await QemuImgAsync("convert", "-f", "raw", "-O", "vhdx", _secret, In("x.vhdx"));
        var bytes = await File.ReadAllBytesAsync(In("x.vhdx"), Cancellation);
        var parameters = bytes.AsSpan().IndexOf(new Guid("CAA16737-FA36-4D43-B3B6-33F0AA44E76B").ToByteArray());
        Patch(In("x.vhdx"), parameters - 32 + BitConverter.ToInt32(bytes, parameters + 16) + 4, [2]);
        await MustBeRefusedAsync(In("x.vhdx"), "a parent disk: it is a differencing one");
        Patch(In("x.vhdx"), parameters, new Guid("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C").ToByteArray());
        await MustBeRefusedAsync(In("x.vhdx"), "a parent disk, for which it has a locator");

        await QemuImgAsync("convert", "-f", "raw", "-O", "vdi", _secret, In("x.vdi"));
        Patch(In("x.vdi"), 0x1b8, [1]);
        var error = (await Assert.ThrowsAsync<CrustException>(() => ForeignImage.OpenAsync(In("x.vdi"), new VdiKind(), _folder, SampleDisk.Tools, Cancellation)))!;
        Assert.That(error.What, Does.StartWith(NotComplete));
    }

    [Test]
    public async Task What_a_name_says_is_what_the_content_has_to_be()
    {
        await QemuImgAsync("create", "-q", "-f", "qcow2", "-F", "raw", "-b", _secret, In("x.img"));
        await MustFailAsync(In("x.img"), "The disk is no raw one: it begins as a qcow2 does");
        File.Copy(In("x.img"), In("x.vmdk"));
        await MustFailAsync(In("x.vmdk"), "The image can't be read as vmdk: it doesn't begin as one");
        File.Copy(_secret, In("x.qcow2"));
        await MustFailAsync(In("x.qcow2"), "The image can't be read as qcow2: it doesn't begin as one");
    }

    [Test]
    public async Task Names_in_an_image_reach_no_terminal_as_they_are()
    {
        await QemuImgAsync("create", "-q", "-f", "qcow2", "-u", "-F", "raw", "-b", "/etc/\u001b]0;x\u0007\n::add-mask::\u202e" + new string('x', 900), In("x.qcow2"), "1M");

        var error = (await Assert.ThrowsAsync<CrustException>(() => OpenAsync(In("x.qcow2"))))!;

        Assert.That(error.What, Does.StartWith(NotComplete + "the backing file /etc/?]0;x??::add-mask::?xxx").And.Length.LessThan(300));
    }

    [Test]
    public async Task Even_what_the_reader_would_miss_is_not_followed_by_QEMU()
    {
        await QemuImgAsync("create", "-q", "-f", "qcow2", "-F", "raw", "-b", _secret, In("x.qcow2"));
        await QemuImgAsync("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", new QemuDisk("qcow2", In("x.qcow2")).Reference, In("overlay"));

        await QemuImgAsync("convert", "-f", "qcow2", "-O", "raw", In("overlay"), In("seen"));

        Assert.That(new byte[1 << 20], Is.EqualTo(await File.ReadAllBytesAsync(In("seen"), Cancellation)));
    }

    [Test]
    public async Task An_overlay_that_takes_qemu_img_too_long_or_too_much_memory_is_an_error_of_the_image()
    {
        await QemuImgAsync("create", "-q", "-f", "qcow2", In("x.qcow2"), "1M");
        using var fake = new FakeTools();
        fake.AddShell("qemu-img", "ulimit -v; ulimit -t; exit 1");
        var error = (await Assert.ThrowsAsync<CrustException>(() => QemuImg.CreateOverlayAsync(new QemuDisk("qcow2", In("x.qcow2")), In("overlay"), [], fake.ToolBox, Cancellation)))!;
        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, In("x.qcow2"))));
        Assert.That(((ToolFailedException)error.InnerException!).Result.Output, Is.EqualTo($"{1 << 20}\n60\n"));

        await Assert.ThatAsync(() => SampleDisk.Tools.RunAsync(ToolCommand.Of("sleep", "1000") with { Limits = new ToolLimits(Time: TimeSpan.FromMilliseconds(200)) }, Cancellation),
            Throws.InstanceOf<ToolLimitException>().With.Message.StartsWith("sleep took more than 0 s, and was ended"));
        await Assert.ThatAsync(() => SampleDisk.Tools.RunAsync(ToolCommand.Of("sh", "-c", "while :; do :; done") with { Limits = new ToolLimits(Cpu: TimeSpan.FromSeconds(1)) }, Cancellation),
            Throws.InstanceOf<ToolLimitException>().With.Message.StartsWith("sh took more than 1 s of CPU time, and was ended"));
    }

    private Task<QemuDisk> OpenAsync(string image) => ForeignImage.OpenAsync(image, BootVerifier.FormatOf(image), _folder, SampleDisk.Tools, Cancellation);

    // By the reader of verify, by that of inspect, and without a program of QEMU's.
    private async Task MustBeRefusedAsync(string image, string needs)
    {
        using var nothing = new FakeTools();
        foreach (var open in new Func<Task>[]
        {
            () => ForeignImage.OpenAsync(image, BootVerifier.FormatOf(image), _folder, nothing.ToolBoxWithNothingElse, Cancellation),
            () => ForeignImage.CheckAsync(image, BootVerifier.FormatOf(image), nothing.ToolBoxWithNothingElse, Cancellation),
            () => ForeignImage.OpenAsync(image, ForeignImage.KindOf(image), _folder, nothing.ToolBoxWithNothingElse, Cancellation),
            () => QemuImg.CreateOverlayAsync(new QemuDisk(BootVerifier.FormatOf(image).QemuDriver!, image), In("overlay"), [], nothing.ToolBoxWithNothingElse, Cancellation),
        })
        {
            var error = (await Assert.ThrowsAsync<CrustException>(() => open()))!;
            Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, image)));
            Assert.That(error.What, Does.StartWith(NotComplete + needs));
        }
    }

    private async Task MustFailAsync(string image, string what)
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => OpenAsync(image)))!;
        Assert.That((error.Kind, error.Where, error.What), Is.EqualTo((FailureKind.BadInput, image, what)));
    }

    private static Task<string> QemuImgAsync(params string[] arguments) => SampleImages.RunAsync("qemu-img", arguments);

    private static void Replace(string file, string from, string to)
    {
        var bytes = File.ReadAllBytes(file);
        var at = bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(from));
        Assert.That(at, Is.GreaterThan(0), from);
        Patch(file, at, Encoding.ASCII.GetBytes(to));
    }

    private static void Patch(string file, int at, ReadOnlySpan<byte> bytes)
    {
        using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.Write);
        RandomAccess.Write(handle, bytes, at);
    }

    private string In(string name) => Path.Combine(_folder, name);
}
