using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crust.Appliance;
using Crust.Cache;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Installers;

/// <summary>
/// Crust's own installer ISO, built from Debian packages: the appliance with its job `install`, and a Debian root file system. The
/// result is cached.
/// </summary>
/// <param name="tools">Needs mmdebstrap, mksquashfs, mtools and xorriso.</param>
/// <param name="cache">Keeps what was built.</param>
/// <param name="folders">Says where `builder/` is.</param>
/// <param name="appliance">Builds what the ISO boots.</param>
/// <param name="observer">Hears of progress in the stage <see cref="Stage.Installer"/> if there is something to build; its start and end are the caller's to tell.</param>
public sealed class ReferenceInstaller(ToolBox tools, BuildCache cache, Folders folders, ApplianceBuilder appliance, IBuildObserver observer)
{
    /// <summary>What the images are called where the spec doesn't name them, and the ISO without its `.iso`.</summary>
    public const string Name = "crust-reference";

    /// <summary>About its size in bytes.</summary>
    internal const long AboutSize = 270L << 20;

    /// <summary>Changes whenever this code would make something else from the same files.</summary>
    private const string Version = "3";

    private const string Kind = "installers";
    private const string VolumeId = "CRUST_REFERENCE";

    private readonly Recipe _recipe = new(Path.Combine(folders.Builder, "reference"));
    private readonly Recipe _system = new(Path.Combine(folders.Builder, "reference", "system"));

    /// <summary>The smallest disk that it installs to, in bytes.</summary>
    public long MinimumDisk => long.Parse(_recipe.Read("minimum-disk").Trim(), CultureInfo.InvariantCulture);

    /// <summary>The ISO, from the cache if it is there: that costs no reading of the ISO.</summary>
    /// <exception cref="CrustException">A tool is missing or failed, or there is none for this architecture.</exception>
    public async Task<InstallerIso> GetAsync(Arch arch, CancellationToken cancellation)
    {
        var root = new DebianRoot(tools, cache, _system);
        return Load(await cache.GetOrAddAsync(Kind, KeyOf(arch, root), folder => BuildAsync(arch, root, folder, cancellation),
            _ => Progress(null, "waiting for another build that makes the reference installer"), cancellation));
    }

    /// <summary>The ISO if it is in the cache, else null.</summary>
    /// <exception cref="CrustException">There is none for this architecture.</exception>
    public InstallerIso? Find(Arch arch) => cache.Find(Kind, KeyOf(arch, new DebianRoot(tools, cache, _system))) is { } folder ? Load(folder) : null;

    private string KeyOf(Arch arch, DebianRoot root) => Recipe.Key([_recipe], "reference", Version, appliance.KeyOf(arch), root.Key);

    private InstallerIso Load(string folder)
    {
        var facts = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(folder, $"{Name}.json")), IsoFactsJson.Default.ReferenceIsoRecord)!;
        return new InstallerIso
        {
            Path = Path.Combine(folder, $"{Name}.iso"),
            Sha256 = facts.Sha256,
            Size = facts.Size,
            VolumeId = VolumeId,
            BootsBios = true,
            BootsUefi = true,
            BaseName = Name,
            IsReference = true,
            MinimumDisk = MinimumDisk,
            Source = "reference installer",
        };
    }

    private async Task BuildAsync(Arch arch, DebianRoot root, string folder, CancellationToken cancellation)
    {
        var image = await appliance.GetAsync(arch, cancellation);
        var system = await root.GetAsync((fraction, detail) => Progress(fraction * 0.9, detail), cancellation);
        var work = Path.Combine(folder, "work");
        Directory.CreateDirectory(work);
        Progress(0.9, "writing the ISO");
        var iso = Path.Combine(folder, $"{Name}.iso");
        var facts = new ReferenceIsoRecord(await new HybridIso(tools).WriteAsync(Content(image, system), iso, work, _ => { }, cancellation), new FileInfo(iso).Length);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{Name}.json"), JsonSerializer.Serialize(facts, IsoFactsJson.Default.ReferenceIsoRecord), cancellation);
        Directory.Delete(work, recursive: true);
    }

    private HybridIsoContent Content(ApplianceImage image, DebianRoot.Result system) => new()
    {
        VolumeId = VolumeId,
        Title = "Crust reference installer",
        Appliance = image,
        KernelArguments = ["crust.job=install", $"crust.medium={VolumeId}", "console=tty0", "console=ttyS0,115200", .. ApplianceImage.KernelArguments],
        Files =
        [
            ("/crust/root.squashfs", system.Squashfs),
            ("/crust/root.size", system.SizeFile),
            ("/crust/minimum-disk", _recipe.PathOf("minimum-disk")),
            ("/crust/read-seed.py", _recipe.PathOf("read-seed.py")),
        ],
    };

    private void Progress(double? fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Installer, null, fraction, detail));
}

/// <summary>What is kept beside the ISO, so that a cached one needn't be read to be known.</summary>
internal sealed record ReferenceIsoRecord(string Sha256, long Size);

[JsonSerializable(typeof(ReferenceIsoRecord))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
internal sealed partial class IsoFactsJson : JsonSerializerContext;
