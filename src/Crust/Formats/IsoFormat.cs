using System.Security.Cryptography;
using System.Text;
using Crust.Formats.Zstd;
using Crust.Installers;
using Crust.Spec;

namespace Crust.Formats;

/// <summary>
/// Media for the field: an ISO that boots the appliance, whose job `flash` writes the disk on it to a disk of the machine. Boots under BIOS, UEFI and
/// UEFI with Secure Boot, from a CD and from a USB stick.
/// </summary>
internal sealed class IsoFormat : IImageFormat
{
    // Raise it when a change of Crust makes another ISO of the same disk, settings and appliance.
    private const int Version = 1;

    // The rest goes into writing the ISO itself.
    private const double CompressionShare = 0.9;

    public string Name => "iso";

    public string Extension => ".iso";

    public string? QemuDriver => null;

    public string RecipeOf(BuildSpec spec, FormatServices services) =>
        $"iso {Version} target={spec.Iso.Target} overwrite={Word(spec.Iso.Overwrite)} after={spec.Iso.After.LowerName()} appliance={services.Appliance.KeyOf(spec.Machine.Arch)[..16]}";

    public async Task<string?> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var appliance = await request.Appliance.GetAsync(request.Spec.Machine.Arch, cancellation);
        var work = Directory.CreateDirectory(request.Path + ".work").FullName;
        var payload = Path.Combine(work, "disk.img.zst");
        var map = await Task.Run(() => ZstdDisk.WriteAsync(request.Disk.Path, payload, Environment.ProcessorCount,
            fraction => request.Progress(fraction * CompressionShare), cancellation), cancellation);
        var mapText = map.ToText();
        var settings = Settings(request.Name, request.Spec.Iso);
        var mapFile = await WriteTextAsync("map", mapText);
        var settingsFile = await WriteTextAsync("settings", settings);
        var label = LabelOf(mapText + settings);
        await new HybridIso(request.Tools).WriteAsync(new HybridIsoContent
        {
            VolumeId = label,
            Title = $"Write {request.Name} to a disk",
            Appliance = appliance,
            // A busy host's emulated timer may be late; Linux then takes it for broken and panics. Hardware of this century passes that check.
            KernelArguments = ["crust.job=flash", $"crust.medium={label}", "console=tty0", "console=ttyS0,115200", "loglevel=4", "mitigations=off", "no_timer_check"],
            Files = [("/crust/flash/disk.img.zst", payload), ("/crust/flash/map", mapFile), ("/crust/flash/settings", settingsFile)],
        }, request.Path, work, cancellation);
        Directory.Delete(work, recursive: true);
        return null;

        async Task<string> WriteTextAsync(string name, string text)
        {
            var path = Path.Combine(work, name);
            await File.WriteAllTextAsync(path, text, cancellation);
            return path;
        }
    }

    /// <summary>What the job `flash` is told, as lines of KEY=VALUE.</summary>
    internal static string Settings(string name, IsoSpec iso) =>
        $"name={name}\ntarget={iso.Target}\noverwrite={Word(iso.Overwrite)}\nafter={iso.After.LowerName()}\n";

    // By its content, so that of two media in one machine each finds itself. At most 16 characters: blkid may read Joliet's label, which isn't longer.
    private static string LabelOf(string content) => $"CRUST_{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(content)))[..10]}";

    private static string Word(bool value) => value ? "true" : "false";
}
