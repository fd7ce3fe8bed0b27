using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Bases;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Sysexts.Sources;
using Crust.Tests.Cli;
using Crust.Tools;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Sysexts;

/// <summary>Extensions from OCI images and Debian packages.</summary>
[CancelAfter(300_000)]
public sealed class SysextSourceTests
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private static SysextPlan Plan => new() { Name = "tool" };

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-source-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void What_was_meant_for_a_system_becomes_what_an_extension_may_have()
    {
        var one = FileTree.Empty.With(TreeEntry.File("bin/tool", TreeContent.Of("tool"), TreeEntry.Executable), TreeEntry.File("lib/systemd/system/tool.service", TreeContent.Of("unit")),
            TreeEntry.File("etc/tool/tool.conf", TreeContent.Of("conf")), TreeEntry.File("etc/init.d/tool", TreeContent.Of("old")), TreeEntry.Folder("usr/sbin"));
        var two = FileTree.Empty.With(TreeEntry.File("usr/share/doc/tool/copyright", TreeContent.Of("text")), TreeEntry.Folder("var/lib/tool", UnixFileMode.UserRead) with { Uid = 3 });

        var tree = SystemTree.ToExtension([one, two], "tool");

        Assert.That(tree.Entries.Where(entry => entry.Kind is not EntryKind.Folder).Select(entry => entry.Path),
            Is.EqualTo(new[] { "usr/bin/tool", "usr/lib/systemd/system/tool.service", "usr/lib/tmpfiles.d/tool-extension.conf", "usr/share/factory/etc/tool/tool.conf" }));
        Assert.That(Encoding.UTF8.GetString(tree.Find("usr/lib/tmpfiles.d/tool-extension.conf")!.Content.Read(0, 1000)),
            Is.EqualTo("C \"/etc/tool/tool.conf\" - - - -\nd \"/var/lib\" 0755 0 0 -\nd \"/var/lib/tool\" 0400 3 0 -\n"));
        Assert.That(tree.Find("usr/sbin"), Is.Null);
    }

    [Test]
    public async Task The_last_layer_of_an_image_for_the_architecture_is_taken([Values("", "+gzip", "+zstd")] string compression, [Values] bool isArchive)
    {
        var source = await LayoutAsync(compression, isArchive);

        var (amd64, arm64) = (await ReadAsync(source, Arch.Amd64), await ReadAsync(source, Arch.Arm64));

        Assert.That((Text(amd64), Text(arm64)), Is.EqualTo(("for amd64", "for arm64")));
        Assert.That(amd64.Find("usr/bin/base"), Is.Null, "it is in the layer below");
    }

    [Test]
    public async Task A_layer_with_another_content_than_its_digest_says_is_refused()
    {
        var source = await LayoutAsync("", isArchive: false);
        foreach (var blob in Directory.EnumerateFiles(Path.Combine(source, "blobs", "sha256")).Where(blob => new FileInfo(blob).Length > 2000))
        {
            File.AppendAllText(blob, "x");
        }

        Assert.That(() => ReadAsync(source, Arch.Amd64), Throws.TypeOf<CrustException>().With.Message.Contains("a blob isn't what its digest says").And.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput));
    }

    [TestCase("{}")]
    [TestCase("{\"manifests\":[]}")]
    [TestCase("{\"manifests\":[{\"digest\":\"sha256:../../../etc/passwd\",\"size\":1}]}")]
    [TestCase("no JSON")]
    [TestCase("{\"manifests\":[{\"platform\":{\"architecture\":\"s390x\",\"os\":\"linux\"},\"digest\":\"sha256:00\"}]}")]
    public void What_is_no_image_is_bad_input(string index)
    {
        File.WriteAllText(Path.Combine(_folder, "oci-layout"), "{}");
        File.WriteAllText(Path.Combine(_folder, "index.json"), index);

        Assert.That(() => ReadAsync(_folder, Arch.Amd64), Throws.TypeOf<CrustException>().With.Message.Contains("This isn't an OCI image that can be read").And.Property(nameof(CrustException.Where)).EqualTo(_folder));
    }

    [Test]
    public async Task An_extension_of_Debians_own_packages_has_their_files_alone()
    {
        var (output, args) = (Path.Combine(_folder, "out"), new[] { "sysext", "build", "--packages", "crun,libyajl2", "--os", "debian", "--os-version", "12", "--output" });

        var run = await CommandLineRun.OfAsync([.. args, output]);
        var read = await new SysextReader(Tools).ReadAsync(Path.Combine(output, "crun.raw"), _folder, Cancellation);
        var unknown = await CommandLineRun.OfAsync("sysext", "build", "--packages", "no-such-package-here", "--output", output);
        var @virtual = await CommandLineRun.OfAsync("sysext", "build", "--packages", "mail-transport-agent", "--output", output);

        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain("libseccomp.so.2").And.Not.Contain("libyajl"));
        Assert.That(read.Tree.Find("usr/bin/crun"), Is.Not.Null);
        Assert.That(read.Tree.Entries.Select(entry => entry.Name), Has.None.EqualTo("libc.so.6").And.None.EqualTo("copyright"));
        Assert.That((unknown.Code, unknown.Error), Is.EqualTo((2, unknown.Error)));
        Assert.That(unknown.Error, Does.Contain("has no such package: no-such-package-here"));
        Assert.That((@virtual.Code, @virtual.Error), Is.EqualTo((2, @virtual.Error)));
        Assert.That(@virtual.Error, Does.Contain("Another package stands for mail-transport-agent"));
    }

    [TestCase("gzip", "tool.tar.gz")]
    [TestCase("gzip", "tool.tgz")]
    [TestCase("xz", "tool.tar.xz")]
    [TestCase("zstd", "tool.tar.zst")]
    [TestCase("bzip2", "tool.tar.bz2")]
    public async Task A_compressed_archive_makes_the_extension_that_the_plain_one_makes(string program, string name)
    {
        var plain = Path.Combine(_folder, "tool.tar");
        await using (var file = File.Create(plain))
        {
            await FileTree.Empty.With(TreeEntry.File("usr/share/tool", TreeContent.Of("tool")), TreeEntry.File("usr/share/owned", TreeContent.Empty) with { Uid = 7 }).WriteTarAsync(file, 0, Cancellation);
        }

        var packed = Path.Combine(_folder, name);
        await Tools.RunAsync(ToolCommand.Of("sh", "-c", "\"$1\" -c <\"$2\" >\"$3\"", "sh", program, plain, packed), Cancellation);
        var expected = await CommandLineRun.OfAsync("sysext", "build", plain, "--output", Path.Combine(_folder, "plain"));
        var run = await CommandLineRun.OfAsync("sysext", "build", packed, "--output", Path.Combine(_folder, "out"));
        File.WriteAllBytes(packed, File.ReadAllBytes(packed)[..^9]);
        var cut = await CommandLineRun.OfAsync("sysext", "build", packed, "--output", Path.Combine(_folder, "cut"));

        Assert.That((expected.Code, run.Code, run.Error), Is.EqualTo((0, 0, "")));
        Assert.That(run.Output.Split(' ')[0], Is.EqualTo(expected.Output.Split(' ')[0]));
        Assert.That(File.Exists(Path.Combine(_folder, "out", "tool.raw")));
        Assert.That((cut.Code, cut.Output), Is.EqualTo((2, "")));
        Assert.That(cut.Error, Does.Contain("can't be unpacked").And.Contain(packed).And.Not.Contain("source.tar"));
        Assert.That(Path.Exists(Path.Combine(_folder, "cut")), Is.False);
    }

    [Test]
    public async Task What_is_in_a_compressed_file_and_no_archive_is_said_by_the_name_that_was_given()
    {
        var packed = Path.Combine(_folder, "text.tar.gz");
        await using (var gzip = new GZipStream(File.Create(packed), CompressionLevel.Fastest))
        {
            gzip.Write("no archive"u8);
        }

        var run = await CommandLineRun.OfAsync("sysext", "build", packed, "--output", _folder);

        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain($"where: {packed}").And.Contain("can't be taken"));
    }

    [TestCase("--suite", "trixie", "folder")]
    [TestCase("--packages", "crun", "--suite", "../x")]
    [TestCase("--packages", "a b")]
    [TestCase("--packages", "Crun")]
    [TestCase("--packages", "crun", "folder")]
    [TestCase("docker://localhost:1/none", "--retries", "0")]
    [TestCase]
    public async Task Sources_that_are_none_are_said(params string[] args)
    {
        var run = await CommandLineRun.OfAsync(["sysext", "build", .. args, "--output", _folder]);

        Assert.That((run.Code, run.Output), Is.EqualTo((args is ["docker://localhost:1/none", ..] ? 5 : 2, "")), run.Error);
        Assert.That(run.Error, Does.Contain("to do: ").And.Not.Contain("   at "));
    }

    private async Task<FileTree> ReadAsync(string source, Arch arch)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        return (await new SysextSource(Tools, "", new NoRegistries()).ReadAsync(source, [], null, Plan with { Arch = arch }, new PublishSpec(), scratch, Cancellation)).Tree;
    }

    internal sealed class NoRegistries : IRegistryImages
    {
        public PulledImage? Find(RegistryReference image, Arch arch) => null;

        public Task<PulledImage> PullAsync(RegistryReference image, Arch arch, PublishSpec how, CancellationToken cancellation) => throw new NotSupportedException();
    }

    private static string Text(FileTree tree) => Encoding.UTF8.GetString(tree.Find("usr/bin/tool")!.Content.Read(0, 100));

    private async Task<string> LayoutAsync(string compression, bool isArchive)
    {
        var layout = Path.Combine(_folder, "layout");
        Directory.CreateDirectory(Path.Combine(layout, "blobs", "sha256"));
        var manifests = new JsonArray();
        foreach (var arch in new[] { "arm64", "amd64" })
        {
            var layers = new JsonArray(await LayerAsync("bin/base", "below", compression), await LayerAsync("bin/tool", $"for {arch}", compression));
            var manifest = Blob(Encoding.UTF8.GetBytes(new JsonObject { ["schemaVersion"] = 2, ["layers"] = layers }.ToJsonString()), "application/vnd.oci.image.manifest.v1+json");
            manifest["platform"] = new JsonObject { ["architecture"] = arch, ["os"] = "linux" };
            manifests.Add(manifest);
        }

        var index = Blob(Encoding.UTF8.GetBytes(new JsonObject { ["manifests"] = manifests }.ToJsonString()), "application/vnd.oci.image.index.v1+json");
        File.WriteAllText(Path.Combine(layout, "oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        File.WriteAllText(Path.Combine(layout, "index.json"), new JsonObject { ["manifests"] = new JsonArray(index) }.ToJsonString());
        if (!isArchive)
        {
            return layout;
        }

        var archive = Path.Combine(_folder, "image.tar");
        await using var file = File.Create(archive);
        await FileTree.FromFolder(layout).WriteTarAsync(file, 0, Cancellation);
        return archive;

        JsonObject Blob(byte[] content, string type)
        {
            var sum = Convert.ToHexStringLower(SHA256.HashData(content));
            File.WriteAllBytes(Path.Combine(layout, "blobs", "sha256", sum), content);
            return new JsonObject { ["mediaType"] = type, ["digest"] = $"sha256:{sum}", ["size"] = content.Length };
        }

        async Task<JsonObject> LayerAsync(string path, string text, string packed)
        {
            using var tar = new MemoryStream();
            await FileTree.Empty.With(TreeEntry.File(path, TreeContent.Of(text), TreeEntry.Executable)).WriteTarAsync(tar, 0, Cancellation);
            var content = tar.ToArray();
            if (packed == "+gzip")
            {
                using var to = new MemoryStream();
                await using (var gzip = new GZipStream(to, CompressionLevel.Fastest))
                {
                    gzip.Write(content);
                }

                content = to.ToArray();
            }
            else if (packed == "+zstd")
            {
                var plain = Path.Combine(_folder, "plain");
                await File.WriteAllBytesAsync(plain, content, Cancellation);
                await Tools.RunAsync(ToolCommand.Of("zstd", "-q", "-f", plain, "-o", plain + ".zst"), Cancellation);
                content = await File.ReadAllBytesAsync(plain + ".zst", Cancellation);
            }

            return Blob(content, "application/vnd.oci.image.layer.v1.tar" + packed);
        }
    }
}
