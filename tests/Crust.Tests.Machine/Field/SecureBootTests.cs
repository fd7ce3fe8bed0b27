using Crust.Appliance;
using Crust.Isos;
using Crust.Spec;

namespace Crust.Tests.Machine.Field;

/// <summary>Builds under `machine.firmware: uefi-secure`, with real OVMF and Microsoft's keys.</summary>
[CancelAfter(600_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SecureBootTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    public async Task An_image_with_a_signed_loader_comes_up_under_Secure_Boot()
    {
        var source = await SourceDisk.CreateAsync(await FieldMedium.Appliance.GetAsync(Arch.Amd64, Cancellation), _crust.Folder, Cancellation);

        var result = await _crust.RunAsync(Cancellation, "verify", "--firmware", "uefi-secure", "--memory", "512M", "--network", "none", "--expect", "stub login:", "--json", source.Path);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("\"up\":true,\"firmware\":\"uefi-secure\""));
    }

    [Test]
    public async Task An_installer_whose_loader_is_not_signed_is_refused_in_words()
    {
        var appliance = await FieldMedium.Appliance.GetAsync(Arch.Amd64, Cancellation);
        var result = await BuildAsync(await UnsignedIsoAsync(appliance), "--disk-size", "64M");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("Secure Boot refused to start the installer unsigned.iso from \"UEFI QEMU DVD-ROM").And.Contain("machine.firmware to uefi"));
    }

    // Debian's shim with one bit changed: the signature isn't that of this file any more.
    private async Task<string> UnsignedIsoAsync(ApplianceImage appliance)
    {
        var boot = Directory.CreateDirectory(InFolder("boot")).FullName;
        foreach (var file in Directory.EnumerateFiles(appliance.BootFolder))
        {
            File.Copy(file, Path.Combine(boot, Path.GetFileName(file)));
        }

        var shim = await File.ReadAllBytesAsync(Path.Combine(boot, "shimx64.efi"), Cancellation);
        shim[shim.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(Path.Combine(boot, "shimx64.efi"), shim, Cancellation);
        await File.WriteAllTextAsync(InFolder("grub.cfg"), "", Cancellation);
        var content = Directory.CreateDirectory(InFolder("content")).FullName;
        foreach (var command in HybridIso.EspCommands(appliance with { BootFolder = boot }, InFolder("grub.cfg"), Path.Combine(content, "esp.img")))
        {
            await Host.Tools.RunAsync(command, Cancellation);
        }

        await Host.RunAsync("xorriso", ["-as", "mkisofs", "-quiet", "-o", InFolder("unsigned.iso"), "-e", "esp.img", "-no-emul-boot", content], Cancellation);
        return InFolder("unsigned.iso");
    }

    private Task<CrustResult> BuildAsync(string iso, params string[] arguments) =>
        _crust.RunAsync(Cancellation, ["build", "--iso", iso, "--firmware", "uefi-secure", "--memory", "512M", "--format", "img", .. arguments]);

    private string InFolder(string file) => Path.Combine(_crust.Folder, file);
}
