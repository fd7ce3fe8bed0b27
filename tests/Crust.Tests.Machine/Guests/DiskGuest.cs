using System.Security.Cryptography;
using System.Text;
using Crust.Appliance;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Tests.Machine.Guests;

/// <summary>
/// A Debian 12 with systemd, git and curl whose root is on a disk, and outlives power cuts. QEMU starts its kernel itself, with an initramfs that does no more than mount the root. It
/// reaches this host's loopback at 10.0.2.2.
/// </summary>
internal sealed class DiskGuest
{
    // networkctl asks systemd-networkd by D-Bus. ssh-keygen and gpg check signatures of commits.
    private const string Packages = "systemd,udev,dbus,kmod,iproute2,git,curl,gpg,openssh-client,busybox-static,linux-image-cloud-amd64";
    private const string Suite = "bookworm";

    private const int Size = 900;

    // The kernel has ext4 itself, and virtio as modules.
    private static readonly string[] Modules = ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"];

    private static readonly string Init = $$"""
        #!/bin/busybox sh
        b=/bin/busybox
        $b mkdir -p /dev /root
        $b mount -t devtmpfs dev /dev
        for m in {{string.Join(' ', Modules)}}; do $b insmod /$m.ko; done
        until [ -b /dev/vda1 ]; do $b sleep 0.1; done
        $b mount -t ext4 /dev/vda1 /root
        $b umount /dev
        exec $b switch_root /root /usr/lib/systemd/systemd

        """;

    private static readonly Lazy<Task<DiskGuest>> Made = new(MakeAsync);

    private readonly string _folder;

    private DiskGuest(string folder) => _folder = folder;

    /// <summary>The guest, made once for all tests of this host: it is kept beside Crust's own cache.</summary>
    public static Task<DiskGuest> GetAsync() => Made.Value;

    /// <summary>Makes a raw disk with the system on its only partition.</summary>
    public async Task<string> DiskAsync(string path, CancellationToken cancellation)
    {
        await Host.RunAsync("truncate", ["-s", $"{Size + 2}M", path], cancellation);
        await Host.RunAsync("sgdisk", ["--new=1:1M:0", "--typecode=1:8304", path], cancellation);
        await Host.RunAsync("dd", ["status=none", $"if={Path.Combine(_folder, "root.ext4")}", $"of={path}", "bs=1M", "seek=1", "conv=notrunc,sparse"], cancellation);
        return path;
    }

    /// <summary>Boots a disk, until the guest powers off. Cancelling cuts its power.</summary>
    /// <param name="disk">A qcow2 image, which keeps what the guest has flushed.</param>
    /// <param name="serial">The machine's serial number, by SMBIOS.</param>
    /// <param name="log">A file for what it says on its serial line.</param>
    public Task RunAsync(string disk, string mac, string serial, string log, CancellationToken cancellation) => Host.Tools.RunAsync(ToolCommand.Of("qemu-system-x86_64",
    [
        "-machine", "q35,accel=tcg", "-cpu", "max,-erms,-fsrm", "-m", "512", "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot", "-serial", $"file:{log}",
        "-kernel", Path.Combine(_folder, "vmlinuz"), "-initrd", Path.Combine(_folder, "initramfs"),
        "-append", "console=ttyS0 quiet panic=-1 net.ifnames=0 systemd.show_status=0 systemd.mask=serial-getty@ttyS0.service",
        "-smbios", $"type=1,serial={serial}", "-netdev", "user,id=net", "-device", $"virtio-net-pci,netdev=net,mac={mac}", "-drive", $"file={disk},format=qcow2,if=virtio",
    ]), cancellation);

    private static async Task<DiskGuest> MakeAsync()
    {
        var cancellation = CancellationToken.None;
        var guests = Path.Combine(HostEnvironment.Read().CacheFolder, "test-guests");
        var folder = Path.Combine(guests, $"disk-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Suite} {Packages} {Size} {Init}")))[..12]}");
        if (Directory.Exists(folder))
        {
            return new DiskGuest(folder);
        }

        Directory.CreateDirectory(guests);
        using var draft = DraftFolder.Create(guests);
        var whole = Directory.CreateDirectory(Path.Combine(draft.Path, "whole")).FullName;
        await Host.Tools.RunAsync(ToolCommand.Of("mmdebstrap",
        [
            "--mode=auto", "--variant=minbase", "--format=null", $"--include={Packages}",
            "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
            // As in SystemdGuest: what a hook writes lies in the root.
            "--customize-hook=mkdir -p \"$1/parts/tree\" && cp \"$1\"/boot/vmlinuz-* \"$1/parts/vmlinuz\" && cp \"$1/bin/busybox\" \"$1/parts\" && find \"$1/usr/lib/modules\" -name 'virtio*.ko' -exec cp {} \"$1/parts\" ';'",
            "--customize-hook=rm -rf \"$1\"/boot/* \"$1\"/var/cache/apt/* \"$1\"/var/lib/apt/lists/*",
            "--customize-hook=cd \"$1\" && tar --one-file-system --exclude=./parts -cf - . | tar -C parts/tree -xf - && mke2fs -q -t ext4 -d parts/tree parts/root.ext4 " + $"{Size}M && rm -rf parts/tree && zstd -q -1 --rm parts/root.ext4",
            $"--customize-hook=copy-out /parts {whole}",
            Suite, "/dev/null",
        ]) with
        {
            // The kernel's package makes no initramfs: this class does.
            Environment = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("INITRD", "No"),
        }, cancellation);
        var parts = Path.Combine(whole, "parts");
        await Host.RunAsync("zstd", ["-q", "-d", "--sparse", "--rm", Path.Combine(parts, "root.ext4.zst")], cancellation);
        await using (var initramfs = File.Create(Path.Combine(parts, "initramfs")))
        {
            var files = new CpioArchive();
            files.AddFile("/init", Encoding.UTF8.GetBytes(Init), executable: true);
            files.AddFile("/bin/busybox", await File.ReadAllBytesAsync(Path.Combine(parts, "busybox"), cancellation), executable: true);
            foreach (var module in Modules)
            {
                files.AddFile($"/{module}.ko", await File.ReadAllBytesAsync(Path.Combine(parts, module + ".ko"), cancellation), executable: false);
            }

            files.WriteTo(initramfs);
        }

        try
        {
            Directory.Move(parts, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another run of the tests made it meanwhile.
        }

        return new DiskGuest(folder);
    }
}
