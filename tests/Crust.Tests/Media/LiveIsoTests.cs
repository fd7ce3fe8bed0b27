using System.Buffers.Binary;
using Crust.Isos;
using Crust.Media;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Bases;

namespace Crust.Tests.Media;

/// <summary>Live ISOs as xorriso writes them, from files that don't boot.</summary>
[CancelAfter(120_000)]
public sealed class LiveIsoTests
{
    private const int Sector = 512;

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task The_medium_has_the_layout_of_its_family_and_boots_both_firmwares()
    {
        var iso = await WriteAsync("a.iso", Content());

        var facts = IsoInspector.Inspect(iso, iso);
        Assert.That((facts.VolumeId, facts.BootsBios, facts.BootsUefi), Is.EqualTo(("COS_LIVE", true, true)));
        using var tree = new IsoTree(iso);
        string[] paths =
        [
            "rootfs.squashfs", "boot/kernel", "boot/initrd", "boot/uefi.img", "boot/eltorito.img", "boot/boot_hybrid.img", "boot/grub2/grub.cfg", "boot/grub/grub.cfg",
                "EFI/BOOT/grub.cfg",
            "EFI/BOOT/bootx64.efi", "EFI/BOOT/grubx64.efi", "config.yaml", "opt/spectrocloud/content/apps.zst_part01", "from/overlay",
        ];
        Assert.That(paths.Where(path => tree.KindOf(path) is not IsoEntryKind.File), Is.Empty);
        Assert.That(tree.ReadText("opt/spectrocloud/content/apps.zst_part01", 100), Is.EqualTo("56789"), "a part is cut out of the bundle");
    }

    [Test]
    public async Task The_partition_table_spans_the_medium_and_has_the_EFI_system_partition()
    {
        var bytes = await File.ReadAllBytesAsync(await WriteAsync("a.iso", Content()), Cancellation);
        var sectors = (ulong)bytes.Length / Sector;

        Assert.That(bytes.AsSpan(Sector, 8).SequenceEqual("EFI PART"u8));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(Sector + 32)), Is.EqualTo(sectors - 1), "the backup is in the last sector");
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(Sector + 48)), Is.LessThan(sectors).And.GreaterThan(sectors - 200));
        Assert.That(bytes.AsSpan((int)(sectors - 1) * Sector, 8).SequenceEqual("EFI PART"u8));
        Assert.That((bytes[510], bytes[511]), Is.EqualTo(((byte)0x55, (byte)0xaa)));
    }

    [Test]
    public async Task The_same_content_gives_the_same_bytes()
    {
        var one = await WriteAsync("a.iso", Content());
        var other = await WriteAsync("b.iso", Content());

        await SameBytes.AssertFilesAsync(one, other, Cancellation);
    }

    [Test]
    public async Task For_arm64_there_is_nothing_of_BIOS()
    {
        var iso = await WriteAsync("a.iso", Content() with { Arch = Arch.Arm64 });

        var facts = IsoInspector.Inspect(iso, iso);
        Assert.That((facts.BootsBios, facts.BootsUefi), Is.EqualTo((false, true)));
        using var tree = new IsoTree(iso);
        Assert.That((tree.Contains("EFI/BOOT/bootaa64.efi"), tree.Contains("boot/eltorito.img")), Is.EqualTo((true, false)));
    }

    [Test]
    public void Without_shim_GRUB_has_its_name()
    {
        var content = Content();
        content = content with { Root = content.Root with { Facts = content.Root.Facts with { Shim = null } } };

        Assert.That(LiveIso.Loaders(content).Select(file => (file.InIso, Path.GetFileName(file.OnHost))), Is.EqualTo(new[] { ("EFI/BOOT/bootx64.efi", "grub.efi") }));
    }

    private async Task<string> WriteAsync(string name, LiveIsoContent content)
    {
        var work = Directory.CreateDirectory(Path.Combine(_folder, name + ".work")).FullName;
        var iso = Path.Combine(_folder, name);
        var sum = await new LiveIso(BaseSample.Tools).WriteAsync(content, iso, work, _ => { }, Cancellation);
        Assert.That(sum, Is.EqualTo(await Checksum.OfFileAsync(iso, Cancellation)));
        return iso;
    }

    private LiveIsoContent Content()
    {
        var facts = new LiveFacts { Kernel = "boot/vmlinuz", Initrd = "boot/initrd", Grub = "g", Shim = "s" };
        foreach (var (name, size) in new[] { ("rootfs.squashfs", 300_000), ("kernel", 5000), ("initrd", 6000), ("shim.efi", 7000), ("grub.efi", 8000), ("eltorito.img",
            30_000), ("boot_hybrid.img", 512) })
        {
            File.WriteAllBytes(Path.Combine(_folder, name), new byte[size]);
        }

        return new LiveIsoContent
        {
            Arch = Arch.Amd64,
            Root = new LiveRoot(_folder, "key", facts),
            BiosFolder = _folder,
            Overlay = Path.GetDirectoryName(Path.GetDirectoryName(Text("overlay/from/overlay", "o"))!),
            Files =
            [
                new("config.yaml", Text("user-data", "#cloud-config\n")),
                new("opt/spectrocloud/content/apps.zst_part00", Text("apps.zst", "0123456789")) { Offset = 0, Length = 5 },
                new("opt/spectrocloud/content/apps.zst_part01", Text("apps.zst", "0123456789")) { Offset = 5, Length = 5 },
            ],
            Menus = [new(LiveInstaller.MenuPath, Text("grub.cfg", "menu\n")), new("boot/grub/grub.cfg", Text("stub.cfg", LiveMenu.Stub)), new("EFI/BOOT/grub.cfg",
                Text("stub.cfg", LiveMenu.Stub))],
            DiskId = new Guid("2303cd2a-73c7-824a-a298-25632da7f446"),
        };
    }

    private string Text(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}
