using Crust.Disks;
using Crust.Spec;
using Crust.Tests.Disks;
using Crust.Tools;

namespace Crust.Tests.Formats.Splicing;

/// <summary>A disk with images of it, and the same disk with patches.</summary>
internal sealed class TemplateSample : IDisposable
{
    public const int MiB = 1 << 20;

    // Not a whole number of MiB, of slots or of grain tables.
    public const long Size = (70L * MiB) + 1536;

    private readonly SampleImages _images = new(new SampleDisk(Size,
        new Piece(0, 512),
        new Piece((2 * MiB) - 100, 200),
        new Piece(5 * MiB, 3 * MiB, PieceKind.Noise),
        new Piece(9 * MiB, 2 * MiB, PieceKind.Zeros),
        new Piece((12 * MiB) + 7, 700_000),
        new Piece((33L * MiB) + 1024, 90_000, PieceKind.Noise),
        new Piece(Size - 700, 512)));

    public SampleDisk Disk => _images.Disk;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    /// <summary>Patches at places of all kinds: over data and holes, across the borders of slots, grains and clusters, zeros over data, the disk's end.</summary>
    public static IEnumerable<DiskPatch[]> Patches =>
    [
        [Text(3 * MiB, MiB)],
        [Text((8 * MiB) - 300, 900)],
        [new DiskPatch(5 * MiB, new byte[3 * MiB])],
        [Text((32 * MiB) - 10, 20), Text(50 * MiB, 70_000)],
        [Text(0, 3), Text(Size - 1100, 1100)],
        [new DiskPatch(40 * MiB, new byte[MiB])],
        [],
    ];

    /// <summary>The path of an image of the disk.</summary>
    public async Task<string> WriteAsync(string format, Qcow2Compression compression = Qcow2Compression.Zstd)
    {
        _images.Spec = new BuildSpec { Qcow2 = new() { Compression = compression } };
        return (await _images.WriteAsync(format)).Path;
    }

    /// <summary>The disk with patches.</summary>
    public async Task<InstalledDisk> PatchedAsync(IEnumerable<DiskPatch> patches)
    {
        var path = Disk.FileFor("patched.raw");
        File.Delete(path);
        SparseFile.Duplicate(Disk.Path, path, _ => { }, Cancellation);
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
        {
            foreach (var patch in patches)
            {
                RandomAccess.Write(file, patch.Bytes.Span, patch.Offset);
            }
        }

        return InstalledDisk.Of("patched", path, await BlockMap.OfAsync(path, Cancellation), InstallFacts.None);
    }

    public static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of(program, arguments), Cancellation)).Output;

    public void Dispose() => _images.Dispose();

    private static DiskPatch Text(long offset, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
        {
            bytes[i] = (byte)('A' + (i / 11 % 26));
        }

        return new DiskPatch(offset, bytes);
    }
}
