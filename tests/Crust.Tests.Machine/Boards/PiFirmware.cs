using System.Collections.Immutable;
using Crust.Tests.Machine.Guests;
using Crust.Tests.Spec;
using Crust.Tools;

namespace Crust.Tests.Machine.Boards;

/// <summary>
/// An amd64 guest in a Raspberry Pi's place: a boot partition, a disk that stands for the root, and two real kernels. This class plays the firmware: at each start it reads config.txt (or, once
/// after `reboot "0 tryboot"`, tryboot.txt), and starts the kernel and the initramfs that are named there by os_prefix.
/// </summary>
internal sealed class PiFirmware
{
    // What pi-kernel calls, and what the guest's init needs.
    private const string Programs = "sh sed sort awk df du sha256sum sync od uname cp mv rm mkdir grep cat head tail cut tr basename dirname touch mount insmod sleep";

    private const string Modules = "virtio_pci virtio_blk vfat nls_cp437 nls_ascii nls_utf8 nls_iso8859-1 ext4";

    private const string Init = """
        #!/bin/sh
        export PATH=/bin
        mount -t proc proc /proc
        mount -t sysfs sysfs /sys
        mount -t devtmpfs devtmpfs /dev 2>/dev/null
        exec >/dev/console 2>&1
        for module in /modules/*; do insmod "$module"; done
        until [ -b /dev/vda ] && [ -b /dev/vdb ]; do sleep 0.1; done
        mount -t ext4 /dev/vdb /pi
        mount -t vfat /dev/vda /pi/boot/firmware
        case $(cat /proc/cmdline) in
        *firmware=*)
            mkdir -p /pi/dev /pi/proc/device-tree/chosen/bootloader
            touch /pi/dev/vcio
            case $(cat /proc/cmdline) in *firmware=tryboot*) flag=001 ;; *) flag=000 ;; esac
            printf '\000\000\000\'$flag >/pi/proc/device-tree/chosen/bootloader/tryboot
            ;;
        esac
        CRUST_ROOT=/pi CRUST_REBOOT=/restart sh /pi/pi-kernel boot
        echo "stays: $(uname -r)"
        sync
        echo o >/proc/sysrq-trigger
        sleep 60
        """;

    private const string Restart = """
        #!/bin/sh
        echo "restarts: ${1:-plainly}" >/dev/console
        sync
        echo b >/proc/sysrq-trigger
        sleep 60
        """;

    private readonly string _folder;
    private bool _tryboot;

    private PiFirmware(string folder, string older, string newer) => (_folder, Older, Newer) = (folder, older, newer);

    /// <summary>The version that config.txt names at first.</summary>
    public string Older { get; }

    /// <summary>The newest version of the root's.</summary>
    public string Newer { get; }

    /// <summary>What kernel there is for `reboot "0 tryboot"`: Raspberry Pi's own, or Debian's, which doesn't know it.</summary>
    public bool KnowsTryboot { get; init; }

    /// <summary>What config.txt has at first.</summary>
    public string OldConfig => $"kernel=vmlinuz-{Older}\ninitramfs initrd.img-{Older}\n";

    public static async Task<PiFirmware> MakeAsync(string folder, bool knowsTryboot, CancellationToken cancellation)
    {
        var (older, newer) = (await SystemdGuest.OfAsync("bookworm", cancellation), await SystemdGuest.OfAsync("trixie", cancellation));
        var output = await ShellAsync(folder, $$"""
            mkdir -p parts/bin parts/proc parts/sys parts/dev parts/pi parts/modules root/boot/firmware root/var/lib/crust
            for name in {{Programs}}; do
                file=$(readlink -f "$(command -v $name)")
                cp "$file" parts/bin/$name
                for library in $(ldd "$file" | grep -o '/[^ )]*'); do mkdir -p parts$(dirname $library); cp -L $library parts$library; done
            done
            cat >parts/restart <<'END'
            {{Restart}}
            END
            cat >parts/init <<'END'
            {{Init}}
            END
            chmod +x parts/init parts/restart
            for guest in {{older.Kernel}}:{{older.Root}} {{newer.Kernel}}:{{newer.Root}}; do
                kernel=${guest%:*}
                # The string of the version, where boot protocol 2.00 has it (Documentation/arch/x86/boot.rst).
                at=$((0x200 + $(od -An -tu2 -j 526 -N 2 $kernel)))
                version=$(tail -c +$((at + 1)) $kernel | head -c 200 | tr '\0' '\n' | head -n 1 | cut -d' ' -f 1)
                mkdir tree
                (cd tree && cpio -id --quiet --no-absolute-filenames '*lib/modules/*' <${guest#*:})
                [ -d tree/lib ] || ln -s usr/lib tree/lib
                rm -f parts/modules/*
                count=100
                for module in {{Modules}}; do modprobe -d $PWD/tree -S $version --show-depends $module 2>/dev/null || :; done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
                    count=$((count + 1))
                    case $module in
                    *.xz) xz -dc $module >parts/modules/$count.ko ;;
                    *) cp $module parts/modules/$count.ko ;;
                    esac
                done
                (cd parts && find . | sort | cpio -o -H newc --quiet | gzip -1) >root/boot/initrd.img-$version
                cp $kernel root/boot/vmlinuz-$version
                mkdir -p root/usr/lib/modules/$version/dtb/broadcom
                echo tree >root/usr/lib/modules/$version/dtb/broadcom/bcm2712-rpi-5-b.dtb
                rm -rf tree
                echo $version
            done >versions
            older=$(head -n 1 versions)
            newer=$(tail -n 1 versions)
            printf '#!/bin/sh\necho dies >/dev/console\n' >parts/init
            (cd parts && find . | sort | cpio -o -H newc --quiet | gzip -1) >broken
            cp '{{RepositoryFile.PathOf("builder/raspberry-pi/root/usr/lib/crust/pi-kernel")}}' root/pi-kernel
            truncate -s 160M boot.img
            mkfs.fat -n BOOTFS boot.img >/dev/null
            printf 'kernel=vmlinuz-%s\ninitramfs initrd.img-%s\n' $older $older >config.txt
            echo 'console=ttyS0 panic=-1 quiet' >cmdline.txt
            mcopy -i boot.img config.txt cmdline.txt root/boot/vmlinuz-$older root/boot/initrd.img-$older root/usr/lib/modules/$older/dtb/broadcom/bcm2712-rpi-5-b.dtb ::
            truncate -s 200M root.img
            mke2fs -q -t ext4 -d root root.img
            cat versions
            """, cancellation);
        var versions = output.Split('\n');
        return new PiFirmware(folder, versions[0], versions[1]) { KnowsTryboot = knowsTryboot };
    }

    /// <summary>The same machine as it is now, in another folder.</summary>
    public async Task<PiFirmware> CopyAsync(string folder, CancellationToken cancellation)
    {
        await Host.RunAsync("cp", ["--sparse=always", "boot.img", "root.img", "broken", folder], _folder, cancellation);
        return new PiFirmware(folder, Older, Newer) { KnowsTryboot = KnowsTryboot, _tryboot = _tryboot };
    }

    /// <summary>Has the newer kernel, which is on the boot partition by now, panic before it has started anything.</summary>
    public Task BreakAsync(CancellationToken cancellation) => Host.RunAsync("mcopy", ["-o", "-i", "boot.img", "broken", $"::crust-{Newer}/initrd.img-{Newer}"], _folder, cancellation);

    /// <summary>Starts the guest as the firmware would, until it restarts or switches itself off.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> StartAsync(CancellationToken cancellation)
    {
        var tried = _tryboot && (await ListAsync(cancellation)).Contains("tryboot.txt");
        _tryboot = false;
        var config = await ReadAsync(tried ? "tryboot.txt" : "config.txt", cancellation);
        var prefix = Last(config, "os_prefix=") ?? "";
        foreach (var (name, file) in new[] { (Last(config, "kernel=")!, "kernel"), (Last(config, "initramfs ")!, "initramfs"), ("cmdline.txt", "cmdline") })
        {
            await Host.RunAsync("mcopy", ["-n", "-o", "-i", "boot.img", $"::{prefix}{name}", file], _folder, cancellation);
        }

        var arguments = $"{(await File.ReadAllTextAsync(Path.Combine(_folder, "cmdline"), cancellation)).Trim()}{(KnowsTryboot ? tried ? " firmware=tryboot" : " firmware=config" : "")}";
        var qemu = ToolCommand.Of("qemu-system-x86_64",
        [
            "-machine", "q35,accel=tcg", "-cpu", "max,-erms,-fsrm", "-m", "512", "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-kernel", "kernel", "-initrd", "initramfs", "-append", arguments,
            "-drive", "file=boot.img,format=raw,if=virtio", "-drive", "file=root.img,format=raw,if=virtio",
        ]);
        var output = (await Host.Tools.RunAsync(qemu with { WorkingDirectory = _folder }, cancellation)).Output.Replace("\r", "");
        await TestContext.Out.WriteLineAsync(output);
        _tryboot = output.Contains("restarts: tryboot", StringComparison.Ordinal);
        return output;
    }

    /// <summary>A file of the boot partition.</summary>
    public Task<string> ReadAsync(string name, CancellationToken cancellation) => Host.RunAsync("mtype", ["-i", "boot.img", $"::{name}"], _folder, cancellation);

    /// <summary>The names of the boot partition's files and folders.</summary>
    public async Task<ImmutableArray<string>> ListAsync(CancellationToken cancellation) =>
        [.. (await Host.RunAsync("mdir", ["-b", "-i", "boot.img", "::"], _folder, cancellation)).Split('\n').Where(line => line.Length > 0).Select(line => line.Trim().TrimStart(':').Trim('/'))];

    private static string? Last(string config, string key) => config.Split('\n').Where(line => line.StartsWith(key, StringComparison.Ordinal)).Select(line => line[key.Length..].Trim()).LastOrDefault();

    private static Task<string> ShellAsync(string folder, string script, CancellationToken cancellation) => Host.RunAsync("sh", ["-ec", script], folder, cancellation);
}
