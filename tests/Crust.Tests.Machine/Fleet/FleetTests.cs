using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Fleet;

/// <summary>
/// A thousand nodes of one image, with the whole program. The system is a boot sector that takes its name from the seed partition, as cloud-init does, so that a node boots in
/// a second; <see cref="DebianFleetTests"/> has a real one.
/// </summary>
[CancelAfter(300_000)]
public sealed partial class FleetTests
{
    private const int Count = 1000;
    private const int BootCode = 440;

    private static readonly CrustProcess Crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task BuildTheBase()
    {
        var disk = Path.Combine(Crust.Folder, "base.raw");
        await using (var file = new FileStream(disk, FileMode.Create))
        {
            file.SetLength(64 << 20);
            file.Position = 16 << 20;
            var noise = new byte[4 << 20];
            new Random(1).NextBytes(noise);
            file.Write(noise);
        }

        await Host.RunAsync("sgdisk", ["-U", "11111111-2222-3333-4444-555555555555", "-n", "1:2048:0", disk], Cancellation);
        var code = await StubGuests.SeedReaderAsync(Crust.Folder, Cancellation);
        Assert.That(code, Has.Length.LessThanOrEqualTo(BootCode), "what is behind it is the disk's partition table");
        await using (var file = new FileStream(disk, FileMode.Open))
        {
            file.Write(code);
        }

        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), """
            version: 1
            name: edge
            base: { image: base.raw, seedPartition: 960K }
            machine: { disk: 64M, memory: 256M }
            formats: [img.zst, qcow2, vmdk]
            """, Cancellation);
        await File.WriteAllLinesAsync(Path.Combine(Crust.Folder, "nodes.yaml"),
            ["nodes:", .. Enumerable.Range(0, Count).Select(i => $"- {{ mac: '02:00:00:00:{i / 256:x2}:{i % 256:x2}', hostname: {NameOf(i)}, role: {(i == 0 ? "control-plane" : "worker")} }}")], Cancellation);
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "user-data.yaml"), "#cloud-config\nwrite_files:\n- { path: /etc/token, content: '${TOKEN}' }\n", Cancellation);
        Crust.Environment["TOKEN"] = "s3cret-of-the-fleet";
        var built = await Crust.RunAsync(Cancellation, "build");
        Assert.That(built.ExitCode, Is.Zero, built.Error);
    }

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    [Test]
    public async Task Three_of_a_thousand_nodes_boot_as_overlay_zstd_and_vmdk_and_show_their_names()
    {
        var random = new Random(TestContext.CurrentContext.Random.Next());
        var (overlay, zst, vmdk) = (random.Next(Count), random.Next(Count), random.Next(Count));

        var made = await FleetAsync("edge.qcow2", "overlay");
        var whole = await FleetAsync("edge.img.zst", "image", "--shard", $"{zst + 1}/{Count}");
        var other = await FleetAsync("edge.vmdk", "image", "--shard", $"{vmdk + 1}/{Count}");

        Assert.That(made.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(Count));
        Assert.That(whole.Output, Is.EqualTo($"{Node(zst, ".img.zst")}\n"));
        Assert.That(other.Output, Is.EqualTo($"{Node(vmdk, ".vmdk")}\n"));
        Assert.That(Directory.EnumerateFiles(Path.Combine(Crust.Folder, "fleet"), "*.overlay.qcow2").Max(file => new FileInfo(file).Length), Is.LessThanOrEqualTo(200_000));
        await Host.RunAsync("qemu-img", ["check", "-q", Node(overlay, ".overlay.qcow2")], Cancellation);
        await Host.RunAsync("qemu-img", ["check", "-q", Node(vmdk, ".vmdk")], Cancellation);
        await Host.RunAsync("sh", ["-c", $"cd {Crust.Folder}/fleet && sha256sum --quiet -c SHA256SUMS"], Cancellation);
        await BootsAsync(Node(zst, ".img.zst"), NameOf(zst));
        await BootsAsync(Node(vmdk, ".vmdk"), NameOf(vmdk));
        Assert.That(await PlainBoot.SerialOfAsync(Node(overlay, ".overlay.qcow2"), "qcow2", Login(), Cancellation), Does.Contain($"\n{NameOf(overlay)} login: "));
    }

    [Test]
    public async Task Nothing_but_the_nodes_own_files_has_a_secret_and_a_second_run_makes_nothing_anew()
    {
        await FleetAsync("edge.qcow2", "overlay", "--shard", "7/500");

        var again = await FleetAsync("edge.qcow2", "overlay", "--shard", "7/500", "--json");

        Assert.That(again.Error, Does.Contain("2 files, 2 of them from an earlier run").And.Not.Contain("s3cret"));
        using var manifest = JsonDocument.Parse(again.Output);
        Assert.That(manifest.RootElement.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("name").GetString()), Is.EqualTo(new[] { NameOf(6), NameOf(506) }));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Crust.Folder, "fleet"), "*", new EnumerationOptions { AttributesToSkip = FileAttributes.None })
            .Where(file => !file.EndsWith(".qcow2", StringComparison.Ordinal) && !file.EndsWith(".zst", StringComparison.Ordinal) && !file.EndsWith(".vmdk", StringComparison.Ordinal)))
        {
            Assert.That(await File.ReadAllTextAsync(file, Cancellation), Does.Not.Contain("s3cret"), file);
        }
    }

    [Test]
    public async Task A_run_that_is_killed_leaves_whole_files_alone_and_the_next_goes_on()
    {
        var folder = Path.Combine(Crust.Folder, "killed");
        var whole = new EnumerationOptions { AttributesToSkip = FileAttributes.Hidden };
        await using (var killed = Crust.Start("fleet", "nodes.yaml", "--as", "vfat", "--output", "killed"))
        {
            while (!Directory.Exists(folder) || Directory.EnumerateFiles(folder, "*.seed.img", whole).Count() < 50)
            {
                await Task.Delay(10, Cancellation);
            }

            killed.Signal("KILL");
            await killed.WaitAsync(Cancellation);
        }

        var there = Directory.EnumerateFiles(folder, "*.seed.img", whole).Count();
        var next = await Crust.RunAsync(Cancellation, "fleet", "nodes.yaml", "--as", "vfat", "--output", "killed");

        Assert.That(next.ExitCode, Is.Zero, next.Error);
        // A file that got its name just before may not be in the journal yet.
        Assert.That(int.Parse(Kept().Match(next.Error).Groups[1].ValueSpan, CultureInfo.InvariantCulture), Is.InRange(there - Environment.ProcessorCount, there).And.LessThan(Count), next.Error);
        await Host.RunAsync("sh", ["-c", $"cd {folder} && sha256sum --quiet -c SHA256SUMS && [ $(wc -l <SHA256SUMS) = {Count} ]"], Cancellation);
        Assert.That(Directory.GetDirectories(folder), Is.Empty);
    }

    [Test]
    public async Task A_base_without_a_seed_partition_ends_with_2_and_leaves_nothing()
    {
        var result = await Crust.RunAsync(Cancellation, "fleet", "nodes.yaml", "--from", "base.raw", "--as", "image", "--output", "none");

        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("base.raw").And.Contain("no seed partition (crust-seed)").And.Contain("base.seedPartition: 960K"));
        Assert.That(Directory.Exists(Path.Combine(Crust.Folder, "none")), Is.False);
    }

    private static async Task<CrustResult> FleetAsync(string image, string form, params string[] more)
    {
        var result = await Crust.RunAsync(Cancellation, ["fleet", "nodes.yaml", "--from", $"images/{image}", "--as", form, "--user-data", "user-data.yaml", "--secret", "TOKEN=env:TOKEN",
            "--inspect", "false", "--output", "fleet", .. more]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        return result;
    }

    private static async Task BootsAsync(string image, string name)
    {
        var result = await Crust.RunAsync(Cancellation, "verify", "--expect", $"{name} login:", "--memory", "256M", image);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    [GeneratedRegex("1000 files, ([0-9]+) of them from an earlier run")]
    private static partial Regex Kept();

    [GeneratedRegex(" login: ")]
    private static partial Regex Login();

    private static string NameOf(int node) => $"edge-{node:D4}";

    private static string Node(int node, string extension) => Path.Combine(Crust.Folder, "fleet", NameOf(node) + extension);
}
