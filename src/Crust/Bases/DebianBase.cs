using System.Globalization;
using Crust.Appliance;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Bases;

/// <summary>Makes the root file system of `base.debian` of Debian packages. It is cached: the same packages make the same bytes, and a new release of one is taken when the cache is empty.</summary>
/// <param name="tools">Needs mmdebstrap.</param>
/// <param name="folders">Where `builder/debian` is.</param>
/// <param name="installer">Installs packages of an architecture whose programs this host doesn't run.</param>
/// <param name="observer">Hears how far it is.</param>
internal sealed class DebianBase(ToolBox tools, BuildCache cache, Folders folders, IPackageInstaller installer, IBuildObserver observer)
{
    /// <summary>Changes whenever this code would make something else from the same packages.</summary>
    private const string Version = "1";

    private const string Kind = "debian";
    private const string TarName = "root.tar";
    private const string SumName = "root.sha256";
    private const string KernelPrefix = "linux-image";

    /// <param name="Tar">The path of the archive.</param>
    /// <param name="Sha256">Its SHA-256 in hex.</param>
    public sealed record Root(string Tar, string Sha256);

    /// <summary>The root file system if it is in the cache, else null.</summary>
    public Root? Find(DebianSpec spec, Arch arch, DiskLayout layout) => cache.Find(Kind, KeyOf(spec, Parts.Of(folders, arch, layout))) is { } folder ? Load(folder) : null;

    /// <summary>The root file system, from the cache if it is there.</summary>
    /// <exception cref="CrustException">A tool is missing or failed, or there is no such release or package.</exception>
    public async Task<Root> GetAsync(DebianSpec spec, Arch arch, DiskLayout layout, CancellationToken cancellation)
    {
        var source = Parts.Of(folders, arch, layout);
        if (source.Board is not null)
        {
            observer.Observe(new BuildEvent.Warned(PiPackages.NonFree));
        }

        using var entry = await cache.OpenAsync(Kind, KeyOf(spec, source), _ => Progress(null, "waiting for another build that makes the same root file system"), cancellation);
        return Load(entry.Found ?? await BuildAsync(spec, source, entry, cancellation));
    }

    private async Task<string> BuildAsync(DebianSpec spec, Parts source, CacheEntry entry, CancellationToken cancellation)
    {
        var folder = entry.Draft;
        await WriteOverlayAsync(source, Path.Combine(folder, "overlay.tar"), cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "finish.sh"), source.Script, cancellation);
        if (source.Board is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, PiPackages.PreferencesName), PiPackages.Preferences(spec), cancellation);
        }

        var run = new Mmdebstrap
        {
            Variant = "minbase",
            Release = spec.Suite!,
            Mirror = source.Board is null ? spec.Mirror : null,
            Sources = source.Board is null ? [] : PiPackages.Sources(spec),
            Preferences = source.Board is null ? null : PiPackages.PreferencesName,
            MakesInitramfs = source.Board is null,
            Arch = source.Arch,
            Packages = PackagesOf(spec, source),
            Folder = folder,
            Output = TarName,
            Overlay = "overlay.tar",
            Script = "finish.sh",
        };
        try
        {
            if (await ForeignPrograms.RunHereAsync(tools, source.Arch, cancellation))
            {
                await tools.RunAsync(run.Command(Progress), cancellation);
            }
            else
            {
                await InstallInMachineAsync(run, cancellation);
            }
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The root file system can't be made: {e.What}", $"base.debian: {spec.Suite}",
                "read what it says: a package or a release that isn't there is corrected in base.debian; a mirror that can't be reached, in base.debian.mirror or the network", e)
            {
                Detail = e.Detail,
            };
        }

        await File.WriteAllTextAsync(Path.Combine(folder, SumName), await Checksum.OfFileAsync(Path.Combine(folder, TarName), cancellation), cancellation);
        return entry.Keep();
    }

    // mmdebstrap fetches, checks and unpacks packages without running anything of theirs.
    private async Task InstallInMachineAsync(Mmdebstrap run, CancellationToken cancellation)
    {
        observer.Observe(new BuildEvent.Warned($"This host runs no programs for {run.Arch.LowerName()}: packages are installed in a machine, which takes several times as long as QEMU's user emulation by binfmt"));
        var unpacked = Path.Combine(run.Folder, "unpacked.tar");
        await File.WriteAllTextAsync(Path.Combine(run.Folder, "nothing.sh"), "", cancellation);
        await tools.RunAsync((run with
        {
            Variant = "extract",
            Packages = ["?essential", "apt", .. run.Packages],
            KeepsPackages = true,
            Uploads = [run.Overlay!, run.Script],
            Overlay = null,
            Script = "nothing.sh",
            Output = Path.GetFileName(unpacked),
        }).Command((fraction, detail) => Progress(fraction / 3, detail)), cancellation);
        Progress(0.4, "installing packages in a machine");
        try
        {
            await installer.RunAsync(unpacked, InstallScript(run), run.Arch, Path.Combine(run.Folder, run.Output), cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw new CrustException(FailureKind.InputOutput, $"The packages can't be installed: {e.What}", $"base.debian: {run.Release}, {run.Arch.LowerName()}",
                "read what they say; where the host can run their programs (binfmt), mmdebstrap installs them on it", e)
            {
                Detail = e.Detail,
            };
        }
    }

    // As mmdebstrap does it: first all that is essential in one go, whatever it depends on, since its files are there already; then the rest by apt. Both take the packages that lie in apt's
    // cache, which mmdebstrap has checked.
    private static string InstallScript(Mmdebstrap run) => $"""
        #!/bin/sh
        set -eu
        export DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C.UTF-8{(run.MakesInitramfs ? "" : " INITRD=No")}
        cd /var/cache/apt/archives
        set --
        for package in *.deb; do
            [ "$(dpkg-deb --field "$package" Essential)" != yes ] || set -- "$@" "$package"
        done
        dpkg --force-depends --install "$@"
        apt-get --yes --quiet --no-download -o APT::Sandbox::User=root -o APT::Install-Recommends=false install {string.Join(' ', run.Packages)}
        cd /
        tar -xf /{run.Overlay}
        sh /{run.Script}
        apt-get clean
        rm -rf /{run.Overlay} /{run.Script} /var/lib/apt/lists/*

        """;

    private static IReadOnlyList<string> PackagesOf(DebianSpec spec, Parts source) =>
        [.. source.Lists.List("packages.list"), .. spec.Packages.Any(name => name.StartsWith(KernelPrefix, StringComparison.Ordinal)) ? [] : source.Lists.List("kernel.list"), .. spec.Packages];

    private static string KeyOf(DebianSpec spec, Parts source) => BuilderFolder.Key(source.Folders, ["debian base", Version, source.Arch.ToString(), spec.Suite!, spec.Mirror ?? "",
        spec.Packages.Length.ToString(CultureInfo.InvariantCulture), string.Join(' ', spec.Packages.Order(StringComparer.Ordinal)),
        .. source.Board is null ? Array.Empty<string>() : [PiPackages.Preferences(spec), .. PiPackages.Sources(spec)]]);

    private static Root Load(string folder) => new(Path.Combine(folder, TarName), File.ReadAllText(Path.Combine(folder, SumName)));

    // As that of the reference installer: the owner and the mode of files stay what they are here.
    private static async Task WriteOverlayAsync(Parts source, string path, CancellationToken cancellation)
    {
        await using var stream = File.Create(path);
        await source.Lists.WriteOverlayAsync("root", stream, Mmdebstrap.Epoch, cancellation);
    }

    private void Progress(double fraction, string detail) => Progress((double?)fraction, detail);

    private void Progress(double? fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Base, null, fraction, detail));

    /// <param name="System">What each root of Debian packages takes.</param>
    /// <param name="Board">What a board's takes; null where the disk is a PC's.</param>
    private sealed record Parts(BuilderFolder System, BuilderFolder? Board)
    {
        public static Parts Of(Folders folders, Arch arch, DiskLayout layout)
        {
            BuilderFolder Named(string name) => new(Path.Combine(folders.Builder, name), arch);
            return new Parts(Named("debian"), layout is DiskLayout.RaspberryPi ? Named(layout.LowerName()) : null);
        }

        public Arch Arch => System.Arch;

        /// <summary>Where the packages are listed and the files are that come beside them: a board needs no GRUB.</summary>
        public BuilderFolder Lists => Board ?? System;

        public IEnumerable<BuilderFolder> Folders => Board is null ? [System] : [System, Board];

        public string Script => System.Read("finish.sh") + Board?.Read("finish.sh");
    }
}
