using Crust.Disks;
using FsCheck;
using FsCheck.Fluent;

namespace Crust.Tests.Disks;

public sealed class BlockReaderTests
{
    private const int Block = 64 * 1024;

    [Test]
    public void Two_extents_in_one_block_are_read_once()
    {
        using var disk = new SampleDisk(4 * Block, new Piece(Block, 4096), new Piece(Block + 8192, 4096), new Piece(3 * Block, 4096));

        Assert.That(Read(disk).Select(block => block.Index), Is.EqualTo(new[] { 1, 3 }));
    }

    [Test]
    public void A_disk_without_data_has_no_blocks()
    {
        using var disk = new SampleDisk(4 * Block);

        Assert.That(Read(disk), Is.Empty);
    }

    [Test]
    public void What_lies_behind_the_disk_s_end_is_zeros_and_not_what_was_read_before()
    {
        using var disk = new SampleDisk((2 * Block) - 512, new Piece(0, (2 * Block) - 512, PieceKind.Noise));

        Assert.That(Read(disk)[1].Bytes[^512..], Is.All.Zero);
        Assert.That(Read(disk)[1].Bytes[..^512], Has.Some.Not.Zero);
    }

    [Test]
    public void Blocks_come_in_order_and_with_all_of_the_disk_s_data()
    {
        var pieces = Gen.Zip(Gen.Choose(0, 30 * Block), Gen.Choose(1, 3 * Block)).Select(drawn => new Piece(drawn.Item1, drawn.Item2)).ListOf();

        Prop.ForAll(Arb.From(pieces), drawn =>
        {
            using var disk = new SampleDisk((34 * Block) - 1536, [.. drawn]);
            var image = new byte[34 * Block];
            var blocks = Read(disk);
            foreach (var (index, bytes) in blocks)
            {
                bytes.CopyTo(image, index * Block);
            }

            return blocks.Zip(blocks.Skip(1)).All(pair => pair.First.Index < pair.Second.Index)
                && File.ReadAllBytes(disk.Path).AsSpan().SequenceEqual(image.AsSpan(0, (34 * Block) - 1536));
        }).QuickCheckThrowOnFailure();
    }

    private static List<(long Index, byte[] Bytes)> Read(SampleDisk disk)
    {
        using var file = File.OpenHandle(disk.Path);
        using var reader = new BlockReader(file, Block);
        var blocks = new List<(long, byte[])>();
        var block = new byte[Block];
        while (reader.TryRead(block, out var index))
        {
            blocks.Add((index, block.ToArray()));
        }

        return blocks;
    }
}
