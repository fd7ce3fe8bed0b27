using Crust.Formats;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tools;

namespace Crust.Tests.Formats;

/// <summary>Images of one small disk, written as a build writes them, and other programs to read them.</summary>
internal sealed class SampleImages : IDisposable
{
    private const int Mebi = 1 << 20;

    // Of everything some: a first and a last sector, a hole, zeros, noise, pieces across the borders of whole MiB.
    private static readonly Piece[] Mixed =
    [
        new(0, 512),
        new((2 * Mebi) - 100, 200),
        new(5 * Mebi, 3 * Mebi, PieceKind.Noise),
        new(9 * Mebi, 2 * Mebi, PieceKind.Zeros),
        new((12 * Mebi) + 7, 700_000),
        new((20 * Mebi) + 1024, 512),
    ];

    private readonly DraftFolder _drafts;

    /// <summary>A disk with some of everything, not a whole number of MiB long.</summary>
    public SampleImages()
        : this(new SampleDisk((20 * Mebi) + 1536, Mixed))
    {
    }

    public SampleImages(SampleDisk disk)
    {
        Disk = disk;
        _drafts = DraftFolder.Create(disk.FileFor("images"));
    }

    public SampleDisk Disk { get; }

    public BuildSpec Spec { get; set; } = new();

    /// <summary>Packs root file systems; null where none is asked for.</summary>
    public IRootPacker? Roots { get; set; }

    /// <summary>The names of the files that there are now.</summary>
    // The folder of drafts is held by a hidden file.
    public IEnumerable<string?> Files => Directory.EnumerateFileSystemEntries(_drafts.Path).Select(Path.GetFileName).Where(name => name?[0] != '.').Order(StringComparer.Ordinal);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    /// <summary>Writes one image named `edge`.</summary>
    public async Task<DraftImage> WriteAsync(string format) => (await WriteAsync([format], new EventList()))[0];

    /// <summary>Writes images side by side.</summary>
    public async Task<IReadOnlyList<DraftImage>> WriteAsync(string[] formats, IBuildObserver observer) =>
        await new ImageWriter(Disk.Services with { Roots = Roots }, observer).WriteAsync(Disk.Installed, [.. formats.Select(ImageFormats.Named)], "edge", Spec, _drafts, Cancellation);

    /// <summary>Runs a program that must succeed.</summary>
    /// <returns>Its standard output.</returns>
    public static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of(program, arguments), Cancellation)).Output;

    /// <summary>Asks qemu-img whether an image holds this disk.</summary>
    public async Task MustBeTheDiskAsync(string driver, string image) =>
        Assert.That(await RunAsync("qemu-img", "compare", "-f", "raw", "-F", driver, Disk.Path, image), Does.Contain("Images are identical."));

    /// <summary>Asks qemu-img whether the disk that was found in an image is this disk.</summary>
    public async Task MustBeTheDiskAsync(QemuDisk found) =>
        Assert.That(await RunAsync("qemu-img", "compare", "-f", "raw", Disk.Path, found.Reference), Does.Contain("Images are identical."));

    public void Dispose()
    {
        _drafts.Dispose();
        Disk.Dispose();
    }
}
