using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Isos;

/// <summary>
/// Copies installer ISOs with files put in. What makes the ISO bootable stays as it is, from a CD and from a USB stick: xorriso repeats the El Torito
/// entries, the MBR, the GPT and the appended partitions that it finds.
/// </summary>
/// <param name="tools">Runs xorriso.</param>
/// <param name="observer">Hears of progress in the stage <see cref="Stage.Install"/>.</param>
internal sealed partial class IsoCopy(ToolBox tools, IBuildObserver observer)
{
    /// <param name="files">What is put in; a file of the ISO under the same path is replaced.</param>
    /// <param name="copy">Where the copy goes. It has mode 0600, for it may hold secrets.</param>
    /// <exception cref="CrustException">xorriso is missing or failed; or a file's path is a folder in the ISO, or leads through a file.</exception>
    /// <exception cref="IOException">The ISO can't be read, or the copy can't be written.</exception>
    internal async Task WriteAsync(string iso, ImmutableArray<VolumeFile> files, string copy, CancellationToken cancellation)
    {
        bool hasJoliet;
        using (var tree = new IsoTree(iso))
        {
            hasJoliet = tree.HasJoliet;
            foreach (var file in files)
                CheckPlace(tree, file.Name, iso);
        }

        // xorriso keeps the mode of a file that is there, and takes an empty one for a blank medium.
        await PrivateFile.Create(copy).DisposeAsync();
        Progress(0);
        await tools.RunAsync(Xorriso.Of(Arguments(iso, files, copy, hasJoliet)) with { OnLine = Observe }, cancellation);
    }

    internal static string[] Arguments(string iso, ImmutableArray<VolumeFile> files, string copy, bool hasJoliet) =>
    [
        "-no_rc",
        "-indev", iso,
        "-outdev", copy,
        // Read, but not written again of itself.
        "-joliet", hasJoliet ? "on" : "off",
        "-follow", "param:link",
        .. files.SelectMany(file => new[]
        {
            "-map", file.OnHost, "/" + file.Name,
            "-chown", "0", "/" + file.Name, "--",
            "-chgrp", "0", "/" + file.Name, "--",
        }),
        // Last: it names files of the ISO, which may be replaced by now.
        "-boot_image", "any", "replay",
    ];

    private static void CheckPlace(IsoTree tree, string name, string iso)
    {
        for (var slash = name.IndexOf('/'); slash > 0; slash = name.IndexOf('/', slash + 1))
        {
            if (tree.KindOf(name[..slash]) is IsoEntryKind.File)
                throw Bad($"It can't be put into the ISO: '{name[..slash]}' is a file there");
        }

        if (tree.KindOf(name) is IsoEntryKind.Folder)
            throw Bad("It can't be put into the ISO: there is a folder of this name");

        CrustException Bad(string what) => new(FailureKind.BadInput, what, $"seed.files, {name}, {iso}", "give it another name: NAME=FILE");
    }

    private void Observe(string line)
    {
        if (Percentage().Match(line) is { Success: true } match)
            Progress(double.Parse(match.Groups["percent"].Value, CultureInfo.InvariantCulture) / 100);
    }

    private void Progress(double fraction) =>
        observer.Observe(new BuildEvent.Progressed(Stage.Install, null, null, $"copying the installer's ISO with the seed's files in it, {fraction.ToString("P0", CultureInfo.InvariantCulture)}"));

    [GeneratedRegex(@"\Axorriso : UPDATE : +Writing: .* (?<percent>[0-9]{1,3}(\.[0-9])?)%", RegexOptions.ExplicitCapture)]
    private static partial Regex Percentage();
}
