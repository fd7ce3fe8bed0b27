using System.Collections.Immutable;
using System.Globalization;
using Crust.Appliance;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Media;

/// <summary>All that a live ISO is written from, as files on this host.</summary>
internal sealed record LiveIsoContent
{
    public required Arch Arch { get; init; }

    public required LiveRoot Root { get; init; }

    /// <summary>The folder with GRUB for BIOS: the appliance's, which is built for media of this shape.</summary>
    public required string BiosFolder { get; init; }

    /// <summary>The folder that goes onto the medium's root; null for none.</summary>
    public required string? Overlay { get; init; }

    /// <summary>What lies beside the system, in order.</summary>
    public required ImmutableArray<MediumFile> Files { get; init; }

    /// <summary>Paths on the medium of GRUB's menu and of what leads to it, each with the file on this host.</summary>
    public required ImmutableArray<MediumFile> Menus { get; init; }

    /// <summary>The GPT's GUID, and with it the partitions': the same for the same system.</summary>
    public required Guid DiskId { get; init; }
}

/// <summary>
/// Writes live ISOs of Kairos' layout: volume `COS_LIVE`, `/rootfs.squashfs`, kernel and initramfs in `/boot`; El Torito entries for BIOS and UEFI, GRUB's hybrid MBR,
/// and an EFI system
/// partition that is appended and named in a GPT, for sticks that the ISO is written to; and the same boot loaders as plain files, for sticks that its files are
/// copied to.
/// </summary>
/// <param name="tools">Needs mtools and xorriso.</param>
internal sealed class LiveIso(ToolBox tools)
{
    /// <summary>Changes whenever this code would write something else from the same files.</summary>
    public const string Version = "1";

    // Fixed, so that the same content gives the same bytes; it has no other meaning.
    private const string EspSerial = "434f534c";
    private const string EspLabel = "EFI_LIVE";
    private const long EspStep = 4 << 20;
    private const int Sector = 512;

    // What FAT's own tables take.
    private const long EspMore = 1 << 20;

    public static ImmutableArray<string> Programs { get; } = ["mformat", "mmd", "mcopy", "xorriso"];

    private static readonly string Date = DateTimeOffset.FromUnixTimeSeconds(Mmdebstrap.Epoch).ToString("yyyyMMddHHmmss'00'", CultureInfo.InvariantCulture);

    private static readonly ImmutableDictionary<string, string> Reproducibly = ImmutableDictionary<string, string>.Empty
        .Add("SOURCE_DATE_EPOCH", Mmdebstrap.Epoch.ToString(CultureInfo.InvariantCulture));

    // In place of -no_rc: a user's startup files could change what is written.
    private static readonly ImmutableDictionary<string, string> OfXorriso = Reproducibly.Add("HOME", "/nonexistent");

    /// <summary>Writes the ISO to <paramref name="output"/>; <paramref name="work"/> is a private folder, <paramref name="progress"/> is told how long the ISO is so
    /// far.</summary>
    /// <returns>The ISO's SHA-256 in hex, computed on the way.</returns>
    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    /// <exception cref="IOException">The ISO can't be written.</exception>
    public async Task<string> WriteAsync(LiveIsoContent content, string output, string work, Action<long> progress, CancellationToken cancellation)
    {
        var esp = Path.Combine(work, "uefi.img");
        foreach (var command in EspCommands(content, esp))
        {
            await tools.RunAsync(command, cancellation);
        }

        using var iso = new HashedFile(output);
        await tools.RunAsync(IsoCommand(content, esp) with
        {
            OnOutput = bytes =>
            {
                iso.Append(bytes.Span);
                progress(iso.Length);
            },
        }, cancellation);
        return iso.Sha256();
    }

    /// <summary>The boot loaders' paths on the medium and in the EFI system partition.</summary>
    internal static ImmutableArray<MediumFile> Loaders(LiveIsoContent content)
    {
        var suffix = EfiLoaders.Suffix(content.Arch);
        var (first, root) = ($"EFI/BOOT/boot{suffix}.efi", content.Root);
        return root.Shim is not { } shim ? [new(first, root.Grub)]
            : [new(first, shim), new($"EFI/BOOT/grub{suffix}.efi", root.Grub), .. root.Manager is { } manager ? new[] { new MediumFile($"EFI/BOOT/mm{suffix}.efi",
                manager) } : []];
    }

    /// <summary>The commands that make the EFI system partition: boot loaders, and what leads GRUB to the menu on the medium.</summary>
    internal static ImmutableArray<ToolCommand> EspCommands(LiveIsoContent content, string esp)
    {
        ImmutableArray<MediumFile> files = [.. Loaders(content), .. content.Menus.Where(menu => menu.InIso is not LiveInstaller.MenuPath)];
        var size = (files.Sum(file => new FileInfo(file.OnHost).Length) + EspMore + EspStep - 1) / EspStep * EspStep;
        var folders = files.SelectMany(file => FoldersAbove(file.InIso)).Distinct().Order(StringComparer.Ordinal);
        ToolCommand Mtool(string program, params IEnumerable<string> arguments) => new() { Program = program, Arguments = [.. arguments], Environment = Reproducibly };
        return
        [
            Mtool("mformat", "-i", esp, "-C", "-T", (size / Sector).ToString(CultureInfo.InvariantCulture), "-N", EspSerial, "-v", EspLabel, "::"),
            Mtool("mmd", ["-i", esp, .. folders.Select(folder => $"::/{folder}")]),
            .. files.Select(file => Mtool("mcopy", "-i", esp, file.OnHost, $"::/{file.InIso}")),
        ];
    }

    /// <summary>The command that writes the ISO to its standard output.</summary>
    internal static ToolCommand IsoCommand(LiveIsoContent content, string esp)
    {
        var (root, bios) = (content.Root, content.Arch is Arch.Amd64);
        ImmutableArray<MediumFile> files =
        [
            .. content.Files,
            .. content.Menus,
            new("rootfs.squashfs", root.Squashfs),
            new("boot/kernel", root.Kernel),
            new("boot/initrd", root.Initrd),
            new("boot/uefi.img", esp),
            .. bios ? new[] { new MediumFile("boot/eltorito.img", Path.Combine(content.BiosFolder, "eltorito.img")), new MediumFile("boot/boot_hybrid.img",
                Path.Combine(content.BiosFolder, "boot_hybrid.img")) } : [],
            .. Loaders(content),
        ];
        return Xorriso.Of(
        [
            // xorriso takes its standard output among the first arguments alone, and not after -no_rc.
            "-report_about", "WARNING",
            "-outdev", "-",
            "-volid", LiveMenu.Label,
            "-rockridge", "on", "-joliet", "on", "-compliance", "iso_9660_level=3:joliet_long_names",
            "-padding", "0",
            // The overlay first: what Crust puts there itself counts.
            .. content.Overlay is { } overlay ? new[] { "-map", overlay, "/" } : [],
            .. files.SelectMany(file => file.Length is { } length
                ? new[] { "-cut_out", file.OnHost, Number(file.Offset), Number(length), "/" + file.InIso }
                : ["-map", file.OnHost, "/" + file.InIso]),
            // Not this host's owners and modes: user-data that only this user could read would be nobody's there.
            "-chown_r", "0", "/", "--", "-chgrp_r", "0", "/", "--",
            "-find", "/", "-type", "d", "-exec", "chmod", "0755", "--",
            "-find", "/", "-type", "f", "-exec", "chmod", "a+r,go-w", "--",
            "-volume_date", "uuid", Date,
            "-volume_date", "all_file_dates", Date,
            .. BootArguments(content, esp, bios),
        ]) with
        { Environment = OfXorriso };
    }

    private static IEnumerable<string> BootArguments(LiveIsoContent content, string esp, bool bios)
    {
        static string[] Any(string setting) => ["-boot_image", "any", setting];
        static string[] Grub(string setting) => ["-boot_image", "grub", setting];
        string[][] parts =
        [
            Any("partition_offset=16"),
            Any($"gpt_disk_guid={content.DiskId:D}"),
            Any("cat_path=/boot/boot.catalog"),
            Any("cat_hidden=on"),
            // BIOS: from a CD by El Torito, from a stick by the MBR, which loads the same image.
            bios ?
            [
                .. Grub("bin_path=/boot/eltorito.img"), .. Any("platform_id=0x00"), .. Any("emul_type=no_emulation"), .. Any("load_size=2048"),
                    .. Any("boot_info_table=on"),
                .. Grub("grub2_boot_info=on"), .. Grub($"grub2_mbr={Path.Combine(content.BiosFolder, "boot_hybrid.img")}"), .. Any("mbr_force_bootable=on"),
            ] : [],
            // UEFI: one FAT image, seen as an El Torito entry on a CD and as a partition on a stick.
            ["-append_partition", "2", "0xef", esp],
            Any("appended_part_as=gpt"),
            bios ? Any("next") : [],
            [.. Any("efi_path=--interval:appended_partition_2:all::"), .. Any("platform_id=0xef"), .. Any("emul_type=no_emulation")],
        ];
        return parts.SelectMany(part => part);
    }

    private static IEnumerable<string> FoldersAbove(string path)
    {
        for (var slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            yield return path[..slash];
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
