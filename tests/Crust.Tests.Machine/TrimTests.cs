using Crust.Disks;
using Crust.Inspection;
using Crust.Spec;
using Crust.Tests.Machine.Inspection;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>
/// Discarding free space, by the real appliance: a disk is filled with noise, file systems are made on top of it, and what isn't theirs has to
/// go. Each file system's own checker is the judge.
/// </summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(600_000)]
public sealed class TrimTests
{
    private const long MiB = 1 << 20;

    private static readonly (string Type, int Start, int Size)[] Partitions =
        [("vfat", 1, 60), ("ext4", 61, 200), ("btrfs", 261, 200), ("xfs", 461, 400), ("crypto_LUKS", 861, 32)];

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Disk => Path.Combine(_folder, "disk.raw");

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-trim-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Free_space_goes_files_stay_and_what_cannot_be_read_is_left_as_it_is_with_a_word()
    {
        await MakeDiskAsync();
        var secret = await PartitionAsync("crypto_LUKS");
        var before = Allocated();
        var warnings = new WarningList();

        var freed = await TrimAsync(warnings);

        Assert.That(freed, Is.EqualTo(before - Allocated()));
        Assert.That(Allocated(), Is.LessThan(240 * MiB), $"of {before / MiB} MiB; xfs' log alone is 64");
        Assert.That(warnings, Is.EqualTo(new[] { "the disk: crypto_LUKS on vda5 can't be read here, and is left as it is" }));
        Assert.That((await PartitionAsync("crypto_LUKS")).AsSpan().SequenceEqual(secret));
        await CheckAsync("vfat", "fsck.vfat", "-n");
        await CheckAsync("ext4", "e2fsck", "-fn");
        await CheckAsync("btrfs", "btrfs", "check", "--readonly");
        await CheckAsync("xfs", "xfs_repair", "-n", "-f");
        Assert.That(await Host.RunAsync("debugfs", ["-R", "cat /hello", FileOf("ext4")], Cancellation), Is.EqualTo("hello from a file\n"));
        Assert.That(Directory.GetFiles(_folder, "disk.raw*"), Is.EqualTo(new[] { Disk }), "overlay and log are gone");
    }

    [Test]
    public async Task An_appliance_that_fails_leaves_the_disk_as_it_was_and_says_so()
    {
        await MakeDiskAsync();
        var before = await Host.RunAsync("sha256sum", [Disk], Cancellation);
        var warnings = new WarningList();

        // No such program as QEMU's: what a host without it would say.
        var freed = await TrimAsync(warnings, new Tools.ToolBox(["/nowhere"], Logger.None));

        Assert.That(freed, Is.Null);
        Assert.That(warnings.Single(), Does.StartWith("The installed disk is shipped as the installer left it, without discarding free space (").And.Contain("isn't installed").And.Contain("trim: false"));
        Assert.That(await Host.RunAsync("sha256sum", [Disk], Cancellation), Is.EqualTo(before));
    }

    // A disk of another architecture than the host's is no matter: the appliance has the host's.
    private async Task<long?> TrimAsync(WarningList warnings, Tools.ToolBox? tools = null) =>
        (await RealDiskCare.In(_folder, warnings, tools).WorkAsync(new DiskWork(Disk, Arch.Arm64, Accelerator.Tcg) { Trim = true }, Cancellation)).TrimmedBytes;

    private async Task MakeDiskAsync()
    {
        var files = Directory.CreateDirectory(Path.Combine(_folder, "files")).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "hello"), "hello from a file\n", Cancellation);
        await Host.RunAsync("sh", ["-c", $"head -c {900 * MiB} /dev/urandom >'{Disk}'"], Cancellation);
        await Host.RunAsync("sgdisk", ["--zap-all", .. Partitions.SelectMany((part, index) =>
            new[] { $"--new={index + 1}:{part.Start * MiB / 512}:+{part.Size}M" }), Disk], Cancellation);
        foreach (var (type, start, size) in Partitions)
        {
            var file = FileOf(type);
            await Host.RunAsync("dd", ["status=none", $"if={Disk}", $"of={file}", "bs=1M", $"skip={start}", $"count={size}"], Cancellation);
            await (type switch
            {
                "vfat" => Host.RunAsync("mkfs.vfat", [file], Cancellation),
                "ext4" => Host.RunAsync("mke2fs", ["-q", "-t", "ext4", "-E", "nodiscard", "-d", files, file], Cancellation),
                "btrfs" => Host.RunAsync("mkfs.btrfs", ["-q", "-f", "-K", "-r", files, file], Cancellation),
                "xfs" => Host.RunAsync("mkfs.xfs", ["-q", "-f", "-K", file], Cancellation),
                // LUKS, version 1: enough for others to know it.
                _ => Host.RunAsync("sh", ["-c", $"printf 'LUKS\\272\\276\\000\\001' | dd status=none conv=notrunc of='{file}'"], Cancellation),
            });
            await Host.RunAsync("dd", ["status=none", "conv=notrunc", $"if={file}", $"of={Disk}", "bs=1M", $"seek={start}"], Cancellation);
        }
    }

    private async Task CheckAsync(string type, string program, params string[] arguments)
    {
        await File.WriteAllBytesAsync(FileOf(type), await PartitionAsync(type), Cancellation);
        await Host.RunAsync(program, [.. arguments, FileOf(type)], Cancellation);
    }

    private async Task<byte[]> PartitionAsync(string type)
    {
        var (_, start, size) = Partitions.Single(part => part.Type == type);
        await using var disk = File.OpenRead(Disk);
        disk.Position = start * MiB;
        var bytes = new byte[size * MiB];
        await disk.ReadExactlyAsync(bytes, Cancellation);
        return bytes;
    }

    private long Allocated() => SparseFile.AllocatedBytes(Disk);

    private string FileOf(string type) => Path.Combine(_folder, type + ".part");

    private sealed class WarningList : List<string>, IBuildObserver
    {
        public void Observe(BuildEvent buildEvent)
        {
            if (buildEvent is BuildEvent.Warned warned)
            {
                Add(warned.Message);
            }
        }
    }
}
