using System.Collections.Immutable;
using System.Globalization;
using Crust.Appliance;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Installers;

/// <summary>
/// Builds the root file system that the reference installer installs, as a squashfs. It is cached by itself: it takes the most time by far, and
/// most changes to an installer are to its scripts.
/// </summary>
/// <param name="tools">Needs mmdebstrap and mksquashfs.</param>
/// <param name="source">`builder/reference/system`, for the architecture that is wanted.</param>
internal sealed class DebianRoot(ToolBox tools, BuildCache cache, BuilderFolder source)
{
    /// <summary>Changes whenever this code would make something else from the same files.</summary>
    private const string Version = "1";

    private const string Kind = "roots";

    /// <param name="Squashfs">The squashfs' path.</param>
    /// <param name="SizeFile">A file with the number of bytes that it unpacks to, about, as a file system counts them.</param>
    public sealed record Result(string Squashfs, string SizeFile);

    /// <summary>What decides its content, 64 hex digits.</summary>
    public string Key => BuilderFolder.Key([source], "root", Version, Mmdebstrap.Suite, source.Arch.ToString());

    /// <summary>The root file system, from the cache if it is there.</summary>
    /// <exception cref="CrustException">A tool is missing or failed, or this host runs no programs of the architecture.</exception>
    public async Task<Result> GetAsync(Action<double?, string> progress, CancellationToken cancellation)
    {
        using var entry = await cache.OpenAsync(Kind, Key, _ => progress(null, "waiting for another build that makes the operating system"), cancellation);
        var folder = entry.Found ?? await BuildAsync(entry, progress, cancellation);
        return new Result(Path.Combine(folder, "root.squashfs"), Path.Combine(folder, "root.size"));
    }

    private async Task<string> BuildAsync(CacheEntry entry, Action<double?, string> progress, CancellationToken cancellation)
    {
        var folder = entry.Draft;
        await ForeignPrograms.CheckAsync(tools, source.Arch, cancellation);
        await WriteOverlayAsync(Path.Combine(folder, "overlay.tar"), cancellation);
        File.Copy(source.PathOf("finish.sh"), Path.Combine(folder, "finish.sh"));
        await tools.RunAsync(new Mmdebstrap
        {
            Variant = "minbase",
            Arch = source.Arch,
            // For arm64, finish.sh makes it once the overlay is there: that says which drivers are wanted.
            MakesInitramfs = source.Arch is Arch.Amd64,
            Packages = source.List("packages.list"),
            Exclude = source.List("exclude.list"),
            Folder = folder,
            Output = "root.tar",
            Overlay = "overlay.tar",
            Script = "finish.sh",
        }.Command((fraction, detail) => progress(fraction * 0.8, detail)), cancellation);

        progress(0.8, "compressing the operating system");
        var tar = Path.Combine(folder, "root.tar");
        await tools.RunAsync(ToolCommand.Of("mksquashfs", "-", Path.Combine(folder, "root.squashfs"), "-tar",
            "-comp", "zstd", "-Xcompression-level", "9", "-b", "256K", "-quiet", "-no-progress") with
        {
            InputFile = tar,
            Environment = ImmutableDictionary<string, string>.Empty
                .Add("SOURCE_DATE_EPOCH", Mmdebstrap.Epoch.ToString(CultureInfo.InvariantCulture)),
        }, cancellation);
        var size = new FileInfo(tar).Length.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(Path.Combine(folder, "root.size"), size + "\n", cancellation);
        File.Delete(tar);
        return entry.Keep();
    }

    private async Task WriteOverlayAsync(string path, CancellationToken cancellation)
    {
        await using var stream = File.Create(path);
        await source.WriteOverlayAsync("root", stream, Mmdebstrap.Epoch, cancellation);
    }
}
