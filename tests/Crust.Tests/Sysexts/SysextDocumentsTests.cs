using System.Text.Json.Nodes;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Tests.Cli;
using Crust.Tests.Recipes;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Sysexts;

/// <summary>What says what is in an extension and where that comes from: its SBOM, its provenance, and the signature.</summary>
[CancelAfter(300_000)]
public sealed class SysextDocumentsTests
{
    private const string Version = "1.36.4";
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    private readonly StandIn _upstream = new();
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public void Serve() => _upstream.CopyShipped("", "kubernetes", "cni-plugins", "crictl");

    [OneTimeTearDown]
    public void Close() => _upstream.Dispose();

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-documents-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task They_name_a_recipe_with_all_that_belongs_to_it_and_upstreams_files_with_their_digests()
    {
        var run = await BuildAsync("kubernetes", "--recipes", _upstream.Recipes, "--mirror", _upstream.MirrorUrl);
        var (sbom, provenance) = (Json($"kubernetes-{Version}-x86-64.sbom.spdx.json"), Json($"kubernetes-{Version}-x86-64.provenance.json"));
        var packages = sbom["packages"]!.AsArray();
        var related = sbom["relationships"]!.AsArray().Select(one => ((string)one!["spdxElementId"]!, (string)one["relationshipType"]!, (string)one["relatedSpdxElement"]!)).ToList();
        var built = await BuiltAsync();

        Assert.That(packages.Take(1).Select(one => $"{one!["name"]} {one["versionInfo"]} {one["packageFileName"]} {one["checksums"]![0]!["checksumValue"]}"), Is.EqualTo(new[] { $"kubernetes {Version} kubernetes-{Version}-x86-64.raw {run.Output.Split(' ')[0]}" }));
        Assert.That(packages.Where(one => one!["licenseDeclared"]!.GetValue<string>() == "Apache-2.0").Select(one => $"{one!["name"]} {one["versionInfo"]}"), Is.EqualTo(built.Picks.Select(pick => pick.Label)));
        Assert.That(packages.Where(one => one!["packageFileName"] is not null).Skip(1).Select(one => $"{one!["downloadLocation"]} {one["checksums"]![0]!["checksumValue"]}"), Is.EquivalentTo(built.Sources.Select(source => $"{source.Url.AbsoluteUri} {source.Sha256}")));
        Assert.That(built.Sources.Select(source => source.Url.Host), Is.All.Not.EqualTo("127.0.0.1"), "where upstream has it, and not the mirror");
        Assert.That(related.Count(one => one.Item2 == "CONTAINS" && one.Item1 == "SPDXRef-Extension"), Is.EqualTo(3));
        Assert.That(related.Where(one => one.Item2 == "GENERATED_FROM").Select(one => one.Item3), Is.EquivalentTo(packages.Where(one => one!["packageFileName"] is not null).Skip(1).Select(one => (string)one!["SPDXID"]!)));

        var predicate = provenance["predicate"]!;
        Assert.That($"{provenance["subject"]![0]!["name"]} {provenance["subject"]![0]!["digest"]!["sha256"]}", Is.EqualTo($"kubernetes-{Version}-x86-64.raw {run.Output.Split(' ')[0]}"));
        Assert.That(predicate["buildDefinition"]!["resolvedDependencies"]!.AsArray().Where(one => one!["digest"]?["sha256"] is not null).Select(one => $"{one!["uri"]} {one["digest"]!["sha256"]}"), Is.EquivalentTo(built.Sources.Select(source => $"{source.Url.AbsoluteUri} {source.Sha256}")));
        Assert.That((string?)predicate["runDetails"]!["byproducts"]![0]!["digest"]!["sha256"], Is.EqualTo(StandIn.Sum(File.ReadAllBytes(PathOf($"kubernetes-{Version}-x86-64.sbom.spdx.json")))));
        await AssertIsSpdxAsync(PathOf($"kubernetes-{Version}-x86-64.sbom.spdx.json"));
    }

    [Test]
    public async Task The_list_is_the_same_bytes_twice_and_that_of_a_folder_has_a_digest_of_all_in_it()
    {
        var source = await SourceAsync("one");
        await BuildAsync(source);
        var first = File.ReadAllBytes(PathOf("tool.sbom.spdx.json"));
        await BuildAsync(source);

        Assert.That(File.ReadAllBytes(PathOf("tool.sbom.spdx.json")), Is.EqualTo(first));
        Assert.That((string?)Json("tool.sbom.spdx.json")["packages"]![2]!["checksums"]![0]!["checksumValue"], Has.Length.EqualTo(64));
        await SourceAsync("two");
        await BuildAsync(source);
        Assert.That(File.ReadAllBytes(PathOf("tool.sbom.spdx.json")), Is.Not.EqualTo(first));
        await AssertIsSpdxAsync(PathOf("tool.sbom.spdx.json"));
    }

    [Test]
    public async Task An_extension_is_proven_by_the_signature_of_its_provenance_and_none_is_left_of_one_before()
    {
        var key = Path.Combine(_folder, "key");
        await Tools.RunAsync(ToolCommand.Of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key), Cancellation);
        var allowed = Path.Combine(_folder, "allowed");
        File.WriteAllText(allowed, $"builds@example.org namespaces=\"crust-provenance\" {File.ReadAllText(key + ".pub")}");
        var source = await SourceAsync("one");

        await BuildAsync(source, "--sign-key", key);
        var proven = await CommandLineRun.OfAsync("verify", "--signature", allowed, PathOf("tool.raw"));
        File.AppendAllText(PathOf("tool.raw"), "x");
        var changed = await CommandLineRun.OfAsync("verify", "--signature", allowed, PathOf("tool.raw"));
        var wrong = await CommandLineRun.OfAsync("sysext", "build", source, "--output", Path.Combine(_folder, "none"), "--sign-key", allowed);
        await BuildAsync(source);

        Assert.That((proven.Code, proven.Output), Is.EqualTo((0, proven.Output)), proven.Error);
        Assert.That(proven.Output, Does.Contain("signed by builds@example.org"));
        Assert.That((changed.Code, changed.Error), Is.EqualTo((2, changed.Error)));
        Assert.That(changed.Error, Does.Contain("isn't the one that the provenance is about"));
        Assert.That((wrong.Code, Path.Exists(Path.Combine(_folder, "none"))), Is.EqualTo((2, false)));
        Assert.That(Directory.EnumerateFiles(Path.Combine(_folder, "out")).Select(path => Path.GetFileName(path)), Is.EquivalentTo(new[] { "tool.raw", "tool.sbom.spdx.json", "tool.provenance.json" }));
    }

    private async Task<CommandLineRun> BuildAsync(params string[] arguments)
    {
        var run = await CommandLineRun.OfAsync(["sysext", "build", .. arguments, "--output", Path.Combine(_folder, "out")]);
        Assert.That(run.Code, Is.Zero, run.Error);
        return run;
    }

    private Task<BuiltRecipe> BuiltAsync() =>
        _upstream.Trees.BuildAsync(_upstream.Book, LockFile.Empty(Path.Combine(_folder, "none.lock")), new RecipeWish("kubernetes", null, Arch.Amd64, Crust.Recipes.RecipeUse.Sysext), _upstream.Mirrors, Cancellation);

    private async Task<string> SourceAsync(string text)
    {
        var source = Path.Combine(_folder, "tool");
        Directory.CreateDirectory(Path.Combine(source, "usr", "share"));
        await File.WriteAllTextAsync(Path.Combine(source, "usr", "share", "tool"), text, Cancellation);
        return source;
    }

    private string PathOf(string file) => Path.Combine(_folder, "out", file);

    private JsonNode Json(string file) => JsonNode.Parse(File.ReadAllText(PathOf(file)))!;

    private static async Task AssertIsSpdxAsync(string file)
    {
        const string validate = "import json, sys, jsonschema; jsonschema.Draft7Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2]))); print('valid')";
        var result = await Tools.RunAsync(ToolCommand.Of("python3", "-c", validate, RepositoryFile.PathOf("tests/Crust.Tests/Attestation/Schemas/spdx-2.3.json"), file) with { SuccessCodes = [0, 1] }, Cancellation);
        Assert.That(result.Output, Is.EqualTo("valid\n"), result.Error);
    }
}
