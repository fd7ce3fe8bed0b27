using System.Security.Cryptography;
using Crust.Disks;
using FsCheck;
using FsCheck.Fluent;

namespace Crust.Tests.Disks;

[CancelAfter(300_000)]
public sealed class BlockMapTests
{
    private const int Block = BlockMap.Block;

    [Test]
    public void A_range_reaches_from_the_first_block_with_data_to_the_last_in_each_slot_of_4_MiB()
    {
        using var disk = new SampleDisk(5 * BlockMap.Slot, new Piece(Block + 1, 10), new Piece(100 * Block, Block), new Piece((2L * BlockMap.Slot) - 1, 2));

        Assert.That(disk.Installed.Map.Ranges.Select(range => (range.Offset, range.Length)), Is.EqualTo(new[]
        {
            (Block, 100 * Block),
            ((2L * BlockMap.Slot) - Block, Block),
            (2L * BlockMap.Slot, Block),
        }));
    }

    [Test]
    public void Each_range_has_the_checksum_of_its_bytes_and_what_no_range_covers_is_zeros()
    {
        var pieces = Gen.Zip(Gen.Choose(0, 20 << 20), Gen.Choose(1, 300_000)).Select(piece => new Piece(piece.Item1, piece.Item2, PieceKind.Noise)).ListOf();
        Prop.ForAll(Gen.Zip(Gen.Choose(1, 60_000), pieces).ToArbitrary(), sample =>
        {
            var size = sample.Item1 * 512L;
            using var disk = new SampleDisk(size, [.. sample.Item2.Where(piece => piece.Offset + piece.Length <= size)]);
            var content = File.ReadAllBytes(disk.Path);
            var end = 0L;
            foreach (var range in disk.Installed.Map.Ranges)
            {
                Assert.That(range.Offset, Is.GreaterThanOrEqualTo(end));
                Assert.That(range.Offset / BlockMap.Slot, Is.EqualTo((range.End - 1) / BlockMap.Slot));
                var data = content.AsSpan((int)range.Offset, range.Length);
                Assert.That(range.Sha256, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(data))));
                data.Clear();
                end = range.End;
            }

            Assert.That(content.AsSpan().ContainsAnyExcept((byte)0), Is.False);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Test]
    public void Zeros_that_are_allocated_are_the_same_as_a_hole()
    {
        using var holes = new SampleDisk(10 * Block, new Piece(1000, 10));
        using var zeros = new SampleDisk(10 * Block, new Piece(0, 10 * Block, PieceKind.Zeros), new Piece(1000, 10));

        Assert.That(zeros.Installed.Content, Is.EqualTo(holes.Installed.Content));
    }

    [Test]
    public void Other_bytes_elsewhere_or_another_size_are_another_content()
    {
        using var disk = new SampleDisk(10 * Block, new Piece(1000, 10));
        using var bytes = new SampleDisk(10 * Block, new Piece(1000, 11));
        using var place = new SampleDisk(10 * Block, new Piece(1000 + Block, 10));
        using var size = new SampleDisk((10 * Block) + 512, new Piece(1000, 10));

        Assert.That(new[] { disk, bytes, place, size }.Select(each => each.Installed.Content), Is.Unique);
    }

    [Test]
    public void The_content_is_a_hash_over_the_size_and_the_ranges()
    {
        using var disk = new SampleDisk(Block + 512, new Piece(Block, 512));

        var sum = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(disk.Path).AsSpan(Block)));
        Assert.That(disk.Installed.Content, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes($"size 4608\n4096 512 {sum}\n")))));
    }

    [Test]
    public void Holes_take_no_time([Values(1L << 40)] long size)
    {
        using var disk = new SampleDisk(size, new Piece(size - 1, 1));

        Assert.That(disk.Installed.Map.Ranges.Single().Offset, Is.EqualTo(size - Block));
    }
}
