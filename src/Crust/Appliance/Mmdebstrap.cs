using System.Collections.Immutable;
using System.Globalization;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Appliance;

/// <summary>One run of mmdebstrap: Debian packages in, a tar file with a root file system out.</summary>
internal sealed record Mmdebstrap
{
    /// <summary>Debian's release that everything is made from.</summary>
    public const string Suite = "bookworm";

    /// <summary>No file is dated later than this (seconds since 1970; 2025-01-01), so that two builds from the same packages are alike.</summary>
    public const long Epoch = 1735689600;

    private static readonly ImmutableArray<(string Line, double Fraction, string Detail)> Milestones =
    [
        ("running apt-get update", 0.0, "reading the package lists"),
        ("downloading packages", 0.05, "downloading packages"),
        ("extracting archives", 0.25, "unpacking packages"),
        ("installing essential packages", 0.3, "installing the base system"),
        ("installing remaining packages", 0.4, "installing packages"),
        ("cleaning package lists", 0.9, "cleaning up"),
        ("creating tarball", 0.92, "packing"),
    ];

    /// <summary>The release that the packages are of.</summary>
    public string Release { get; init; } = Suite;

    /// <summary>The URL of the mirror that all packages come from; null for Debian's own with its updates.</summary>
    public string? Mirror { get; init; }

    /// <summary>Lines as in sources.list(5) that the packages come from, in place of a mirror; empty for none.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>A file for apt_preferences(5), which stays in the root; null for none.</summary>
    public string? Preferences { get; init; }

    /// <summary>The packages' architecture. Where it isn't the host's, and packages are installed, <see cref="ForeignPrograms"/> have to run.</summary>
    public required Arch Arch { get; init; }

    /// <summary>What mmdebstrap calls the kind of root: `minbase`, or `extract` for packages that are unpacked but not installed.</summary>
    public required string Variant { get; init; }

    // Where nothing is installed, mmdebstrap has nothing to customize: its last hook is the one after unpacking.
    private string Hook => Variant == "extract" ? "extract" : "customize";

    /// <summary>What is in the root beside what they depend on; none for a root that only the script fills.</summary>
    public required IReadOnlyList<string> Packages { get; init; }

    /// <summary>The folder in which the run's files are, and all names below are relative to.</summary>
    public required string Folder { get; init; }

    /// <summary>The tar file's name.</summary>
    public required string Output { get; init; }

    /// <summary>A tar file that is unpacked into the root once the packages are there; null for none.</summary>
    public string? Overlay { get; init; }

    /// <summary>A script that is run at the end: in the root, or, where nothing is installed, on the host with the root's path as its argument.</summary>
    public required string Script { get; init; }

    /// <summary>Whether the packages themselves stay in the root, with apt's lists, so that they can be installed there later. Only where they are unpacked but not installed.</summary>
    public bool KeepsPackages { get; init; }

    /// <summary>Files that are put at the root's top as they are, at the end.</summary>
    public IReadOnlyList<string> Uploads { get; init; } = [];

    /// <summary>Whether the kernel's package makes an initramfs; otherwise that is left to the script.</summary>
    public bool MakesInitramfs { get; init; } = true;

    /// <summary>Paths that dpkg leaves out, by patterns; one that begins with `!` is kept.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>
    /// The command. Hooks that move files are
    /// run outside of the root by the caller's own rights, so they reach a private folder in unshare mode too.
    /// </summary>
    public ToolCommand Command(Action<double, string> progress) => new()
    {
        Program = "mmdebstrap",
        WorkingDirectory = Folder,
        // Killed, it would leave its root in the folder for temporary files, with /proc and /sys mounted in it.
        Ending = Ending.Terminate,
        Inherits = ToolEnvironment.Proxies,
        Environment = ImmutableDictionary<string, string>.Empty
            .Add("SOURCE_DATE_EPOCH", Epoch.ToString(CultureInfo.InvariantCulture))
            // What kernel-package has defined, and initramfs-tools' hook for kernels obeys.
            .AddRange(MakesInitramfs ? [] : [KeyValuePair.Create("INITRD", "No")]),
        Arguments =
        [
            "--mode=auto",
            $"--variant={Variant}",
            $"--architectures={Arch.LowerName()}",
            // A pattern of apt's may have commas of its own.
            .. Packages.Where(IsPattern).Select(pattern => $"--include={pattern}"),
            .. Packages.Where(name => !IsPattern(name)).ToList() is { Count: > 0 } names ? [$"--include={string.Join(',', names)}"] : Array.Empty<string>(),
            .. KeepsPackages ? ["--skip=cleanup/apt"] : Array.Empty<string>(),
            .. Exclude.Select(pattern => pattern.StartsWith('!') ? $"--dpkgopt=path-include={pattern[1..]}" : $"--dpkgopt=path-exclude={pattern}"),
            .. Preferences is null ? Array.Empty<string>() : [$"--setup-hook=upload {Preferences} /etc/apt/preferences.d/{Preferences}"],
            .. Overlay is null ? Array.Empty<string>() : [$"--{Hook}-hook=tar-in {Overlay} /"],
            .. Uploads.Select(file => $"--{Hook}-hook=upload {file} /{file}"),
            $"--{Hook}-hook=upload {Script} /{Script}",
            $"--{Hook}-hook={(Variant == "extract" ? $"sh \"$1\"/{Script} \"$1\"" : $"chroot \"$1\" sh /{Script}")}",
            $"--{Hook}-hook=rm \"$1\"/{Script}",
            "--format=tar",
            Release,
            Output,
            .. Mirror is null || Sources.Count > 0 ? Sources : [Mirror],
        ],
        OnLine = line =>
        {
            foreach (var (text, fraction, detail) in Milestones)
            {
                if (line.Contains(text, StringComparison.Ordinal))
                {
                    progress(fraction, detail);
                }
            }
        },
    };

    private static bool IsPattern(string package) => package.StartsWith('?');
}
