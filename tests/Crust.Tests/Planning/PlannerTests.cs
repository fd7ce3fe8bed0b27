using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Disks;
using Crust.Formats;
using Crust.Installers;
using Crust.Planning;
using Crust.Registries;
using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Host;
using Crust.Tests.Installers;
using Crust.Tests.Registries;
using Serilog.Core;

namespace Crust.Tests.Planning;

[CancelAfter(60_000)]
public sealed class PlannerTests : HostFixture
{
    private const string Repository = "registry.example.com/edge";

    private readonly ConcurrentBag<string> _asked = [];
    private HashSet<string> _tags = [];

    [SetUp]
    public void NobodyIsAsked()
    {
        _tags = [];
        _asked.Clear();
    }

    [Test]
    public async Task What_no_registry_has_is_due_with_its_reason()
    {
        var plan = await PlanAsync(Spec("a.yaml", "img", "vmdk"));

        var build = plan.Builds.Single();
        Assert.That((build.Spec, build.Name, build.Arch, build.Formats, build.BuildKey), Is.EqualTo(("a.yaml", "edge", "amd64", "img,vmdk", KeyOf(Spec("a.yaml", "img").Spec))));
        Assert.That(build.Reasons[0], Is.EqualTo($"img: {Repository} has no image of this build ({TagOf("img")})"));
    }

    [Test]
    public async Task What_is_there_is_not_due_and_of_a_build_only_the_formats_that_lack_are()
    {
        _tags = [TagOf("img")];

        Assert.That((await PlanAsync(Spec("a.yaml", "img"))).Builds, Is.Empty);
        Assert.That((await PlanAsync(Spec("a.yaml", "img", "vmdk"))).Builds.Single().Formats, Is.EqualTo("vmdk"));
    }

    [Test]
    public async Task What_decides_a_disk_or_an_image_makes_it_due_again()
    {
        _tags = [TagOf("qcow2")];
        BuildSpec Changed(BuildSpec spec) => spec with { Formats = ["qcow2"] };

        Assert.That((await PlanAsync(new SpecToPlan("same", Changed(Sample.Spec)))).Builds, Is.Empty);
        Assert.That((await PlanAsync(
            new SpecToPlan("machine", Changed(Sample.Spec) with { Machine = Sample.Spec.Machine with { Disk = 3L << 30 } }),
            new SpecToPlan("seed", Changed(Sample.Spec) with { Seed = new() { Hostname = "edge-1" } }),
            new SpecToPlan("recipe", Changed(Sample.Spec) with { Qcow2 = new() { Compression = Qcow2Compression.Zlib } }))).Builds.Select(build => build.Spec), Is.EqualTo(new[] { "machine", "seed", "recipe" }));
    }

    [Test]
    public async Task Each_repository_is_asked_once_however_many_specs_there_are()
    {
        var specs = Enumerable.Range(0, 50).Select(i => new SpecToPlan($"{i}.yaml", Sample.Spec with { Formats = ["img", "vmdk"], Seed = new() { Hostname = $"edge-{i}" } })).ToArray();

        var plan = await PlanAsync(specs);

        Assert.That(plan.Builds.Select(build => build.Spec), Is.EqualTo(specs.Select(spec => spec.File)), "in their order");
        Assert.That(_asked, Is.EqualTo(new[] { Repository }));
    }

    [Test]
    public async Task Without_a_repository_given_each_spec_says_where_it_publishes()
    {
        BuildSpec In(string repository) => Sample.Spec with { Formats = ["img"], Publish = new() { Repository = repository } };

        await Planner().PlanAsync([new("a", In("r.example.com/a")), new("b", In("r.example.com/b")), new("c", In("r.example.com/b"))], null, Cancellation);

        Assert.That(_asked.Order(), Is.EqualTo(new[] { "r.example.com/a", "r.example.com/b" }));
        var error = (await Assert.CatchAsync<CrustException>(() => Planner().PlanAsync([new("a", Sample.Spec)], null, Cancellation)))!;
        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "publish.repository")));
    }

    [Test]
    public async Task An_ISO_that_is_not_here_is_known_by_its_checksum_if_the_spec_says_what_it_installs()
    {
        var here = await Source().GetAsync(Sample.Spec.Installer, Cancellation);
        var elsewhere = Sample.Spec with { Installer = new() { Iso = "https://example.org/edge.iso", Sha256 = here.Sha256.ToUpperInvariant() }, Seed = new() { Profile = SeedProfile.Kairos } };
        _tags = [TagOf("img", Sample.Spec with { Seed = new() { Profile = SeedProfile.Kairos } })];

        Assert.That((await PlanAsync(new SpecToPlan("a", elsewhere))).Builds, Is.Empty, "it has the key that the download will have");
        Assert.That((await PlanAsync(new SpecToPlan("a", elsewhere with { Seed = new() }))).Builds.Single().Reasons.Single(), Is.EqualTo("img: its installer isn't here to say which family of systems it installs; name it in seed.profile"));
    }

    [Test]
    public async Task A_reference_installer_that_is_not_built_leaves_it_open()
    {
        var build = (await PlanAsync(new SpecToPlan("a", new BuildSpec { Formats = ["img"] }))).Builds.Single();

        Assert.That((build.BuildKey, build.Reasons.Single()), Is.EqualTo(((string?)null, "img: the reference installer isn't built here; crust installer builds it")));
    }

    [Test]
    public async Task An_extension_that_an_index_has_replaced_under_its_name_makes_a_build_due_again()
    {
        using var server = new LoopbackServer();
        var list = $"{new string('a', 64)}  tool-1.2-x86-64.raw\n";
        server.Answer = request => LoopbackServer.File(request, Encoding.ASCII.GetBytes(list), null);
        BuildSpec With(string? sha256, string version = "1.2") => Sample.Spec with
        {
            Formats = ["img"],
            Layers = [new LayerSpec.Sysext(new SysextOrigin.Published(new Uri(server.Url("")), "tool", version) { Sha256 = sha256, AllowUnverified = true }, "any", null) { Where = "crust.yaml:2:5" }],
        };
        _tags = [TagOf("img", With(new string('a', 64)))];

        Assert.That((await PlanAsync(new("a", With(null)), new("b", With(null)))).Builds, Is.Empty, "the index has what was built");
        Assert.That(server.Requests, Has.Count.EqualTo(1), "however many specs name it");
        list = list.Replace(new string('a', 64), new string('b', 64), StringComparison.Ordinal);
        Assert.That((await PlanAsync(new("a", With(null)), new("b", With(new string('a', 64))))).Builds.Select(build => build.Spec), Is.EqualTo(new[] { "a" }));

        var absent = (await Assert.CatchAsync<CrustException>(() => PlanAsync(new SpecToPlan("a", With(null, "1.3")))))!;
        Assert.That((absent.What, absent.Where), Is.EqualTo(("The index has no tool-1.3-x86-64.raw", $"crust.yaml:2:5: {server.Url("SHA256SUMS")}")));
        var forecast = Sample.Forecaster.Of(With(null));
        Assert.That((forecast.Key, server.Requests.Count), Is.EqualTo(((string?)null, 3)), "a forecast asks nobody, and knows no key");
    }

    [Test]
    public async Task All_specs_that_are_wrong_are_told_and_no_registry_is_asked()
    {
        var error = (await Assert.CatchAsync<CrustException>(() => PlanAsync(
            new("a.yaml", Sample.Spec with { Seed = new() { UserData = [Sample.Fakes.FileFor("none.yaml")] } }), Spec("b.yaml", "img"), new("c.yaml", Sample.Spec with { Seed = new() { UserData = [Sample.Fakes.FileFor("nor.yaml")] } }))))!;

        Assert.That((error.What, error.Where), Is.EqualTo(("2 specs can't be planned", "a.yaml, c.yaml")));
        Assert.That(error.Detail, Does.Contain("none.yaml").And.Contain("nor.yaml"));
        Assert.That(_asked, Is.Empty);
    }

    [Test]
    public async Task The_document_is_what_a_matrix_takes()
    {
        var json = (await PlanAsync(Spec("it's.yaml", "img"))).ToJson();

        Assert.That(JsonNode.Parse(json)!.AsObject().Select(pair => pair.Key), Is.EqualTo(new[] { "include" }), "any other key would be a dimension of the matrix");
        Assert.That(json, Does.StartWith("""{"include":[{"spec":"it's.yaml","name":"edge","arch":"amd64","formats":"img","buildKey":""").And.EndsWith("]}]}\n"));
        Assert.That((await PlanAsync()).ToJson(), Is.EqualTo("{\"include\":[]}\n"));
    }

    [Test]
    public async Task A_shell_reads_lines_and_a_CI_that_takes_few_jobs_the_first_builds()
    {
        var plan = await PlanAsync(Spec("a spec's file.yaml", "img", "vmdk"), Spec("b.yaml", "img"), Spec("c.yaml", "img"));

        Assert.That(plan.ToLines(), Is.EqualTo("img,vmdk\tamd64\tedge\ta spec's file.yaml\nimg\tamd64\tedge\tb.yaml\nimg\tamd64\tedge\tc.yaml\n"));
        Assert.That(plan.First(2).Builds.Select(build => build.Spec), Is.EqualTo(new[] { "a spec's file.yaml", "b.yaml" }));
        Assert.That(plan.First(3).Builds, Has.Length.EqualTo(3));
        Assert.That(plan.First(null).Builds, Has.Length.EqualTo(3));
        Assert.That(plan.First(2).Specs, Is.EqualTo(3));
    }

    [Test]
    public async Task A_real_registry_says_what_it_has_and_of_a_repository_that_it_does_not_know_nothing()
    {
        using var sample = await PublishSample.MakeAsync("unused/x", Arch.Amd64, "img");
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        sample.Spec = sample.With(publish => publish with { Repository = $"{registry.Host}/edge/images" });
        await sample.PublishAsync();
        var tags = new RegistryTags(sample.Tools, sample.FileFor("cache"), new EventList(), TimeProvider.System);

        var there = await tags.ListAsync($"{registry.Host}/edge/images", sample.Spec.Publish, Cancellation);

        var image = sample.Shelf.LoadManifest("edge")!.Images.Single();
        Assert.That(there, Does.Contain(PublishedKey.TagOf(image.BuildKey, "img", image.Recipe)).And.Contain("1.0-img"));
        Assert.That(await tags.ListAsync($"{registry.Host}/edge/none", sample.Spec.Publish, Cancellation), Is.Empty);
        await registry.DisposeAsync();
        var error = (await Assert.CatchAsync<CrustException>(() => tags.ListAsync($"{registry.Host}/edge/images", sample.Spec.Publish, Cancellation)))!;
        Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
        Assert.That(error.What, Does.Contain("can't be reached"));
    }

    private SpecToPlan Spec(string file, params string[] formats) => new(file, Sample.Spec with { Formats = [.. formats] });

    private Task<BuildPlan> PlanAsync(params SpecToPlan[] specs) => Planner().PlanAsync(specs, Repository, Cancellation);

    private Planner Planner() => new(Sample.SourcesOf(Source()), Sample.Writer, (repository, _, _) =>
    {
        _asked.Add(repository);
        return Task.FromResult<IReadOnlySet<string>>(_tags);
    });

    private InstallerSource Source() => new(Sample.Folders.Cache, new EventList(), TimeProvider.System, Logger.None);

    private string TagOf(string format, BuildSpec? spec = null) => PublishedKey.TagOf(KeyOf(spec ?? Sample.Spec), format, Sample.Writer.RecipeOf(ImageFormats.Named(format), spec ?? Sample.Spec));

    // As a build has it, with its installer.
    private string KeyOf(BuildSpec spec)
    {
        var installer = Source().GetAsync(spec.Installer, Cancellation).GetAwaiter().GetResult();
        return BuildTarget.Of(spec, SeedFiles.Read(spec.Seed), new SourceGlance(installer.Size, installer, installer.BaseName), () => null).Key!;
    }
}
