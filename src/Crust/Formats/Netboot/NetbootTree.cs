using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Crust.Appliance;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Formats.Netboot;

/// <summary>Makes what is in a version's folder beside its root: the files that machines load, and what the server's script has to know.</summary>
/// <param name="tools">Needs xz or zstd where the kernel's modules are compressed so.</param>
internal sealed class NetbootTree(ToolBox tools, BootFiles root)
{
    /// <summary>
    /// What old EEPROMs, and today's start4.elf of Debian, take over TFTP: block numbers have 16 bits, and blocks 1024 bytes (rpi-eeprom, issues 375 and 720).
    /// </summary>
    internal const long LargestOverTftp = 65_535L * 1024;

    // Raspberry Pi's own: they leave the memory cgroup out, which k3s needs, unless they are told.
    private static readonly ImmutableArray<string> KernelsWithoutMemoryCgroup = ["-rpi", "-v8", "-raspi", "-2712"];

    private const string Shim = "usr/lib/shim/shimx64.efi.signed";
    private const string Grub = "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed";

    /// <summary>The files by their paths below the version's folder, in order.</summary>
    /// <exception cref="CrustException">The root lacks what it takes to start over the network.</exception>
    public async Task<ImmutableArray<(string Path, byte[] Content)>> MakeAsync(string name, Arch arch, CancellationToken cancellation)
    {
        var release = Newest() ?? throw Lacks("The root file system has no kernel /boot/vmlinuz-VERSION", "install the distribution's kernel package in it");
        var initramfs = $"boot/initrd.img-{release}";
        if (!root.Contains(initramfs))
        {
            throw Lacks($"The kernel {release} has no initramfs (/boot/initrd.img-{release})", "install initramfs-tools in it: Linux as distributions build it mounts an NFS root by its initramfs");
        }

        if (!root.Contains("usr/share/initramfs-tools/scripts/nfs"))
        {
            throw Lacks("The initramfs of the root file system isn't made by initramfs-tools, so that nobody knows how it mounts an NFS root", "install initramfs-tools in place of what is there (dracut)");
        }

        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["boot/initrd.img"] = await WithScriptsAsync(root.Read(initramfs), release, cancellation),
        };
        var kernel = root.Read($"boot/vmlinuz-{release}");
        if (arch is Arch.Arm64)
        {
            files["boot/vmlinuz"] = Gzipped(kernel);
            AddRaspberryPi(files, release);
        }
        else
        {
            files["boot/vmlinuz"] = kernel;
            if (root.Contains(Shim) && root.Contains(Grub))
            {
                files["boot/shimx64.efi"] = root.Read(Shim);
                files["boot/grubx64.efi"] = root.Read(Grub);
            }
        }

        files["fstab"] = Text("# The root comes over the network, and what machines change of it is kept in their memory: docs/netboot.md of Crust.\n");
        files["version"] = Text(Facts(name, arch, release, files));
        return [.. files.Select(file => (file.Key, file.Value))];
    }

    private void AddRaspberryPi(SortedDictionary<string, byte[]> files, string release)
    {
        foreach (var path in root.Paths)
        {
            var file = path[(path.LastIndexOf('/') + 1)..];
            if (path.EndsWith(".dtb", StringComparison.Ordinal) && path.Contains($"/{release}/", StringComparison.Ordinal) | path.Contains($"/linux-image-{release}/", StringComparison.Ordinal))
            {
                files[$"boot/{file}"] = root.Read(path);
            }
            else if (path.StartsWith("usr/lib/raspi-firmware/", StringComparison.Ordinal) || path.StartsWith("boot/firmware/", StringComparison.Ordinal))
            {
                // The package's own come last, and count.
                files[$"boot/{(path.Contains("/overlays/", StringComparison.Ordinal) ? "overlays/" : "")}{file}"] = root.Read(path);
            }
        }

        var pi4 = files.ContainsKey("boot/bcm2711-rpi-4-b.dtb") && files.ContainsKey("boot/start4.elf") && files.ContainsKey("boot/fixup4.dat");
        if (!pi4 && !files.ContainsKey("boot/bcm2712-rpi-5-b.dtb"))
        {
            throw Lacks($"No Raspberry Pi starts with this system: it takes bcm2711-rpi-4-b.dtb of the kernel {release} with start4.elf and fixup4.dat, or bcm2712-rpi-5-b.dtb",
                "install raspi-firmware (Debian's non-free-firmware) and a kernel with device trees for the board; other arm64 machines aren't served");
        }

        if (!files.ContainsKey("boot/start4.elf"))
        {
            // The firmware takes a folder for its own only if that is in it, also a Pi 5's, which doesn't use it.
            files["boot/start4.elf"] = Text("not for this system\n");
        }

        files["boot/config.txt"] = Text("# Read by the Raspberry Pi's firmware.\narm_64bit=1\nenable_uart=1\nupstream_kernel=1\n\nkernel=vmlinuz\ninitramfs initrd.img\n");
    }

    private static string Facts(string name, Arch arch, string release, SortedDictionary<string, byte[]> files)
    {
        var consoles = arch is Arch.Amd64 ? "console=tty0 console=ttyS0,115200" : "console=tty0 console=ttyAMA10,115200 console=ttyS1,115200 net.ifnames=0";
        var flags = KernelsWithoutMemoryCgroup.Any(mark => release.Contains(mark, StringComparison.Ordinal)) ? " cgroup_memory=1 cgroup_enable=memory" : "";
        var large = arch is Arch.Arm64 ? files.Where(file => file.Key.StartsWith("boot/", StringComparison.Ordinal) && file.Value.Length > LargestOverTftp).Select(file => file.Key[5..]).ToList() : [];
        var note = large.Count == 0 ? "" : $"note={string.Join(", ", large)} has more than {Size.Format(LargestOverTftp)}, which Raspberry Pis with an EEPROM before 2025-09-23 or Debian's start4.elf "
            + "don't load over TFTP; leave modules out of the initramfs (MODULES=list)\n";
        return $"name={name}\narch={arch.LowerName()}\nkernel={release}\nconsoles={consoles}{flags}\n{note}";
    }

    // Linux unpacks archives one behind the other (Documentation/driver-api/early-userspace/buffer-format.rst). What is in the second replaces what the first has.
    private async Task<byte[]> WithScriptsAsync(byte[] initramfs, string release, CancellationToken cancellation)
    {
        var more = new CpioArchive();
        more.AddFile("/scripts/nfs-bottom/crust-netboot", NetbootScripts.Root, executable: true);
        more.AddFile("/scripts/nfs-bottom/ORDER", Text("/scripts/nfs-bottom/crust-netboot \"$@\"\n[ -e /conf/param.conf ] && . /conf/param.conf\n"), executable: false);
        if (root.Paths.FirstOrDefault(path => path.Contains($"/modules/{release}/kernel/fs/overlayfs/overlay.ko", StringComparison.Ordinal)) is { } module)
        {
            more.AddFile("/crust/overlay.ko", await UnpackedAsync(module, cancellation), executable: false);
        }

        using var all = new MemoryStream();
        all.Write(initramfs);
        while (all.Length % 4 != 0)
        {
            all.WriteByte(0);
        }

        more.WriteTo(all);
        return all.ToArray();
    }

    private async Task<byte[]> UnpackedAsync(string module, CancellationToken cancellation)
    {
        var program = Path.GetExtension(module) switch
        {
            ".xz" => "xz",
            ".zst" => "zstd",
            ".gz" => "gzip",
            _ => null,
        };
        if (program is null)
        {
            return root.Read(module);
        }

        using var unpacked = new MemoryStream();
        await tools.RunAsync(ToolCommand.Of(program, "-d", "-c") with { InputFile = root.PathOf(module), OnOutput = bytes => unpacked.Write(bytes.Span), Limits = ToolLimits.OfMemory }, cancellation);
        return unpacked.ToArray();
    }

    private static byte[] Gzipped(byte[] kernel)
    {
        if (kernel.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]))
        {
            return kernel;
        }

        using var deflater = Deflater.Create(VmdkFormat.Level);
        var output = new byte[kernel.Length + (kernel.Length / 64) + 64];
        return output[..deflater.CompressToGzip(kernel, output)];
    }

    private string? Newest() => root.Paths.Where(path => path.StartsWith("boot/vmlinuz-", StringComparison.Ordinal)).Select(path => path["boot/vmlinuz-".Length..])
        .MaxBy(release => release, Comparer<string>.Create((a, b) => string.Compare(a, b, CultureInfo.InvariantCulture, CompareOptions.NumericOrdering)));

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static CrustException Lacks(string what, string remedy) => new(FailureKind.BadInput, what, "formats: netboot", remedy);
}
