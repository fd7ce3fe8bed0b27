using System.Security.Cryptography;
using Crust.Installers.Live;
using Crust.Spec;

namespace Crust.Tests.Installers.Live;

[CancelAfter(60_000)]
public sealed class BundleReaderTests
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

    private Task<MediumManifest> ReadAsync(params string[] paths) => new BundleReader(Path.Combine(_folder, "cache"), new EventList()) { PartSize = 1000 }
        .ReadAsync(new MediumSpec { Content = [.. paths] }, key => key, Cancellation);

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string Sum(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
