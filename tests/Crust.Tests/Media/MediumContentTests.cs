using System.Security.Cryptography;
using Crust.Content;
using Crust.Media;
using Crust.Spec;
using Crust.Tests.Content;
using Crust.Tests.Installers;

namespace Crust.Tests.Media;

[CancelAfter(60_000)]
public sealed class MediumContentTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [TestCase(0, new[] { 0 })]
    [TestCase(999, new[] { 999 })]
    [TestCase(1000, new[] { 1000 })]
    [TestCase(2001, new[] { 1000, 1000, 1 })]
    public async Task A_bundle_comes_in_parts_whose_digests_are_theirs(int length, int[] sizes)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        var path = Write("apps.tar.zst", bytes);

        var bundle = (await ReadAsync(path)).Bundles.Single();

        Assert.That(bundle.Parts.Select(part => (int)part.Size), Is.EqualTo(sizes));
        Assert.That(bundle.Parts.Select(part => part.Name), Is.EqualTo(sizes.Select((_, i) => $"apps.tar.zst_part{i:00}")));
        Assert.That(bundle.Parts.Select(part => part.Sha256), Is.EqualTo(bundle.Parts.Select(part => Sum(bytes.AsSpan((int)part.Offset, (int)part.Size)))));
        Assert.That((bundle.Name, bundle.Size, bundle.Sha256), Is.EqualTo(("apps.tar.zst", (long)length, Sum(bytes))));
    }

    [Test]
    public async Task What_was_read_is_remembered_until_the_file_changes()
    {
        var path = Write("apps.tar.zst", [1, 2, 3]);
        var first = (await ReadAsync(path)).Bundles.Single();
        var memories = Directory.GetFiles(Path.Combine(_folder, "cache", "checksums"));

        Assert.That((await ReadAsync(path)).Bundles.Single().Sha256, Is.EqualTo(first.Sha256));
        Assert.That(Directory.GetFiles(Path.Combine(_folder, "cache", "checksums")), Is.EqualTo(memories));

        File.Delete(path);
        Write("apps.tar.zst", [1, 2, 4]);
        Assert.That((await ReadAsync(path)).Bundles.Single().Sha256, Is.EqualTo(Sum([1, 2, 4])));
    }

    [Test]
    public async Task The_sums_are_for_sha256sum() =>
        Assert.That((await ReadAsync(Write("a.zst", [5]))).ToSums("content"), Is.EqualTo($"{Sum([5])}  content/a.zst_part00\n"));

    [TestCase("apps.txt", "is no content bundle by its name")]
    [TestCase("two words.tar", "can't be a bundle's name")]
    public void A_name_that_no_medium_takes_is_refused(string name, string what) =>
        Assert.That(async () => await ReadAsync(Write(name, [1])), Throws.TypeOf<CrustException>().With.Message.Contains(what));

    [Test]
    public void Two_bundles_of_one_name_are_refused()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "other"));
        var (one, two) = (Write("a.zst", [1]), Write("other/A.zst", [1]));

        Assert.That(async () => await ReadAsync(one, two), Throws.TypeOf<CrustException>().With.Message.Contains("Two content bundles"));
    }

    [Test]
    public async Task What_a_content_spec_lists_is_packed_and_lies_on_the_medium_with_what_tells_its_size()
    {
        using var site = new ContentSite();
        File.WriteAllText(site.FileFor("notes.txt"), "read me");
        File.WriteAllText(site.FileFor("site.yaml"), "version: 1\nfiles: [notes.txt]\n");
        var spec = new BuildSpec { Medium = new MediumSpec { Content = [site.FileFor("site.yaml")] } };
        var contents = new MediumContents(new BundleReader(site.Cache, site.Events), site.Builder, site.Cache);

        var content = await contents.GetAsync(spec, Cancellation);

        const string Folder = "opt/spectrocloud/content/";
        Assert.That(content.Files.Select(file => file.InIso), Is.EqualTo(new[] { $"{Folder}site.tar.zst_part00", $"{Folder}site.content.json", $"{Folder}site.sha256", "opt/spectrocloud/fits" }));
        Assert.That(content.Files.Where(file => !File.Exists(file.OnHost)), Is.Empty);
        var bundle = content.Manifest.Bundles.Single();
        Assert.That((bundle.Name, bundle.Size, bundle.Sha256), Is.EqualTo(("site.tar.zst", content.Files[0].Length, Sum(await File.ReadAllBytesAsync(content.Files[0].OnHost, Cancellation)))));
        Assert.That(bundle.Unpacked, Is.GreaterThan(bundle.Size));
        Assert.That(contents.Recall(spec), Is.Null, "whether it is the same, only its builder knows");
    }

    private async Task<MediumManifest> ReadAsync(params string[] paths)
    {
        var cache = Path.Combine(_folder, "cache");
        var contents = new MediumContents(new BundleReader(cache, new EventList()) { PartSize = 1000 }, null!, cache);
        return (await contents.GetAsync(new BuildSpec { Medium = new MediumSpec { Content = [.. paths] } }, Cancellation)).Manifest;
    }

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string Sum(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
