using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Formats;
using Crust.Tests.Spec;

namespace Crust.Tests.Formats;

/// <summary>What is special about a format stands in its own file: no other code knows one by its name or its types. So a new one is a new file and its line in the list.</summary>
public sealed partial class FormatKnowledgeTests
{
    // What stands outside, with the reason. A name that isn't found there any more has to go from this list.
    private static readonly ImmutableArray<(string File, string Name, string Reason)> Allowed =
    [
        ("Crust/Spec/BuildSpec.cs", "img", "the default of the user's key formats"),
        ("Crust/Spec/SpecKeys.cs", "qcow2", "the user's key qcow2.compression, and its description"),
        ("Crust/Spec/SpecKeys.cs", "kubevirt", "the description of qcow2.compression"),
        ("Crust/Attestation/ImageCheck.cs", "vmdk", "an example of a path in a message"),
        ("Crust/Verification/BootVerifier.cs", "vmdk", "an example of a path in a message"),
        ("Crust/Embedding/Embedder.cs", "rootfs", "the user's key base.rootfs"),
        ("Crust/Providers/ProviderImage.cs", "rootfs", "a key of an OCI image's configuration"),
        ("Crust/Embedding/Embedder.cs", "iso", "the name of the folder for installers"),
        ("Crust.Cli/Commands/InstallerCommand.cs", "iso", "the name of the folder for installers"),
        ("Crust/Seeds/Checks/KeyHomes.cs", "iso", "a key of cloud-configs"),
        ("Crust/Reports/Page/TraceSection.cs", "img", "a role in HTML"),
    ];

    // These folders of Formats/ serve several formats, and others than formats.
    private static readonly ImmutableHashSet<string> Shared = ["Crust.Formats", "Crust.Formats.Archives", "Crust.Formats.Splicing", "Crust.Formats.Zstd"];

    private static readonly ImmutableArray<(string Path, string Code)> Sources =
    [
        .. new[] { "src/Crust", "src/Crust.Cli" }.Select(RepositoryFile.PathOf).SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(RepositoryFile.PathOf("src"), path)).Where(path => !path.StartsWith("Crust/Formats/", StringComparison.Ordinal) && !path.Contains("/obj/"))
            .Select(path => (path, CommentPattern().Replace(File.ReadAllText(RepositoryFile.PathOf($"src/{path}")), ""))),
    ];

    [Test]
    public void No_other_code_knows_a_format_by_its_name()
    {
        var found = Sources.SelectMany(source => ImageFormats.Readable.Where(kind => NamePattern(kind.Name).IsMatch(source.Code)).Select(kind => $"{kind.Name} in {source.Path}")).ToList();

        Assert.That(found, Is.EquivalentTo(Allowed.Select(allowed => $"{allowed.Name} in {allowed.File}")), "Ask the format (IImageFormat) instead; or the allow-list above has an entry too many.");
    }

    [Test]
    public void No_other_code_knows_a_formats_types()
    {
        var types = typeof(IImageFormat).Assembly.GetTypes()
            .Where(type => !type.IsNested && type.Namespace is { } room && room.StartsWith("Crust.Formats", StringComparison.Ordinal))
            .Where(type => !Shared.Contains(type.Namespace!) || type.IsClass && type.IsAssignableTo(typeof(IImageKind)))
            .Select(type => type.Name).ToHashSet();

        Assert.That(types, Does.Contain("KubeVirtFormat").And.Contain("ContainerDisk").And.Contain("VdiKind").And.Contain("Qcow2Header"));
        Assert.That(Sources.SelectMany(source => WordPattern().Matches(source.Code).Select(match => match.Value).Where(types.Contains).Distinct().Select(type => $"{type} in {source.Path}")), Is.Empty);
    }

    [Test]
    public void Each_kind_of_image_has_a_name_and_each_driver_a_check_of_its_header()
    {
        Assert.That(ImageFormats.Readable.Select(kind => kind.Name), Is.Unique);
        foreach (var driver in ImageFormats.Readable.Select(kind => kind.QemuDriver).Where(driver => driver is not (null or QemuDisk.Raw)).Distinct())
        {
            Assert.That(ImageFormats.Readable.Count(kind => kind.QemuDriver == driver && kind.HeaderCheck is not null), Is.EqualTo(1), driver);
        }
    }

    // iso, img and rootfs are words of others as well, as names of variables and keys: only as a whole text are they a format's name. The others are nobody else's.
    private static Regex NamePattern(string name) => name is "iso" or "img" or "rootfs" ? new Regex($"\"{name}\"") : new Regex($@"(?<!\w){Regex.Escape(name)}(?!\w)");

    [GeneratedRegex(@"(?<!:)//.*$", RegexOptions.Multiline)]
    private static partial Regex CommentPattern();

    [GeneratedRegex(@"\b[A-Z]\w+\b")]
    private static partial Regex WordPattern();
}
