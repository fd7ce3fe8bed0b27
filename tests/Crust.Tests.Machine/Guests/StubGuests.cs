using System.Collections.Concurrent;
using System.Collections.Immutable;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Machine.Guests;

/// <summary>
/// What a guest of a few hundred bytes does after it has said "stub: installer started" on its serial port. Each needs
/// SeaBIOS, a q35 or pc machine with the disk as BIOS drive 0x80, and about 0.1 s under TCG.
/// </summary>
public enum StubGuest
{
    /// <summary>Installs a system that boots to "stub login: ", and powers off.</summary>
    Installs,

    /// <summary>Installs a system that says "stub: booting from the disk" and no more, and powers off.</summary>
    InstallsADeadSystem,

    /// <summary>Powers off and leaves the disk empty.</summary>
    InstallsNothing,

    /// <summary>Installs as <see cref="Installs"/> does, and resets.</summary>
    InstallsThenResets,

    /// <summary>Resets and leaves the disk empty.</summary>
    Resets,

    /// <summary>Resets the first time; when it is booted again with the same disk, installs and powers off.</summary>
    ResetsOnceThenInstalls,

    /// <summary>Asks on its screen for a line, Enter and F10; when they came, installs and powers off.</summary>
    AsksForKeys,

    /// <summary>Panics as a Linux with the pvpanic driver does. Needs `-device pvpanic`.</summary>
    PanicsThroughPvpanic,

    /// <summary>Prints Linux' "Kernel panic - not syncing: stub" on the serial port and hangs.</summary>
    PanicsOnSerial,

    /// <summary>Crashes its processor, which resets the machine.</summary>
    TripleFaults,

    /// <summary>Says nothing and gives the machine back to the firmware, which finds nothing else to boot and says so on the screen, for ever.</summary>
    NotBootable,

    /// <summary>Reads its own ISO for three seconds, says "stub: the medium is as it was" or "stub: the medium has changed", installs and powers off.</summary>
    ReadsItsMedium,

    /// <summary>Prints the files that Ignition's readers look for in QEMU's fw_cfg device, each between "NAME:" and "stub: end", installs and powers off.</summary>
    ReadsFirmware,

    /// <summary>Asks "Install to /dev/vda? [y/N]" on its serial port, and waits for ever.</summary>
    AsksOnSerial,

    /// <summary>Comes up to a login prompt on its serial port and installs nothing, as a live system does.</summary>
    ComesUpLive,

    /// <summary>Shows Linux' "Kernel panic - not syncing: stub" on its screen alone and hangs.</summary>
    PanicsOnScreen,

    /// <summary>Halts for ever.</summary>
    Hangs,

    /// <summary>Loops for ever, one processor busy.</summary>
    Spins,

    /// <summary>Writes lines to the serial port for ever, about 1 MB a second under TCG.</summary>
    FloodsSerial,
}

/// <summary>Makes the stub guests' ISOs from their assembler sources, in a fraction of a second.</summary>
internal static class StubGuests
{
    private static readonly string Sources = Path.Combine(AppContext.BaseDirectory, "Guests");
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);
    private static readonly ConcurrentDictionary<StubGuest, Lazy<Task<byte[]>>> Made = new();

    /// <summary>Puts the guest's ISO, which is made once for all tests, into a folder as <see cref="MakeIsoAsync"/> does.</summary>
    public static async Task<string> IsoAsync(StubGuest kind, string folder, CancellationToken cancellation)
    {
        var iso = Path.Combine(folder, FileName(kind) + ".iso");
        await File.WriteAllBytesAsync(iso, await Made.GetOrAdd(kind, _ => new(() => ReadAsync(kind))).Value.WaitAsync(cancellation), cancellation);
        return iso;
    }

    /// <summary>
    /// Makes the guest's bootable ISO (El Torito, BIOS, no emulation; volume id STUB; 370 KB, byte-identical each time) in a
    /// folder, under a name such as `resets-once-then-installs.iso`, and gives its path.
    /// </summary>
    public static async Task<string> MakeIsoAsync(StubGuest kind, string folder, CancellationToken cancellation)
    {
        var name = FileName(kind);
        var work = Directory.CreateTempSubdirectory("crust-stub-").FullName;
        try
        {
            await AssembleAsync("installed", work, cancellation);
            await AssembleAsync("dead", work, cancellation);
            await AssembleAsync(name, work, cancellation);

            var content = Directory.CreateDirectory(Path.Combine(work, "iso")).FullName;
            var image = Path.Combine(content, "boot.bin");
            File.Move(Path.Combine(work, name + ".bin"), image);
            await using (var stream = new FileStream(image, FileMode.Open))
            {
                stream.SetLength(2048);
            }

            var iso = Path.Combine(folder, name + ".iso");
            await Tools.RunAsync(ToolCommand.Of("xorriso", "-as", "mkisofs", "-quiet", "-V", "STUB", "-o", iso,
                "--set_all_file_dates", "1980010100000000", "-c", "boot.cat", "-b", "boot.bin", "-no-emul-boot", "-boot-load-size", "4", content) with
            {
                Environment = ImmutableDictionary<string, string>.Empty.Add("SOURCE_DATE_EPOCH", "0"),
            }, cancellation);
            return iso;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>The boot sector of the system that <see cref="StubGuest.Installs"/> installs: it comes up to "stub login: " under BIOS.</summary>
    public static async Task<byte[]> BootSectorAsync(string work, CancellationToken cancellation)
    {
        await AssembleAsync("installed", work, cancellation);
        return await File.ReadAllBytesAsync(Path.Combine(work, "installed.bin"), cancellation);
    }

    /// <summary>The boot sector of a system that comes up to "stub login: " on its screen alone, under BIOS.</summary>
    public static async Task<byte[]> ScreenBootSectorAsync(string work, CancellationToken cancellation)
    {
        await AssembleAsync("comes-up-on-screen", work, cancellation);
        return await File.ReadAllBytesAsync(Path.Combine(work, "comes-up-on-screen.bin"), cancellation);
    }

    /// <summary>The code of a boot sector that takes its name from the meta-data in a seed partition at sector 40, of 960 KiB, and comes up to "NAME login: ".</summary>
    public static async Task<byte[]> SeedReaderAsync(string work, CancellationToken cancellation)
    {
        await AssembleAsync("reads-its-seed", work, cancellation);
        return await File.ReadAllBytesAsync(Path.Combine(work, "reads-its-seed.bin"), cancellation);
    }

    // No test's own token: the others wait for it, too.
    private static async Task<byte[]> ReadAsync(StubGuest kind)
    {
        var folder = Directory.CreateTempSubdirectory("crust-stub-iso-").FullName;
        try
        {
            return await File.ReadAllBytesAsync(await MakeIsoAsync(kind, folder, CancellationToken.None));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task AssembleAsync(string name, string work, CancellationToken cancellation)
    {
        var linkable = Path.Combine(work, name + ".o");
        await Tools.RunAsync(ToolCommand.Of("as", "--32", "-I", Sources, "-I", work, "-o", linkable, Path.Combine(Sources, name + ".S")), cancellation);
        await Tools.RunAsync(ToolCommand.Of("ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", Path.Combine(work, name + ".bin"), linkable), cancellation);
    }

    // ResetsOnceThenInstalls → resets-once-then-installs
    private static string FileName(StubGuest kind) =>
        string.Concat(kind.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? "-" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()));
}
