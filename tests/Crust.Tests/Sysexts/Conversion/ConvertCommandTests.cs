using System.IO.Compression;
using Crust.Sysexts;
using Crust.Sysexts.Sources;
using Crust.Tests.Cli;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Tests.Sysexts.Conversion;

/// <summary>`crust sysext convert` as its users call it.</summary>
[CancelAfter(180_000)]
public sealed class ConvertCommandTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-convert-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_torcx_package_is_read_packed_as_squashfs_and_as_folder_and_gives_the_same_bytes()
    {
        var folder = Path.Combine(_folder, "tool:1.2.torcx");
        await FileTree.Empty.With(RootSample.Text(".torcx/manifest.json", """{"kind":"image-manifest-v0","value":{"bin":["/bin/tool"]}}"""), TreeEntry.File("bin/tool", TreeContent.Of("#!/bin/sh\n"), TreeEntry.Executable))
            .WriteFolderAsync(Directory.CreateDirectory(folder).FullName, 0, Cancellation);
        var (tar, squashfs) = (folder + ".tgz", folder + ".squashfs");
        await using (var gzip = new GZipStream(File.Create(tar), CompressionLevel.Fastest))
        {
            await FileTree.FromFolder(folder).WriteTarAsync(gzip, 0, Cancellation);
        }

        await RootSample.Tools.RunAsync(ToolCommand.Of("mksquashfs", folder, squashfs, "-all-root", "-quiet", "-no-progress"), Cancellation);

        var sums = new List<string>();
        foreach (var source in new[] { folder, tar, squashfs })
        {
            var run = await ConvertAsync("torcx", source, "--name", "tool@1.2");
            Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
            sums.Add(run.Output);
        }

        Assert.That(sums.Distinct().Single(), Does.EndWith("/out/tool-1.2-x86-64.raw\n"));
        Assert.That((await ConvertAsync("torcx", tar)).Output, Is.EqualTo(sums[0]), "the name is that of the file");
    }

    [Test]
    public async Task Programs_of_a_folder_a_packed_archive_and_an_image_become_the_same_extension()
    {
        var root = await RootSample.OfHostAsync(Cancellation, "/usr/bin/xz");
        var (folder, layout) = (Path.Combine(_folder, "root"), Path.Combine(_folder, "layout"));
        await root.WriteFolderAsync(Directory.CreateDirectory(folder).FullName, 0, Cancellation);
        await using (var gzip = new GZipStream(File.Create(folder + ".tar.gz"), CompressionLevel.Fastest))
        {
            await FileTree.FromFolder(folder).WriteTarAsync(gzip, 0, Cancellation);
        }

        await ImageSample.WriteAsync(layout, [FileTree.FromFolder(folder), FileTree.Empty.With(RootSample.Text("etc/later", "of the last layer"))], """{"Env":["A=1"],"WorkingDir":"/etc"}""", Cancellation);
        var sums = new List<string>();
        foreach (var source in new[] { folder, folder + ".tar.gz", layout })
        {
            var run = await ConvertAsync("flix", source, "--name", "pack", "--program", "/usr/bin/xz", "--format", "erofs");
            Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
            sums.Add(run.Output);
        }

        Assert.That(sums.Distinct().Single(), Does.EndWith("/out/pack.raw\n"));
        var read = await new RootSource(RootSample.Tools, "", new SysextSourceTests.NoRegistries()).ReadAsync(layout, [], null, Crust.Spec.Arch.Amd64, new Crust.Spec.PublishSpec(), Directory.CreateDirectory(Path.Combine(_folder, "scratch")).FullName, Cancellation);
        Assert.That((read.Environment.Single(), read.WorkingFolder, RootSample.TextOf(read.Tree, "etc/later")), Is.EqualTo(("A=1", "/etc", "of the last layer")));
    }

    [Test]
    public async Task Debian_packages_bring_all_that_their_programs_need()
    {
        var run = await ConvertAsync("flix", "--packages", "xz-utils", "--program", "/usr/bin/xz", "--format", "erofs");
        var read = await new SysextReader(RootSample.Tools).ReadAsync(Path.Combine(_folder, "out", "xz-utils.raw"), _folder, Cancellation);

        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        Assert.That(read.Tree.Entries.Select(entry => entry.Name), Is.SupersetOf(new[] { "xz", "liblzma.so.5", "libc.so.6", "ld-linux-x86-64.so.2" }));
    }

    [Test]
    public async Task What_leads_out_of_a_root_is_refused()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "root", "usr"));
        File.CreateSymbolicLink(Path.Combine(_folder, "root", "usr", "out"), "../../../etc/passwd");

        var run = await ConvertAsync("flix", Path.Combine(_folder, "root"), "--program", "/usr/out");

        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain("the link usr/out leads out of the root: ../../../etc/passwd").And.Contain("to do: "));
    }

    [TestCase("No root is named", "flix", "--program", "/usr/bin/x")]
    [TestCase("It can't be taken of two roots", "flatwrap", "here", "--packages", "xz-utils", "--program", "/usr/bin/x")]
    [TestCase("Option '--program' is required", "flix", "here")]
    [TestCase("doesn't exist", "oci-rootfs", "/none/here")]
    [TestCase("doesn't exist", "torcx", "/none/here.tgz")]
    [TestCase("'x' is no path of a program", "flix", "/none", "--program", "x")]
    public async Task Command_lines_that_make_no_sense_are_said(string what, params string[] args)
    {
        var run = await ConvertAsync(args);

        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")), run.Error);
        Assert.That(run.Error, Does.Contain(what).And.Contain("to do: ").And.Not.Contain("   at "));
    }

    private Task<CommandLineRun> ConvertAsync(params string[] args) => CommandLineRun.OfAsync(["sysext", "convert", .. args, "--output", Path.Combine(_folder, "out")]);
}
