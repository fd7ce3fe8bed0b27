using Crust.Installers;
using Crust.Isos;
using Crust.Machines;
using Crust.Spec;
using Crust.Tests.Machine.Field;

namespace Crust.Tests.Machine.Isos;

/// <summary>A copy of the real reference ISO with files put in: it has the same boot records, and boots in each of the ways that the ISO does.</summary>
[CancelAfter(900_000)]
[Parallelizable(ParallelScope.All)]
public sealed class IsoCopyTests
{
    private string _folder = null!;
    private string _iso = null!;
    private string _copy = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task MakeCopy()
    {
        _folder = Directory.CreateTempSubdirectory("crust-copy-").FullName;
        var installer = new ReferenceInstaller(Host.Tools, FieldMedium.Cache, FieldMedium.Folders, FieldMedium.Appliance, new NoObserver());
        _iso = (await installer.GetAsync(Arch.Amd64, CancellationToken.None)).Path;
        _copy = Path.Combine(_folder, "copy.iso");
        await File.WriteAllTextAsync(Path.Combine(_folder, "file"), "put in");
        await new IsoCopy(Host.Tools, new NoObserver()).WriteAsync(_iso, [new VolumeFile("opt/edge/file", Path.Combine(_folder, "file"))], _copy, CancellationToken.None);
    }

    [OneTimeTearDown]
    public void RemoveFiles() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task It_has_the_boot_records_of_the_ISO()
    {
        var records = await RecordsAsync(_copy);

        Assert.That(records, Is.EqualTo(await RecordsAsync(_iso)));
        Assert.That(records, Has.Some.EqualTo("El Torito boot img :   1  BIOS  y   none  0x0000  0x00      4").And.Some.EqualTo("El Torito boot img :   2  UEFI  y   none  0x0000  0x00  32768")
            .And.Some.Contain("grub2-mbr").And.Some.EqualTo("GPT type GUID      :   2  28732ac11ff8d211ba4b00a0c93ec93b"));
    }

    [Test]
    public void What_was_put_in_is_there_beside_what_was()
    {
        using var copy = new IsoTree(_copy);
        using var iso = new IsoTree(_iso);

        Assert.That((copy.ReadText("opt/edge/file", 100), copy.ReadText(".disk/info", 100), copy.HasJoliet), Is.EqualTo(("put in", iso.ReadText(".disk/info", 100), iso.HasJoliet)));
    }

    [TestCase(Firmware.Bios, false)]
    [TestCase(Firmware.Uefi, true)]
    [TestCase(Firmware.UefiSecure, false)]
    [TestCase(Firmware.Bios, true, Category = "Long")]
    [TestCase(Firmware.Uefi, false, Category = "Long")]
    public async Task It_boots(Firmware firmware, bool asStick)
    {
        Drive drive = asStick ? new Drive.UsbStick { File = _copy } : new Drive.Cdrom { File = _copy };
        await using var machine = await FieldMachine.StartAsync(firmware, Path.Combine(_folder, $"{firmware}-{asStick}.log"), Cancellation, drive);

        // It has found its medium by then, and mounted what is on it.
        await machine.ExpectAsync("looking for the seed", Cancellation);
    }

    // What makes it bootable, without the addresses and what is random.
    private static async Task<IReadOnlyList<string>> RecordsAsync(string iso)
    {
        var report = await Host.RunAsync("xorriso", ["-no_rc", "-indev", iso, "-report_el_torito", "plain", "-report_system_area", "plain"], Cancellation);
        return
        [
            .. report.Split('\n')
                .Where(line => line.StartsWith("El Torito img", StringComparison.Ordinal) || line.StartsWith("El Torito boot", StringComparison.Ordinal) || line.StartsWith("System area", StringComparison.Ordinal)
                    || line.StartsWith("Partition offset", StringComparison.Ordinal) || line.StartsWith("GPT type GUID      :   1", StringComparison.Ordinal) || line.StartsWith("GPT type GUID      :   2", StringComparison.Ordinal))
                .Select(line => line.StartsWith("El Torito boot img", StringComparison.Ordinal) ? line[..line.TrimEnd().LastIndexOf(' ')].TrimEnd() : line.TrimEnd()),
        ];
    }
}
