using System.Text;
using Crust.Seeds.Volumes;
using Crust.Tests.Disks;
using Crust.Tools;

namespace Crust.Tests.Seeds.Volumes;

/// <summary>Judged by dosfstools and mtools.</summary>
[CancelAfter(60_000)]
public sealed class FatImageTests
{
    private string _path = "";

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _path = Path.Combine(Directory.CreateTempSubdirectory("crust-test-").FullName, "seed.img");

    [TearDown]
    public void TearDown() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Test]
    public async Task Other_programs_find_no_fault_and_read_the_files([Values(64 << 10, 960 << 10, (1 << 20) + 512, 8 << 20, 64 << 20)] int size)
    {
        FatFile[] files = [new("user-data", Text(5000)), new("meta-data", Text(1)), new("network-config", Text(512)), new("empty", Text(0)),
            new("a-name-of-more-than-26-characters.cfg", Text(1025))];

        await File.WriteAllBytesAsync(_path, FatImage.Of("cidata", files, size)!, Cancellation);

        await RunAsync("fsck.fat", "-n", "-v", _path);
        Assert.That(await RunAsync("mdir", "-i", _path, "-b", "::"), Does.Contain("network-config").And.Contain("a-name-of-more-than-26-characters.cfg"));
        foreach (var file in files)
        {
            Assert.That(await RunAsync("mtype", "-i", _path, $"::{file.Name}"), Is.EqualTo(Encoding.ASCII.GetString(file.Content.Span)), file.Name);
        }

        Assert.That(await RunAsync("blkid", "-p", "-s", "LABEL", "-o", "value", _path), Is.EqualTo("CIDATA\n"));
    }

    [Test]
    public void Files_that_do_not_fit_make_none() =>
        Assert.That(FatImage.Of("cidata", [new FatFile("user-data", Text(70_000))], 64 << 10), Is.Null);

    [Test]
    public void A_volume_can_be_full_to_the_last_cluster()
    {
        var most = Enumerable.Range(1, 200_000 / 512).Select(sectors => sectors * 512)
            .Last(length => FatImage.Of("cidata", [new FatFile("user-data", Text(length))], 200_000) is not null);

        Assert.That(most, Is.GreaterThan(190_000));
    }

    private static ReadOnlyMemory<byte> Text(int length) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + (i / 3 % 26)))));

    private static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of(program, arguments), Cancellation)).Output;
}
