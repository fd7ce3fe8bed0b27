using Crust.Disks;
using Crust.Formats;
using Crust.Spec;
using Crust.Tests.Disks;
using Crust.Tools;

namespace Crust.Tests.Formats;

/// <summary>A root file system that GNU tar packs, in place of the appliance.</summary>
internal sealed class SampleRoot : IRootPacker
{
    // What lies behind the archive in the file that the appliance writes to.
    private const int Behind = 4 << 20;

    private readonly string _folder;

    /// <param name="folder">An empty folder for the root.</param>
    public SampleRoot(string folder)
    {
        _folder = folder;
        Write("etc/os-release", "ID=sample\nPRETTY_NAME=\"Sample Linux 7\"\n");
        Write("boot/vmlinuz-6.1.0-1", "kernel");
        Write("boot/vmlinuz-6.12.0-1", "kernel");
        Write("boot/initrd.img-6.12.0-1", "initrd");
        Write("usr/share/large", string.Concat(Enumerable.Range(0, 1_500_000).Select(i => (i * 7919).ToString("x"))));
        Write(string.Join('/', Enumerable.Repeat("a-folder-with-a-long-name", 12)) + "/file", "deep");
        File.CreateSymbolicLink(Path.Combine(folder, "link"), "etc/os-release");
    }

    /// <summary>Why it can't be packed; null if it can.</summary>
    public CrustException? Failure { get; init; }

    /// <summary>The archive that was packed last.</summary>
    public string Archive => _folder + ".packed";

    /// <summary>One of a PC that can start over the network.</summary>
    public static SampleRoot ForNetboot(string folder)
    {
        var root = new SampleRoot(folder);
        foreach (var release in new[] { "6.1", "6.12" })
        {
            root.Write($"boot/vmlinuz-{release}.0-1", $"kernel {release}");
            root.Write($"boot/initrd.img-{release}.0-1", $"initramfs {release}");
            root.Write($"usr/lib/modules/{release}.0-1/kernel/fs/overlayfs/overlay.ko", $"overlay {release}");
        }

        root.Write("usr/share/initramfs-tools/scripts/nfs", "mountroot");
        root.Write("usr/lib/shim/shimx64.efi.signed", "shim");
        root.Write("usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", "grub");
        return root;
    }

    public void Write(string path, string content)
    {
        var file = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    public async Task<long> PackAsync(InstalledDisk disk, MachineSpec machine, string path, Action<double> progress, CancellationToken cancellation)
    {
        await File.WriteAllTextAsync(path, "half of it", cancellation);
        if (Failure is not null)
        {
            throw Failure;
        }

        await SampleDisk.Tools.RunAsync(ToolCommand.Of("tar", "-c", "-f", path, "-C", _folder, "--format=pax", "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime", "--sort=name",
            "--numeric-owner", "--owner=1234", "--group=0", "."), cancellation);
        // Images may be written side by side.
        File.Copy(path, path + ".packed");
        File.Move(path + ".packed", Archive, overwrite: true);
        var length = new FileInfo(path).Length;
        await using var file = File.OpenWrite(path);
        file.SetLength(length + Behind);
        return length;
    }
}
