using System.Collections.Immutable;
using Crust.Bases;
using Crust.Downloads;
using Crust.Isos;
using Crust.Machines;
using Crust.Media;
using Crust.Planning;
using Crust.Registries;
using Crust.Seeds.Volumes;
using Crust.Spec;

namespace Crust.Host;

/// <summary>A program, and how much a build needs it.</summary>
/// <param name="Need">How much it is needed.</param>
/// <param name="For">What for, in a few words.</param>
internal sealed record ToolNeed(string Program, Need Need, string For)
{
    // QEMU: screendumps as PNG came with 7.1. mksquashfs: tar archives on its input came with 4.5.
    private static readonly ImmutableDictionary<string, Version> Oldest = new Dictionary<string, Version>
    {
        ["qemu-system-x86_64"] = new(7, 1),
        ["qemu-system-aarch64"] = new(7, 1),
        ["qemu-img"] = new(7, 1),
        ["mksquashfs"] = new(4, 5),
    }.ToImmutableDictionary();

    private static readonly ImmutableArray<string> ForAppliance = ["mmdebstrap", "depmod", "zstd"];

    /// <summary>What doesn't happen where the program is wanted and isn't there.</summary>
    public string Loss { get; init; } = "the disk's free space can't be discarded without it";

    /// <summary>The oldest version that will do; null if any will that is known.</summary>
    public Version? Minimum => Oldest.GetValueOrDefault(Program);

    /// <summary>How the program is asked for its version; null if it doesn't say it.</summary>
    public string? VersionOption => Program is "ssh-keygen" ? null : Program is "mksquashfs" or "xorriso" ? "-version" : "--version";

    /// <summary>The programs that a build may need, each once, in the order in which they are reported.</summary>
    public static ImmutableArray<ToolNeed> Of(BuildSpec spec, BuildForecast forecast)
    {
        var writing = forecast.ToWrite.Select(format => (format.Name, Needs: format.NeedsOf(spec))).ToList();
        const string live = "Crust's own live system";
        ToolNeed[] all =
        [
            new(QemuArguments.ProgramFor(spec.Machine.Arch), Need.Required, "runs the machine"),
            new("qemu-img", Need.Required, "makes and converts disks"),
            new("xorriso", spec.HasBase ? Need.None : Need.Required, "writes the seed"),
            .. spec.Seed.FileSystem is SeedFileSystem.Vfat ? FatVolume.Programs.Select(tool => new ToolNeed(tool, Need.Required, "writes the seed")) : [],
            new("setpriv", Need.Required, "starts all others, and ends them with Crust"),
            .. spec.Machine.Tpm ? new[] { new ToolNeed(TpmEmulator.Program, Need.Required, "is the machine's TPM") } : [],
            .. spec.Sign.Program is { } signer ? new[] { new ToolNeed(signer, Need.Required, "signs the provenance") } : [],
            .. spec.SourceFile?.Key is not null ? new[] { new ToolNeed(ListSignature.Program, Need.Required, $"checks who signed the list of checksums{(spec.HasBase ? " or the image" : "")}") } : [],
            .. spec.Base.File is { } file && Compression.ByName(file) is { Program: var unpacker } ? new[] { new ToolNeed(unpacker, Need.Required, "unpacks the base") } : [],
            .. writing.SelectMany(format => format.Needs.Tools.Select(tool => new ToolNeed(tool, Need.Required, format.Name))),
            .. spec.Base.ImageInRegistry is not null ? new[] { new ToolNeed(Skopeo.Program, forecast.SourceSize is null ? Need.Required : Need.None, "pulls the base") } : [],
            .. spec.Base.Debian.Suite is not null ? new[] { new ToolNeed("mmdebstrap", forecast.SourceSize is null ? Need.Required : Need.None, "makes the base of packages") } : [],
            .. forecast.LaysOut ? new[] { new ToolNeed("mksquashfs", Need.Required, "hands the root file system to the live system") } : [],
            .. ForAppliance.Select(tool => new ToolNeed(tool, forecast.Appliance, live)),
            .. HybridIso.Programs.Prepend("mksquashfs").Select(tool => new ToolNeed(tool, forecast.BuildsReference ? Need.Required : Need.None, "the reference installer")),
            .. LiveInstaller.Programs.Select(tool => new ToolNeed(tool, forecast.MakesInstaller ? Need.Required : Need.None, "makes the installer")),
            spec.Cache is null ? new(Skopeo.Program, Need.None, "crust publish, crust plan")
                : new(Skopeo.Program, Need.Wanted, "the cache in a registry") { Loss = "that cache isn't asked without it" },
        ];
        return [.. all.GroupBy(need => need.Program).Select(needs => needs.MaxBy(need => need.Need)!)];
    }
}
