using System.Collections.Immutable;
using System.Globalization;
using Crust.Appliance;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Isos;

internal sealed record HybridIsoContent
{
    /// <summary>ISO 9660's volume id: at most 32 of A–Z, 0–9 and `_`.</summary>
    public required string VolumeId { get; init; }

    /// <summary>The system that it boots, with the boot loaders.</summary>
    public required ApplianceImage Appliance { get; init; }

    public required ImmutableArray<string> KernelArguments { get; init; }

    /// <summary>What the boot menu calls it.</summary>
    public required string Title { get; init; }

    /// <summary>Further files: where in the ISO (absolute), and where on this host.</summary>
    public ImmutableArray<(string InIso, string OnHost)> Files { get; init; } = [];
}

/// <summary>
/// Writes ISOs that boot under UEFI and, on amd64, under BIOS, from a CD and from a USB stick: El Torito entries for the firmwares, GRUB's hybrid MBR,
/// and an EFI system partition appended to the ISO and named in a GPT. Under UEFI, Debian's signed shim and GRUB start it.
/// </summary>
internal sealed class HybridIso(ToolBox tools)
{
    // Fixed, so that the same content gives the same bytes; it has no other meaning.
    private const string EspSerial = "43525354";
    private const int EspSectors = 16 * 2048;

    public static ImmutableArray<string> Programs { get; } = ["mformat", "mmd", "mcopy", "xorriso"];

    private const string SerialOfPc = """
        if serial --unit=0 --speed=115200; then
            terminal_input console serial
            terminal_output console serial
        fi
        """;

    // SOURCE_DATE_EPOCH dates the volume, but leaves the files the times that they have on this host.
    private static readonly string FileDate = DateTimeOffset.FromUnixTimeSeconds(Mmdebstrap.Epoch).ToString("yyyyMMddHHmmss'00'", CultureInfo.InvariantCulture);

    private static readonly ImmutableDictionary<string, string> Reproducibly = ImmutableDictionary<string, string>.Empty
        .Add("SOURCE_DATE_EPOCH", Mmdebstrap.Epoch.ToString(CultureInfo.InvariantCulture));

    /// <summary>Writes the ISO to <paramref name="output"/>; <paramref name="work"/> is a folder for what it is made from, <paramref name="progress"/> is told how long the ISO is so far.</summary>
    /// <returns>The ISO's SHA-256 in hex, computed on the way.</returns>
    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    /// <exception cref="IOException">The ISO can't be written.</exception>
    public async Task<string> WriteAsync(HybridIsoContent content, string output, string work, Action<long> progress, CancellationToken cancellation)
    {
        var esp = Path.Combine(work, "esp.img");
        var menu = Path.Combine(work, "grub.cfg");
        var mark = Path.Combine(work, "disk-info");
        await File.WriteAllTextAsync(menu, Menu(content), cancellation);
        await File.WriteAllTextAsync(mark, $"{content.Title}\n", cancellation);
        foreach (var command in EspCommands(content.Appliance, menu, esp))
        {
            await tools.RunAsync(command, cancellation);
        }

        using var iso = new HashedFile(output);
        await tools.RunAsync(IsoCommand(content, menu, mark, esp) with
        {
            OnOutput = bytes =>
            {
                iso.Append(bytes.Span);
                progress(iso.Length);
            },
        }, cancellation);
        return iso.Sha256();
    }

    /// <summary>The boot menu: a single entry that starts by itself after a second.</summary>
    internal static string Menu(HybridIsoContent content) => $$"""
        # The signed GRUB of a USB stick starts from the stick's EFI system partition: look for the ISO itself.
        search --no-floppy --set=root --label {{content.VolumeId}}
        {{(content.Appliance.Arch is Arch.Amd64 ? SerialOfPc : "# The firmware's console is on the serial port as well, for which GRUB has no driver here.")}}
        set timeout=1
        menuentry "{{content.Title}}" {
            echo "Loading {{content.Title}} ..."
            linux /boot/vmlinuz {{string.Join(' ', content.KernelArguments)}}
            initrd /boot/initramfs
        }

        """;

    /// <summary>The commands that make the EFI system partition.</summary>
    internal static ImmutableArray<ToolCommand> EspCommands(ApplianceImage appliance, string menu, string esp)
    {
        // As the UEFI specification abbreviates architectures (section 3.5.1.1).
        var name = appliance.Arch is Arch.Amd64 ? "x64" : "aa64";
        string Boot(string program) => Path.Combine(appliance.BootFolder, $"{program}{name}.efi");
        ToolCommand Mtool(string program, params string[] arguments) =>
            new() { Program = program, Arguments = [.. arguments], Environment = Reproducibly };
        return
        [
            Mtool("mformat", "-i", esp, "-C", "-T", EspSectors.ToString(CultureInfo.InvariantCulture), "-N", EspSerial, "-v", "CRUST-EFI", "::"),
            Mtool("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT", "::/boot", "::/boot/grub"),
            Mtool("mcopy", "-i", esp, Boot("shim"), $"::/EFI/BOOT/BOOT{name.ToUpperInvariant()}.EFI"),
            Mtool("mcopy", "-i", esp, Boot("mm"), $"::/EFI/BOOT/mm{name}.efi"),
            Mtool("mcopy", "-i", esp, Boot("grub"), $"::/EFI/BOOT/grub{name}.efi"),
            Mtool("mcopy", "-i", esp, menu, "::/boot/grub/grub.cfg"),
        ];
    }

    /// <summary>The command that writes the ISO to its standard output.</summary>
    internal static ToolCommand IsoCommand(HybridIsoContent content, string menu, string mark, string esp)
    {
        var boot = content.Appliance.BootFolder;
        var bios = content.Appliance.Arch is Arch.Amd64;
        return new ToolCommand
        {
            Program = "xorriso",
            Environment = Reproducibly,
            Arguments =
            [
                "-as", "mkisofs", "-quiet",
                "-o", "-",
                "-V", content.VolumeId,
                "-r", "-J", "-joliet-long", "-iso-level", "3", "--set_all_file_dates", FileDate,
                "-partition_offset", "16",
                .. bios
                    ? new[]
                    {
                        // BIOS: from a CD by El Torito, from a stick by the MBR, which loads the same image.
                        "-b", "boot/grub/eltorito.img", "-c", "boot/boot.cat", "-no-emul-boot", "-boot-load-size", "4",
                        "-boot-info-table", "--grub2-boot-info", "--grub2-mbr", Path.Combine(boot, "boot_hybrid.img"), "--mbr-force-bootable",
                    }
                    : ["-c", "boot/boot.cat"],
                // UEFI: one FAT image, seen as an El Torito entry on a CD and as a partition on a stick.
                "-append_partition", "2", "0xef", esp, "-appended_part_as_gpt",
                .. bios ? new[] { "-eltorito-alt-boot" } : [],
                "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
                "-graft-points",
                .. bios ? new[] { Xorriso.Graft("/boot/grub/eltorito.img", Path.Combine(boot, "eltorito.img")) } : [],
                Xorriso.Graft("/boot/grub/grub.cfg", menu),
                Xorriso.Graft("/.disk/info", mark),
                Xorriso.Graft("/boot/vmlinuz", content.Appliance.Kernel),
                Xorriso.Graft("/boot/initramfs", content.Appliance.Initramfs),
                .. content.Files.Select(file => Xorriso.Graft(file.InIso, file.OnHost)),
            ],
        };
    }
}
