using System.Security.Cryptography;
using Crust.Bases;
using Crust.Spec;
using Crust.Tests.Installers;

namespace Crust.Tests.Bases;

[CancelAfter(60_000)]
public sealed class BaseSourceTests
{
    private BaseSample _sample = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _sample = new BaseSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase("https://example.org/a/flatcar_production_image.img.bz2", "flatcar_production_image")]
    [TestCase("/x/debian-12-genericcloud-amd64.qcow2", "debian-12-genericcloud-amd64")]
    [TestCase("noble-server-cloudimg-amd64.img", "noble-server-cloudimg-amd64")]
    [TestCase("/x/Fedora Cloud.RAW.XZ", "Fedora-Cloud")]
    [TestCase("/x/gce.tar.gz", "gce")]
    [TestCase("/x/plain", "plain")]
    [TestCase("/x/.img", "base")]
    public void Images_are_called_after_the_base(string source, string name) => Assert.That(BaseSource.BaseNameOf(source), Is.EqualTo(name));

    [Test]
    public async Task A_raw_image_says_how_much_it_holds_and_a_compressed_one_does_not()
    {
        var raw = _sample.FileFor("sparse.img");
        await BaseSample.RunAsync("cp", ["--sparse=always", _sample.Raw(), raw], Cancellation);
        var packed = await BaseSample.PackAsync(raw, "xz", ".xz", Cancellation);

        Assert.That((await _sample.Source.GetAsync(BaseSample.SpecOf(raw), Cancellation)).Data, Is.GreaterThan(0).And.LessThan(BaseSample.DiskSize));
        Assert.That((await _sample.Source.GetAsync(BaseSample.SpecOf(packed), Cancellation)).Data, Is.Null);
    }

    [Test]
    public async Task A_download_is_checked_against_its_sum_and_taken_once()
    {
        var packed = await File.ReadAllBytesAsync(await BaseSample.PackAsync(_sample.Raw(), "xz", ".xz", Cancellation), Cancellation);
        var sum = Convert.ToHexStringLower(SHA256.HashData(packed));
        _sample.Server.Answer = request => LoopbackServer.File(request, packed, null);
        var file = BaseSample.SpecOf(_sample.Server.Url("images/edge.img.xz"), sum);

        Assert.That(_sample.Source.Glance(file), Is.EqualTo(new Crust.Disks.SourceGlance(null, null, "edge") { Promised = sum }));
        var image = await _sample.Source.GetAsync(file, Cancellation);
        await _sample.Source.GetAsync(file, Cancellation);

        Assert.That(_sample.Server.Requests, Has.Count.EqualTo(1));
        Assert.That((image.Sha256, image.Size, image.Form, image.BaseName, image.Source), Is.EqualTo((sum, (long)packed.Length, "xz", "edge", file.Base.Image)));
        Assert.That(Path.GetFileName(image.Path), Is.EqualTo("edge.img.xz"));
        Assert.That(_sample.Source.Glance(file).Origin, Is.EqualTo(image));
    }

    [Test]
    public async Task A_wrong_sum_is_refused_and_the_download_is_thrown_away()
    {
        var raw = await File.ReadAllBytesAsync(_sample.Raw(), Cancellation);
        _sample.Server.Answer = request => LoopbackServer.File(request, raw, null);

        var error = await FailureAsync(BaseSample.SpecOf(_sample.Server.Url("edge.img"), new string('0', 64)));

        Assert.That(error.What, Does.StartWith($"The image isn't the one that the checksum is of: expected SHA-256 {new string('0', 64)}"));
        Assert.That(error.Remedy, Does.StartWith("compare base.sha256 (BASE_SHA256)"));
        Assert.That(Directory.GetFiles(_sample.FileFor("cache"), "*.img", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public async Task A_URL_without_a_sum_or_a_signature_is_refused()
    {
        var error = await FailureAsync(BaseSample.SpecOf(_sample.Server.Url("edge.img")));

        Assert.That(error.What, Does.StartWith("The image's URL comes without a checksum"));
        Assert.That(error.Remedy, Does.StartWith("set base.sha256 (or BASE_SHA256)").And.Contain("base.allowUnverified"));
        Assert.That(_sample.Server.Requests, Is.Empty);
    }

    [Test]
    public async Task The_image_s_own_signature_proves_it_and_a_wrong_one_refuses_it()
    {
        var raw = _sample.Raw();
        var keys = await SignAsync(raw);
        var file = new BuildSpec { Base = new() { Image = raw, Signature = raw + ".sig", Key = keys } };

        Assert.That((await _sample.Source.GetAsync(file, Cancellation)).Path, Is.EqualTo(raw));

        await using (var image = File.OpenWrite(raw))
        {
            image.Position = 1 << 20;
            image.WriteByte(7);
        }

        var error = await FailureAsync(file);
        Assert.That(error.What, Is.EqualTo("The signature of the image is wrong: the image was changed after it was signed"));
        Assert.That(error.Where, Is.EqualTo($"base.signature: {raw}.sig"));
        var other = await FailureAsync(file with { Base = file.Base with { Key = await SignAsync(_sample.Raw("other.img")) } });
        Assert.That(other.What, Does.Match("The image is signed by the key [0-9A-F]+, which isn't among those of base.key"));
    }

    [Test]
    public async Task What_is_no_disk_image_is_refused_before_all_of_it_is_read()
    {
        await File.WriteAllTextAsync(_sample.FileFor("edge.img"), "not a disk at all", Cancellation);
        Assert.That((await FailureAsync(BaseSample.SpecOf(_sample.FileFor("edge.img")))).What, Is.EqualTo("This is neither an ISO nor a disk image"));

        await File.WriteAllBytesAsync(_sample.FileFor("edge.iso"), IsoBytes.With("EDGE", 0x00, 0xef), Cancellation);
        var iso = await FailureAsync(BaseSample.SpecOf(_sample.FileFor("edge.iso")));
        Assert.That((iso.What, iso.Remedy), Is.EqualTo(("A base is a disk image, and this is an iso", "name an installer's ISO in installer.iso (ISO_URL, --iso)")));

        Assert.That((await FailureAsync(BaseSample.SpecOf(_sample.FileFor("none.img")))).What, Is.EqualTo("There is no such image"));
    }

    [Test]
    public async Task A_root_file_system_is_a_tar_archive_perhaps_a_compressed_one()
    {
        await File.WriteAllTextAsync(_sample.FileFor("file"), "x", Cancellation);
        await BaseSample.RunAsync("tar", ["-C", _sample.Folder, "-cf", _sample.FileFor("root.tar"), "file"], Cancellation);
        await BaseSample.PackAsync(_sample.FileFor("root.tar"), "zstd", ".zst", Cancellation);

        var (plain, packed) = (await RootAsync("root.tar"), await RootAsync("root.tar.zst"));

        Assert.That((plain.IsRoot, plain.Form, plain.BaseName), Is.EqualTo((true, "tar", "root")));
        Assert.That((packed.IsRoot, packed.Form, packed.BaseName), Is.EqualTo((true, "zstd", "root")));
        _sample.Raw();
        var image = (await Assert.CatchAsync<CrustException>(() => RootAsync("edge.img")))!;
        Assert.That((image.What, image.Where), Is.EqualTo(("This is no tar archive of a root file system", _sample.FileFor("edge.img"))));
    }

    private Task<BaseImage> RootAsync(string file) => _sample.Source.GetAsync(new BuildSpec { Base = new() { Rootfs = _sample.FileFor(file) } }, Cancellation);

    [Test]
    public async Task Images_that_need_other_files_are_refused()
    {
        var overlay = _sample.FileFor("over.qcow2");
        await BaseSample.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", _sample.Raw(), overlay], Cancellation);
        Assert.That((await FailureAsync(BaseSample.SpecOf(overlay))).What, Does.StartWith("The image isn't complete in itself: it needs").And.Contain("edge.img"));

        var flat = await _sample.ConvertAsync("vmdk", "flat.vmdk", Cancellation, "-o", "subformat=monolithicFlat");
        Assert.That((await FailureAsync(BaseSample.SpecOf(flat))).What, Does.Contain("the extents that its descriptor names: flat-flat.vmdk"));
    }

    private async Task<CrustException> FailureAsync(BuildSpec spec) => (await Assert.CatchAsync<CrustException>(() => _sample.Source.GetAsync(spec, Cancellation)))!;

    // Gives the path of the public key.
    private static async Task<string> SignAsync(string path)
    {
        var home = Directory.CreateDirectory(path + ".home").FullName;
        File.SetUnixFileMode(home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await BaseSample.RunAsync("gpg", ["--homedir", home, "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "vendor@example.org", "ed25519"], Cancellation);
        await BaseSample.RunAsync("gpg", ["--homedir", home, "--batch", "--yes", "--output", path + ".sig", "--detach-sign", path], Cancellation);
        await BaseSample.RunAsync("gpg", ["--homedir", home, "--batch", "--yes", "--output", path + ".key", "--export"], Cancellation);
        await BaseSample.RunAsync("gpgconf", ["--homedir", home, "--kill", "all"], Cancellation);
        return path + ".key";
    }
}
