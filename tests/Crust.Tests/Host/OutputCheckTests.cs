using System.Diagnostics;
using Crust.Attestation;
using Crust.Formats;
using Crust.Host;
using Crust.Images;
using Crust.Planning;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Images;
using Crust.Tests.Reports;
using Crust.Tests.Storage;
using Crust.Verification;

namespace Crust.Tests.Host;

[CancelAfter(60_000)]
public sealed class OutputCheckTests
{
    private string _folder = null!;
    private ImagesFolder _shelf = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-outputs-").FullName;
        _shelf = new ImagesFolder(Directory.CreateDirectory(File_("images")).FullName);
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public void An_input_is_never_replaced([Values("itself", "a link", "a hard link", "a link that is named")] string how)
    {
        var (output, real) = (_shelf.ImagePath("vendor.iso"), File_("real.iso"));
        File.WriteAllText(how == "itself" ? output : real, "the vendor's");
        var named = how is "itself" or "a link that is named" ? output : real;
        if (how.StartsWith("a link", StringComparison.Ordinal))
        {
            File.CreateSymbolicLink(output, real);
        }
        else if (how == "a hard link")
        {
            Process.Start("ln", [real, output])!.WaitForExit();
        }

        var error = Assert.Throws<CrustException>(() => Check(named, ["iso"], "vendor"))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, output)));
        Assert.That(error.What, Does.StartWith("The build would replace one of its own inputs"));
        Assert.That(File.ReadAllText(output), Is.EqualTo("the vendor's"));
        Assert.That(() => Check(named, ["img"], "vendor"), Throws.Nothing, "nothing is written under its name");
    }

    [TestCase("vendor.iso")]
    [TestCase("vendor.iso.screen.png")]
    [TestCase("vendor.manifest.json")]
    [TestCase("vendor.report.html")]
    [TestCase("vendor.log")]
    [TestCase("vendor.serial.log")]
    [TestCase("vendor.screen.png")]
    [TestCase("vendor.provenance.json")]
    [TestCase("vendor.provenance.json.sig")]
    [TestCase("vendor.sbom.spdx.json")]
    [TestCase("SHA256SUMS")]
    public void A_file_that_Crust_did_not_make_is_never_replaced(string name)
    {
        File.WriteAllText(_shelf.ImagePath(name), $"{new string('a', 64)}  vendor-9.iso\n");

        var error = Assert.Throws<CrustException>(() => Check(File_("vendor.iso"), ["iso"]))!;

        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, "A file that Crust didn't make would be replaced", _shelf.ImagePath(name))));
    }

    [Test]
    public void A_folder_or_a_pipe_in_the_way_is_told([Values] bool isPipe)
    {
        var path = _shelf.ImagePath("vendor.iso");
        _ = isPipe ? Pipes.Make(path) : Directory.CreateDirectory(path).FullName;

        Assert.That(() => Check(File_("vendor.iso"), ["iso"]), Throws.InstanceOf<CrustException>().With.Property("Kind").EqualTo(FailureKind.BadInput));
    }

    [Test]
    public void A_link_to_something_else_is_no_loss()
    {
        File.CreateSymbolicLink(_shelf.LogPath("vendor"), "/dev/null");

        Assert.That(() => Check(File_("vendor.iso"), ["iso"]), Throws.Nothing);
    }

    [Test]
    public async Task Images_of_an_earlier_build_are_replaced_also_where_somebody_wrote_to_them_or_removed_their_manifest([Values("untouched", "written to", "without manifest")] string what)
    {
        await PlaceAsync("edge", "img");
        File.WriteAllText(_shelf.LogPath("edge"), "");
        OutputFile.Sign(_shelf.LogPath("edge"));
        if (what == "written to")
        {
            File.AppendAllText(_shelf.ImagePath("edge.img"), "more");
        }
        else if (what == "without manifest")
        {
            File.Delete(_shelf.ManifestPath("edge"));
        }

        Assert.That(() => Check("https://example.org/edge.iso", ["img"]), Throws.Nothing);
    }

    [Test]
    public async Task So_they_are_in_a_copy_of_their_folder_but_not_what_is_none_of_them()
    {
        await PlaceAsync("edge", "img", "vhdx");
        foreach (var file in Directory.GetFiles(_shelf.Path))
        {
            // As cp(1) does it.
            File.WriteAllBytes(file + ".copy", File.ReadAllBytes(file));
            File.Move(file + ".copy", file, overwrite: true);
        }

        Assert.That(() => Check("https://example.org/edge.iso", ["img", "vhdx"]), Throws.Nothing);
        File.Delete(_shelf.ImagePath("edge.img"));
        File.WriteAllText(_shelf.ImagePath("edge.img"), "somebody else's disk");
        Assert.That(() => Check("https://example.org/edge.iso", ["img", "vhdx"]), Throws.InstanceOf<CrustException>());
    }

    [Test]
    public async Task Images_of_another_ISO_under_the_same_name_stay()
    {
        await PlaceAsync("edge", "img");

        Assert.That(() => Check("https://example.org/v2/edge.iso", ["img"]), Throws.Nothing, "a newer version of the same");
        var error = Assert.Throws<CrustException>(() => Check(File_("edge..iso"), ["img"]))!;
        Assert.That((error.Kind, error.Remedy), Is.EqualTo((FailureKind.BadInput, "give one of the two another name with --name")));
        Assert.That(() => OutputCheck.Check(new BuildSpec { Name = "edge", Installer = new() { Iso = File_("edge..iso") } }, "edge", _shelf), Throws.Nothing, "the user says so");
    }

    [Test]
    public void All_files_that_a_spec_names_are_inputs()
    {
        using var sample = new Crust.Tests.Spec.SpecSample();
        sample.Write("token", "secret");

        var spec = sample.Read("installer: { iso: a.iso, sha256: SHA256SUMS }\nseed: { userData: [u.yaml], files: [x/y=f], palette: { edgeHostTokenFile: token } }\nsign: { key: id }\n");

        Assert.That(spec.InputFiles.Select(file => Path.GetRelativePath(sample.Folder, file)), Is.EquivalentTo(new[] { "crust.yaml", "a.iso", "SHA256SUMS", "u.yaml", "f", "token", "id" }));
    }

    [TestCase("vhd", 2040L << 30)]
    [TestCase("vmdk", 62L << 40)]
    [TestCase("ova", 62L << 40)]
    public void A_disk_that_a_format_cannot_hold_is_told_before_anything_is_done(string format, long largest)
    {
        var spec = new BuildSpec { Formats = ["img", format], Machine = new() { Disk = largest } };
        Assert.That(() => BuildRules.CheckFormats(spec), Throws.Nothing);

        var error = Assert.Throws<CrustException>(() => BuildRules.CheckFormats(spec with { Machine = new() { Disk = largest + 512 } }))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "machine.disk (default)")));
        Assert.That(error.What, Does.EndWith($"is too large: a {format} can hold {largest >> 30} GiB"));
    }

    [Test]
    public async Task A_disk_that_the_file_system_cannot_hold_is_told_before_anything_is_done()
    {
        // EXT4_SUPER_MAGIC of linux/magic.h, as ext2 and ext3 have it, too.
        if (Posix.GetFileSystem(_folder, out var facts) != 0 || facts.Type != 0xEF53)
        {
            Assert.Ignore("has files of any size");
        }

        var folders = new Folders { Images = _shelf.Path, Cache = File_("cache"), Runtime = _folder, Builder = "/builder" };
        var question = HostSample.Question(new BuildSpec { Machine = new() { Disk = 20L << 40 } }, HostSample.Forecast("qcow2"));

        var findings = await new FoldersCheck(folders).FindAsync(question, Cancellation);

        var problem = findings.Single(finding => finding.Gravity is Gravity.Problem);
        Assert.That((problem.Where, problem.What), Is.EqualTo((File_("cache"), "A disk of 20.0 TiB can't be made here: the file system, or a limit of this process (ulimit -f), has no files that large")));
        Assert.That(problem.Remedy, Is.EqualTo("set machine.disk (DISK_SIZE, --disk-size) to less, or set CRUST_CACHE to a folder that is on another file system"));
    }

    private string File_(string name) => Path.Combine(_folder, name);

    private void Check(string iso, string[] formats, string? name = null) => OutputCheck.Check(
        new BuildSpec { Installer = new() { Iso = iso }, InputFiles = [iso], Formats = [.. formats] }, name ?? Crust.Media.InstallerLibrary.NameOf(new() { Iso = iso }, Arch.Amd64), _shelf);

    private async Task PlaceAsync(string name, params string[] formats)
    {
        using var drafts = _shelf.CreateDrafts();
        var images = formats.Select(format =>
        {
            var path = Path.Combine(drafts.Path, $"{name}.{format}");
            File.WriteAllText(path, format);
            return new ProvenImage(new DraftImage(ImageFormats.Named(format), path, format.Length, new string('a', 64), ""), null);
        }).ToList();
        await _shelf.PlaceAsync(ManifestSample.Full with { Name = name, Images = [], Sbom = null }, images, _ => Task.FromResult(Attestations.None), Cancellation);
    }
}
