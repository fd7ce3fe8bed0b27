using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crust.Appliance;
using Crust.Isos;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Installers;

/// <summary>
/// Crust's own installer ISO, built from Debian packages: the appliance with its job `install`, and a Debian root file system. The
/// result is cached.
/// </summary>
/// <param name="tools">Needs mmdebstrap, mksquashfs, mtools and xorriso.</param>
/// <param name="observer">Hears of progress in the stage <see cref="Stage.Installer"/> if there is something to build; its start and end are the caller's to tell.</param>
internal sealed class ReferenceInstaller(ToolBox tools, BuildCache cache, Folders folders, ApplianceBuilder appliance, IBuildObserver observer)
{
    /// <summary>The family of systems that it installs.</summary>
    internal const SeedProfile Profile = SeedProfile.Debian;

    /// <summary>About its size in bytes.</summary>
    internal const long AboutSize = 270L << 20;

    /// <summary>Changes whenever this code would make something else from the same files.</summary>
    private const string Version = "3";

    private const string Kind = "installers";
    private const string VolumeId = "CRUST_REFERENCE";

    /// <summary>Whether a file is a reference installer, perhaps an older one.</summary>
    internal static bool IsOne(string path)
    {
        try
        {
            return IsoInspector.Look(path, path).VolumeId == VolumeId;
        }
        catch (CrustException)
        {
            return false;
        }
    }

    /// <summary>What the images are called where the spec doesn't name them, and the ISO without its `.iso`.</summary>
    public static string NameFor(Arch arch) => arch is Arch.Amd64 ? "crust-reference" : $"crust-reference-{arch.LowerName()}";

    /// <summary>The ISO, from the cache if it is there: that costs no reading of the ISO.</summary>
    /// <exception cref="CrustException">A tool is missing or failed, or this host runs no programs of the architecture.</exception>
    public async Task<InstallerIso> GetAsync(Arch arch, CancellationToken cancellation)
    {
        var source = FolderFor(arch);
        var root = RootOf(source);
        using var entry = await cache.OpenAsync(Kind, KeyOf(source, root), _ => Progress(null, "waiting for another build that makes the reference installer"), cancellation);
        return Load(entry.Found ?? await BuildAsync(source, root, entry, cancellation), source);
    }

    /// <summary>The ISO if it is in the cache, else null.</summary>
    public InstallerIso? Find(Arch arch)
    {
        var source = FolderFor(arch);
        return cache.Find(Kind, KeyOf(source, RootOf(source))) is { } folder ? Load(folder, source) : null;
    }

    /// <summary>Copies it and its appliance out of the cache, where they must be, below a folder for `CRUST_PARTS`.</summary>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    public void CopyTo(string folder, Arch arch)
    {
        var source = FolderFor(arch);
        cache.CopyTo(folder, Kind, KeyOf(source, RootOf(source)));
        appliance.CopyTo(folder, arch);
    }

    private BuilderFolder FolderFor(Arch arch) => new(Path.Combine(folders.Builder, "reference"), arch);

    private DebianRoot RootOf(BuilderFolder source) => new(tools, cache, new BuilderFolder(source.PathOf("system"), source.Arch));

    private string KeyOf(BuilderFolder source, DebianRoot root) => BuilderFolder.Key([source], "reference", Version, appliance.KeyOf(source.Arch), root.Key);

    private static InstallerIso Load(string folder, BuilderFolder source)
    {
        var name = NameFor(source.Arch);
        var facts = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(folder, $"{name}.json")), IsoFactsJson.Default.ReferenceIsoRecord)!;
        return new InstallerIso
        {
            Path = Path.Combine(folder, $"{name}.iso"),
            Sha256 = facts.Sha256,
            Size = facts.Size,
            VolumeId = VolumeId,
            BootsBios = source.Arch is Arch.Amd64,
            BootsUefi = true,
            BaseName = name,
            IsReference = true,
            Profile = Profile,
            MinimumDisk = long.Parse(source.Read("minimum-disk").Trim(), CultureInfo.InvariantCulture),
            MinimumMemory = long.Parse(source.Read("minimum-memory").Trim(), CultureInfo.InvariantCulture),
            Source = "reference installer",
        };
    }

    private async Task<string> BuildAsync(BuilderFolder source, DebianRoot root, CacheEntry entry, CancellationToken cancellation)
    {
        var folder = entry.Draft;
        var system = await root.GetAsync((fraction, detail) => Progress(fraction * 0.9, detail), cancellation);
        var image = await appliance.GetAsync(source.Arch, cancellation);
        var work = Path.Combine(folder, "work");
        Directory.CreateDirectory(work);
        Progress(0.9, "writing the ISO");
        var name = NameFor(source.Arch);
        var iso = Path.Combine(folder, $"{name}.iso");
        var facts = new ReferenceIsoRecord(await new HybridIso(tools).WriteAsync(Content(source, image, system), iso, work, _ => { }, cancellation), new FileInfo(iso).Length);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.json"), JsonSerializer.Serialize(facts, IsoFactsJson.Default.ReferenceIsoRecord), cancellation);
        Directory.Delete(work, recursive: true);
        return entry.Keep();
    }

    private static HybridIsoContent Content(BuilderFolder source, ApplianceImage image, DebianRoot.Result system) => new()
    {
        VolumeId = VolumeId,
        Title = "Crust reference installer",
        Appliance = image,
        KernelArguments = ["crust.job=install", $"crust.medium={VolumeId}", "console=tty0", .. image.SerialConsoles, .. image.KernelArguments],
        Files =
        [
            ("/crust/root.squashfs", system.Squashfs),
            ("/crust/root.size", system.SizeFile),
            ("/crust/minimum-disk", source.PathOf("minimum-disk")),
            ("/crust/read-seed.py", source.PathOf("read-seed.py")),
        ],
    };

    private void Progress(double? fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Installer, null, fraction, detail));
}

/// <summary>What is kept beside the ISO, so that a cached one needn't be read to be known.</summary>
internal sealed record ReferenceIsoRecord(string Sha256, long Size);

[JsonSerializable(typeof(ReferenceIsoRecord))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
internal sealed partial class IsoFactsJson : JsonSerializerContext;
