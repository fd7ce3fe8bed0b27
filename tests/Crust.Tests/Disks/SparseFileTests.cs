using System.Security.Cryptography;
using Crust.Disks;

namespace Crust.Tests.Disks;

public sealed class SparseFileTests
{
    private const long Mebi = 1 << 20;

    private DiskFile _disk = null!;

    [SetUp]
    public void SetUp() => _disk = new DiskFile();

    [TearDown]
    public void TearDown() => _disk.Dispose();

    private string Destination => Path.Combine(_disk.Folder, "copy.raw");

    [Test]
    public void Extents_are_where_data_is()
    {
        _disk.Of(64).WithDataAt(1, 2, 40);

        Assert.That(ExtentsOf(_disk.Path), Is.EqualTo(new[] { new Extent(1 * Mebi, 2 * Mebi), new Extent(40 * Mebi, 1 * Mebi) }));
    }

    [Test]
    public void Data_at_the_very_end_is_an_extent() =>
        Assert.That(ExtentsOf(_disk.Of(3).WithDataAt(2).Path), Is.EqualTo(new[] { new Extent(2 * Mebi, 1 * Mebi) }));

    [Test]
    public void A_file_that_is_one_hole_has_no_extents_and_neither_has_an_empty_one([Values(0, 64)] int mebibytes) =>
        Assert.That(ExtentsOf(_disk.Of(mebibytes).Path), Is.Empty);

    [Test]
    public void A_clone_has_the_same_content_and_holes()
    {
        _disk.Of(64).WithDataAt(1, 40);

        SparseFile.Duplicate(_disk.Path, Destination, _ => { }, CancellationToken.None);

        Assert.That(ContentOf(Destination), Is.EqualTo(ContentOf(_disk.Path)));
        Assert.That(ExtentsOf(Destination), Is.EqualTo(ExtentsOf(_disk.Path)));
    }

    [TestCase(64, 1, 40)]
    [TestCase(3, 2)]
    [TestCase(64)]
    [TestCase(0)]
    public void A_copy_has_the_same_content_and_holes(int mebibytes, params int[] data)
    {
        _disk.Of(mebibytes).WithDataAt(data);
        var progress = new List<double>();

        Copy(progress.Add, CancellationToken.None);

        Assert.That(ContentOf(Destination), Is.EqualTo(ContentOf(_disk.Path)));
        Assert.That(ExtentsOf(Destination), Is.EqualTo(ExtentsOf(_disk.Path)));
        Assert.That(progress, Is.EqualTo(data.Select((_, i) => (i + 1.0) / data.Length)));
    }

    [Test]
    public void A_copy_can_be_cancelled()
    {
        _disk.Of(64).WithDataAt(1, 40);
        using var cancelling = new CancellationTokenSource();

        Assert.That(() => Copy(_ => cancelling.Cancel(), cancelling.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(ExtentsOf(Destination), Is.EqualTo(new[] { new Extent(1 * Mebi, 1 * Mebi) }));
    }

    [Test]
    public void A_punched_hole_reads_as_zeros_and_gives_its_space_back()
    {
        _disk.Of(64).WithDataAt(1, 2, 3, 63);
        var before = ContentOf(_disk.Path);

        // The second reaches over the file's end, as an overlay's last cluster may.
        var freed = SparseFile.PunchHoles(_disk.Path, [new Extent(2 * Mebi, Mebi), new Extent(63 * Mebi, 2 * Mebi), new Extent(10 * Mebi, Mebi)]);

        Assert.That(freed, Is.EqualTo(2 * Mebi));
        Assert.That(ExtentsOf(_disk.Path), Is.EqualTo(new[] { new Extent(1 * Mebi, Mebi), new Extent(3 * Mebi, Mebi) }));
        Assert.That(new FileInfo(_disk.Path).Length, Is.EqualTo(64 * Mebi));
        Assert.That(ContentOf(_disk.Path), Is.Not.EqualTo(before));
    }

    [Test]
    public void A_destination_that_exists_is_left_as_it_is()
    {
        _disk.Of(1);
        File.WriteAllText(Destination, "precious");

        Assert.That(() => SparseFile.Duplicate(_disk.Path, Destination, _ => { }, CancellationToken.None), Throws.InstanceOf<IOException>());
        Assert.That(File.ReadAllText(Destination), Is.EqualTo("precious"));
    }

    private void Copy(Action<double> progress, CancellationToken cancellation)
    {
        using var from = File.OpenHandle(_disk.Path);
        using var to = File.OpenHandle(Destination, FileMode.CreateNew, FileAccess.Write);
        SparseFile.Copy(from, to, progress, cancellation);
    }

    private static string ContentOf(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    private static List<Extent> ExtentsOf(string path)
    {
        using var file = File.OpenHandle(path);
        return [.. SparseFile.ReadExtents(file)];
    }
}
