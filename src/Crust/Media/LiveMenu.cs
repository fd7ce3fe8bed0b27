using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Crust.Spec;

namespace Crust.Media;

/// <summary>The boot menu of a live medium, with the entries and kernel arguments that Kairos' live systems and CanvOS' media document (docs/live.md).</summary>
internal static class LiveMenu
{
    public const string Label = "COS_LIVE";

    private const int Seconds = 5;
    private const string StartsInstaller = "nodepair.enable";
    private const string StartsInteractive = "interactive-install";

    // dracut's dmsquash-live (cdroot, root, rd.live.*); immucore (rd.cos.disable, rd.immucore.*).
    private static readonly ImmutableArray<string> Common =
    [
        "cdroot", $"root=live:CDLABEL={Label}", "rd.live.dir=/", "rd.live.squashimg=rootfs.squashfs", "net.ifnames=1", "rd.cos.disable", "rd.live.overlay.overlayfs",
        "rd.immucore.sysrootwait=600", "selinux=0", "systemd.unified_cgroup_hierarchy=1", "modprobe.blacklist=nouveau,qat_4xxx",
    ];

    private static readonly ImmutableArray<string> Debug = ["rd.immucore.debug", "rd.debug"];

    /// <summary>Finds the medium, wherever GRUB came from, and goes on with its menu: in GRUB's own places on the medium, and in the EFI system partition.</summary>
    public const string Stub = """
        search --no-floppy --set=root --file /boot/kernel
        set prefix=($root)/boot/grub2
        configfile ($root)/boot/grub2/grub.cfg

        """;

    /// <summary>The menu itself, /boot/grub2/grub.cfg.</summary>
    public static string Of(MediumSpec medium, Arch arch)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            search --no-floppy --set=root --file /boot/kernel
            set default={(medium.Interactive ? 2 : 0)}
            set timeout={Seconds}
            set timeout_style=menu

            """);
        if (arch is Arch.Amd64)
        {
            text.Append("""
                if [ "$grub_platform" = "efi" ]; then

                """);
            AppendEntries(text, medium, ["console=ttyS0,115200n8", "console=tty0"]);
            // The firmware's console is on the serial port as well; a BIOS has none there.
            text.Append("""
                else
                if serial --unit=0 --speed=115200; then
                terminal_input console serial
                terminal_output console serial
                fi

                """);
            AppendEntries(text, medium, ["console=tty1", "console=ttyS0,115200n8", "nomodeset"]);
            text.Append("fi\n");
        }
        else
        {
            // Boards have one kind of serial port or the other.
            AppendEntries(text, medium, ["console=ttyS0,115200n8", "console=ttyAMA0,115200n8", "console=tty0"]);
        }

        return text.ToString();
    }

    private static void AppendEntries(StringBuilder text, MediumSpec medium, ImmutableArray<string> consoles)
    {
        ImmutableArray<string> shared = [.. Common, .. consoles, .. medium.Debug ? Debug : [], .. medium.Arguments];
        Append(medium.Title, [.. shared, StartsInstaller]);
        Append($"{medium.Title} (manual)", shared);
        Append($"{medium.Title} (interactive)", [.. shared, StartsInteractive]);

        void Append(string title, ImmutableArray<string> arguments) => text.Append(CultureInfo.InvariantCulture, $$"""
            menuentry "{{title}}" --class os --unrestricted {
                echo "Loading the kernel ..."
                linux ($root)/boot/kernel {{string.Join(' ', arguments)}}
                echo "Loading the initramfs ..."
                initrd ($root)/boot/initrd
            }

            """);
    }
}
