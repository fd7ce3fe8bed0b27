using System.Text;
using System.Text.Json;
using Crust.Formats;
using Crust.Formats.KubeVirt;
using Crust.Formats.Ova;
using Crust.Tests.Disks;
using Crust.Trees;
using Microsoft.Win32.SafeHandles;

namespace Crust.Tests.Formats.Headers;

/// <summary>
/// Headers of all kinds, changed at random: each is either refused as what a user can mend or taken, and of those that are taken QEMU names no other file. No other
/// exception, no hang, and memory is bounded.
/// </summary>
[CancelAfter(300_000)]
public sealed class HeaderFuzzTests
{
    private const int Seed = 20261128;
    private const int Mutations = 10_000;
    private const int MostAsked = 60;
    private const long MostMemory = 8 << 20;

    private static readonly byte[][] Words =
    [
        "parentFileNameHint=\"/etc/passwd\"\n"u8.ToArray(), "RW 1 FLAT \"/etc/passwd\" 0\n"u8.ToArray(), "parentCID=00000001\n"u8.ToArray(), "# Disk DescriptorFile\n"u8.ToArray(),
        "json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}"u8.ToArray(), "/etc/passwd"u8.ToArray(), [0x44, 0x41, 0x54, 0x41, 0, 0, 0, 11], "conectix"u8.ToArray(), "KDMV"u8.ToArray(), "regi"u8.ToArray(),
    ];

    private static readonly ulong[] Numbers = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x200, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, long.MaxValue, 1UL << 63, ulong.MaxValue, ulong.MaxValue - 511];

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-fuzz-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Ten_thousand_changed_headers_are_refused_or_name_nothing()
    {
        var samples = await SamplesAsync();
        var random = new Random(Seed);
        var (refused, taken, asked) = (0, 0, 0);
        for (var round = 0; round < Mutations; round++)
        {
            var sample = samples[round % samples.Count];
            using var file = File.OpenHandle(sample.Path, FileMode.Open, FileAccess.ReadWrite);
            var before = Mutate(file, sample, random);
            var memory = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var disk = sample.Open();
                taken++;
                Assert.That(GC.GetAllocatedBytesForCurrentThread() - memory, Is.LessThan(MostMemory), $"bytes of memory, {sample.Path}, round {round} of seed {Seed}");
                // QEMU judges some of them; each takes a hundred times as long as the rest.
                if (taken % 40 == 0 && asked < MostAsked)
                {
                    asked++;
                    await MustNameNothingAsync(disk, $"{Path.GetFileName(sample.Path)}, round {round} of seed {Seed}");
                }
            }
            catch (CrustException e) when (e.Kind is FailureKind.BadInput)
            {
                refused++;
                Assert.That(GC.GetAllocatedBytesForCurrentThread() - memory, Is.LessThan(MostMemory), $"bytes of memory, {sample.Path}, round {round} of seed {Seed}");
            }
            catch (Exception e) when (e is not AssertionException)
            {
                Assert.Fail($"{Path.GetFileName(sample.Path)}, round {round} of seed {Seed}: {e}");
            }

            foreach (var (at, bytes) in before)
            {
                RandomAccess.Write(file, bytes, at);
            }
        }

        TestContext.Out.WriteLine($"seed {Seed}: {refused} refused, {taken} taken, {asked} of them shown to qemu-img");
        Assert.That(Math.Min(refused, taken), Is.GreaterThan(Mutations / 20), "both must happen");
    }

    private sealed record Sample(string Path, int[] Hot, Func<QemuDisk> Open);

    private async Task<List<Sample>> SamplesAsync()
    {
        var raw = Path.Combine(_folder, "disk.raw");
        await File.WriteAllBytesAsync(raw, [.. Encoding.ASCII.GetBytes(new string('x', 4096)), .. new byte[(256 << 10) - 4096]], Cancellation);
        var samples = new List<Sample>();
        await AddAsync("qcow2", "2.qcow2", "compat=0.10", 0, 72);
        await AddAsync("qcow2", "3.qcow2", "compat=1.1", 0, 72, 96, 112, 120, 400);
        await AddAsync("vmdk", "m.vmdk", "subformat=monolithicSparse", 0, 20, 44, 0x200, 0x280);
        await AddAsync("vmdk", "s.vmdk", "subformat=streamOptimized", 0, 20, 44, 0x200, 0x280);
        await AddAsync("vmdk", "f.vmdk", "subformat=monolithicFlat", 0, 60, 120);
        await AddAsync("vpc", "f.vhd", "subformat=fixed", 0, 256 << 10, (256 << 10) + 60);
        await AddAsync("vpc", "d.vhd", "subformat=dynamic", 0, 60, 512, 540, 576, 1088);
        await AddAsync("vhdx", "d.vhdx", "subformat=dynamic", 0, 192 << 10, (192 << 10) + 32, (256 << 10) + 16, 2 << 20, (2 << 20) + 40, 3 << 20, (3 << 20) + 40);
        await AddAsync("vdi", "d.vdi", "static=off", 0x40, 0x4c, 0x154, 0x170, 0x1a8);
        var layer = Archive(("disk/d.qcow2", await File.ReadAllBytesAsync(Path.Combine(_folder, "3.qcow2"), Cancellation)));
        const string LayerName = "1111111111111111111111111111111111111111111111111111111111111111", ManifestName = "2222222222222222222222222222222222222222222222222222222222222222";
        AddArchive("x.kubevirt.oci.tar", Archive(
            ("index.json", Encoding.UTF8.GetBytes($"{{\"manifests\":[{{\"digest\":\"sha256:{ManifestName}\"}}]}}")),
            ($"blobs/sha256/{ManifestName}", Encoding.UTF8.GetBytes($"{{\"layers\":[{{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:{LayerName}\"}}]}}")),
            ($"blobs/sha256/{LayerName}", layer)), ContainerDiskReader.Open);
        AddArchive("x.ova", Archive(
            ("x.ovf", "<Envelope><References><File href=\"x.vmdk\"/></References></Envelope>"u8.ToArray()),
            ("x.vmdk", await File.ReadAllBytesAsync(Path.Combine(_folder, "m.vmdk"), Cancellation))), OvaReader.Open);
        return samples;

        async Task AddAsync(string driver, string name, string options, params int[] hot)
        {
            var path = Path.Combine(_folder, name);
            await SampleImages.RunAsync("qemu-img", "convert", "-f", "raw", "-O", driver, "-o", options, raw, path);
            samples.Add(new Sample(path, hot, () => Checked(new QemuDisk(driver, path))));
        }

        void AddArchive(string name, byte[] content, Func<string, QemuDisk> open)
        {
            var path = Path.Combine(_folder, name);
            File.WriteAllBytes(path, content);
            samples.Add(new Sample(path, [0, 124, 156, 512, 1024, 1136, 1536, 2048, 2560, 3072], () => Checked(open(path))));
        }
    }

    private static QemuDisk Checked(QemuDisk disk)
    {
        ForeignImage.Check(disk, disk.Path);
        return disk;
    }

    // What was there before, to be put back in this order.
    private static List<(long At, byte[] Bytes)> Mutate(SafeFileHandle file, Sample sample, Random random)
    {
        var before = new List<(long, byte[])>();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = Math.Min(sample.Hot[random.Next(sample.Hot.Length)] + random.Next(0, 17) * 4, RandomAccess.GetLength(file) - 64);
            var bytes = random.Next(5) switch
            {
                0 => [(byte)random.Next(256)],
                1 => Words[random.Next(Words.Length)],
                2 => BitConverter.GetBytes((uint)Numbers[random.Next(Numbers.Length)]).Reverse().ToArray(),
                3 => BitConverter.GetBytes(Numbers[random.Next(Numbers.Length)]),
                _ => BitConverter.GetBytes(Numbers[random.Next(Numbers.Length)]).Reverse().ToArray(),
            };
            at = Math.Max(0, at);
            bytes = bytes[..(int)Math.Min(bytes.Length, RandomAccess.GetLength(file) - at)];
            var old = new byte[bytes.Length];
            RandomAccess.Read(file, old, at);
            before.Insert(0, (at, old));
            RandomAccess.Write(file, bytes, at);
            if (sample.Path.EndsWith(".tar", StringComparison.Ordinal) || sample.Path.EndsWith(".ova", StringComparison.Ordinal))
            {
                before.Insert(0, MendSum(file, at / 512 * 512));
            }
        }

        return before;
    }

    // So that what is behind the checksum of a tar header is reached, too.
    private static (long, byte[]) MendSum(SafeFileHandle file, long header)
    {
        var block = new byte[512];
        RandomAccess.Read(file, block, header);
        var old = block[148..156];
        block.AsSpan(148, 8).Fill((byte)' ');
        RandomAccess.Write(file, Encoding.ASCII.GetBytes(Convert.ToString(block.Sum(b => b), 8).PadLeft(6, '0') + "\0 "), header + 148);
        return (header + 148, old);
    }

    // QEMU may well refuse it; it must not know of another file.
    private static async Task MustNameNothingAsync(QemuDisk disk, string which)
    {
        var description = JsonSerializer.SerializeToNode(JsonDocument.Parse(disk.Reference["json:".Length..]))!;
        ((System.Text.Json.Nodes.JsonObject)description).Remove("backing");
        var info = await SampleDisk.Tools.RunAsync(Crust.Tools.ToolCommand.Of("qemu-img", "info", "--output=json", "json:" + description.ToJsonString()) with { SuccessCodes = [0, 1] }, Cancellation);
        Assert.That(info.Output, Does.Not.Contain("backing-filename").And.Not.Contain("data-file\"").And.Not.Contain("/etc/"), which);
        Assert.That(info.Error, Does.Not.Contain("/etc/"), which);
    }

    private static byte[] Archive(params (string Name, byte[] Content)[] members) =>
        [.. members.SelectMany(member => TarMember.File(member.Name, member.Content)).SelectMany(piece => piece.ToArray()), .. TarMember.EndOfArchive.ToArray()];
}
