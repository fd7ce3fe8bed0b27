using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Installers;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds.Checks;

/// <summary>
/// One of many small documents in a file of Corpus/collections. Each begins with `=== NAME | WORDS | SOURCE`: the words say what the spec around it is (`profile=kairos kind=embedded account=none disk=400G`),
/// the source which code or page says what is right. What is found in it stands in comments below it, as in <see cref="CorpusDocument"/>.
/// </summary>
internal sealed partial record CollectionDocument(string File, string Name, string Words, string Source, string Text)
{
    public static ImmutableArray<CollectionDocument> In(string kind) =>
    [
        .. from path in Directory.EnumerateFiles(RepositoryFile.PathOf("tests/Crust.Tests/Seeds/Corpus/collections"), $"*-{kind}.txt").Order(StringComparer.Ordinal)
           from part in System.IO.File.ReadAllText(path).Split("=== ", StringSplitOptions.RemoveEmptyEntries)
           let head = part.Split('\n', 2)
           let fields = head[0].Split('|', StringSplitOptions.TrimEntries)
           select new CollectionDocument(Path.GetFileName(path)!, fields[0], fields[1], fields[2], head[1]),
    ];

    public IEnumerable<string> Expected => Comment().Matches(Text).Select(match => match.Groups[1].Value.Trim()).Order(StringComparer.Ordinal);

    /// <summary>What is found in it, in the words of <see cref="Expected"/>.</summary>
    public IEnumerable<string> FoundIn(SeedSample sample)
    {
        var path = sample.Write("user-data.yaml", Comment().Replace(Text, ""));
        var spec = new BuildSpec
        {
            Installer = new InstallerSpec { Iso = "vendor.iso" },
            Seed = new SeedSpec
            {
                Kind = Parse<SeedKind>("kind") ?? SeedKind.Nocloud,
                Profile = Parse<SeedProfile>("profile"),
                UserData = [path],
                Ssh = this["profile"] is "kairos" && this["account"] is not "none" ? new SshSpec { User = "crust", AuthorizedKeys = [SeedSample.Key] } : new SshSpec(),
                Palette = this["profile"] is "stylus" ? SeedSample.Full.Palette with { RegistrationUrl = null } : new PaletteSpec(),
            },
            Machine = Size.TryParse(this["disk"] ?? "", out var disk) ? new MachineSpec { Disk = disk } : new MachineSpec(),
        };
        return CheckReport.Of(spec, InstallerSource.ProfileOf(spec.Installer, "/nowhere")).Findings.Select(finding =>
            $"{finding.Rule} {(finding.Place.Source == path ? $"{finding.Place.Line}:{finding.Place.Column}" : $"{finding.Place}")}{(finding.Severity is SeedSeverity.Warning ? " warning" : "")}").Order(StringComparer.Ordinal);
    }

    public override string ToString() => $"{File}: {Name}";

    private string? this[string key] => Words.Split(' ').Select(word => word.Split('=', 2)).FirstOrDefault(word => word[0] == key)?[1];

    private T? Parse<T>(string key)
        where T : struct, Enum => this[key] is { } word ? Enum.GetValues<T>().Single(value => value.LowerName() == word) : null;

    [GeneratedRegex("^# expect: (.*)\n?", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
