using System.Collections.Immutable;

namespace Crust.Machines;

/// <summary>
/// A boot sector that runs in 64-bit mode to its end within milliseconds, or doesn't: LongModeStub.S, assembled. It is kept
/// as bytes because a user's machine has no assembler; a test assembles the source and compares.
/// </summary>
internal static class LongModeStub
{
    /// <summary>QEMU's exit code when the stub came to its end and had computed rightly.</summary>
    public const int FineExitCode = 0x31 << 1 | 1;

    /// <summary>QEMU's exit code when the stub came to its end with a wrong result.</summary>
    public const int MiscomputedExitCode = 0x30 << 1 | 1;

    private const int SectorSize = 512;

    // SeaBIOS doesn't read from a disk of a single sector.
    private const int DiskSize = 1 << 20;

    // Everything up to the boot signature; the rest is zero.
    private const string Code = """
        ea057c000031c08ed88ec08ed0bc007cfcfbf4fabf0010b90018f3abc7060010
        0320c70600200330c706003083000f0116d87c66b8200200000f22e066b80010
        00000f22d866b9800000c00f32660d000100000f300f20c06683e0fb660d0300
        00800f22c0ea6a7c0800b8100000008ed88ec08ed048b8efcdab896745230148
        c1c02449bf157c4a7fb979379e490fafc766480f6ec8660fefc0660fd4c1660f
        d4c166480f7ec348b9b06fbabd8202c280b0314839cb7402b030e6f4f4ebfd90
        000000000000000000000000009a200000000000009200001700c07c00000000
        """;

    /// <summary>The sector, with its boot signature.</summary>
    public static ImmutableArray<byte> Sector { get; } = Assemble();

    /// <summary>Writes a disk that boots the stub to a new file.</summary>
    public static void WriteDisk(string path)
    {
        using var disk = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        RandomAccess.Write(disk, Sector.AsSpan(), 0);
        RandomAccess.SetLength(disk, DiskSize);
    }

    /// <summary>QEMU's arguments that boot the stub from a disk, for an x86-64 QEMU on its q35 machine.</summary>
    public static ImmutableArray<string> QemuArguments(string disk, string accelerator, string cpu) =>
    [
        "-no-user-config", "-nodefaults", "-sandbox", "on",
        "-machine", "q35",
        "-accel", accelerator, "-cpu", cpu,
        "-m", "64",
        "-display", "none",
        "-drive", $"if=none,id=disk,file={disk.Replace(",", ",,")},format=raw,readonly=on",
        "-device", "virtio-blk-pci,drive=disk",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
    ];

    private static ImmutableArray<byte> Assemble()
    {
        var sector = new byte[SectorSize];
        Convert.FromHexString(Code.ReplaceLineEndings("")).CopyTo(sector, 0);
        sector[^2] = 0x55;
        sector[^1] = 0xaa;
        return [.. sector];
    }
}
