using System.Collections.Immutable;
using Crust.Content;
using Crust.Media;
using Crust.Seeds;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Tests.Media;

public sealed class LiveReviewTests
{
    private static readonly InitrdFacts Initrd = new(["dmsquash-live", "immucore", "livenet", "network"], ["isofs", "overlay", "squashfs"], null);

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_base_that_has_all_raises_no_problem()
    {
        var findings = LiveReview.Of(Survey(LiveSample.Base, Initrd), new BuildSpec(), Plan(new BuildSpec()));

        Assert.That(findings.Where(finding => finding.Gravity is LiveGravity.Problem), Is.Empty);
        Assert.That(Finding(findings, "kernel").What, Is.EqualTo("/boot/vmlinuz-6.1.0-18-amd64, version 6.1.0-18-amd64"));
        Assert.That(Finding(findings, "login").What, Is.EqualTo("admin of the base"));
        Assert.That(Finding(findings, "agent").What, Is.EqualTo("/usr/bin/kairos-agent on Debian 12"));
    }

    [Test]
    public void A_missing_module_of_dracut_is_named()
    {
        var finding = Problem(Survey(LiveSample.Base, Initrd with { Dracut = ["immucore"] }), new BuildSpec());

        Assert.That(finding.What, Is.EqualTo("/boot/initrd.img-6.1.0-18-amd64 lacks dracut's module dmsquash-live, which mounts the medium"));
    }

    [Test]
    public void An_initramfs_that_dracut_did_not_make_is_told_so() =>
        Assert.That(Problem(Survey(LiveSample.Base, Initrd with { Dracut = [] }), new BuildSpec()).What, Does.Contain("wasn't made by dracut"));

    [Test]
    public void Drivers_may_be_in_the_initramfs_or_in_the_kernel() =>
        Assert.That(Problem(Survey(LiveSample.Base, Initrd with { Drivers = ["overlay"] }), new BuildSpec()).What, Does.Contain("has the drivers squashfs, isofs,"),
            "loop is part of the kernel");

    [Test]
    public void A_base_for_another_architecture_is_a_problem()
    {
        var tree = LiveSample.Base.With(LiveSample.File("etc/kairos-release", "KAIROS_ARCH=arm64\n"));

        Assert.That(Problem(Survey(tree, Initrd), new BuildSpec()).What, Is.EqualTo("The base is for arm64 (KAIROS_ARCH), and amd64 is wanted"));
    }

    [Test]
    public void Two_files_that_the_agent_would_merge_are_a_problem()
    {
        Write("overlay/nested/stray.yml", "#cloud-config\nusers: []\n");
        Write("overlay/decoy.yaml", "# not for the agent\n");
        Write("user-data", "#cloud-config\ninstall: { auto: true }\n");
        var spec = Spec() with { Medium = new MediumSpec { Overlay = Path.Combine(_folder, "overlay") } };

        var medium = Plan(spec);

        Assert.That(medium.Configs, Is.EqualTo(new[] { "config.yaml", "nested/stray.yml" }));
        Assert.That(LiveReview.Of(Survey(LiveSample.Base, Initrd), spec, medium).Single(finding => finding.Gravity is LiveGravity.Problem).What,
            Does.Contain("/config.yaml, /nested/stray.yml"));
    }

    [Test]
    public void Content_that_is_larger_than_the_target_is_a_problem()
    {
        var spec = new BuildSpec
        {
            Machine = new MachineSpec { Disk = 4L << 30 },
            Origins = ImmutableDictionary<string, string>.Empty.Add("machine.disk",
            "crust.yaml:3")
        };
        var medium = Plan(spec) with { Content = new MediumManifest(1, [new SplitBundle("a.zst", 3L << 30, "", [])]) };

        var problem = LiveReview.Of(Survey(LiveSample.Base, Initrd), spec, medium).Single(finding => finding.Gravity is LiveGravity.Problem);

        Assert.That((problem.Name, problem.Where), Is.EqualTo(("sizes", "crust.yaml:3")));
    }

    [Test]
    public void Problems_together_are_one_error_that_names_all()
    {
        var findings = LiveReview.Of(Survey(LiveSample.Base, Initrd with { Dracut = [] }) with { KairosArch = "arm64" }, new BuildSpec(), Plan(new BuildSpec()));

        var error = Assert.Throws<CrustException>(() => LiveReview.Pass(findings, "edge"))!;

        Assert.That(error.What, Is.EqualTo("2 things keep this from becoming an installer"));
        Assert.That(error.Detail, Does.Contain("dmsquash-live").And.Contain("KAIROS_ARCH"));
    }

    private static LiveFacts Survey(FileTree tree, InitrdFacts initrd) => LiveSurvey.Of(tree, BaseBoot.Of(tree, "edge"), EfiLoaders.Of(tree, Arch.Amd64, "edge"),
        initrd);

    private static MediumPlan Plan(BuildSpec spec)
    {
        spec = spec with { Seed = spec.Seed with { Kind = SeedKind.Embedded } };
        return MediumPlan.Of(spec, SeedFiles.Read(spec.Seed), SeedProfile.Kairos, MediumContent.None, Guid.Empty);
    }

    private BuildSpec Spec() => new() { Seed = new SeedSpec { UserData = [Path.Combine(_folder, "user-data")] } };

    private static LiveFinding Problem(LiveFacts facts, BuildSpec spec) => LiveReview.Of(facts, spec, Plan(spec)).Single(finding =>
        finding.Gravity is LiveGravity.Problem);

    private static LiveFinding Finding(IEnumerable<LiveFinding> findings, string name) => findings.Single(finding => finding.Name == name);

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
