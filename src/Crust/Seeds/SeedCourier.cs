using System.Collections.Immutable;
using System.Text;
using Crust.Appliance;
using Crust.Isos;
using Crust.Machines;
using Crust.Seeds.Volumes;
using Crust.Storage;

namespace Crust.Seeds;

/// <summary>Gets a seed ready for the machine, by whatever carries it.</summary>
internal sealed class SeedCourier(SeedVolume volumes, IsoCopy isos)
{
    private const string InitramfsName = "seed.cpio";
    private const string IsoName = "installer-with-seed.iso";

    /// <param name="folder">An existing folder that only this user can enter.</param>
    /// <returns>The files, which go when it is disposed of.</returns>
    /// <exception cref="CrustException">A tool is missing or failed, the folder can't be written, or the ISO can't take a file.</exception>
    public async Task<SeedDelivery> PrepareAsync(Seed seed, InstallerIso installer, string folder, CancellationToken cancellation)
    {
        try
        {
            return new()
            {
                Volume = seed.Label is not null ? await volumes.CreateAsync(seed, folder, cancellation) : null,
                FileSystem = seed.FileSystem,
                FirmwareFiles = seed.Carrier is SeedCarrier.Firmware ? WriteFirmwareFiles(seed, folder) : [],
                Initramfs = seed.Carrier is SeedCarrier.Initramfs ? WriteInitramfs(seed, folder) : null,
                Iso = seed.Carrier is SeedCarrier.Iso ? await CopyIsoAsync(seed, installer, folder, cancellation) : null,
                KernelArguments = seed.KernelArguments,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The seed can't be written: {e.Message}", folder, "make room there, and the folder writable", e);
        }
    }

    private static ImmutableArray<FirmwareFile> WriteFirmwareFiles(Seed seed, string folder) =>
    [
        .. seed.Documents.Select((document, i) =>
        {
            var path = Path.Combine(folder, $"firmware-{i}");
            PrivateFile.Write(path, document.Text);
            return new FirmwareFile(document.Name, path);
        }),
    ];

    // The kernel unpacks what follows the installer's own archive into the same root (early-userspace/buffer-format.rst).
    private static string WriteInitramfs(Seed seed, string folder)
    {
        var archive = new CpioArchive();
        foreach (var document in seed.Documents)
            archive.AddFile("/" + document.Name, Encoding.UTF8.GetBytes(document.Text), executable: false);

        var path = Path.Combine(folder, InitramfsName);
        using var file = PrivateFile.Create(path);
        archive.WriteTo(file);
        return path;
    }

    private async Task<string> CopyIsoAsync(Seed seed, InstallerIso installer, string folder, CancellationToken cancellation)
    {
        using var staged = StagedDocuments.Write(seed.Documents, folder);
        var copy = Path.Combine(folder, IsoName);
        await isos.WriteAsync(installer.Path, [.. staged.Files, .. seed.Files.Select(file => new VolumeFile(file.Name, file.Path))], copy, cancellation);
        return copy;
    }
}
