using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crust.Appliance;
using Crust.Bases;
using Crust.Installers;
using Crust.Isos;
using Crust.Layers;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Seeds.Kinds;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Media;

/// <summary>
/// Installers of Debian packages of the user's choice, as the reference installer is one: the appliance with its job `install`, and a root file system from
/// `base.debian` with layers.
/// A seed may lie on the medium. The packed root is cached; the ISO around it is written anew.
/// </summary>
/// <param name="tools">Needs mmdebstrap, mksquashfs, mtools and xorriso.</param>
/// <param name="layers">Puts layers onto the packages.</param>
/// <param name="observer">Hears of progress in the stage <see cref="Stage.Installer"/>, and of warnings.</param>
internal sealed class DebianInstaller(ToolBox tools, BuildCache cache, Folders folders, BaseSource bases, ApplianceBuilder appliance, SystemLayers layers, IBuildObserver observer)
{
    /// <summary>Changes whenever this code would make something else from the same packages.</summary>
    private const string Version = "1";

    private const string RootKind = "debian-roots";
    private const string IsoKind = "debian-isos";
    private const string IsoName = "installer.iso";
    private const string RecordName = "installer.json";
    private const string SquashfsName = "root.squashfs";
    private const string SizeName = "root.size";
    private const string VolumeId = "CRUST_DEBIAN";
    private const long MoreOfDisk = 512L << 20;
    private const long LeastDisk = 3L << 30;

    // What reads the seed: on the medium, and in the installed system.
    private static readonly string[] Needed = ["cloud-init", "cloud-guest-utils", "python3-yaml", "openssh-server"];

    /// <summary>What the spec says, with what such an installer needs beside it.</summary>
    private static BuildSpec Complete(BuildSpec spec) => spec with
    {
        Base = spec.Base with { Debian = spec.Base.Debian with { Packages = [.. spec.Base.Debian.Packages.Union(Needed)] } },
        Seed = spec.Seed with { Kind = SeedKind.Nocloud },
    };

    /// <summary>Writes the ISO; whether it holds secrets says the result.</summary>
    /// <param name="path">The file, which isn't there yet, in a folder that others can't enter.</param>
    /// <exception cref="CrustException">A tool is missing or failed, there is no such package, or the seed is wrong.</exception>
    /// <exception cref="IOException">The ISO can't be written.</exception>
    public async Task<(string Sha256, long Size, bool IsSecret)> WriteAsync(BuildSpec spec, string path, CancellationToken cancellation)
    {
        spec = Complete(spec);
        var seed = SeedOf(spec);
        var (root, _) = await RootAsync(spec, cancellation);
        return await WriteAsync(spec, seed, root, path, cancellation);
    }

    /// <summary>The installer for a build that installs it: from the cache if it is there.</summary>
    /// <exception cref="CrustException">It can't be made.</exception>
    public async Task<InstallerIso> GetAsync(BuildSpec spec, CancellationToken cancellation)
    {
        spec = Complete(spec);
        var seed = SeedOf(spec);
        var (root, rootKey) = await RootAsync(spec, cancellation);
        var key = Checksum.OfText(string.Join('\n', ["crust debian iso", Version, rootKey, appliance.KeyOf(spec.Machine.Arch), spec.Medium.Title,
            .. DocumentsOf(seed).Select(document => $"{document.Name} {Checksum.OfText(document.Text)}")]));
        using var entry = await cache.OpenAsync(IsoKind, key, _ => Progress("waiting for another build that makes the same installer"), cancellation);
        if (entry.Found is not { } folder)
        {
            var (sha256, size, _) = await WriteAsync(spec, seed, root, Path.Combine(entry.Draft, IsoName), cancellation);
            await File.WriteAllTextAsync(Path.Combine(entry.Draft, RecordName), JsonSerializer.Serialize(new ReferenceIsoRecord(sha256, size),
                IsoFactsJson.Default.ReferenceIsoRecord), cancellation);
            folder = entry.Keep();
        }

        var facts = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(folder, RecordName)), IsoFactsJson.Default.ReferenceIsoRecord)!;
        return new InstallerIso
        {
            Path = Path.Combine(folder, IsoName),
            Sha256 = facts.Sha256,
            Size = facts.Size,
            VolumeId = VolumeId,
            BootsBios = spec.Machine.Arch is Arch.Amd64,
            BootsUefi = true,
            BaseName = spec.Name ?? BaseSource.NameOf(spec.Base),
            IsReference = false,
            Profile = SeedProfile.Debian,
            MinimumDisk = MinimumDisk(root),
            Source = $"an installer from {spec.ShownSource}",
        };
    }

    private Seed? SeedOf(BuildSpec spec)
    {
        if (!EmbeddedSeed.HasConfig(spec.Seed))
        {
            return null;
        }

        var files = SeedFiles.Read(spec.Seed);
        foreach (var warning in SeedReview.Pass(SeedChecks.Check(spec, files, SeedProfile.Debian), spec.Seed.Strict))
        {
            observer.Observe(new BuildEvent.Warned(warning));
        }

        return Seed.Compose(spec, files, SeedProfile.Debian, Guid.Empty);
    }

    // The id of an instance is each machine's own: the job makes one where there is no meta-data.
    private static IEnumerable<SeedDocument> DocumentsOf(Seed? seed) => seed?.Documents.Where(document => !document.IsFresh) ?? [];

    private async Task<(string Folder, string Key)> RootAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var image = await bases.GetAsync(spec, cancellation);
        var wanted = Layer.ReadAll(spec);
        var key = Checksum.OfText(string.Join('\n', ["crust debian root", Version, image.Sha256, .. wanted.Select(layer => layer.Material), SiteFiles.KeyOf(spec.Site)]));
        using var entry = await cache.OpenAsync(RootKind, key, _ => Progress("waiting for another build that packs the same system"), cancellation);
        return (entry.Found ?? await PackAsync(image, wanted, spec.Site, spec.Machine, entry, cancellation), key);
    }

    private async Task<string> PackAsync(BaseImage image, ImmutableArray<Layer> wanted, SiteSpec site, MachineSpec machine, CacheEntry entry, CancellationToken cancellation)
    {
        Progress("packing the system");
        var tar = image.Path;
        using var scratch = new ScratchFolder(cache.Root);
        if (!wanted.IsEmpty || !site.IsEmpty)
        {
            tar = Path.Combine(scratch.Path, "laid.tar");
            var system = await layers.PutAsync(FileTree.FromTar(image.Path, allowDevices: true), image.Sha256, site, wanted, machine, scratch.Path, cancellation);
            await using var file = PrivateFile.Create(tar);
            await MachineIdentity.Without(system).WriteTarAsync(file, Mmdebstrap.Epoch, cancellation);
        }

        await tools.RunAsync(ToolCommand.Of("mksquashfs", "-", Path.Combine(entry.Draft, SquashfsName), "-tar", "-root-mode", "0755", "-comp", "zstd",
            "-Xcompression-level", "9", "-b", "256K", "-noappend", "-quiet", "-no-progress") with
        {
            InputFile = tar,
            Environment = ImmutableDictionary<string, string>.Empty.Add("SOURCE_DATE_EPOCH", Mmdebstrap.Epoch.ToString(CultureInfo.InvariantCulture)),
        }, cancellation);
        await File.WriteAllTextAsync(Path.Combine(entry.Draft, SizeName), new FileInfo(tar).Length.ToString(CultureInfo.InvariantCulture) + "\n", cancellation);
        return entry.Keep();
    }

    private async Task<(string Sha256, long Size, bool IsSecret)> WriteAsync(BuildSpec spec, Seed? seed, string root, string path, CancellationToken cancellation)
    {
        var image = await appliance.GetAsync(spec.Machine.Arch, cancellation);
        Progress("writing the ISO");
        // Secrets: whatever happens to this process, the next command removes what is in there.
        using var scratch = new ScratchFolder(cache.Root);
        var minimum = Path.Combine(scratch.Path, "minimum-disk");
        await File.WriteAllTextAsync(minimum, MinimumDisk(root).ToString(CultureInfo.InvariantCulture) + "\n", cancellation);
        using var told = Seeds.Volumes.StagedDocuments.Write([.. DocumentsOf(seed)], scratch.Path);
        var content = new HybridIsoContent
        {
            VolumeId = VolumeId,
            Title = spec.Medium.Title,
            Appliance = image,
            KernelArguments = ["crust.job=install", $"crust.medium={VolumeId}", "console=tty0", .. image.SerialConsoles, .. image.KernelArguments],
            Files =
            [
                ("/crust/root.squashfs", Path.Combine(root, SquashfsName)),
                ("/crust/root.size", Path.Combine(root, SizeName)),
                ("/crust/minimum-disk", minimum),
                ("/crust/read-seed.py", Path.Combine(folders.Builder, "reference", "read-seed.py")),
                .. told.Files.Select(file => ($"/crust/seed/{file.Name}", file.OnHost)),
            ],
        };
        var sha256 = await new HybridIso(tools).WriteAsync(content, path, scratch.Path, written => Progress($"writing the ISO: {Size.Format(written)}"), cancellation);
        return (sha256, new FileInfo(path).Length, seed is { Secrets.IsEmpty: false });
    }

    // What a file system takes beyond its files, and room to start.
    private static long MinimumDisk(string root)
    {
        var unpacked = long.Parse(File.ReadAllText(Path.Combine(root, SizeName)).Trim(), CultureInfo.InvariantCulture);
        return Math.Max(LeastDisk, ((unpacked * 13 / 10) + MoreOfDisk) >> 20 << 20);
    }

    private void Progress(string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Installer, null, null, detail));
}
