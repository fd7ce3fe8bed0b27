using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Tests.Spec;

namespace Crust.Tests;

/// <summary>
/// The order of the rooms: code may use rooms above its own in this list, never one below. A new arrow against the order fails here; so does a type whose
/// name another room has, too.
/// </summary>
public sealed partial class LayeringTests
{
    // The folders of src/Crust; CONTRIBUTING.md says what is in each.
    private static readonly ImmutableArray<string> Order =
    [
        "Sanitizing", "Storage", "Events", "Spec", "Tools", "Oci", "Trees", "Machines", "Disks", "Appliance", "Isos", "Downloads", "Recipes", "Formats", "Bases", "Boards", "Inspection", "Seeds",
        "Installers", "Reports", "Verification", "Attestation", "Sysexts", "Fleet", "Layers", "Images", "Registries", "Content", "Media", "Providers", "Canvos", "Planning", "Host", Story, "Embedding",
    ];

    // The root itself, which tells the story.
    private const string Story = "";

    // What all rooms speak of, and what speaks of none of them.
    private static readonly ImmutableHashSet<string> Vocabulary = ["CrustException.cs", "BuildEvents.cs", "CrustVersion.cs"];

    private static readonly ImmutableArray<SourceFile> Files = SourceFile.AllOf(RepositoryFile.PathOf("src/Crust"));

    [Test]
    public void Each_folder_has_its_place_in_the_order() =>
        Assert.That(Files.Select(file => file.Room).Distinct(), Is.EquivalentTo(Order));

    [Test]
    public void The_guide_for_contributors_has_the_same_order() =>
        Assert.That(RoomPattern().Matches(File.ReadAllText(RepositoryFile.PathOf("CONTRIBUTING.md"))).Select(match => match.Groups["room"].Value), Is.EqualTo(Order));

    [Test]
    public void Rooms_know_each_other_in_one_direction()
    {
        var types = Files.SelectMany(file => file.Types.Select(type => (type, file.Room))).ToLookup(entry => entry.type, entry => entry.Room);
        var wrong = Files.SelectMany(file => file.RoomsUsed(Order, types).Where(room => Order.IndexOf(room) > Order.IndexOf(file.Room)).Select(room => $"{file.Path} uses {room}"));

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void No_room_knows_the_story()
    {
        var story = Files.Where(file => file.Room == Story && !Vocabulary.Contains(Path.GetFileName(file.Path))).SelectMany(file => file.Types).ToHashSet();
        var wrong = Files.Where(file => file.Room != Story && file.Room != "Embedding" || Vocabulary.Contains(Path.GetFileName(file.Path)))
            .SelectMany(file => file.Words.Where(story.Contains).Select(type => $"{file.Path} knows {type}"));

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void What_all_rooms_speak_of_speaks_of_none() =>
        Assert.That(Files.Where(file => file.Room == Story && Vocabulary.Contains(Path.GetFileName(file.Path))).SelectMany(file => file.Usings), Is.Empty);

    [Test]
    public void No_two_rooms_have_a_type_of_the_same_name()
    {
        var twice = Files.SelectMany(file => file.Types.Select(type => (type, file.Room))).Distinct().GroupBy(entry => entry.type)
            .Where(group => group.Count() > 1).Select(group => $"{group.Key} in {string.Join(" and ", group.Select(entry => entry.Room))}");

        Assert.That(twice, Is.Empty);
    }

    // A row of the table of rooms: | `Spec` | …; the root has no name.
    [GeneratedRegex(@"^\| (`(?<room>[A-Z]\w+)`|the (?<room>)root) \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex RoomPattern();

    private sealed partial record SourceFile(string Path, string Room, string Code)
    {
        public IEnumerable<string> Usings => UsingPattern().Matches(Code).Select(match => match.Groups["room"].Value);

        public IEnumerable<string> Types => TypePattern().Matches(Code).Select(match => match.Groups["name"].Value);

        public IEnumerable<string> Words => WordPattern().Matches(Code).Select(match => match.Value).Distinct();

        public static ImmutableArray<SourceFile> AllOf(string root) =>
        [
            .. Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories).Select(path => System.IO.Path.GetRelativePath(root, path))
                .Select(path => new SourceFile(path, path.Contains('/') ? path.Split('/')[0] : Story, CommentPattern().Replace(File.ReadAllText(System.IO.Path.Combine(root, path)), ""))),
        ];

        // By a using line, or by a qualified name, which needs none: Spec.Size.
        public IEnumerable<string> RoomsUsed(ImmutableArray<string> rooms, ILookup<string, string> types) => Usings
            .Concat(QualifiedPattern().Matches(Code).Where(match => types[match.Groups["type"].Value].Contains(match.Groups["room"].Value)).Select(match => match.Groups["room"].Value))
            .Where(room => rooms.Contains(room)).Distinct();

        [GeneratedRegex(@"^using (static |\w+ = )?Crust\.(?<room>\w+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
        private static partial Regex UsingPattern();

        [GeneratedRegex(@"^(public |internal |static |sealed |abstract |readonly |partial )+(record struct|record|class|interface|enum|struct) (?<name>\w+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
        private static partial Regex TypePattern();

        [GeneratedRegex(@"(?<![\w.])(Crust\.)?(?<room>[A-Z]\w+)\.((?:[A-Z]\w+)\.)*?(?<type>[A-Z]\w+)\b", RegexOptions.ExplicitCapture)]
        private static partial Regex QualifiedPattern();

        [GeneratedRegex(@"\b[A-Z]\w+\b")]
        private static partial Regex WordPattern();

        [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
        private static partial Regex CommentPattern();
    }
}
