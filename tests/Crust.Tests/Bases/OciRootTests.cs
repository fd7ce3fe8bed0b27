using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Crust.Bases;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Tests.Bases;

[CancelAfter(60_000)]
public sealed class OciRootTests
{
    private BaseSample _sample = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _sample = new BaseSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public async Task Layers_lie_over_each_other_and_hide_what_their_whiteouts_say()
    {
        var tree = await ReadAsync(
            Layer(("etc/a", "1"), ("etc/b", "1"), ("opt/x/one", "1"), ("opt/x/two", "1"), ("var/kept", "1")),
            Gzip(Layer(("etc/.wh.b", ""), ("etc/a", "2"), ("opt/x/.wh..wh..opq", ""), ("opt/x/three", "2"))),
            Layer(("opt/.wh.x", ""), ("new", "3")));

        Assert.That(Files(tree), Is.EqualTo(new[] { "etc/a=2", "new=3", "var/kept=1" }));
    }

    [Test]
    public async Task A_whiteout_hides_nothing_of_its_own_layer()
    {
        var tree = await ReadAsync(Layer(("d/old", "1")), Layer(("d/.wh..wh..opq", ""), ("d/new", "2"), (".wh.e", ""), ("e", "2")));

        Assert.That(Files(tree), Is.EqualTo(new[] { "d/new=2", "e=2" }));
    }

    [Test]
    public async Task Links_owners_and_attributes_stay()
    {
        using var stream = new MemoryStream();
        await using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "bin/tool", new Dictionary<string, string> { ["SCHILY.xattr.user.note"] = "kept" })
            {
                Uid = 7,
                Gid = 8,
                Mode = (UnixFileMode)0x9ED,
                DataStream = new MemoryStream("x"u8.ToArray()),
            }, Cancellation);
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.HardLink, "bin/same") { LinkName = "bin/tool" }, Cancellation);
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, "sbin") { LinkName = "bin" }, Cancellation);
        }

        var tree = await ReadAsync(stream.ToArray(), Layer(("sbin/late", "2")));

        var tool = tree.Find("bin/tool")!;
        Assert.That((tool.Uid, tool.Gid, tool.Mode), Is.EqualTo((7, 8, (UnixFileMode)0x9ED)));
        Assert.That(Encoding.UTF8.GetString([.. tool.Xattrs["user.note"]]), Is.EqualTo("kept"));
        Assert.That(Files(tree), Is.EqualTo(new[] { "bin/late=2", "bin/same=x", "bin/tool=x" }), "a layer's path that leads through a link goes where that leads");
    }

    [Test]
    public async Task Of_an_index_the_image_for_the_machine_is_taken_and_another_architecture_is_refused()
    {
        var blobs = new Dictionary<string, byte[]>();
        var (amd64, arm64) = (Manifest(blobs, "amd64", Layer(("arch", "amd64"))), Manifest(blobs, "arm64", Layer(("arch", "arm64"))));
        string Entry(string digest, string arch) => $$$"""{"digest":"{{{digest}}}","size":1,"platform":{"os":"linux","architecture":"{{{arch}}}"}}""";
        var archive = await WriteAsync($$"""{"manifests":[{{Entry(amd64, "amd64")}},{{Entry(arm64, "arm64")}}]}""", blobs);

        Assert.That(Files(await ReadAsync(archive, Arch.Arm64)), Is.EqualTo(new[] { "arch=arm64" }));

        var only = await WriteAsync($$"""{"manifests":[{{Entry(arm64, "arm64")}}]}""", blobs);
        Assert.That((await FailureAsync(only)).What, Does.EndWith("it is for arm64, and machine.arch is amd64"));
    }

    [TestCase("digest", "a blob isn't what its digest says")]
    [TestCase("missing", "it has no blobs/sha256/")]
    [TestCase("escape", "a member that leaves it")]
    [TestCase("link", "leads out of the root")]
    [TestCase("no index", "it has no index.json")]
    public async Task What_is_damaged_or_made_to_do_harm_is_refused(string what, string said)
    {
        var blobs = new Dictionary<string, byte[]>();
        using var harm = new MemoryStream();
        await using (var writer = new TarWriter(harm, TarEntryFormat.Pax, leaveOpen: true))
        {
            await writer.WriteEntryAsync(what == "link" ? new PaxTarEntry(TarEntryType.SymbolicLink, "l") { LinkName = "../../etc" } : new PaxTarEntry(TarEntryType.RegularFile, what == "escape" ? "../x" : "x"), Cancellation);
        }

        var layer = harm.ToArray();
        var digest = Manifest(blobs, "amd64", layer);
        if (what is "digest")
        {
            blobs[Sum(layer)][600] ^= 1;
        }
        else if (what is "missing")
        {
            blobs.Remove(Sum(layer));
        }

        var archive = await WriteAsync($$"""{"manifests":[{"digest":"{{digest}}","size":1}]}""", blobs, what == "no index" ? "other.json" : "index.json");

        var error = await FailureAsync(archive);
        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, archive)));
        Assert.That(error.What, Does.Contain(said));
    }

    private async Task<FileTree> ReadAsync(params byte[][] layers)
    {
        var blobs = new Dictionary<string, byte[]>();
        var digest = Manifest(blobs, "amd64", layers);
        return await ReadAsync(await WriteAsync($$"""{"manifests":[{"digest":"{{digest}}","size":1}]}""", blobs), Arch.Amd64);
    }

    private Task<FileTree> ReadAsync(string archive, Arch arch) =>
        new OciRoot(BaseSample.Tools).ReadAsync(archive, archive, arch, Directory.CreateDirectory(_sample.FileFor(Guid.NewGuid().ToString("N"))).FullName, 1 << 30, Cancellation);

    private async Task<CrustException> FailureAsync(string archive) => (await Assert.CatchAsync<CrustException>(() => ReadAsync(archive, Arch.Amd64)))!;

    private async Task<string> WriteAsync(string index, Dictionary<string, byte[]> blobs, string name = "index.json")
    {
        var path = _sample.FileFor($"{Guid.NewGuid():N}.tar");
        await using var file = File.Create(path);
        await using var writer = new TarWriter(file, TarEntryFormat.Ustar);
        foreach (var (member, bytes) in blobs.Select(blob => ($"blobs/sha256/{blob.Key}", blob.Value)).Append((name, Encoding.UTF8.GetBytes(index))))
        {
            await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream(bytes) }, Cancellation);
        }

        return path;
    }

    // Gives the manifest's digest.
    private static string Manifest(Dictionary<string, byte[]> blobs, string arch, params byte[][] layers)
    {
        string Add(byte[] blob)
        {
            blobs[Sum(blob)] = [.. blob];
            return $"sha256:{Sum(blob)}";
        }

        var config = Add(Encoding.UTF8.GetBytes($$"""{"architecture":"{{arch}}","os":"linux"}"""));
        var list = string.Join(',', layers.Select(layer => $$"""{"digest":"{{Add(layer)}}","size":1}"""));
        return Add(Encoding.UTF8.GetBytes($$"""{"config":{"digest":"{{config}}","size":1},"layers":[{{list}}]}"""));
    }

    private static string Sum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[] Layer(params (string Path, string Text)[] files)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (path, text) in files)
            {
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
            }
        }

        return stream.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionMode.Compress, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return stream.ToArray();
    }

    private static string[] Files(FileTree tree) =>
        [.. tree.Entries.Where(entry => entry.Kind is EntryKind.File).Select(entry => $"{entry.Path}={Encoding.UTF8.GetString(entry.Content.Read(0, (int)entry.Content.Length))}")];
}
