using Crust.Layers;
using Crust.Spec;
using Crust.Tests.Recipes;

namespace Crust.Tests.Layers;

/// <summary>Recipes as layers, from a stand-in of upstream's server.</summary>
[CancelAfter(60_000)]
public sealed class RecipeLayerTests
{
    private static readonly Uri Url = new("https://example.org/v1.2.3/tool");

    private StandIn _upstream = null!;

    [SetUp]
    public void SetUp()
    {
        _upstream = new StandIn();
        File.WriteAllText(Path.Combine(_upstream.Folder, "crust.mirrors.yaml"), $"mirrors:\n  https://example.org/: {_upstream.MirrorUrl.TrimEnd('/')}/example.org/\n");
        Serve("#!/bin/sh\nexec sleep infinity\n");
    }

    [TearDown]
    public void TearDown() => _upstream.Dispose();

    [Test]
    public async Task A_recipe_comes_with_its_files_and_its_unit_enabled_and_is_fetched_only_when_it_is_put_on()
    {
        WriteRecipe();
        var layer = Read("tool");

        Assert.That(_upstream.Requests, Is.Empty, "its digest is known without upstream");
        var tree = (await layer.Recipe!.BuildAsync(_upstream.Trees, CancellationToken.None)).Tree;
        Assert.That(tree.Find("usr/bin/tool")!.Mode, Is.EqualTo((UnixFileMode)0x1ed));
        Assert.That(tree.Find("usr/lib/systemd/system/multi-user.target.wants/tool.service")!.LinkTarget, Is.EqualTo("../tool.service"));
    }

    [Test]
    public void Its_digest_is_that_of_the_recipe_its_version_and_the_sums()
    {
        WriteRecipe();
        var first = Read("tool").Digest;
        Assert.That(Read("tool", "1.2.3").Digest, Is.EqualTo(first));

        WriteRecipe(summary: "Another tool");
        var summary = Read("tool").Digest;
        Serve("other");
        WriteRecipe();
        Assert.That(new[] { first, summary, Read("tool").Digest }, Is.Unique);
    }

    [Test]
    public void A_recipe_a_version_and_an_architecture_that_are_not_there_are_refused_with_the_layers_place()
    {
        WriteRecipe();
        CrustException Fails(string name, string? version = null, Arch arch = Arch.Amd64) => Assert.Throws<CrustException>(() => Read(name, version, arch))!;

        Assert.That((Fails("tol").What, Fails("tol").Remedy), Is.EqualTo(("There is no recipe 'tol'", "did you mean 'tool'?")));
        Assert.That(Fails("tool", "9.9").What, Is.EqualTo("The recipe tool doesn't pin version 9.9"));
        Assert.That(Fails("tool", "1.2.4").What, Does.Contain("1.2.4"));
        Assert.That(Fails("tool", arch: Arch.Arm64).What, Does.Contain("arm64"));
        Assert.That(Fails("tol").Where, Does.StartWith("crust.yaml:2:5, layers[0]: "));
    }

    private void Serve(string content) => _upstream.Files[StandIn.PathOf(Url)] = System.Text.Encoding.UTF8.GetBytes(content);

    private void WriteRecipe(string summary = "A tool") => File.WriteAllText(Path.Combine(_upstream.Recipes, "tool.yaml"), $$"""
        name: tool
        summary: {{summary}}
        homepage: https://example.org
        license: MIT
        downloads:
          tool: { url: 'https://example.org/{tag}/tool' }
        files:
          - { from: tool, to: /usr/bin/tool, mode: '755' }
        units:
          - { name: tool.service, text: "[Service]\nExecStart=/usr/bin/tool\n", wantedBy: multi-user.target }
        versions:
          1.2.3: { amd64: { tool: {{StandIn.Sum(_upstream.Files[StandIn.PathOf(Url)])}} } }
        """);

    private Layer Read(string name, string? version = null, Arch arch = Arch.Amd64) => Layer.ReadAll(new BuildSpec
    {
        Machine = new MachineSpec { Arch = arch },
        Layers = [new LayerSpec.Recipe(name, version, null, _upstream.Folder) { Where = "crust.yaml:2:5, layers[0]" }],
    })[0];
}
