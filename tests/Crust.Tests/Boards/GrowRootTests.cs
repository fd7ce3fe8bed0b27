namespace Crust.Tests.Boards;

/// <summary>The root's growth on the first boot, with stand-ins for the programs that would write to a disk.</summary>
[CancelAfter(60_000)]
public sealed class GrowRootTests
{
    private ScriptSandbox _pi = null!;

    [SetUp]
    public void SetUp()
    {
        _pi = new ScriptSandbox();
        foreach (var program in new[] { "sfdisk", "partx", "resize2fs" })
        {
            _pi.Program($"stubs/{program}", program == "sfdisk" ? "cat >>\"$CRUST_ROOT/table\"" : "");
        }
    }

    [TearDown]
    public void TearDown() => _pi.Dispose();

    [TestCase("mmcblk0", "p")]
    [TestCase("nvme0n1", "p")]
    [TestCase("sda", "")]
    public async Task The_partition_and_its_file_system_get_what_the_disk_has(string disk, string infix)
    {
        Disk(disk, infix, parts: 2, size: 4_000_000, total: 60_000_000);

        var told = await _pi.RunAsync("dash", "raspberry-pi/root/usr/lib/crust/grow-root", []);

        Assert.That(told.ExitCode, Is.Zero, told.Error);
        Assert.That(_pi.Calls.Where(call => !call.StartsWith("findmnt", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            $"sfdisk --quiet --no-reread --force -N 2 /dev/{disk}", $"partx --update --nr 2 /dev/{disk}", $"resize2fs /dev/{disk}{infix}2",
        }));
        Assert.That(_pi.Read("table"), Is.EqualTo(", +\n"));
        Assert.That(_pi.Has("var/lib/crust/grown"));
    }

    [Test]
    public async Task A_partition_that_reaches_the_end_stays_and_its_file_system_is_looked_at()
    {
        Disk("sda", "", parts: 2, size: 58_935_040, total: 60_000_000);

        await _pi.RunAsync("dash", "raspberry-pi/root/usr/lib/crust/grow-root", []);

        Assert.That(_pi.Calls.Last(), Is.EqualTo("resize2fs /dev/sda2"));
        Assert.That(_pi.Has("table"), Is.False);
    }

    [Test]
    public async Task One_behind_which_there_is_another_stays()
    {
        Disk("sda", "", parts: 3, size: 4_000_000, total: 60_000_000);

        var told = await _pi.RunAsync("dash", "raspberry-pi/root/usr/lib/crust/grow-root", []);

        Assert.That((told.ExitCode, _pi.Has("table"), _pi.Has("var/lib/crust/grown")), Is.EqualTo((0, false, false)));
        Assert.That(told.Error, Does.Contain("/dev/sda2 isn't the last partition of /dev/sda"));
    }

    [Test]
    public async Task The_seed_partition_of_a_node_lies_before_it_though_it_comes_later_in_the_table()
    {
        Disk("sda", "", parts: 3, size: 4_000_000, total: 60_000_000, third: 2048);

        await _pi.RunAsync("dash", "raspberry-pi/root/usr/lib/crust/grow-root", []);

        Assert.That(_pi.Calls, Has.Some.EqualTo("sfdisk --quiet --no-reread --force -N 2 /dev/sda"));
        Assert.That(_pi.Has("var/lib/crust/grown"));
    }

    [Test]
    public async Task A_failure_is_tried_again_at_the_next_boot()
    {
        Disk("sda", "", parts: 2, size: 4_000_000, total: 60_000_000);
        _pi.Program("stubs/resize2fs", "exit 1");

        var told = await _pi.RunAsync("dash", "raspberry-pi/root/usr/lib/crust/grow-root", []);

        Assert.That((told.ExitCode, _pi.Has("var/lib/crust/grown")), Is.EqualTo((1, false)));
    }

    // As sysfs shows a disk: partitions are folders in its own, and links name all of them.
    private void Disk(string disk, string infix, int parts, long size, long total, long third = 20_000_000)
    {
        _pi.Program("stubs/findmnt", $"echo /dev/{disk}{infix}2");
        _pi.Write($"sys/devices/{disk}/size", $"{total}\n");
        Directory.CreateDirectory(_pi.PathOf("sys/class/block"));
        File.CreateSymbolicLink(_pi.PathOf($"sys/class/block/{disk}"), $"../../devices/{disk}");
        for (var number = 1; number <= parts; number++)
        {
            var part = $"{disk}{infix}{number}";
            _pi.Write($"sys/devices/{disk}/{part}/partition", $"{number}\n");
            _pi.Write($"sys/devices/{disk}/{part}/start", $"{(number == 3 ? third : number == 1 ? 16384 : 1064960)}\n");
            _pi.Write($"sys/devices/{disk}/{part}/size", $"{size}\n");
            File.CreateSymbolicLink(_pi.PathOf($"sys/class/block/{part}"), $"../../devices/{disk}/{part}");
        }
    }
}
