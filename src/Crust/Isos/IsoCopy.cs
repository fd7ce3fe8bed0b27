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
/// <param name="observer">Hears of progress.</param>
internal sealed partial class IsoCopy(ToolBox tools, IBuildObserver observer)
{
    // Access and modification, which else would make the change of the entry one of now; and that.
    private static readonly string[] AllDates = ["b-c", "c"];

    /// <summary>The stage that its progress belongs to.</summary>
    public Stage Stage { get; init; } = Stage.Install;

    /// <summary>What is put in, for progress.</summary>
    public string Subject { get; init; } = "the seed's files";

    /// <summary>What names the files' places, for errors.</summary>
    public string Key { get; init; } = "seed.files";

    /// <summary>What is to be done about a file whose place is taken.</summary>
    public string Remedy { get; init; } = "give it another name: NAME=FILE";

    /// <summary>
    /// The time of what is put in and of the volume, in seconds since 1970, so that the same files give the same copy, whatever modes they have on this host; null for now, and for the files' own modes.
    /// </summary>
    public long? Epoch { get; init; }

    /// <param name="files">What is put in; a file of the ISO under the same path is replaced.</param>
    /// <param name="copy">Where the copy goes. It has mode 0600, for it may hold secrets.</param>
    /// <exception cref="CrustException">xorriso is missing or failed; or a file's path is a folder in the ISO, or leads through a file.</exception>
    /// <exception cref="IOException">The ISO can't be read, or the copy can't be written.</exception>
    internal async Task WriteAsync(string iso, ImmutableArray<VolumeFile> files, string copy, CancellationToken cancellation)
    {
        bool hasJoliet;
        ImmutableArray<string> folders;
        using (var tree = new IsoTree(iso))
        {
            hasJoliet = tree.HasJoliet;
            foreach (var file in files)
                CheckPlace(tree, file.Name, iso);
            folders = [.. files.SelectMany(file => FoldersOf(file.Name)).Distinct().Where(folder => !tree.Contains(folder))];
        }

        // xorriso keeps the mode of a file that is there, and takes an empty one for a blank medium.
        await PrivateFile.Create(copy).DisposeAsync();
        Progress(0);
        var command = Xorriso.Of(Arguments(iso, files, copy, hasJoliet, Epoch is { } time ? Attributes(time, folders, [.. files.Select(file => file.Name)]) : [])) with { OnLine = Observe };
        await tools.RunAsync(Epoch is null ? command
            : command with { Environment = ImmutableDictionary<string, string>.Empty.Add("SOURCE_DATE_EPOCH", Epoch.Value.ToString(CultureInfo.InvariantCulture)) }, cancellation);
    }

    internal static string[] Arguments(string iso, ImmutableArray<VolumeFile> files, string copy, bool hasJoliet, params IEnumerable<string> attributes) =>
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
        .. attributes,
        // Last: it names files of the ISO, which may be replaced by now.
        "-boot_image", "any", "replay",
    ];

    private static IEnumerable<string> Attributes(long time, ImmutableArray<string> folders, ImmutableArray<string> files) =>
        [.. folders.SelectMany(folder => Mode("0755", folder)), .. files.SelectMany(file => Mode("0644", file)), .. Dates(time, [.. folders, .. files])];

    private static string[] Mode(string mode, string path) => ["-chmod", mode, "/" + path, "--"];

    // "=" and a number are seconds since 1970 (xorriso(1), "Examples of input timestrings").
    private static IEnumerable<string> Dates(long time, IEnumerable<string> paths) => paths.SelectMany(path => AllDates
        .SelectMany(kind => new[] { "-alter_date", kind, string.Create(CultureInfo.InvariantCulture, $"={time}"), "/" + path, "--" }));

    private static IEnumerable<string> FoldersOf(string name)
    {
        for (var slash = name.IndexOf('/'); slash > 0; slash = name.IndexOf('/', slash + 1))
        {
            yield return name[..slash];
        }
    }

    private void CheckPlace(IsoTree tree, string name, string iso)
    {
        for (var slash = name.IndexOf('/'); slash > 0; slash = name.IndexOf('/', slash + 1))
        {
            if (tree.KindOf(name[..slash]) is IsoEntryKind.File)
                throw Bad($"It can't be put into the ISO: '{name[..slash]}' is a file there");
        }

        if (tree.KindOf(name) is IsoEntryKind.Folder)
            throw Bad("It can't be put into the ISO: there is a folder of this name");

        CrustException Bad(string what) => new(FailureKind.BadInput, what, $"{Key}, {name}, {iso}", Remedy);
    }

    private void Observe(string line)
    {
        if (Percentage().Match(line) is { Success: true } match)
            Progress(double.Parse(match.Groups["percent"].Value, CultureInfo.InvariantCulture) / 100);
    }

    private void Progress(double fraction) =>
        observer.Observe(new BuildEvent.Progressed(Stage, null, null, $"copying the installer's ISO with {Subject} in it, {fraction.ToString("P0", CultureInfo.InvariantCulture)}"));

    [GeneratedRegex(@"\Axorriso : UPDATE : +Writing: .* (?<percent>[0-9]{1,3}(\.[0-9])?)%", RegexOptions.ExplicitCapture)]
    private static partial Regex Percentage();
}
