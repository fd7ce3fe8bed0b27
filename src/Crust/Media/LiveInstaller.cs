using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Crust.Appliance;
using Crust.Bases;
using Crust.Content;
using Crust.Installers;
using Crust.Isos;
using Crust.Layers;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Seeds.Volumes;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Media;

/// <summary>
/// Installers from a base of the user's: live ISOs of Kairos' family. The base is packed once and cached; the ISO around it is written anew each time, so that a
/// change to what lies beside
/// the system costs no more than that.
/// </summary>
/// <param name="tools">Needs mksquashfs, mtools, xorriso, and what gets and unpacks the base.</param>
/// <param name="appliance">Has GRUB for BIOS.</param>
/// <param name="layers">Puts layers onto the base.</param>
/// <param name="packer">Packs the content of content specs.</param>
/// <param name="observer">Hears of progress in the stage <see cref="Stage.Installer"/>, and of warnings.</param>
internal sealed class LiveInstaller(ToolBox tools, BuildCache cache, BaseSource bases, ApplianceBuilder appliance, SystemLayers layers, ContentBuilder packer, IBuildObserver observer)
{
    public const string MenuPath = "boot/grub2/grub.cfg";

    private const string Kind = "live-isos";
    private const string IsoName = "installer.iso";
    private const string RecordName = "installer.json";
    private const string MarkOfContent = "opt/spectrocloud/content";
    private const long LeastMemory = 2L << 30;
    private const long LargestOnFat = (4L << 30) - 1;

    /// <summary>What it runs, whatever the base is.</summary>
    public static ImmutableArray<string> Programs { get; } = [.. LiveIso.Programs, "mksquashfs"];

    private readonly LiveRoots _roots = new(tools, cache, layers, observer);
    private readonly MediumContents _contents = new(new BundleReader(cache.Root, observer), packer, cache.Root);

    /// <summary>What an installer and the images that it installs are called where the spec doesn't name them.</summary>
    public static string NameOf(BuildSpec spec) => spec.Name ?? BaseSource.NameOf(spec.Base);

    /// <summary>Looks at a base and at what goes onto the medium; packs the base where that is wanted and nothing speaks against it.</summary>
    /// <param name="packs">Whether it is packed, and problems are errors.</param>
    /// <exception cref="CrustException">Something can't be had or read; or there are problems, and it was to be packed.</exception>
    public async Task<LivePlan> PrepareAsync(BuildSpec spec, bool packs, CancellationToken cancellation)
    {
        var files = SeedFiles.Read(spec.Seed);
        var content = await _contents.GetAsync(spec, cancellation);
        var image = await bases.GetAsync(spec, cancellation);
        var key = LiveRoots.KeyOf(image.Sha256, spec);
        using var scratch = new ScratchFolder(cache.Root);
        using var entry = await _roots.OpenAsync(key, cancellation);
        if (entry.Found is { } folder)
        {
            var root = LiveRoots.Load(folder, key);
            return Check(PlanOf(spec, files, content, root.Facts, key) with { Root = root }, packs);
        }

        var (tree, facts) = await _roots.UnpackAsync(image, spec, entry.Draft, scratch.Path, cancellation);
        var plan = Check(PlanOf(spec, files, content, facts, key), packs);
        return packs ? plan with { Root = await _roots.PackAsync(tree, facts, key, entry, scratch.Path, cancellation) } : plan;
    }

    /// <summary>Writes the ISO of a plan whose base is packed.</summary>
    /// <param name="path">The file, which isn't there yet, in a folder that others can't enter.</param>
    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    /// <exception cref="IOException">The ISO can't be written.</exception>
    public async Task<LiveResult> WriteAsync(LivePlan plan, string path, CancellationToken cancellation)
    {
        var (spec, root) = (plan.Spec, plan.Root ?? throw new ArgumentException("The base isn't packed.", nameof(plan)));
        var image = await appliance.GetAsync(spec.Machine.Arch, cancellation);
        if (new FileInfo(root.Squashfs).Length >= LargestOnFat)
        {
            observer.Observe(new BuildEvent.Warned("The packed system has 4 GiB or more, which no FAT stick holds: write the ISO to a stick as a whole, don't copy its files"));
        }

        Progress("writing the ISO");
        // Secrets: whatever happens to this process, the next command removes what is in there.
        using var scratch = new ScratchFolder(cache.Root);
        using var told = StagedDocuments.Write(plan.Medium.Seed.Documents, scratch.Path);
        var content = new LiveIsoContent
        {
            Arch = spec.Machine.Arch,
            Root = root,
            BiosFolder = image.BootFolder,
            Overlay = plan.Medium.OverlayFolder,
            Files = [.. told.Files.Select(file => new MediumFile(file.Name, file.OnHost)), .. plan.Medium.Files, .. await StageContentAsync(plan.Medium, scratch.Path,
                cancellation)],
            Menus = await StageMenusAsync(plan, scratch.Path, cancellation),
            DiskId = IdOf(root.Key, "disk"),
        };
        var sha256 = await new LiveIso(tools).WriteAsync(content, path, scratch.Path, written => Progress($"writing the ISO: {Size.Format(written)}"), cancellation);
        return new LiveResult(path, sha256, new FileInfo(path).Length);
    }

    /// <summary>The installer for a build that installs it: from the cache if it is there.</summary>
    /// <exception cref="CrustException">It can't be made.</exception>
    public async Task<InstallerIso> GetAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var plan = await PrepareAsync(spec, packs: true, cancellation);
        using var entry = await cache.OpenAsync(Kind, KeyOf(plan), _ => Progress("waiting for another build that makes the same installer"),
            cancellation);
        if (entry.Found is { } found)
        {
            return Describe(plan, found);
        }

        var iso = await WriteAsync(plan, Path.Combine(entry.Draft, IsoName), cancellation);
        await File.WriteAllTextAsync(Path.Combine(entry.Draft, RecordName), JsonSerializer.Serialize(new ReferenceIsoRecord(iso.Sha256, iso.Size),
            LiveJson.Default.ReferenceIsoRecord), cancellation);
        return Describe(plan, entry.Keep());
    }

    /// <summary>The installer for such a build if it is in the cache, as far as that is known without fetching anything; else null.</summary>
    /// <exception cref="CrustException">A file that the spec names isn't there or can't be read.</exception>
    public InstallerIso? Find(BuildSpec spec)
    {
        if (bases.Glance(spec).Origin is not { } image || _roots.Find(LiveRoots.KeyOf(image.Sha256, spec)) is not { } root
            || _contents.Recall(spec) is not { } content)
        {
            return null;
        }

        var plan = PlanOf(spec, SeedFiles.Read(spec.Seed), content, root.Facts, root.Key) with { Root = root };
        return cache.Find(Kind, KeyOf(plan)) is { } folder ? Describe(plan, folder) : null;
    }

    private LivePlan Check(LivePlan plan, bool fails)
    {
        if (fails)
        {
            foreach (var warning in LiveReview.Pass(plan.Findings, plan.Spec.ShownSource))
            {
                observer.Observe(new BuildEvent.Warned(warning));
            }
        }

        return plan;
    }

    private static LivePlan PlanOf(BuildSpec spec, SeedFiles files, MediumContent content, LiveFacts facts, string key)
    {
        var profile = LivePlan.ProfileOf(spec, facts);
        var medium = MediumPlan.Of(spec, files, profile, content, IdOf(key, "seed"));
        return new LivePlan
        {
            Spec = spec,
            Facts = facts,
            Root = null,
            Medium = medium,
            Findings = [.. LiveReview.Of(facts, spec, medium), .. SeedChecks.Check(LivePlan.ForRules(spec, facts), files, profile).Select(finding =>
                LivePlan.Of(finding, spec.Seed.Strict))],
        };
    }

    private static async Task<ImmutableArray<MediumFile>> StageContentAsync(MediumPlan medium, string folder, CancellationToken cancellation)
    {
        if (medium.Content.Bundles.IsEmpty)
        {
            return [];
        }

        var (manifest, sums) = (Path.Combine(folder, "content.json"), Path.Combine(folder, "content.sha256"));
        await File.WriteAllTextAsync(manifest, JsonSerializer.Serialize(medium.Content, LiveJson.Default.MediumManifest) + "\n", cancellation);
        await File.WriteAllTextAsync(sums, medium.Content.ToSums("content"), cancellation);
        // Beside the folder of the parts, not in it: what joins them takes all that is there.
        return [new($"{MarkOfContent}.json", manifest), new($"{MarkOfContent}.sha256", sums)];
    }

    private static async Task<ImmutableArray<MediumFile>> StageMenusAsync(LivePlan plan, string folder, CancellationToken cancellation)
    {
        var (menu, stub, mark) = (Path.Combine(folder, "grub.cfg"), Path.Combine(folder, "grub-stub.cfg"), Path.Combine(folder, "disk-info"));
        await File.WriteAllTextAsync(menu, LiveMenu.Of(plan.Spec.Medium, plan.Spec.Machine.Arch), cancellation);
        await File.WriteAllTextAsync(stub, LiveMenu.Stub, cancellation);
        // By this file, Debian's and Ubuntu's signed GRUB tells a medium that it may have come from.
        await File.WriteAllTextAsync(mark, $"{plan.Spec.Medium.Title}\n", cancellation);
        // Where a signed GRUB looks is built into it: gcd* in boot/grub, others in the folder of their distribution, SUSE's beside itself.
        var distribution = plan.Facts.Distribution is { Length: > 0 } id && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? id : null;
        ImmutableArray<MediumFile> all =
        [
            new(MenuPath, menu),
            new(".disk/info", mark),
            new("boot/grub/grub.cfg", stub),
            new("EFI/BOOT/grub.cfg", stub),
            .. distribution is { } folderName ? new[] { new MediumFile($"EFI/{folderName}/grub.cfg", stub) } : [],
        ];
        return [.. all.Where(file => !plan.Medium.Overrides(file.InIso))];
    }

    // What is read again here is small, or was read before and is remembered.
    private string KeyOf(LivePlan plan)
    {
        var (medium, arch) = (plan.Medium, plan.Spec.Machine.Arch);
        return Checksum.OfText(string.Join('\n',
        [
            "crust live iso", LiveIso.Version, plan.Root!.Key, appliance.KeyOf(arch), LiveMenu.Of(plan.Spec.Medium, arch), LiveMenu.Stub,
            .. medium.Seed.Documents.Select(document => $"{document.Name} {Checksum.OfText(document.Text)}"),
            .. medium.Files.Where(file => file.Length is null).Select(file => $"{file.InIso} {SumOf(file.OnHost)}"),
            JsonSerializer.Serialize(medium.Content, LiveJson.Default.MediumManifest),
            TreeDigest.Of(medium.Overlay),
        ]));
    }

    private static string SumOf(string path)
    {
        using var file = UserFile.Open(path, path, "medium's");
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static InstallerIso Describe(LivePlan plan, string folder)
    {
        var facts = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(folder, RecordName)), LiveJson.Default.ReferenceIsoRecord)!;
        return new InstallerIso
        {
            Path = Path.Combine(folder, IsoName),
            Sha256 = facts.Sha256,
            Size = facts.Size,
            VolumeId = LiveMenu.Label,
            BootsBios = plan.Spec.Machine.Arch is Arch.Amd64,
            BootsUefi = true,
            BaseName = NameOf(plan.Spec),
            IsReference = false,
            Profile = LivePlan.ProfileOf(plan.Spec, plan.Facts),
            MinimumDisk = LiveSizes.MinimumDisk(plan.Facts, plan.Medium),
            MinimumMemory = LeastMemory,
            Source = $"an installer from {plan.Spec.ShownSource}",
        };
    }

    // A version 8 UUID (RFC 9562, section 5.8): what is in it is ours to say.
    private static Guid IdOf(string key, string purpose)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"crust live {purpose}\n{key}\n")).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    private void Progress(string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Installer, null, null, detail));
}
