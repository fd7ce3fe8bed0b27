using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Seeds.Volumes;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>
/// Checks the names of the user's extra files: that the file system where they go can hold them, for all of its readers, and that no two of
/// them are one there.
/// </summary>
internal static partial class SeedFileNames
{
    // Of Rock Ridge, by Linux' own limit; and of Joliet, as xorriso writes it (-joliet-long).
    private const int MostRockRidgeBytes = 255;
    private const int MostJolietCharacters = 103;
    private const int MostFatCharacters = 255;

    private const string NotInJoliet = "*/:;?\\";
    private const string NotInFat = "\"*/:<>?\\|";

    /// <exception cref="CrustException"><see cref="FailureKind.BadInput"/>: a name can't be used.</exception>
    public static void Check(SeedRequest request, SeedContents contents)
    {
        var spec = request.Spec;
        if (spec.Seed.Files.IsEmpty || (contents.Carrier is not SeedCarrier.Iso && contents.Label is null))
            return;

        var isFat = contents.Carrier is not SeedCarrier.Iso && spec.Seed.FileSystem is SeedFileSystem.Vfat;
        foreach (var file in spec.Seed.Files)
        {
            foreach (var part in file.Name.Split('/'))
            {
                if ((isFat ? WhyNotInFat(part) : WhyNotInIso(part)) is { } why)
                    throw Bad(file.Name, $"'{part}' {why}, so {(isFat ? "a vfat volume" : "an ISO")} can't hold it for all readers",
                        isFat ? "give it another name (NAME=FILE), or set seed.fileSystem to iso9660" : "give it another name: NAME=FILE");
            }
        }

        if (isFat && request.Files.ExtraFiles.FirstOrDefault(file => file.Size > FatVolume.LargestFile) is { } large)
            throw Bad(large.Path, $"It has {Size.Format(large.Size)}, and a file on vfat has less than {Size.Format(FatVolume.LargestFile + 1)}", "set seed.fileSystem to iso9660");
        CheckCollisions(spec.Seed.Files, contents, Bad);

        CrustException Bad(string name, string what, string remedy) =>
            new(FailureKind.BadInput, what, $"{spec.Origins.GetValueOrDefault("seed.files", "seed.files")}, {name}", remedy);
    }

    // FAT's names, and Joliet's on other systems than Linux, are the same in capitals and in small letters.
    private static void CheckCollisions(ImmutableArray<ExtraFile> files, SeedContents contents, Func<string, string, string, CrustException> bad)
    {
        var taken = contents.Carrier is SeedCarrier.Volume or SeedCarrier.Iso
            ? contents.Documents.Select(document => (document.Name, Whose: "the seed's own")).ToList()
            : [];
        foreach (var file in files)
        {
            foreach (var (name, whose) in taken)
            {
                if (name.Equals(file.Name, StringComparison.OrdinalIgnoreCase))
                    throw bad(file.Name, $"It has the name of {whose} '{name}'", "give it another name: NAME=FILE");
                if (IsBelow(file.Name, name) || IsBelow(name, file.Name))
                    throw bad(file.Name, $"It and {whose} '{name}' need the same name for a file and for a folder", "give it another name: NAME=FILE");
            }

            taken.Add((file.Name, "another file's"));
        }
    }

    private static bool IsBelow(string name, string folder) => name.StartsWith(folder + "/", StringComparison.OrdinalIgnoreCase);

    private static string? WhyNotInIso(string part) =>
        Encoding.UTF8.GetByteCount(part) > MostRockRidgeBytes || part.Length > MostJolietCharacters ? $"has more than {MostJolietCharacters} characters"
        : part.FirstOrDefault(NotInJoliet.Contains) is not '\0' and var c ? $"has the character {c}"
        : part.Any(char.IsSurrogate) ? "has a character beyond U+FFFF"
        : null;

    // Beyond ASCII, it would depend on a code page what a short name means.
    private static string? WhyNotInFat(string part) =>
        part.Length > MostFatCharacters ? $"has more than {MostFatCharacters} characters"
        : part.FirstOrDefault(NotInFat.Contains) is not '\0' and var c ? $"has the character {c}"
        : part.Any(c => !char.IsAscii(c)) ? "has a character beyond ASCII"
        : part[^1] is '.' or ' ' ? "ends with a dot or a blank"
        : DosDevice().IsMatch(part) ? "is the name of a DOS device"
        : null;

    [GeneratedRegex(@"\A(con|prn|aux|nul|clock\$|com[1-9]|lpt[1-9])(\.|\z)", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex DosDevice();
}
