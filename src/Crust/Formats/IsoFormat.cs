using System.Security.Cryptography;
using System.Text;
using Crust.Formats.Headers;
using Crust.Formats.Iso;
using Crust.Formats.Zstd;
using Crust.Isos;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>
/// Media for the field: an ISO that boots the appliance, whose job `flash` writes the disk on it to a disk of the machine. Boots under UEFI with and without
/// Secure Boot, on amd64 under BIOS, too, from a CD and from a USB stick.
/// </summary>
internal sealed class IsoFormat : IImageFormat
{
    // Raise it when a change of Crust makes another ISO of the same disk, settings and appliance.
    private const int Version = 2;

    private const double OtherContent = 40 << 20;
    private const string DiskInIso = "/crust/flash/disk.img.zst";

    private static readonly ImgZstFormat Inner = new();

    public string Name => "iso";

    public string Extension => ".iso";

    public string MediaType => "application/vnd.efi.iso";

    public string? QemuDriver => null;

    public bool HoldsDisk => true;

    public string RecipeOf(BuildSpec spec, FormatServices services) =>
        $"iso {Version} {Inner.RecipeOf(spec, services)} target={spec.Iso.Target} overwrite={Word(spec.Iso.Overwrite)} after={spec.Iso.After.LowerName()} "
            + $"appliance={services.Appliance.KeyOf(spec.Machine.Arch)[..16]}";

    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Compressed)
    {
        Wraps = Inner.Name,
        Tools = HybridIso.Programs,
        Libraries = Inner.NeedsOf(spec).Libraries,
        TakesAppliance = true,
        IsUnpackedToBoot = true,
    };

    public ImageSign SignIn(ImageSample file) => file.Has(0x8001, "CD001"u8) ? ImageSign.Volume : ImageSign.None;

    public async Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation)
    {
        var compressed = Path.Combine(scratch, $"{Path.GetFileName(image)}.{Guid.NewGuid():N}{Inner.Extension}");
        try
        {
            await tools.RunAsync(Xorriso.Of("-osirrox", "on", "-indev", Path.GetFullPath(image), "-extract_single", DiskInIso, compressed), cancellation);
            return await Inner.OpenAsync(compressed, scratch, tools, cancellation);
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.BadInput, $"There is no disk in the ISO: {e.What}", image, "give a medium that Crust has made, and that is whole", e);
        }
        finally
        {
            File.Delete(compressed);
        }
    }

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var appliance = await request.Appliance.GetAsync(request.Spec.Machine.Arch, cancellation);
        var work = Directory.CreateDirectory(request.Path + ".work").FullName;
        var payload = await request.Parts.GetAsync(Inner.Name);
        var mapText = FlashMap.ToText(request.Disk.Map, SeekTable.Read(payload.Path));
        var settings = Settings(request.Name, request.Spec.Iso);
        var mapFile = await WriteTextAsync("map", mapText);
        var settingsFile = await WriteTextAsync("settings", settings);
        var label = LabelOf(mapText + settings);
        // The kernel, the initramfs and the boot loaders are what is left.
        var total = payload.Size + OtherContent;
        var sha256 = await new HybridIso(request.Tools).WriteAsync(new HybridIsoContent
        {
            VolumeId = label,
            Title = $"Write {request.Name} to a disk",
            Appliance = appliance,
            KernelArguments = ["crust.job=flash", $"crust.medium={label}", "console=tty0", .. appliance.SerialConsoles, .. appliance.KernelArguments],
            Files = [(DiskInIso, payload.Path), ("/crust/flash/map", mapFile), ("/crust/flash/settings", settingsFile)],
        }, request.Path, work, written => request.Progress(Math.Min(1, written / total)), cancellation);
        Directory.Delete(work, recursive: true);
        return new WrittenImage(sha256);

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
