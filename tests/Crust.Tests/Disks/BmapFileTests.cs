using Crust.Disks;
using Crust.Tools;

namespace Crust.Tests.Disks;

/// <summary>Block maps are judged by bmaptool, which knows nothing of Crust.</summary>
[CancelAfter(300_000)]
public sealed class BmapFileTests
{
    private SampleDisk _disk = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Map => _disk.FileFor("disk.raw.bmap");

    [SetUp]
    public void SetUp()
    {
        // The last range ends in the middle of a block.
        _disk = new SampleDisk((30 << 20) + 512, new Piece(0, 512), new Piece(5 << 20, 9_000_000, PieceKind.Noise), new Piece(30 << 20, 512));
        BmapFile.Write(_disk.Installed.Map, Map);
    }

    [TearDown]
    public void TearDown() => _disk.Dispose();

    [Test]
    public void What_was_written_is_read_back() =>
        Assert.That(BmapFile.Read(Map).Content(), Is.EqualTo(_disk.Installed.Content));

    [Test]
    public async Task Bmaptool_finds_the_map_and_copies_the_disk_with_it()
    {
        var copy = _disk.FileFor("copy.raw");

        var told = await SampleDisk.Tools.RunAsync(ToolCommand.Of("bmaptool", "copy", _disk.Path, copy), Cancellation);

        Assert.That(told.Error, Does.Contain("discovered bmap file").And.Contain("block map format version 2.0"));
        await SameBytes.AssertFilesAsync(copy, _disk.Path, Cancellation);
    }

    [Test]
    public async Task Bmaptool_tells_a_disk_that_was_changed()
    {
        using (var file = File.OpenHandle(_disk.Path, FileMode.Open, FileAccess.Write))
        {
            RandomAccess.Write(file, [1], 6 << 20);
        }

        var error = (await Assert.ThrowsAsync<ToolFailedException>(() => SampleDisk.Tools.RunAsync(ToolCommand.Of("bmaptool", "copy", _disk.Path, _disk.FileFor("copy.raw")), Cancellation)))!;

        Assert.That(error.ToString(), Does.Contain("checksum"));
    }

    [Test]
    public async Task Bmaptool_tells_a_map_that_was_changed()
    {
        var text = await File.ReadAllTextAsync(Map, Cancellation);
        await File.WriteAllTextAsync(Map, text.Replace("<BlocksCount> 7681 ", "<BlocksCount> 7680 "), Cancellation);

        await Assert.ThatAsync(() => SampleDisk.Tools.RunAsync(ToolCommand.Of("bmaptool", "copy", _disk.Path, _disk.FileFor("copy.raw")), Cancellation), Throws.InstanceOf<ToolFailedException>());
    }

    [TestCase("")]
    [TestCase("<bmap/>")]
    [TestCase("<bmap><ImageSize>x</ImageSize><BlockMap/></bmap>")]
    [TestCase("<bmap><ImageSize>9</ImageSize><BlockMap><Range>0</Range></BlockMap></bmap>")]
    public async Task A_file_that_is_no_map_is_told(string text)
    {
        await File.WriteAllTextAsync(Map, text, Cancellation);

        Assert.That(() => BmapFile.Read(Map), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("isn't a block map"));
    }
}
