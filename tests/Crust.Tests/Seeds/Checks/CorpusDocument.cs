using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Installers;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds.Checks;

/// <summary>
/// A document of the corpus. Comments at its end say what it is for (`# spec: profile=kairos bus=nvme`) and what is found in it, all of it:
/// `# expect: RULE LINE:COLUMN`, with `warning` behind it for what is no error. A file whose format has no such comments has them in a file beside it, NAME.expect.
/// </summary>
internal sealed partial record CorpusDocument(string Folder, string Name)
{
    public string Path => RepositoryFile.PathOf($"tests/Crust.Tests/Seeds/Corpus/{Folder}/{Name}");

    public static ImmutableArray<CorpusDocument> In(string folder) =>
    [
        .. Directory.EnumerateFiles(RepositoryFile.PathOf($"tests/Crust.Tests/Seeds/Corpus/{folder}"), "*")
            .Where(path => !path.EndsWith(".expect", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(path => new CorpusDocument(folder, System.IO.Path.GetFileName(path)!)),
    ];

    public ImmutableArray<string> Expected => [.. Comments("expect").Order(StringComparer.Ordinal)];

    /// <summary>What the spec around it says, such as `profile`; null for what it doesn't say.</summary>
    public string? this[string key] =>
        Comments("spec").SelectMany(line => line.Split(' ')).Select(word => word.Split('=', 2)).FirstOrDefault(word => word[0] == key)?[1];

    public BuildSpec Spec => new()
    {
        Installer = new InstallerSpec { Iso = this["iso"] == "reference" ? null : "vendor.iso" },
        Seed = new SeedSpec
        {
            Kind = Parse<SeedKind>("kind") ?? SeedKind.Nocloud,
            Substitute = this["substitute"] == "yes",
            Profile = Parse<SeedProfile>("profile"),
            // Without an account in the group admin Kairos doesn't install.
            Ssh = this["profile"] == "kairos" && this["account"] != "none" ? new SshSpec { User = "crust", AuthorizedKeys = [SeedSample.Key] } : new SshSpec(),
            UserData = this["file"] == "network" ? [] : [Path],
            NetworkConfig = this["file"] == "network" ? Path : null,
        },
        Machine = new MachineSpec { DiskBus = Parse<DiskBus>("bus") ?? DiskBus.Virtio, OnReboot = Parse<OnReboot>("on-reboot") ?? OnReboot.Fail },
    };

    /// <summary>What is found in it, in the words of <see cref="Expected"/>.</summary>
    public ImmutableArray<string> Found => [.. Findings.Select(Describe).Order(StringComparer.Ordinal)];

    public ImmutableArray<SeedFinding> Findings => CheckReport.Of(Spec, InstallerSource.ProfileOf(Spec.Installer, "/nowhere")).Findings;

    public override string ToString() => Name;

    private string Describe(SeedFinding finding)
    {
        var place = finding.Place.Source == Path ? $"{finding.Place.Line}:{finding.Place.Column}" : finding.Place.ToString();
        return $"{finding.Rule} {place}{(finding.Severity is SeedSeverity.Warning ? " warning" : "")}";
    }

    private T? Parse<T>(string key)
        where T : struct, Enum => this[key] is { } word ? Enum.GetValues<T>().Single(value => value.LowerName() == word) : null;

    private IEnumerable<string> Comments(string word) => Comment().Matches(File.ReadAllText(File.Exists($"{Path}.expect") ? $"{Path}.expect" : Path)).Where(match => match.Groups[1].Value == word).Select(match => match.Groups[2].Value.Trim());

    [GeneratedRegex("^# (spec|expect): (.*)$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
