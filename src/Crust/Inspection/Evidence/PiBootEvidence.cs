using System.Collections.Immutable;
using System.Globalization;

namespace Crust.Inspection.Evidence;

/// <summary>A Raspberry Pi whose firmware differs from others'.</summary>
/// <param name="Name">For people.</param>
/// <param name="Section">Its conditional section in config.txt.</param>
/// <param name="Tree">Its device tree's file.</param>
/// <param name="Kernels">The kernels that its firmware looks for where config.txt names none, the first that is there.</param>
internal sealed record PiModel(string Name, string Section, string Tree, ImmutableArray<string> Kernels)
{
    public static readonly PiModel Pi4 = new("Pi 4", "pi4", "bcm2711-rpi-4-b.dtb", ["kernel8.img"]);

    public static readonly PiModel Pi5 = new("Pi 5", "pi5", "bcm2712-rpi-5-b.dtb", ["kernel_2712.img", "kernel8.img"]);

    public static readonly ImmutableArray<PiModel> All = [Pi4, Pi5];

    /// <summary>The firmware on the boot partition that it takes; a Pi 5 has its own in an EEPROM.</summary>
    public ImmutableArray<string> Firmware => this == Pi4 ? ["start4.elf", "fixup4.dat"] : [];
}

/// <summary>
/// A FAT that a Raspberry Pi's firmware reads, as the job `disk` tells it ("config.txt", sections "Boot options" and "Conditional filters", in Raspberry Pi's documentation).
/// </summary>
internal sealed class PiBootEvidence
{
    private readonly ImmutableDictionary<string, long> _files;
    private readonly ImmutableArray<string> _config;

    private PiBootEvidence(ImmutableDictionary<string, long> files, string config, string? commandLine)
    {
        _files = files;
        _config = [.. PlainText.Lines(config).Select(line => line.Split('#')[0].Trim()).Where(line => line.Length > 0)];
        CommandLine = commandLine is null ? null : [.. commandLine.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(PlainText.Clean)];
    }

    /// <summary>The words of cmdline.txt; null if there is no such file.</summary>
    public ImmutableArray<string>? CommandLine { get; }

    /// <summary>Null where the volume is no Pi's: other systems have a config.txt, too.</summary>
    /// <param name="mountPoint">What the job's paths begin with.</param>
    public static PiBootEvidence? Of(DiskEvidence evidence, string number, string mountPoint)
    {
        if (evidence.Text("board", number) is not { } text || evidence.Text("config-txt", number) is not { } config)
        {
            return null;
        }

        var files = PlainText.Lines(text).Select(line => line.Split(' ', 2))
            .Where(pair => pair.Length == 2 && pair[1].StartsWith(mountPoint, StringComparison.Ordinal))
            .Select(pair => (Name: pair[1][mountPoint.Length..].ToLowerInvariant(), Length: long.TryParse(pair[0], NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : 0))
            .GroupBy(file => file.Name).ToImmutableDictionary(same => same.Key, same => same.First().Length);
        return files.Keys.Any(name => name.Split('/')[^1] is var file && (file.StartsWith("bcm27", StringComparison.Ordinal) || file is "start4.elf" or "kernel8.img"))
            ? new PiBootEvidence(files, config, evidence.Text("cmdline-txt", number))
            : null;
    }

    /// <summary>A file's length; null if it isn't there. A FAT's names know no case.</summary>
    public long? LengthOf(string name) => _files.TryGetValue(name.ToLowerInvariant(), out var length) ? length : null;

    /// <summary>What the firmware of a model starts.</summary>
    public PiStart StartOf(PiModel model)
    {
        var kernel = Setting(model, "kernel") ?? model.Kernels.FirstOrDefault(name => LengthOf(name) is not null) ?? model.Kernels[0];
        var prefix = Setting(model, "os_prefix") ?? (Setting(model, "upstream_kernel") == "1" ? "upstream/" : "");
        // A prefix counts only where kernel and device tree are.
        prefix = LengthOf(prefix + kernel) is not null && LengthOf(prefix + model.Tree) is not null ? prefix : "";
        return new PiStart(prefix + kernel, Initramfs(model) is { } initramfs ? prefix + initramfs : null, prefix + model.Tree);
    }

    /// <summary>Whether all that the firmware of a model asks for is there.</summary>
    public bool Starts(PiModel model) => StartOf(model) is var start && LengthOf(start.Kernel) is not null && LengthOf(start.Tree) is not null
        && (start.Initramfs is null || LengthOf(start.Initramfs) is not null) && model.Firmware.All(file => LengthOf(file) is not null);

    // `initramfs FILE ADDRESS` has no equals sign.
    private string? Initramfs(PiModel model) => LinesFor(model).Where(line => line.StartsWith("initramfs ", StringComparison.Ordinal))
        .Select(line => PlainText.Clean(line["initramfs ".Length..].Trim().Split(' ')[0])).LastOrDefault();

    private string? Setting(PiModel model, string key) => LinesFor(model).Where(line => line.StartsWith(key + "=", StringComparison.Ordinal)).Select(line => PlainText.Clean(line[(key.Length + 1)..].Trim())).LastOrDefault();

    // A section that isn't known here is about something that isn't known here: a display, a board's number, a try.
    private IEnumerable<string> LinesFor(PiModel model)
    {
        var applies = true;
        foreach (var line in _config)
        {
            if (line.StartsWith('[') && line.EndsWith(']'))
            {
                applies = line[1..^1] is var section && (section == "all" || section == model.Section);
            }
            else if (applies)
            {
                yield return line;
            }
        }
    }
}

/// <summary>What a Raspberry Pi's firmware starts: files on the boot partition.</summary>
/// <param name="Initramfs">Null where config.txt names none.</param>
internal sealed record PiStart(string Kernel, string? Initramfs, string Tree);
