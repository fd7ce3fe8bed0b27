using System.Diagnostics;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Appliance;

/// <summary>Builds the appliance from Debian packages and `builder/appliance`, once: the result is cached.</summary>
/// <param name="tools">Needs mmdebstrap, depmod and zstd.</param>
/// <param name="observer">Hears of the stage <see cref="Stage.Appliance"/> if there is something to build.</param>
internal sealed class ApplianceBuilder(ToolBox tools, BuildCache cache, Folders folders, IBuildObserver observer)
{
    /// <summary>Changes whenever this code would make something else from the same files.</summary>
    private const string Version = "3";

    private const string Kind = "appliance";
    private const string Packages = "packages.tar";

    /// <summary>The appliance, from the cache if it is there.</summary>
    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    public async Task<ApplianceImage> GetAsync(Arch arch, CancellationToken cancellation)
    {
        var key = KeyOf(arch);
        using var entry = await cache.OpenAsync(Kind, key, _ => Progress(null, "waiting for another build that makes the appliance"), cancellation);
        var folder = entry.Found ?? await BuildAsync(arch, entry, cancellation);
        return new ApplianceImage(Path.Combine(folder, "vmlinuz"), Path.Combine(folder, "initramfs.zst"), key)
        {
            Arch = arch,
            BootFolder = Path.Combine(folder, "boot"),
        };
    }

    /// <exception cref="CrustException">There is none for this architecture.</exception>
    public bool IsCached(Arch arch) => cache.Find(Kind, KeyOf(arch)) is not null;

    /// <summary>Copies it out of the cache, where it must be, below a folder for `CRUST_PARTS`.</summary>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    public void CopyTo(string folder, Arch arch) => cache.CopyTo(folder, Kind, KeyOf(arch));

    /// <summary>What decides the appliance's content, 64 hex digits.</summary>
    internal string KeyOf(Arch arch) => BuilderFolder.Key([FolderFor(arch)], "appliance", Version, Mmdebstrap.Suite, arch.ToString());

    private BuilderFolder FolderFor(Arch arch) => new(Path.Combine(folders.Builder, "appliance"), arch);

    private async Task<string> BuildAsync(Arch arch, CacheEntry entry, CancellationToken cancellation)
    {
        var folder = entry.Draft;
        var clock = Stopwatch.StartNew();
        var source = FolderFor(arch);
        if (arch is Arch.Amd64)
        {
            // GRUB's image for BIOS is made by GRUB's own program.
            await ForeignPrograms.CheckAsync(tools, arch, cancellation);
        }

        observer.Observe(new BuildEvent.Started(Stage.Appliance, $"building Crust's own live system for {arch.LowerName()} (once)"));
        File.Copy(source.PathOf("prepare.sh"), Path.Combine(folder, "prepare.sh"));
        await tools.RunAsync(new Mmdebstrap
        {
            Variant = "extract",
            Arch = arch,
            Packages = source.List("packages.list"),
            Folder = folder,
            Output = Packages,
            Script = "prepare.sh",
        }.Command((fraction, detail) => Progress(fraction * 0.6, detail)), cancellation);

        Progress(0.6, "choosing programs and drivers");
        var tar = Path.Combine(folder, Packages);
        using (var tree = await PackageTree.OpenAsync(tar, cancellation))
        {
            ExtractBootFiles(tree, source, Path.Combine(folder, "boot"));
            var contents = new InitramfsContents(tree, source);
            await File.WriteAllBytesAsync(Path.Combine(folder, "vmlinuz"), tree.Read(contents.KernelPath), cancellation);
            var modules = Path.Combine(folder, "modules");
            contents.ExtractModules(modules);
            await tools.RunAsync(ToolCommand.Of("depmod", "-b", modules, contents.Release), cancellation);
            await using var archive = File.Create(Path.Combine(folder, "initramfs"));
            contents.Archive(modules).WriteTo(archive);
        }

        Progress(0.8, "compressing the initramfs");
        // Beyond this level it takes a tenth off the size for nine times the processor time.
        await tools.RunAsync(ToolCommand.Of("zstd", "-q", "-12", "-T2", "--rm", Path.Combine(folder, "initramfs"), "-o", Path.Combine(folder, "initramfs.zst")), cancellation);
        File.Delete(tar);
        Directory.Delete(Path.Combine(folder, "modules"), recursive: true);
        var size = new FileInfo(Path.Combine(folder, "initramfs.zst")).Length;
        observer.Observe(new BuildEvent.Finished(Stage.Appliance, clock.Elapsed, $"initramfs of {size >> 20} MiB"));
        return entry.Keep();
    }

    private static void ExtractBootFiles(PackageTree tree, BuilderFolder source, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var line in source.List("boot.list"))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            File.WriteAllBytes(Path.Combine(folder, words[0]), tree.Read(words[1]));
        }
    }

    private void Progress(double? fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Appliance, null, fraction, detail));
}
