using Crust.Formats;
using Crust.Images;
using Crust.Planning;
using Crust.Reports;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Host;

/// <summary>Whether what a build writes would take the place of something that isn't Crust's own: an input, or another file of the user's.</summary>
internal static class OutputCheck
{
    private const string Elsewhere = "move it away, or choose another folder with --output or another name with --name";

    /// <summary>Checks all names that a build may write under, before anything is done.</summary>
    /// <param name="name">The images' base name.</param>
    /// <exception cref="CrustException">An input, or a file that Crust didn't make, is in the way. Nothing was changed.</exception>
    public static void Check(BuildSpec spec, string name, ImagesFolder shelf)
    {
        try
        {
            var manifest = shelf.LoadManifest(name);
            CheckSource(spec, name, manifest);
            var inputs = InputsOf(spec);
            foreach (var path in shelf.PlacesOf(name, spec.Formats.Select(ImageFormats.Named)))
            {
                CheckPlace(path, inputs, () => shelf.IsOwn(path, name, manifest));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"What is in the images folder can't be looked at: {e.Message}", shelf.Path,
                "make the folder readable, or choose another with --output", e);
        }
    }

    /// <summary>Checks a single name that a command writes under.</summary>
    /// <param name="isOwn">Tells of a regular file there whether Crust has made it.</param>
    /// <exception cref="CrustException">Something that Crust didn't make is in the way.</exception>
    public static void CheckPlace(string path, Func<bool> isOwn) => CheckPlace(path, [], isOwn);

    private static void CheckPlace(string path, IReadOnlyCollection<(string Path, FileFacts Facts)> inputs, Func<bool> isOwn)
    {
        if (FileFacts.TryOf(path, follow: false) is not { } there)
        {
            return;
        }

        // Also through links, of both kinds.
        var target = FileFacts.TryOf(path, follow: true);
        if (inputs.FirstOrDefault(input => input.Facts.IsSameAs(target)) is { Path: { } input })
        {
            throw Bad($"The build would replace one of its own inputs{(input == path ? "" : $", {input}")}", path, "choose another folder with --output, or another name with --name");
        }

        // A link is replaced, and loses nobody anything.
        if (there.Kind is not (FileKind.Link or FileKind.File))
        {
            throw Bad($"Under the name of a file that would be written there is {there.Describe()}", path, Elsewhere);
        }

        if (there.Kind is FileKind.File && !isOwn())
        {
            throw Bad("A file that Crust didn't make would be replaced", path, Elsewhere);
        }
    }

    // A newer version under the same file name is the usual case; another ISO whose name only looks the same without what a file name can't have isn't.
    private static void CheckSource(BuildSpec spec, string name, Manifest? manifest)
    {
        if (spec.Name is null && spec.SourceFile is { } file && manifest?.Origin is { } made && file.Section == made.Kind
            && SourceLibrary.TitleOf(made.Source, spec.HasBase) != SourceLibrary.TitleOf(file.Source, spec.HasBase))
        {
            throw Bad($"The images of another {file.Noun}, {made.Source}, are called '{name}' already, and this build would replace them", file.Shown,
                "give one of the two another name with --name");
        }
    }

    private static List<(string Path, FileFacts Facts)> InputsOf(BuildSpec spec) =>
    [
        .. from path in spec.InputFiles
           from file in Directory.Exists(path) ? Directory.EnumerateFiles(path) : [path]
           let facts = FileFacts.TryOf(file, follow: true)
           where facts is not null
           select (file, facts),
    ];

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
