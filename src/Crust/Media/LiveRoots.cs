using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crust.Appliance;
using Crust.Bases;
using Crust.Formats;
using Crust.Layers;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Media;

/// <summary>A base, packed for a live medium: the squashfs, and what boots it.</summary>
/// <param name="Folder">The folder in which all of it is.</param>
/// <param name="Key">What decided its content, 64 hex digits.</param>
internal sealed record LiveRoot(string Folder, string Key, LiveFacts Facts)
{
    public string Squashfs => Path.Combine(Folder, "rootfs.squashfs");

    public string Kernel => Path.Combine(Folder, "kernel");

    public string Initrd => Path.Combine(Folder, "initrd");

    public string Grub => Path.Combine(Folder, "grub.efi");

    /// <summary>The first boot loader; null where GRUB is started by itself.</summary>
    public string? Shim => Facts.Shim is null ? null : Path.Combine(Folder, "shim.efi");

    /// <summary>shim's tool for keys; null if there is none.</summary>
    public string? Manager => Facts.HasManager ? Path.Combine(Folder, "manager.efi") : null;
}

/// <summary>
/// Packs bases for live media. The result is cached by what decides it: it takes the most time by far, and most changes to an installer are to what lies beside
/// the system on the medium. No file of the base is ever written to this host under its own name.
/// </summary>
/// <param name="tools">Needs mksquashfs, and what unpacks layers and archives.</param>
/// <param name="layers">Puts layers onto a base.</param>
/// <param name="observer">Hears how far it is.</param>
internal sealed class LiveRoots(ToolBox tools, BuildCache cache, SystemLayers layers, IBuildObserver observer)
{
    /// <summary>Changes whenever this code would make something else from the same base.</summary>
    private const string Version = "2";

    private const string Kind = "live-roots";
    private const string FactsName = "facts.json";
    private const string LocalUiFolder = "opt/spectrocloud";
    private const UnixFileMode Sticky = TreeEntry.Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.StickyBit;
    private const UnixFileMode ReadOnly = (UnixFileMode)0x16D;
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // A squashfs can't be given a folder later, and something is mounted on each (AuroraBoot, pkg/utils/fs.go, CreateDirStructure).
    private static readonly ImmutableArray<(string Path, UnixFileMode Mode)> MountPoints =
    [
        ("run", TreeEntry.Executable), ("dev", TreeEntry.Executable), ("boot", TreeEntry.Executable), ("usr/local", TreeEntry.Executable),
        ("oem", TreeEntry.Executable), ("system", TreeEntry.Executable),
        ("proc", ReadOnly), ("sys", ReadOnly), ("tmp", Sticky), ("root", Owner),
    ];

    /// <summary>What decides the packed system, 64 hex digits.</summary>
    /// <param name="sha256">The base's SHA-256 in hex.</param>
    /// <exception cref="CrustException">A layer or the local UI can't be read.</exception>
    public static string KeyOf(string sha256, BuildSpec spec) => Checksum.OfText(string.Join('\n',
    [
        "crust live root", Version, sha256, spec.Machine.Arch.LowerName(),
        .. Layer.ReadAll(spec).Select(layer => layer.Material),
        "site", SiteFiles.KeyOf(spec.Site),
        "local ui",
        .. spec.Medium.LocalUi is { } ui ? new[] { TreeDigest.Of(FileTree.FromTar(ui)) } : [],
    ]));

    /// <summary>The packed system if it is in the cache, else null.</summary>
    public LiveRoot? Find(string key) => cache.Find(Kind, key) is { } folder ? Load(folder, key) : null;

    /// <summary>Opens the cache's entry of a packed system, which is there, or is to be filled by <see cref="UnpackAsync"/> and <see cref="PackAsync"/>.</summary>
    public Task<CacheEntry> OpenAsync(string key, CancellationToken cancellation) =>
        cache.OpenAsync(Kind, key, _ => Progress("waiting for another build that packs the same system"), cancellation);

    /// <summary>The entry's system, which is there.</summary>
    public static LiveRoot Load(string folder, string key) => new(folder, key, JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(folder, FactsName)),
        LiveJson.Default.LiveFacts)!);

    /// <summary>Reads a base with all that becomes part of the system, and takes from it what boots.</summary>
    /// <param name="draft">The folder to fill.</param>
    /// <param name="scratch">A private folder, from which the tree reads.</param>
    /// <exception cref="CrustException">The base is damaged, or lacks a kernel, an initramfs or GRUB.</exception>
    public Task<(FileTree Tree, LiveFacts Facts)> UnpackAsync(BaseImage image, BuildSpec spec, string draft, string scratch, CancellationToken cancellation) => GuardSpaceAsync(async () =>
    {
        Progress("reading the base");
        var tree = await ReadAsync(image, spec, scratch, cancellation);
        tree = MachineIdentity.Without(await layers.PutAsync(tree, image.Sha256, spec.Site, Layer.ReadAll(spec), spec.Machine, scratch, cancellation));
        if (spec.Medium.LocalUi is { } ui)
        {
            tree = Guard(() => tree.With(FileTree.FromTar(ui).Entries.Select(entry => entry with { Path = $"{LocalUiFolder}/{entry.Path}" })),
                spec.WhereIs("medium.localUi"));
        }

        tree = Guard(() => tree.With(MountPoints.Where(point => tree.Follow(point.Path) is null && tree.Find(point.Path) is null)
            .Select(point => TreeEntry.Folder(point.Path, point.Mode))), image.Source);
        var boot = BaseBoot.Of(tree, image.Source);
        var loaders = EfiLoaders.Of(tree, spec.Machine.Arch, image.Source);
        var root = new LiveRoot(draft, "", new LiveFacts { Kernel = "", Initrd = "", Grub = "", Shim = loaders.Shim?.Path, HasManager = loaders.Manager is not null });
        foreach (var (entry, path) in new[] { (boot.Kernel, root.Kernel), (boot.Initrd, root.Initrd), (loaders.Grub, root.Grub), (loaders.Shim, root.Shim),
            (loaders.Manager, root.Manager) })
        {
            if (entry is not null && path is not null)
            {
                await WriteAsync(entry, path, cancellation);
            }
        }

        var facts = LiveSurvey.Of(tree, boot, loaders, await new InitrdReader(tools).ReadAsync(root.Initrd, scratch, cancellation));
        return (tree, facts);
    });

    /// <summary>Packs what <see cref="UnpackAsync"/> has read, and keeps it.</summary>
    /// <exception cref="CrustException">A tool is missing or failed, or there is no room.</exception>
    public Task<LiveRoot> PackAsync(FileTree tree, LiveFacts facts, string key, CacheEntry entry, string scratch, CancellationToken cancellation) => GuardSpaceAsync(async () =>
    {
        Progress("packing the system");
        var tar = Path.Combine(scratch, "live-root.tar");
        await using (var file = PrivateFile.Create(tar))
        {
            await tree.WriteTarAsync(file, Mmdebstrap.Epoch, cancellation);
        }

        // Large blocks, as the family's own media have: smaller, and read from front to back anyway. Level 15, which mksquashfs takes if nobody says less, costs five times as much and
        // makes half a per cent less. For its caches, mksquashfs takes a quarter of the host's memory if nobody says less.
        await tools.RunAsync(ToolCommand.Of("mksquashfs", "-", Path.Combine(entry.Draft, "rootfs.squashfs"), "-tar", "-root-mode", "0755", "-comp", "zstd", "-Xcompression-level", "9", "-b", "1M",
            "-mem", "128M", "-noappend", "-quiet", "-no-progress") with
        {
            InputFile = tar,
            Environment = ImmutableDictionary<string, string>.Empty.Add("SOURCE_DATE_EPOCH", Mmdebstrap.Epoch.ToString(CultureInfo.InvariantCulture)),
        }, cancellation);
        File.Delete(tar);
        await File.WriteAllTextAsync(Path.Combine(entry.Draft, FactsName), JsonSerializer.Serialize(facts, LiveJson.Default.LiveFacts), cancellation);
        return Load(entry.Keep(), key);
    });

    private async Task<T> GuardSpaceAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (IsOfSpace(e))
        {
            throw new CrustException(FailureKind.HostLacks, "There is too little space to unpack the base and to pack it", cache.Root,
                "free space, for instance with 'crust clean', or set CRUST_CACHE to another file system", e);
        }
    }

    private async Task<FileTree> ReadAsync(BaseImage image, BuildSpec spec, string scratch, CancellationToken cancellation)
    {
        var largest = spec.Machine.Disk;
        if (image.IsOci)
        {
            return await new OciImageReader(tools).ReadAsync(OciImageReader.Open(image.Path), image.Source, spec.Machine.Arch, scratch, largest, cancellation);
        }

        if (Compression.Of(image.Path) is not { } compression)
        {
            return TarSign.IsIn(image.Path) ? FileTree.FromTar(image.Path, allowDevices: true) : throw TarSign.Missing(image.Source, "base.rootfs");
        }

        var tar = Path.Combine(scratch, "base.tar");
        await compression.UnpackAsync(image.Path, tar, largest, () => new CrustException(FailureKind.BadInput,
            $"More comes of the archive than the {Size.Format(largest)} that a disk may have", image.Source,
            "set machine.disk (DISK_SIZE, --disk-size) to more, if the archive is what it should be"), _ => { }, tools, cancellation);
        return TarSign.IsIn(tar) ? FileTree.FromTar(tar, allowDevices: true) : throw TarSign.Missing(image.Source, "base.rootfs");
    }

    // Whoever reads an image may have said in his words what he met.
    private static bool IsOfSpace(Exception? e) => e is not null && (NoSpace.IsReasonOf(e) || IsOfSpace(e.InnerException));

    private static FileTree Guard(Func<FileTree> change, string where)
    {
        try
        {
            return change();
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"It can't be laid over the base: {e.Message}", where, "put right what is said", e);
        }
    }

    private static async Task WriteAsync(TreeEntry entry, string path, CancellationToken cancellation)
    {
        await using var file = PrivateFile.Create(path);
        foreach (var piece in entry.Content.Pieces())
        {
            await file.WriteAsync(piece, cancellation);
        }
    }

    private void Progress(string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Installer, null, null, detail));
}
