using Crust.Appliance;
using Crust.Disks;
using Crust.Isos;
using Crust.Spec;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Field;

/// <summary>
/// A small disk to put on media: GPT, an EFI system partition with Debian's signed shim and GRUB, and data with holes between. It comes up
/// to "stub login: " under BIOS (on amd64), UEFI and Secure Boot, in a second.
/// </summary>
internal static class SourceDisk
{
    public const long Size = 96L << 20;

    private const long Partitions = 1L << 20;
    private const long Data = 33L << 20;

    public static async Task<InstalledDisk> CreateAsync(ApplianceImage appliance, string folder, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, "source.img");
        await using (var disk = File.Create(path))
        {
            disk.SetLength(Size);
        }

        await Host.RunAsync("sgdisk", ["--new=1:2048:+24M", "--typecode=1:EF00", "--new=2:67584:0", "--disk-guid=00000000-0000-4000-8000-000000000001", path], cancellation);
        var esp = await EspAsync(appliance, folder, cancellation);
        var random = new Random(1);
        using (var disk = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.Write(disk, await StubGuests.BootSectorAsync(folder, cancellation), 0);
            WriteDataOf(esp, disk, Partitions);
            // Longer than a range, shorter than a block, and far apart.
            RandomAccess.Write(disk, Noise(random, 9_000_000), Data);
            RandomAccess.Write(disk, Noise(random, 1000), Data + (30L << 20) + 5);
        }

        return InstalledDisk.Of(new string('a', 64), path, await BlockMap.OfAsync(path, cancellation), InstallFacts.None);
    }

    /// <summary>So many bytes that don't compress.</summary>
    public static byte[] Noise(Random random, int length)
    {
        var noise = new byte[length];
        random.NextBytes(noise);
        return noise;
    }

    private static async Task<string> EspAsync(ApplianceImage appliance, string folder, CancellationToken cancellation)
    {
        var menu = Path.Combine(folder, "source-grub.cfg");
        // Firmware of arm64 talks on the serial port itself.
        var serial = appliance.Arch is Arch.Amd64 ? "serial --unit=0 --speed=115200\nterminal_output console serial\n" : "";
        await File.WriteAllTextAsync(menu, $"{serial}echo \"stub login: \"\nsleep 600\n", cancellation);
        var esp = Path.Combine(folder, "source-esp.img");
        foreach (var command in HybridIso.EspCommands(appliance, menu, esp))
        {
            await Host.Tools.RunAsync(command, cancellation);
        }

        return esp;
    }

    private static void WriteDataOf(string file, Microsoft.Win32.SafeHandles.SafeFileHandle disk, long offset)
    {
        var content = File.ReadAllBytes(file);
        for (var at = 0; at < content.Length; at += 4096)
        {
            var block = content.AsSpan(at, Math.Min(4096, content.Length - at));
            if (block.ContainsAnyExcept((byte)0))
            {
                RandomAccess.Write(disk, block, offset + at);
            }
        }
    }
}
