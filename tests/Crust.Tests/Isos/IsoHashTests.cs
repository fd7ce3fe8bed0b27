using System.Security.Cryptography;
using Crust.Isos;
using Crust.Tests.Installers;
using Serilog.Core;

namespace Crust.Tests.Isos;

[CancelAfter(60_000)]
public sealed class IsoHashTests
{
    // sha256sum of "abc": FIPS 180-2, appendix B.1.
    private const string Abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Cache => Path.Combine(_folder, "cache");

    private string Iso => Path.Combine(_folder, "x.iso");

    private Task<string> HashAsync() => new IsoHash(Cache, new EventList(), Logger.None).OfAsync(Iso, Cancellation);

    [Test]
    public async Task A_file_s_hash_is_its_SHA_256()
    {
        await File.WriteAllTextAsync(Iso, "abc", Cancellation);

        Assert.That(await HashAsync(), Is.EqualTo(Abc));
    }

    /// <summary>Holes aren't read, so each of their places is tried: in front, between two runs of data, at the end, and all of the file.</summary>
    [TestCase]
    [TestCase(0L)]
    [TestCase(5_000_000L)]
    [TestCase(2_000_000L, 9_000_000L, 9_999_993L)]
    public async Task A_hole_counts_as_the_zeros_that_it_is(params long[] places)
    {
        var content = new byte[10_000_000];
        await using (var file = File.Create(Iso))
        {
            file.SetLength(content.Length);
            foreach (var place in places)
            {
                "crusted"u8.CopyTo(content.AsSpan((int)place));
                file.Position = place;
                await file.WriteAsync("crusted"u8.ToArray(), Cancellation);
            }
        }

        Assert.That(await HashAsync(), Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(content))));
    }

    [Test]
    public async Task An_unchanged_file_is_not_read_again()
    {
        await File.WriteAllTextAsync(Iso, "abc", Cancellation);
        await HashAsync();
        var remembered = new string('0', 64);
        await File.WriteAllTextAsync(Directory.GetFiles(Path.Combine(Cache, "checksums")).Single(), remembered, Cancellation);

        Assert.That(await HashAsync(), Is.EqualTo(remembered), "what is remembered is believed");
    }

    [Test]
    public async Task A_file_that_changed_is_read_again_even_if_its_size_and_time_are_the_same()
    {
        await File.WriteAllTextAsync(Iso, "abd", Cancellation);
        var time = File.GetLastWriteTimeUtc(Iso);
        await HashAsync();
        var replacement = Iso + ".new";
        await File.WriteAllTextAsync(replacement, "abc", Cancellation);
        File.SetLastWriteTimeUtc(replacement, time);
        File.Move(replacement, Iso, overwrite: true);

        Assert.That(await HashAsync(), Is.EqualTo(Abc));
    }

    [Test]
    public async Task A_damaged_memory_is_not_believed()
    {
        await File.WriteAllTextAsync(Iso, "abc", Cancellation);
        await HashAsync();
        await File.WriteAllTextAsync(Directory.GetFiles(Path.Combine(Cache, "checksums")).Single(), "ba78", Cancellation);

        Assert.That(await HashAsync(), Is.EqualTo(Abc));
    }
}
