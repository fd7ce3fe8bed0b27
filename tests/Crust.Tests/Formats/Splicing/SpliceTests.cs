using System.Security.Cryptography;
using Crust.Formats.Splicing;
using Crust.Tests.Disks;

namespace Crust.Tests.Formats.Splicing;

[CancelAfter(60_000)]
public sealed class SpliceTests
{
    private const int MiB = 1 << 20;

    private readonly byte[] _source = new byte[5 * MiB];
    private DiskFile _disk = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Target => _disk.Path + ".spliced";

    [SetUp]
    public void SetUp()
    {
        new Random(1).NextBytes(_source);
        _disk = new DiskFile();
        File.WriteAllBytes(_disk.Path, _source);
    }

    [TearDown]
    public void TearDown() => _disk.Dispose();

    [TestCase(1000, 200, Description = "small enough to be hashed by the same core")]
    [TestCase(4 * MiB, (2 * MiB) + 1)]
    public void It_is_its_pieces_and_its_sum_is_theirs(int length, int fresh)
    {
        var bytes = RandomNumberGenerator.GetBytes(fresh);
        var splice = new Splice();
        splice.Copy(17, length);
        splice.Add(bytes);
        splice.Copy(0, 17);
        byte[] expected = [.. _source.AsSpan(17, length), .. bytes, .. _source.AsSpan(0, 17)];

        using var source = File.OpenHandle(_disk.Path);
        var sum = splice.WriteTo(Target, source, Cancellation);

        Assert.That(File.ReadAllBytes(Target).AsSpan().SequenceEqual(expected), Is.True);
        Assert.That((sum, splice.Length, splice.Fresh), Is.EqualTo((Convert.ToHexStringLower(SHA256.HashData(expected)), (long)expected.Length, (long)fresh)));
    }

    [Test]
    public void A_file_system_that_copies_nothing_by_itself_gets_the_same_bytes()
    {
        using var source = File.OpenHandle(_disk.Path);
        using var target = File.OpenHandle(Target, FileMode.Create, FileAccess.Write);

        FileRange.CopyByReading(source, 100, target, 7, 3 * MiB, Cancellation);

        Assert.That(File.ReadAllBytes(Target).AsSpan(7).SequenceEqual(_source.AsSpan(100, 3 * MiB)), Is.True);
    }

    [Test]
    public void A_source_that_became_shorter_is_an_error([Values(10, 2 * MiB)] int length)
    {
        var splice = new Splice();
        splice.Copy(_source.Length - length, length + 1);
        using var source = File.OpenHandle(_disk.Path);

        Assert.That(() => splice.WriteTo(Target, source, Cancellation), Throws.TypeOf<EndOfStreamException>());
    }

    [Test]
    public void Whoever_cancels_waits_for_no_copy()
    {
        var splice = new Splice();
        splice.Copy(0, 4 * MiB);
        using var source = File.OpenHandle(_disk.Path);

        Assert.That(() => splice.WriteTo(Target, source, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
    }
}
