using System.Collections.Immutable;
using Crust.Isos;
using Crust.Seeds.Volumes;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Seeds;

/// <summary>
/// Writes a seed as the volume that installers look for, by its label: ISO 9660 with Joliet and Rock Ridge, or FAT.
/// </summary>
/// <param name="tools">Runs xorriso, or mtools.</param>
internal sealed class SeedVolume(ToolBox tools)
{
    /// <summary>The file name of an ISO 9660 volume.</summary>
    public const string IsoFileName = "seed.iso";

    /// <summary>The file name of a FAT volume.</summary>
    public const string FatFileName = "seed.img";

    /// <param name="folder">An existing folder that only this user can enter; a volume of an earlier call is replaced.</param>
    /// <returns>The volume's path. It has mode 0600, for it holds secrets.</returns>
    /// <exception cref="ToolMissingException">A tool isn't installed.</exception>
    /// <exception cref="ToolFailedException">A tool failed.</exception>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    public async Task<string> CreateAsync(Seed seed, string folder, CancellationToken cancellation)
    {
        var label = seed.Label ?? throw new ArgumentException("The seed has no volume.", nameof(seed));
        try
        {
            using var staged = StagedDocuments.Write(seed.Carrier is SeedCarrier.Volume ? seed.Documents : [], folder);
            ImmutableArray<VolumeFile> files = [.. staged.Files, .. seed.Files.Select(file => new VolumeFile(file.Name, file.Path))];
            return seed.FileSystem is SeedFileSystem.Vfat
                ? await WriteFatAsync(label, files, Path.Combine(folder, FatFileName), cancellation)
                : await WriteIsoAsync(label, files, Path.Combine(folder, IsoFileName), cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The seed volume can't be written: {e.Message}", folder, "make room there, and the folder writable", e);
        }
    }

    private async Task<string> WriteIsoAsync(string label, ImmutableArray<VolumeFile> files, string volume, CancellationToken cancellation)
    {
        // xorriso keeps the mode of a file that is there, and takes an empty one for a blank medium.
        await PrivateFile.Create(volume).DisposeAsync();
        await tools.RunAsync(Xorriso.Of(Arguments(label, files, volume)), cancellation);
        return volume;
    }

    private async Task<string> WriteFatAsync(string label, ImmutableArray<VolumeFile> files, string volume, CancellationToken cancellation)
    {
        var size = FatVolume.SizeFor(files);
        await using (var file = PrivateFile.Create(volume))
            file.SetLength(size);

        foreach (var command in FatVolume.Commands(label, files, volume, size))
            await tools.RunAsync(command, cancellation);
        return volume;
    }

    internal static string[] Arguments(string label, ImmutableArray<VolumeFile> files, string volume) =>
    [
        "-no_rc",
        "-as", "mkisofs",
        "-quiet",
        "-volid", label,
        "-joliet", "-joliet-long", "-rock",
        // Files of 4 GiB and more are several extents.
        "-iso-level", "3",
        "-uid", "0", "-gid", "0",
        // What a link stands for, not the link.
        "-f",
        "-o", volume,
        "-graft-points",
        .. files.Select(file => Xorriso.Graft("/" + file.Name, file.OnHost)),
    ];
}
