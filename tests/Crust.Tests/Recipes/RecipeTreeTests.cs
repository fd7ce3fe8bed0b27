using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Crust.Recipes;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Storage;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Recipes;

/// <summary>Archives that aren't what a recipe takes them for, and archives that mean harm.</summary>
[CancelAfter(60_000)]
public sealed class RecipeTreeTests
{
    private const string Url = "https://example.org/v1.2.3/tool";

    private StandIn _upstream = null!;

    [SetUp]
    public void SetUp() => _upstream = new StandIn();

    [TearDown]
    public void TearDown() => _upstream.Dispose();

    [Test]
    public async Task Of_what_an_archive_says_of_a_file_only_the_permissions_count()
    {
        var tool = new PaxTarEntry(TarEntryType.RegularFile, "bin/tool") { Mode = (UnixFileMode)0b110_111_101_101, Uid = 1000, Gid = 1000, DataStream = new MemoryStream("x"u8.ToArray()) };

        var entry = (await BuildAsync("tar.gz", Gzip([tool]))).Find("usr/bin/tool")!;

        Assert.That((entry.Mode, entry.Uid, entry.Gid), Is.EqualTo(((UnixFileMode)0b111_101_101, 0, 0)), "no set-user-ID bit, owned by root");
    }

    [TestCase("bin/toll", "nearest in it are bin/toll")]
    [TestCase("other/tool", "nearest in it are other/tool")]
    public async Task An_archive_without_the_named_path_is_refused_with_the_nearest(string path, string remedy)
    {
        var error = await FailureAsync("tar.gz", Gzip([FileOf(path), FileOf("LICENSE")]));

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, "tool of tool 1.2.3 for amd64 has no file 'bin/tool'")));
        Assert.That(error.Where, Does.EndWith("tool.yaml; tool"));
        Assert.That(error.Remedy, Does.Contain(remedy));
    }

    [Test]
    public async Task An_archive_without_the_named_folder_is_refused() =>
        Assert.That((await FailureAsync("tar.gz", Gzip([FileOf("sbin/tool")]), "{ from: 'tool:bin/', to: /usr/bin/ }")).What, Is.EqualTo("tool of tool 1.2.3 for amd64 has no folder 'bin/'"));

    [Test]
    public async Task A_path_that_leaves_the_archive_is_refused() => await RefusesAsync(Gzip([FileOf("bin/tool"), FileOf("../escaped")]), "leaves it");

    [Test]
    public async Task A_link_out_of_the_root_is_refused() =>
        await RefusesAsync(Gzip([FileOf("bin/tool"), new PaxTarEntry(TarEntryType.SymbolicLink, "bin/out") { LinkName = "../../../etc/passwd" }]), "leads out of the root");

    [Test]
    public async Task A_link_that_leads_out_of_the_root_only_from_its_new_place_is_refused() => Assert.That(
        (await FailureAsync("tar.gz", Gzip([FileOf("a/b/c/d/tool"), new PaxTarEntry(TarEntryType.SymbolicLink, "a/b/c/d/out") { LinkName = "../../../../etc/passwd" }]), "{ from: 'tool:a/b/c/d/', to: /usr/bin/ }")).What,
        Does.Contain("leads out of the root"));

    [Test]
    public async Task A_file_through_a_link_to_elsewhere_stays_in_the_archive()
    {
        var error = await FailureAsync("tar.gz", Gzip([new PaxTarEntry(TarEntryType.SymbolicLink, "bin/tool") { LinkName = "/etc/passwd" }]));

        Assert.That(error.What, Does.Contain("has no file 'bin/tool'"), "this host's file isn't it");
    }

    [Test]
    public async Task A_device_is_refused() => await RefusesAsync(Gzip([FileOf("bin/tool"), new PaxTarEntry(TarEntryType.CharacterDevice, "bin/null") { DeviceMajor = 1, DeviceMinor = 3 }]), "is a device or a FIFO");

    [Test]
    public async Task A_FIFO_is_refused() => await RefusesAsync(Gzip([FileOf("bin/tool"), new PaxTarEntry(TarEntryType.Fifo, "bin/pipe")]), "is a device or a FIFO");

    [Test]
    public async Task A_path_that_leaves_a_ZIP_file_is_refused() =>
        Assert.That((await FailureAsync("zip", StandIn.Pack(ArchiveKind.Zip, [("bin/tool", [1]), ("../escaped", [2])]))).What, Does.Contain("leaves it"));

    [Test]
    public async Task A_link_in_a_ZIP_file_is_a_link()
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, attributes, content) in new[] { ("bin/real", 0x81ED0000u, "x"), ("bin/tool", 0xA1FF0000u, "real") })
            {
                var entry = zip.CreateEntry(name);
                entry.ExternalAttributes = unchecked((int)attributes);
                using var stream = entry.Open();
                stream.Write(Encoding.UTF8.GetBytes(content));
            }
        }

        var tree = await BuildAsync("zip", bytes.ToArray(), "{ from: 'tool:bin/', to: /usr/bin/ }");

        Assert.That(tree.Follow("usr/bin/tool")?.Path, Is.EqualTo("usr/bin/real"));
    }

    [TestCase("tar.gz")]
    [TestCase("tar.xz")]
    [TestCase("tar.zst")]
    [TestCase("zip")]
    public async Task What_is_no_such_archive_is_refused(string kind)
    {
        var error = await FailureAsync(kind, Encoding.UTF8.GetBytes("<html>404</html>"));

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Does.StartWith("The archive can't be taken: "));
        Assert.That(Directory.GetDirectories(Path.Combine(_upstream.Folder, "cache", "recipes")), Is.Empty, "nothing of it stays");
    }

    [TestCase(ArchiveKind.TarGz)]
    [TestCase(ArchiveKind.TarXz)]
    [TestCase(ArchiveKind.TarZst)]
    [TestCase(ArchiveKind.Zip)]
    public async Task An_archive_that_becomes_larger_than_any_software_is_refused(ArchiveKind kind)
    {
        var path = Path.Combine(_upstream.Folder, "bomb");
        await File.WriteAllBytesAsync(path, StandIn.Pack(kind, [("tool", new byte[3 << 20])]));
        var archives = new RecipeArchives(StandIn.Tools, new BuildCache(Path.Combine(_upstream.Folder, "cache"), Logger.None)) { MostBytes = 2 << 20 };

        var error = await Assert.ThrowsAsync<CrustException>(() => archives.OpenAsync(path, "key", kind, "bomb", CancellationToken.None));

        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.BadInput, "The archive can't be taken: it has more than 2 MiB unpacked")));
    }

    [TestCase("!<arch>\n")]
    [TestCase("!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n")]
    [TestCase("!<arch>\ndata.tar.xz     0           0     0     100644  999999    `\nx")]
    [TestCase("something else")]
    public async Task What_is_no_Debian_package_is_refused(string text)
    {
        var path = Path.Combine(_upstream.Folder, "x.deb");
        await File.WriteAllTextAsync(path, text);
        var archives = new RecipeArchives(StandIn.Tools, new BuildCache(Path.Combine(_upstream.Folder, "cache"), Logger.None));

        var error = await Assert.ThrowsAsync<CrustException>(() => archives.OpenAsync(path, "key", ArchiveKind.Deb, "x.deb", CancellationToken.None));

        Assert.That(error!.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Does.StartWith("The archive can't be taken: ").And.Contains("Debian package"));
    }

    [Test]
    public async Task Two_recipes_that_have_the_same_path_are_refused()
    {
        Write("tool", "{ from: tool, to: /usr/bin/tool }", null, "with: { other: '1.2.3' }, ");
        Write("other", "{ from: tool, to: /usr/bin/tool }", null);
        Serve("x"u8.ToArray());

        var error = await Assert.ThrowsAsync<CrustException>(() => BuildAsync());

        Assert.That(error!.What, Is.EqualTo("other 1.2.3 and another recipe of tool 1.2.3 both have /usr/bin/tool"));
    }

    [Test]
    public void A_recipe_that_belongs_to_itself_is_refused()
    {
        Write("tool", "{ from: tool, to: /usr/bin/tool }", null, "with: { other: '1.2.3' }, ");
        Write("other", "{ from: tool, to: /usr/bin/other }", null, "with: { tool: '1.2.3' }, ");

        Assert.That(Assert.ThrowsAsync<CrustException>(() => BuildAsync()).Result!.What, Does.Contain("belongs to itself"));
    }

    [TestCase("tool", "1.2.3", "vary", "has no variant 'vary'")]
    [TestCase("tool", "9.9", null, "doesn't pin version 9.9")]
    [TestCase("toll", null, null, "no recipe 'toll'")]
    public void What_there_is_not_is_refused(string name, string? version, string? variant, string what)
    {
        Write("tool", "{ from: tool, to: /usr/bin/tool }", null);
        Serve("x"u8.ToArray());

        var error = Assert.ThrowsAsync<CrustException>(() => _upstream.Trees.BuildAsync(_upstream.Book, Lock(), new RecipeWish(name, version, Arch.Amd64, RecipeUse.Layer, variant), _upstream.Mirrors, CancellationToken.None)).Result!;

        Assert.That((error.Kind, error.What.Contains(what)), Is.EqualTo((FailureKind.BadInput, true)), error.Message);
    }

    private async Task RefusesAsync(byte[] archive, string what)
    {
        var error = await FailureAsync("tar.gz", archive);

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Does.Contain(what));
        Assert.That(error.Where, Does.Contain(Url));
    }

    private async Task<CrustException> FailureAsync(string kind, byte[] archive, string files = "{ from: 'tool:bin/tool', to: /usr/bin/tool }") => (await Assert.ThrowsAsync<CrustException>(() => BuildAsync(kind, archive, files)))!;

    private async Task<FileTree> BuildAsync(string kind, byte[] archive, string files = "{ from: 'tool:bin/tool', to: /usr/bin/tool }")
    {
        Write("tool", files, kind);
        Serve(archive);
        return (await BuildAsync()).Tree;
    }

    private Task<BuiltRecipe> BuildAsync() =>
        _upstream.Trees.BuildAsync(_upstream.Book, Lock(), new RecipeWish("tool", null, Arch.Amd64, RecipeUse.Sysext), _upstream.Mirrors, CancellationToken.None);

    private void Serve(byte[] bytes) => _upstream.Files[StandIn.PathOf(new Uri(Url))] = bytes;

    private LockFile Lock()
    {
        var sum = StandIn.Sum(_upstream.Files.GetValueOrDefault(StandIn.PathOf(new Uri(Url)), []));
        return LockFile.Empty("crust.lock").With(new[] { "tool", "other" }.Select(name => new LockEntry(name, "1.2.3", Arch.Amd64, "tool", Url, sum, LockFile.FromDownload)));
    }

    private void Write(string name, string files, string? kind, string with = "") => File.WriteAllText(Path.Combine(_upstream.Recipes, name + ".yaml"), $$"""
        name: {{name}}
        summary: A tool
        homepage: https://example.org
        license: MIT
        downloads:
          tool: { url: 'https://example.org/{tag}/tool'{{(kind is null ? "" : ", archive: " + kind)}} }
        files:
          - {{files}}
        versions:
          1.2.3: { {{with}}amd64: { } }

        """);

    private static PaxTarEntry FileOf(string path) => new(TarEntryType.RegularFile, path) { DataStream = new MemoryStream("x"u8.ToArray()) };

    private static byte[] Gzip(IReadOnlyList<TarEntry> entries)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            foreach (var entry in entries)
            {
                writer.WriteEntry(entry);
            }
        }

        return StandIn.Compress(ArchiveKind.TarGz, tar.ToArray());
    }
}
