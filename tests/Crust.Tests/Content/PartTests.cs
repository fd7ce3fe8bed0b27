using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Content;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Spec;
using Crust.Tools;

namespace Crust.Tests.Content;

public sealed class PartTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-parts-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [TestCase(0, "00")]
    [TestCase(9, "09")]
    [TestCase(89, "89")]
    [TestCase(90, "9000")]
    [TestCase(989, "9899")]
    [TestCase(990, "990000")]
    public void Parts_are_named_as_GNU_split_names_them(int index, string digits) => Assert.That(PartNames.Of("edge", index), Is.EqualTo($"edge.tar.zst_part{digits}"));

    [Test]
    public async Task A_hundred_parts_are_called_what_split_calls_them()
    {
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("split", "-b", "1", "-d", "-", "edge.tar.zst_part") with { WorkingDirectory = _folder, Input = new string('x', 100) }, Cancellation);

        Assert.That(Directory.EnumerateFiles(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal), Is.EqualTo(Enumerable.Range(0, 100).Select(index => PartNames.Of("edge", index))));
    }

    [TestCase("edge.tar.zst", true)]
    [TestCase("edge.tar.zst_part00", true)]
    [TestCase("edge.tar.zst_part0", false)]
    [TestCase("edge.tar.zst_part00.bak", false)]
    [TestCase("other.tar.zst_part00", false)]
    public void A_bundles_parts_are_known_by_their_names(string file, bool isPart) => Assert.That(PartNames.IsOf("edge", file), Is.EqualTo(isPart));

    [TestCase(10, new[] { 10, 10, 5 })]
    [TestCase(25, new[] { 25 })]
    [TestCase(24, new[] { 24, 1 })]
    [TestCase(null, new[] { 25 })]
    public void A_stream_is_cut_at_each_size_whatever_pieces_it_comes_in(int? split, int[] lengths)
    {
        var data = RandomNumberGenerator.GetBytes(25);
        using var writer = new PartWriter(_folder, "edge", split);
        writer.Append(data.AsSpan(0, 3));
        writer.Append(data.AsSpan(3, 20));
        writer.Append(data.AsSpan(23));

        var (parts, sha256) = writer.Finish();

        Assert.That(parts.Select(part => part.Size), Is.EqualTo(lengths));
        Assert.That(parts.SelectMany(part => File.ReadAllBytes(Path.Combine(_folder, part.File))), Is.EqualTo(data));
        Assert.That(sha256, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(data))));
        Assert.That(parts.Select(part => part.Sha256), Is.EqualTo(parts.Select(part => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder, part.File)))))));
        Assert.That(parts[0].File, Is.EqualTo(split is null ? "edge.tar.zst" : "edge.tar.zst_part00"));
    }

    [Test]
    public void Parts_that_are_whole_are_told_from_those_that_are_not()
    {
        Write("edge", 3000);
        Assert.That(Findings(), Is.Empty);

        Change("edge.tar.zst_part01", bytes => bytes[7] ^= 1);
        Assert.That(Findings(), Is.EqualTo(new[] { "edge.tar.zst_part01: The part is damaged" }));
        Change("edge.tar.zst_part01", bytes => bytes[7] ^= 1);

        using (var file = File.OpenWrite(Path.Combine(_folder, "edge.tar.zst_part00")))
        {
            file.SetLength(999);
        }

        File.Delete(Path.Combine(_folder, "edge.tar.zst_part02"));
        File.WriteAllText(Path.Combine(_folder, "edge.tar.zst_part03"), "old");
        Assert.That(Findings(), Is.EqualTo(new[]
        {
            "edge.tar.zst_part00: The part has 999 bytes, and 1000 are expected", "edge.tar.zst_part02: The part isn't there",
            "edge.tar.zst_part03: The part belongs to another bundle of this name, and would be joined with the others",
        }));
    }

    [TestCase("", "There is no bundle in the folder")]
    [TestCase("edge.tar.zst_part00", "There are parts and no manifest, so that nobody can say whether they are whole")]
    public void A_folder_without_a_manifest_is_refused(string file, string what)
    {
        if (file.Length > 0)
        {
            File.WriteAllText(Path.Combine(_folder, file), "x");
        }

        Assert.That(Assert.Throws<CrustException>(() => Check())!.What, Is.EqualTo(what));
    }

    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("{")]
    [TestCase("\"parts\": [", "\"parts\": [null, ")]
    [TestCase("edge.tar.zst_part00", "../edge.tar.zst_part00")]
    [TestCase("\"name\": \"edge\"", "\"name\": \"../edge\"")]
    [TestCase("\"size\": 1000", "\"size\": -1000")]
    [TestCase("\"unpacked\": 9000", "\"unpacked\": 9223372036854775807")]
    [TestCase("\"version\": 1", "\"version\": 2")]
    public void A_manifest_that_was_made_to_do_harm_is_refused(string what, string? instead = null)
    {
        Write("edge", 1000);
        var path = Path.Combine(_folder, "edge.content.json");
        File.WriteAllText(path, instead is null ? what : File.ReadAllText(path).Replace(what, instead));

        var error = Assert.Throws<CrustException>(() => Check())!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, path)), error.Message);
    }

    [Test]
    public void A_target_has_to_hold_the_system_its_slots_and_the_content_unpacked()
    {
        var bundle = Write("edge", 1000);
        const long Gib = 1L << 30;

        var content = TargetSize.Of(0, [bundle], isUnpacked: true);
        var whole = TargetSize.Of(2 * Gib, [bundle], isUnpacked: true);

        Assert.That(content, Is.EqualTo(((1000 + 9000) * 6 / 5) + (100 << 20)));
        Assert.That(whole - content, Is.EqualTo((10 * Gib) + ((4 + 64 + 64 + 200 + 1000) << 20)));
        Assert.That(TargetSize.Of(0, [], isUnpacked: true), Is.Zero);
        Assert.That(() => TargetSize.Check(whole, 2 * Gib, [bundle], isUnpacked: true), Throws.Nothing);
        var error = Assert.Throws<CrustException>(() => TargetSize.Check(8 * Gib, 2 * Gib, [bundle], isUnpacked: true))!;
        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, "The target is too small: 11.4 GiB are needed, it has 8.0 GiB")));
    }

    [TestCase(0, 0)]
    [TestCase(-1, 1)]
    public async Task An_installer_without_Crust_asks_the_same_of_a_disk(int less, int code)
    {
        const long Image = 50 << 20;
        var bundle = Write("edge", 3000);
        File.WriteAllText(Path.Combine(_folder, "edge.sha256"), string.Concat(bundle.Parts.Select(part => $"{part.Sha256}  {part.File}\n")));
        string Sparse(string name, long length)
        {
            var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "disks")).FullName, name);
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            RandomAccess.SetLength(file, length);
            return path;
        }

        var needed = TargetSize.Of(Image, [bundle], isUnpacked: true);
        var fits = ToolCommand.Of("sh", RepositoryFile.PathOf("builder/content/fits"), Sparse("disk", needed + less), Sparse("system", Image), _folder) with { SuccessCodes = [0, 1, 2] };
        var result = await SampleDisk.Tools.RunAsync(fits, Cancellation);
        Change("edge.tar.zst_part01", bytes => bytes[7] ^= 1);
        var damaged = await SampleDisk.Tools.RunAsync(fits, Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(code), result.Error);
        Assert.That(result.Output + result.Error, Does.Contain($"{needed}"));
        Assert.That(damaged.ExitCode, Is.EqualTo(2), damaged.Error);
    }

    private ContentManifest Write(string name, int length)
    {
        using var writer = new PartWriter(_folder, name, 1000);
        writer.Append(RandomNumberGenerator.GetBytes(length));
        var (parts, sha256) = writer.Finish();
        var manifest = new ContentManifest { Name = name, Key = new string('0', 64), Size = length, Unpacked = 9000, Sha256 = sha256, Parts = parts, Images = [], Files = [] };
        File.WriteAllText(Path.Combine(_folder, name + ContentManifest.Extension), manifest.ToJson());
        return manifest;
    }

    private void Change(string file, Action<byte[]> change)
    {
        var path = Path.Combine(_folder, file);
        var bytes = File.ReadAllBytes(path);
        change(bytes);
        File.WriteAllBytes(path, bytes);
    }

    private ImmutableArray<CheckedBundle> Check() => new ContentCheck(new EventList()).Check(_folder, Cancellation);

    private IEnumerable<string> Findings() => Check().Single().Findings.Select(finding => $"{finding.File}: {finding.What.Split(": it has")[0]}");
}
