using System.Globalization;
using Crust.Disks;
using Crust.Spec;
using Crust.Tools;
using FsCheck;
using FsCheck.Fluent;
using Serilog.Core;

namespace Crust.Tests.Disks;

public sealed class PartitionTableTests
{
    private const int Sector = 512;
    private const int DiskSectors = 64 << 11;

    private DiskFile _disk = null!;

    [SetUp]
    public void SetUp() => _disk = new DiskFile().Of(64);

    [TearDown]
    public void TearDown() => _disk.Dispose();

    [Test]
    public void A_GPT_is_read_without_its_unused_entries()
    {
        _disk.With(DiskBytes.Gpt(DiskSectors, (2048, 4095), (0, 0), (4096, 8191)));

        var table = Read();

        Assert.That(table.Kind, Is.EqualTo("gpt"));
        Assert.That(table.Partitions, Is.EqualTo(new[] { Partition(2048, 2048), Partition(4096, 4096) }));
    }

    [Test]
    public void An_MBR_is_read_without_its_unused_entries()
    {
        _disk.With(DiskBytes.Mbr((0xef, 2048, 100), (0, 0, 0), (0x83, 4096, 8192)));

        var table = Read();

        Assert.That(table.Kind, Is.EqualTo("mbr"));
        Assert.That(table.Partitions, Is.EqualTo(new[] { Partition(2048, 100), Partition(4096, 8192) }));
    }

    [Test]
    public void Partitions_behind_2_TiB_are_read_where_they_are()
    {
        _disk.With(DiskBytes.Gpt(DiskSectors, (1L << 33, (1L << 34) - 1)));
        Assert.That(Read().Partitions, Is.EqualTo(new[] { Partition(1L << 33, 1L << 33) }));

        _disk.With(DiskBytes.Mbr((0x83, uint.MaxValue, uint.MaxValue)));
        Assert.That(Read().Partitions, Is.EqualTo(new[] { Partition(uint.MaxValue, uint.MaxValue) }));
    }

    [Test]
    public async Task Util_linux_reads_the_same([Values("gpt", "mbr")] string kind)
    {
        _disk.With(kind == "gpt" ? DiskBytes.Gpt(DiskSectors, (2048, 4095), (4096, 131000)) : DiskBytes.Mbr((0x83, 2048, 2048), (0x83, 4096, 100_000)));

        var listed = await new ToolBox(HostEnvironment.Read().SearchPath, Logger.None)
            .RunAsync(ToolCommand.Of("partx", "--show", "--noheadings", "--output", "START,SECTORS", _disk.Path), CancellationToken.None);

        Assert.That(Read().Partitions, Is.EqualTo(listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray())
            .Select(row => Partition(row[0], row[1]))));
    }

    [Test]
    public void Zeros_and_a_file_too_short_for_a_table_are_none()
    {
        Assert.That(Read().Kind, Is.EqualTo("none"));
        Assert.That(Read(_disk.Of(0)).Kind, Is.EqualTo("none"));
        Assert.That(Read(_disk.With([1, 2, 3])).Kind, Is.EqualTo("none"));
    }

    [Test]
    public void A_boot_sector_without_partitions_is_none() => Assert.That(Read(_disk.With(DiskBytes.Mbr())).Kind, Is.EqualTo("none"));

    [Test]
    public void A_protective_MBR_without_a_GPT_behind_it_is_none() =>
        Assert.That(Read(_disk.With(DiskBytes.Mbr((0xee, 1, DiskSectors - 1)))).Kind, Is.EqualTo("none"));

    [Test]
    public void An_entry_that_ends_before_it_begins_is_left_out() =>
        Assert.That(Read(_disk.With(DiskBytes.Gpt(DiskSectors, (4096, 2048), (2048, 4095)))).Partitions, Is.EqualTo(new[] { Partition(2048, 2048) }));

    [Test]
    public void Any_bytes_never_throw_and_give_no_negative_partition() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => IsSane(Read(_disk.Of(0).With(bytes)))).QuickCheckThrowOnFailure();

    [Test]
    public void Any_change_of_a_table_never_throws_and_gives_no_negative_partition()
    {
        // The places that are read: the MBR's entries, the header, and the first entries.
        var places = Gen.OneOf(Gen.Choose(446, 511), Gen.Choose(512, 512 + 91), Gen.Choose(1024, 1024 + 255));
        var changes = Gen.Zip(places, Gen.Elements(0, 1, 0x7f, 0x80, 0xee, 0xff)).ListOf();

        Prop.ForAll(Arb.From(Gen.Zip(changes, Gen.Choose(0, 34 * Sector))), drawn =>
        {
            var table = DiskBytes.Gpt(DiskSectors, (2048, 4095), (4096, 8191));
            foreach (var (place, value) in drawn.Item1)
            {
                table[place] = (byte)value;
            }

            return IsSane(Read(_disk.Of(0).With(table))) && IsSane(Read(_disk.Of(0).With(table[..drawn.Item2])));
        }).QuickCheckThrowOnFailure();
    }

    private PartitionTable Read(DiskFile? disk = null)
    {
        using var handle = File.OpenHandle((disk ?? _disk).Path);
        return PartitionTable.Read(handle);
    }

    private static bool IsSane(PartitionTable table) => table.Partitions.All(partition => partition is { Offset: >= 0, Length: >= 0 });

    private static Partition Partition(long firstSector, long sectors) => new(firstSector * Sector, sectors * Sector);
}
