using Crust.Disks;
using Crust.Machines;
using Crust.Spec;

namespace Crust.Tests.Machine.Field;

/// <summary>The `iso` in the field: real firmware boots it, and it writes its disk to another one.</summary>
[CancelAfter(1_800_000)]
[Parallelizable(ParallelScope.All)]
public sealed class FlashTests
{
    private const string Question = "ALL OF IT WILL BE LOST";

    private string _folder = "";
    private InstalledDisk _source = null!;
    private string _iso = "";

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task MakeMedium()
    {
        _folder = Directory.CreateTempSubdirectory("crust-flash-").FullName;
        _source = await SourceDisk.CreateAsync(await FieldMedium.Appliance.GetAsync(Arch.Amd64, CancellationToken.None), _folder, CancellationToken.None);
        _iso = await FieldMedium.WriteAsync(_source, PathOf("edge.iso"), new IsoSpec { Target = "auto" }, CancellationToken.None);
    }

    [OneTimeTearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [TestCase(Firmware.Bios, true)]
    [TestCase(Firmware.UefiSecure, false)]
    [TestCase(Firmware.Bios, false, Category = "Long")]
    [TestCase(Firmware.Uefi, true, Category = "Long")]
    [TestCase(Firmware.Uefi, false, Category = "Long")]
    [TestCase(Firmware.UefiSecure, true, Category = "Long")]
    public async Task The_iso_writes_the_largest_disk_which_then_boots(Firmware startedBy, bool isStick)
    {
        var target = EmptyDisk($"target-{startedBy}-{isStick}", SourceDisk.Size + (32 << 20));
        var other = FullDisk($"other-{startedBy}-{isStick}", 8 << 20);
        var before = await File.ReadAllBytesAsync(other, Cancellation);

        var screen = await FlashAsync(startedBy, isStick ? Stick(_iso) : Cd(_iso), Disk(other), Disk(target));

        AssertStartedBy(startedBy, screen);
        await SameBytes.AssertFileAsync(other, before, Cancellation);
        await AssertIsSourceAsync(target);
        Assert.That(Allocated(target), Is.LessThan(Allocated(_source.Path) + (8 << 20)), "a disk that is provisioned thinly stays thin");
        Assert.That(await Host.RunAsync("sgdisk", ["--verify", target], Cancellation), Does.Contain("No problems found"));
        await AssertBootsAsync(startedBy, target);
    }

    // Under UEFI from a stick: the firmware has no part in the choice.
    [Test]
    public async Task The_target_may_be_named_by_its_serial_number_and_overwritten_without_a_question_and_boots_under_UEFI()
    {
        var iso = await FieldMedium.WriteAsync(_source, PathOf("serial.iso"), new IsoSpec { Target = "serial:EDGE-*7", Overwrite = true }, Cancellation);
        var (larger, target) = (EmptyDisk("larger", SourceDisk.Size * 2), FullDisk("named", SourceDisk.Size));

        var screen = await FlashAsync(Firmware.Uefi, Stick(iso), Disk(larger) with { Serial = "EDGE-008" }, Disk(target) with { Serial = "EDGE-007" });

        AssertStartedBy(Firmware.Uefi, screen);
        await AssertIsSourceAsync(target);
        await AssertBootsAsync(Firmware.Uefi, target);
    }

    // The main job for arm64, too: a build boots the medium as its installer.
    [Test]
    public async Task An_iso_for_arm64_writes_the_disk_of_a_build_whose_image_boots_there_under_Secure_Boot()
    {
        var appliance = await FieldMedium.Appliance.GetAsync(Arch.Arm64, Cancellation);
        var source = await SourceDisk.CreateAsync(appliance, Directory.CreateDirectory(PathOf("arm64")).FullName, Cancellation);
        var spec = new BuildSpec { Machine = new MachineSpec { Arch = Arch.Arm64 }, Iso = new IsoSpec { Target = "auto" } };
        var iso = await FieldMedium.WriteAsync(source, PathOf("arm64.iso"), spec, Cancellation);
        using var crust = new CrustProcess();

        var build = await crust.RunAsync(Cancellation, "build", "--arch", "arm64", "--firmware", "uefi-secure", "--iso", iso, "--name", "edge", "--seed-kind", "none", "--cpus", "1", "--memory", "512M",
            "--disk-size", "96M", "--network", "none", "--format", "qcow2", "--verify", "true", "--verify-deadline", "20m", "--expect", "stub login:");

        Assert.That((build.ExitCode, build.Output), Is.EqualTo((0, "images/edge.qcow2\n")), build.Error);
        Assert.That(await File.ReadAllTextAsync(crust.Image("edge.serial.log"), Cancellation), Does.Contain("started by UEFI with Secure Boot"));
        Assert.That(await Host.RunAsync("qemu-img", ["compare", source.Path, crust.Image("edge.qcow2")], Cancellation), Does.Contain("identical"));
    }

    [Test]
    public async Task The_iso_holds_a_stream_that_any_zstd_reads_and_is_the_same_each_time()
    {
        var again = await FieldMedium.WriteAsync(_source, PathOf("again.iso"), new IsoSpec { Target = "auto" }, Cancellation);
        await SameBytes.AssertFilesAsync(again, _iso, Cancellation);

        var stream = await FieldMedium.ExtractAsync(_iso, "/crust/flash/disk.img.zst", PathOf("stream.zst"), Cancellation);
        await Host.RunAsync("zstd", ["-dq", stream, "-o", PathOf("stream")], Cancellation);
        await SameBytes.AssertFilesAsync(PathOf("stream"), _source.Path, Cancellation);
    }

    [Test]
    public async Task A_disk_with_data_stays_as_it_is_without_a_typed_confirmation()
    {
        var target = FullDisk("full", SourceDisk.Size);
        var before = await File.ReadAllBytesAsync(target, Cancellation);
        await using var machine = await FieldMachine.StartAsync(Firmware.Bios, target + ".log", Cancellation, Cd(_iso), Disk(target));

        await machine.ExpectAsync(Question, Cancellation);
        await machine.TypeAsync("no", Cancellation);

        AssertFailed(await machine.EndAsync(Cancellation), "isn't empty (data of an unknown kind), and nobody agreed to lose that; nothing was written");
        await SameBytes.AssertFileAsync(target, before, Cancellation);
    }

    [Test]
    public async Task A_disk_that_is_too_small_is_told_before_anything_is_written()
    {
        var target = FullDisk("small", SourceDisk.Size - 512);
        var before = await File.ReadAllBytesAsync(target, Cancellation);

        await using var machine = await FieldMachine.StartAsync(Firmware.Bios, target + ".log", Cancellation, Cd(_iso), Disk(target));
        var outcome = await machine.EndAsync(Cancellation);

        AssertFailed(outcome, "/dev/vda is too small: it has 96.0 MiB (100662784 bytes), and 'edge' needs 96.0 MiB (100663296 bytes); nothing was written");
        await SameBytes.AssertFileAsync(target, before, Cancellation);
    }

    [Test]
    public async Task Damaged_data_leaves_a_disk_that_does_not_boot()
    {
        var iso = PathOf("damaged.iso");
        File.Copy(_iso, iso);
        await DamageAsync(iso);
        var target = EmptyDisk("of-damaged", SourceDisk.Size + (16 << 20));

        await using var machine = await FieldMachine.StartAsync(Firmware.Bios, target + ".log", Cancellation, Cd(iso), Disk(target));
        var outcome = await machine.EndAsync(Cancellation);

        AssertFailed(outcome, "the data on the medium is damaged, at byte");
        AssertDoesNotBoot(target);
        Assert.That(machine.Screen, Does.Contain("was marked unbootable"));
    }

    [Test]
    public async Task A_stick_that_is_pulled_leaves_a_disk_that_does_not_boot()
    {
        var target = FullDisk("of-pulled", SourceDisk.Size);
        await using var machine = await FieldMachine.StartAsync(Firmware.Bios, target + ".log", Cancellation, Stick(_iso), Disk(target));
        await machine.ExpectAsync(Question, Cancellation);

        await machine.PullStickAsync(Cancellation);
        await machine.TypeAsync("overwrite", Cancellation);

        AssertFailed(await machine.EndAsync(Cancellation), "the medium can't be read any more: was it pulled");
        AssertDoesNotBoot(target);
    }

    [Test]
    public async Task Without_a_target_the_disk_is_asked_for_at_the_console_and_one_with_data_is_written_only_after_a_typed_confirmation()
    {
        var iso = await FieldMedium.WriteAsync(_source, PathOf("ask.iso"), new IsoSpec { After = AfterFlash.Reboot }, Cancellation);
        var (first, second) = (EmptyDisk("first", SourceDisk.Size), FullDisk("second", SourceDisk.Size));
        await using var machine = await FieldMachine.StartAsync(Firmware.Bios, second + ".log", Cancellation, Cd(iso), Disk(first), Disk(second));

        await machine.ExpectAsync("Type its name (vda or vdb) and Enter", Cancellation);
        await machine.TypeAsync("sdx", Cancellation);
        await machine.ExpectAsync("'sdx' isn't one of them", Cancellation);
        await machine.TypeAsync("/dev/vdb", Cancellation);
        await machine.ExpectAsync(Question, Cancellation);
        await machine.TypeAsync("overwrite", Cancellation);

        Assert.That(await machine.EndAsync(Cancellation), Is.EqualTo(new MachineOutcome.Reset(Finished: true)), machine.Screen);
        // Nothing of what was there shows through the image's holes.
        await SameBytes.AssertFilesAsync(second, _source.Path, Cancellation);
        SameBytes.AssertZeros(await File.ReadAllBytesAsync(first, Cancellation), "the other disk");
    }

    private static async Task<string> FlashAsync(Firmware startedBy, params Drive[] drives)
    {
        await using var machine = await FieldMachine.StartAsync(startedBy, drives[^1].File + ".log", Cancellation, drives);
        var outcome = await machine.EndAsync(Cancellation);
        Assert.That(outcome, Is.InstanceOf<MachineOutcome.PoweredOff>(), machine.Screen);
        await TestContext.Out.WriteLineAsync(machine.Screen);
        return machine.Screen;
    }

    private static void AssertStartedBy(Firmware firmware, string screen) => Assert.That(screen, Does.Contain(firmware switch
    {
        Firmware.Bios => "started by BIOS",
        Firmware.Uefi => "started by UEFI without Secure Boot",
        _ => "started by UEFI with Secure Boot",
    }));

    private static async Task AssertBootsAsync(Firmware firmware, string target)
    {
        await using var machine = await FieldMachine.StartAsync(firmware, target + ".boot.log", Cancellation, Disk(target));
        await machine.ExpectAsync("stub login:", Cancellation);
    }

    // A larger disk's GPT differs in the protective MBR and the header, which say where the disk ends.
    private async Task AssertIsSourceAsync(string target)
    {
        var isLarger = new FileInfo(target).Length > SourceDisk.Size;
        var expected = await File.ReadAllBytesAsync(_source.Path, Cancellation);
        var actual = await File.ReadAllBytesAsync(target, Cancellation);
        Assert.That(actual.AsSpan(0, 440).SequenceEqual(expected.AsSpan(0, 440)), "the boot code");
        var start = isLarger ? 1024 : 0;
        Assert.That(actual.AsSpan(start, expected.Length - start).CommonPrefixLength(expected.AsSpan(start)), Is.EqualTo(expected.Length - start));
        if (isLarger)
        {
            Assert.That(actual.AsSpan(actual.Length - 512).StartsWith("EFI PART"u8), "the backup GPT is at the end");
        }
    }

    private static void AssertFailed(MachineOutcome outcome, string why) =>
        Assert.That(outcome, Is.InstanceOf<MachineOutcome.JobFailed>().With.Property("Message").Contains(why));

    private static void AssertDoesNotBoot(string target)
    {
        using var disk = File.OpenHandle(target);
        var ends = new byte[2 << 20];
        RandomAccess.Read(disk, ends.AsSpan(0, 1 << 20), 0);
        RandomAccess.Read(disk, ends.AsSpan(1 << 20), RandomAccess.GetLength(disk) - (1 << 20));
        Assert.That(ends.AsSpan().ContainsAnyExcept((byte)0), Is.False);
        RandomAccess.Read(disk, ends.AsSpan(0, 1 << 20), SourceDisk.Size - (1 << 20));
        Assert.That(ends.AsSpan().ContainsAnyExcept((byte)0), Is.False, "the end of the image");
    }

    private static long Allocated(string path) => SparseFile.AllocatedBytes(path);

    // One bit in the middle of a range that isn't the first.
    private async Task DamageAsync(string iso)
    {
        var map = await File.ReadAllLinesAsync(await FieldMedium.ExtractAsync(iso, "/crust/flash/map", PathOf("map"), Cancellation), Cancellation);
        var payload = await File.ReadAllBytesAsync(await FieldMedium.ExtractAsync(iso, "/crust/flash/disk.img.zst", PathOf("payload"), Cancellation), Cancellation);
        var range = map.Where(line => line.StartsWith("range", StringComparison.Ordinal)).ElementAt(3).Split(' ');
        var middle = int.Parse(range[3]) + int.Parse(range[4]) / 2;
        var content = await File.ReadAllBytesAsync(iso, Cancellation);
        var at = content.AsSpan().IndexOf(payload) + middle;
        content[at] ^= 1;
        await File.WriteAllBytesAsync(iso, content, Cancellation);
    }

    private string EmptyDisk(string name, long size)
    {
        using var disk = File.Create(PathOf(name + ".img"));
        disk.SetLength(size);
        return disk.Name;
    }

    private string FullDisk(string name, long size)
    {
        var path = PathOf(name + ".img");
        File.WriteAllBytes(path, SourceDisk.Noise(new Random(2), (int)size));
        return path;
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private static Drive.Disk Disk(string file) => new("raw") { File = file };

    private static Drive.Cdrom Cd(string file) => new() { File = file };

    private static Drive.UsbStick Stick(string file) => new() { File = file };
}
