using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Crust.Bases;
using Crust.Oci;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Tests.Bases;

[CancelAfter(60_000)]
public sealed class OciImageReaderTests
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
    public async Task A_hard_link_may_be_another_name_of_a_file_of_a_layer_below()
    {
        var tree = await ReadAsync(Layer(("bin/tool", "1"), ("bin/old", "old")), await LinkAsync("sbin/same", "bin/tool"), Layer(("bin/tool", "2"), ("bin/.wh.old", "")));

        Assert.That(Files(tree), Is.EqualTo(new[] { "bin/tool=2", "sbin/same=1" }), "the other name keeps what it was made of");
    }

    [Test]
    public async Task What_a_whiteout_hides_may_lie_behind_a_link_and_a_folder_takes_a_links_place()
    {
        using var links = new MemoryStream();
        await using (var writer = new TarWriter(links, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (path, target) in new[] { ("lib", "usr/lib"), ("data", "srv") })
            {
                await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, path) { LinkName = target }, Cancellation);
            }
        }

        using var folder = new MemoryStream();
        await using (var writer = new TarWriter(folder, TarEntryFormat.Pax, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "data/"), Cancellation);
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "data/file") { DataStream = new MemoryStream("new"u8.ToArray()) }, Cancellation);
        }

        var tree = await ReadAsync(Layer(("usr/lib/a", "1"), ("usr/lib/b", "1"), ("srv/file", "1")), links.ToArray(), Layer(("lib/.wh.a", "")), folder.ToArray());

        Assert.That(Files(tree), Is.EqualTo(new[] { "data/file=new", "srv/file=1", "usr/lib/b=1" }));
    }

    [Test]
    public async Task A_layer_that_is_cut_off_is_refused_by_whatever_it_is_compressed()
    {
        var layer = Gzip(Layer(("file", new string('x', 5000)), ("last", "1")));

        // GZipStream would take it for a whole one: what is lacking is its last 8 bytes, the sum and the length.
        var error = await FailureAsync(await ArchiveAsync(layer[..^8]));

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, error.What)));
        Assert.That(error.What, Does.StartWith("The image can't be unpacked: gzip failed"));
    }

    [Test]
    public async Task Of_an_index_the_image_for_the_machine_is_taken_and_another_architecture_is_refused()
    {
        var blobs = new Dictionary<string, byte[]>();
        var (amd64, arm64) = (Manifest(blobs, "amd64", Layer(("arch", "amd64"))), Manifest(blobs, "arm64", Layer(("arch", "arm64"))));
        string Entry(string digest, string arch, string os = "linux") =>
            $$$"""{"mediaType":"{{{OciManifest.ManifestType}}}","digest":"{{{digest}}}","size":1,"platform":{"os":"{{{os}}}","architecture":"{{{arch}}}"}}""";
        // BuildKit's attestations are for unknown platforms; another system's image may be for the same architecture.
        var list = $"{Entry(amd64, "arm64", "windows")},{Entry(amd64, "amd64")},{Entry(arm64, "arm64")},{Entry(amd64, "unknown", "unknown")}";
        var archive = await WriteAsync($$"""{"manifests":[{{list}}]}""", blobs);

        Assert.That(Files(await ReadAsync(archive, Arch.Arm64)), Is.EqualTo(new[] { "arch=arm64" }));

        var only = await WriteAsync($$"""{"manifests":[{{Entry(arm64, "arm64")}}]}""", blobs);
        Assert.That((await FailureAsync(only)).What, Does.EndWith("none of its 1 images is for amd64, but for arm64"));
        var silent = await WriteAsync(Index(arm64), blobs);
        Assert.That((await FailureAsync(silent)).What, Does.EndWith("it is for arm64, and amd64 is wanted"));
        var two = await WriteAsync(Index(amd64, arm64), blobs);
        Assert.That((await FailureAsync(two)).What, Does.EndWith("2 of its images may be for amd64"));
    }

    [Test]
    public async Task A_layout_in_a_folder_is_read_as_one_in_an_archive()
    {
        var archive = await ArchiveAsync(Layer(("a", "1")), Layer(("b", "2")));
        var folder = Directory.CreateDirectory(_sample.FileFor("layout")).FullName;
        await BaseSample.RunAsync("tar", ["-xf", archive, "-C", folder], Cancellation);

        Assert.That(Files(await ReadAsync(folder, Arch.Amd64)), Is.EqualTo(new[] { "a=1", "b=2" }));
        var spec = new BuildSpec { Base = new() { Oci = folder } };
        var image = await _sample.Source.GetAsync(spec, Cancellation);
        Assert.That((image.IsRoot, image.IsOci, image.Form, image.BaseName), Is.EqualTo((true, true, "OCI layout", "layout")));
        Assert.That(_sample.Source.Glance(spec).Origin, Is.EqualTo(image), "nothing has to be fetched");
        Assert.That(File.ReadAllText(Path.Combine(folder, "index.json")), Does.Contain(image.Sha256), "the image is known by its digest");
        var sum = (await Assert.CatchAsync<CrustException>(() => _sample.Source.GetAsync(spec with { Base = spec.Base with { Sha256 = new string('0', 64) } }, Cancellation)))!;
        Assert.That(sum.What, Does.StartWith("A checksum or a signature is of a file"));
    }

    [TestCase("digest", "a blob isn't what its digest says")]
    [TestCase("missing", "it lacks the blob sha256:")]
    [TestCase("escape", "a member that leaves it")]
    [TestCase("link", "leads out of the root")]
    [TestCase("hard link", "is a hard link to etc/none, which is no file before it")]
    [TestCase("no index", "it has no index.json")]
    public async Task What_is_damaged_or_made_to_do_harm_is_refused(string what, string said)
    {
        var blobs = new Dictionary<string, byte[]>();
        using var harm = new MemoryStream();
        await using (var writer = new TarWriter(harm, TarEntryFormat.Pax, leaveOpen: true))
        {
            await writer.WriteEntryAsync(what switch
            {
                "link" => new PaxTarEntry(TarEntryType.SymbolicLink, "l") { LinkName = "../../etc" },
                "hard link" => new PaxTarEntry(TarEntryType.HardLink, "l") { LinkName = "etc/none" },
                _ => new PaxTarEntry(TarEntryType.RegularFile, what == "escape" ? "../x" : "x"),
            }, Cancellation);
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

        var archive = await WriteAsync(Index(digest), blobs, what == "no index" ? "other.json" : "index.json");

        var error = await FailureAsync(archive);
        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, archive)));
        Assert.That(error.What, Does.Contain(said));
    }

    private async Task<FileTree> ReadAsync(params byte[][] layers) => await ReadAsync(await ArchiveAsync(layers), Arch.Amd64);

    private async Task<string> ArchiveAsync(params byte[][] layers)
    {
        var blobs = new Dictionary<string, byte[]>();
        return await WriteAsync(Index(Manifest(blobs, "amd64", layers)), blobs);
    }

    private Task<FileTree> ReadAsync(string path, Arch arch) => new OciImageReader(BaseSample.Tools).ReadAsync(OciImageReader.Open(path), path, arch,
        Directory.CreateDirectory(_sample.FileFor(Guid.NewGuid().ToString("N"))).FullName, 1 << 30, Cancellation);

    private async Task<CrustException> FailureAsync(string archive) => (await Assert.CatchAsync<CrustException>(() => ReadAsync(archive, Arch.Amd64)))!;

    private async Task<string> WriteAsync(string index, Dictionary<string, byte[]> blobs, string name = "index.json")
    {
        var path = _sample.FileFor($"{Guid.NewGuid():N}.tar");
        await using var file = File.Create(path);
        await using var writer = new TarWriter(file, TarEntryFormat.Ustar);
        foreach (var (member, bytes) in blobs.Select(blob => ($"blobs/sha256/{blob.Key}", blob.Value)).Append((name, Encoding.UTF8.GetBytes(index))).Append(("oci-layout", OciManifest.Layout.Json)))
        {
            await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream(bytes) }, Cancellation);
        }

        return path;
    }

    private static string Index(params string[] digests) =>
        $$"""{"manifests":[{{string.Join(',', digests.Select(digest => Descriptor(OciManifest.ManifestType, digest)))}}]}""";

    private static string Descriptor(string type, string digest) => $$"""{"mediaType":"{{type}}","digest":"{{digest}}","size":1}""";

    // Gives the manifest's digest.
    private static string Manifest(Dictionary<string, byte[]> blobs, string arch, params byte[][] layers)
    {
        string Add(byte[] blob)
        {
            blobs[Sum(blob)] = [.. blob];
            return $"sha256:{Sum(blob)}";
        }

        var config = Descriptor(OciManifest.ConfigType, Add(Encoding.UTF8.GetBytes($$"""{"architecture":"{{arch}}","os":"linux"}""")));
        var list = string.Join(',', layers.Select(layer => Descriptor(OciManifest.LayerType, Add(layer))));
        return Add(Encoding.UTF8.GetBytes($$"""{"config":{{config}},"layers":[{{list}}]}"""));
    }

    // A layer with nothing but a hard link.
    private static async Task<byte[]> LinkAsync(string path, string target)
    {
        using var stream = new MemoryStream();
        await using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.HardLink, path) { LinkName = target }, Cancellation);
        }

        return stream.ToArray();
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
