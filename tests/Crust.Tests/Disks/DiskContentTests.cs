using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Crust.Tests.Disks;

public sealed class DiskContentTests
{
    private const int Block = 64 * 1024;

    [Test]
    public void The_content_is_a_hash_over_the_size_and_the_blocks_that_are_not_zeros()
    {
        using var disk = new SampleDisk(10 * Block, new Piece(3 * Block, Block), new Piece(5 * Block, Block, PieceKind.Zeros));

        var block = File.ReadAllBytes(disk.Path)[(3 * Block)..(4 * Block)];
        Assert.That(disk.Installed.Content, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData([.. Number(10 * Block), .. Number(3), .. block]))));
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
    public void The_last_block_may_be_cut_off()
    {
        using var disk = new SampleDisk(Block + 512, new Piece(Block, 512));

        var block = File.ReadAllBytes(disk.Path)[Block..];
        Assert.That(disk.Installed.Content, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData([.. Number(Block + 512), .. Number(1), .. block, .. new byte[Block - 512]]))));
    }

    [Test]
    public void Holes_take_no_time([Values(1L << 40)] long size)
    {
        using var disk = new SampleDisk(size, new Piece(size - 1, 1));

        Assert.That(disk.Installed.Content, Has.Length.EqualTo(64));
    }

    private static byte[] Number(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }
}
