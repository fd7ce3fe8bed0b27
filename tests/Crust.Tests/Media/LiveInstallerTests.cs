using Crust.Appliance;
using Crust.Layers;
using Crust.Media;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Bases;
using Crust.Tests.Providers;
using Crust.Tools;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Media;

/// <summary>Bases that are looked at and packed, by the real mksquashfs; nothing is written around them.</summary>
[CancelAfter(120_000)]
public sealed class LiveInstallerTests
{
    private const string Good = "dmsquash-live\nimmucore\nlivenet\nnetwork\n";

    private static readonly string[] Drivers = ["usr/lib/modules/6.1.0-18-amd64/kernel/fs/squashfs/squashfs.ko",
        "usr/lib/modules/6.1.0-18-amd64/kernel/fs/isofs/isofs.ko", "lib/overlay.ko"];

    private readonly FakeSteps _steps = new();
    private BaseSample _sample = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _sample = new BaseSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public async Task A_base_is_packed_once_whatever_lies_beside_it()
    {
        var spec = await SpecAsync(Good);
        var first = await Installer.PrepareAsync(spec, packs: true, Cancellation);
        var squashfs = await File.ReadAllBytesAsync(first.Root!.Squashfs, Cancellation);

        var second = await Installer.PrepareAsync(spec with
        {
            Medium = new MediumSpec { Title = "Other", Content = [Text("apps.zst", "x")] },
            Seed = Told("#cloud-config\ninstall: { auto: true }\n")
        }, packs: true, Cancellation);

        Assert.That(second.Root!.Folder, Is.EqualTo(first.Root.Folder));
        Assert.That(second.Medium.Content.Bundles.Single().Parts.Single().Name, Is.EqualTo("apps.zst_part00"));
        Assert.That(second.Medium.Seed.Documents.Single().Name, Is.EqualTo("config.yaml"));
        Directory.Delete(first.Root.Folder, recursive: true);
        SameBytes.Assert(await File.ReadAllBytesAsync((await Installer.PrepareAsync(spec, packs: true, Cancellation)).Root!.Squashfs, Cancellation), squashfs,
            "packed anew");
    }

    [Test]
    public async Task What_was_not_made_yet_is_not_found() => Assert.That(Installer.Find(await SpecAsync(Good)), Is.Null);

    [Test]
    public async Task Files_of_a_layer_and_the_local_UI_become_part_of_the_system()
    {
        Text("overlay/etc/edge", "layer");
        await WriteTarAsync(FileTree.Empty.With(LiveSample.File("ui/index.html", "ui")), "ui.tar");
        var spec = await SpecAsync(Good) with
        {
            Layers = [new LayerSpec.Files(_sample.FileFor("overlay")) { Where = "crust.yaml:7" }],
            Medium = new MediumSpec { LocalUi = _sample.FileFor("ui.tar") }
        };

        var plan = await Installer.PrepareAsync(spec, packs: true, Cancellation);

        var listed = (await BaseSample.Tools.RunAsync(ToolCommand.Of("unsquashfs", "-l", plan.Root!.Squashfs), Cancellation)).Output.Split('\n');
        string[] wanted = ["squashfs-root/etc/edge", "squashfs-root/opt/spectrocloud/ui/index.html", "squashfs-root/proc", "squashfs-root/boot/vmlinuz"];
        Assert.That(wanted.Except(listed), Is.Empty);
        Assert.That(plan.Facts.IsStylus, Is.True);
        Assert.That(await File.ReadAllTextAsync(plan.Root.Kernel, Cancellation), Is.EqualTo("kernel"), "the link's file, not the link");
    }

    [Test]
    public async Task What_runs_in_the_system_does_so_once_and_host_keys_and_an_id_do_not_stay()
    {
        Text("script.sh", "#!/bin/sh\n");
        Text("overlay/etc/edge", "layer");
        _steps.Change = (root, _) => root.With(LiveSample.File("etc/ran", "ran"), LiveSample.File("etc/ssh/ssh_host_rsa_key", "secret"), LiveSample.File("etc/machine-id", "0123\n"));
        var spec = await SpecAsync(Good) with
        {
            Layers = [new LayerSpec.Script(_sample.FileFor("script.sh")) { Where = "installer.yaml:7" }, new LayerSpec.Files(_sample.FileFor("overlay")) { Where = "installer.yaml:8" }],
        };

        var plan = await Installer.PrepareAsync(spec, packs: true, Cancellation);
        Text("overlay/etc/edge", "another layer");
        var second = await Installer.PrepareAsync(spec, packs: true, Cancellation);

        Assert.That((plan.Root!.Folder == second.Root!.Folder, _steps.Machines.Count), Is.EqualTo((false, 1)), "a change of the files behind it runs nothing again");
        var listed = (await BaseSample.Tools.RunAsync(ToolCommand.Of("unsquashfs", "-l", second.Root.Squashfs), Cancellation)).Output.Split('\n');
        Assert.That(new[] { "squashfs-root/etc/ran", "squashfs-root/etc/edge", "squashfs-root/etc/machine-id" }.Except(listed), Is.Empty);
        Assert.That(listed, Has.None.Contains("ssh_host").And.None.Contains("crust-steps"));
    }

    [Test]
    public async Task A_layer_that_nothing_in_the_base_would_read_is_refused()
    {
        Text("10-site.cfg", "runcmd: []\n");
        var spec = await SpecAsync(Good) with { Layers = [new LayerSpec.Config(_sample.FileFor("10-site.cfg")) { Where = "installer.yaml:7" }] };

        Assert.That(async () => await Installer.PrepareAsync(spec, packs: true, Cancellation),
            Throws.TypeOf<CrustException>().With.Property("What").EqualTo("The base has no /etc/cloud/cloud.cfg.d: nothing there would read what this layer brings"));
    }

    [Test]
    public async Task A_problem_stops_before_anything_is_packed()
    {
        var spec = await SpecAsync("base\n");

        var error = (await Assert.ThrowsAsync<CrustException>(() => Installer.PrepareAsync(spec, packs: true, Cancellation)))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput,
            "/boot/initrd.img-6.1.0-18-amd64 lacks dracut's module dmsquash-live, which mounts the medium")));
        Assert.That(Packed, Is.Empty);
    }

    [Test]
    public async Task Where_it_is_only_looked_at_problems_are_told_and_nothing_is_kept()
    {
        var plan = await Installer.PrepareAsync(await SpecAsync("base\n"), packs: false, Cancellation);

        Assert.That(plan.Root, Is.Null);
        Assert.That(plan.Findings.Count(finding => finding.Gravity is LiveGravity.Problem), Is.EqualTo(1));
        Assert.That(Packed, Is.Empty);
    }

    [Test]
    public async Task The_rules_of_seeds_are_part_of_the_report()
    {
        var spec = await SpecAsync(Good) with { Seed = Told("#cloud-config\ninstall: { auto: true, extra-partitions: [{ size: 100 }] }\n") };

        var plan = await Installer.PrepareAsync(spec, packs: false, Cancellation);

        Assert.That(plan.Findings.Where(finding => finding.Gravity is LiveGravity.Problem).Select(finding => finding.What), Has.One.Contains("(extra-partitions)"));
    }

    [Test]
    public async Task What_is_no_root_file_system_is_refused()
    {
        var spec = await SpecAsync(Good) with { Base = new BaseSpec { Rootfs = Text("text.tar", "no archive") } };

        Assert.That(async () => await Installer.PrepareAsync(spec, packs: true, Cancellation),
            Throws.TypeOf<CrustException>().With.Message.Contains("This is no tar archive"));
    }

    [TestCase("bookworm", "htop", true)]
    [TestCase("bookworm", "dracut-live", false)]
    [TestCase(null, "htop", false)]
    public void Packages_without_a_live_system_make_an_installer_as_the_reference_installer_is_one(string? suite, string package, bool isDebian) =>
        Assert.That(InstallerRules.IsOfDebian(new BuildSpec { Base = new BaseSpec { Debian = new DebianSpec { Suite = suite, Packages = [package] } } }),
            Is.EqualTo(isDebian));

    private string[] Packed => Directory.Exists(_sample.FileFor("cache/live-roots"))
        ? [.. Directory.GetDirectories(_sample.FileFor("cache/live-roots")).Where(folder => !Path.GetFileName(folder).StartsWith('.'))] : [];

    private LiveInstaller Installer => new(BaseSample.Tools, Cache, _sample.Source, new ApplianceBuilder(BaseSample.Tools, Cache, _sample.Folders, _sample.Events),
        new SystemLayers(new LayerContent(null!, null!, _sample.Events), new SystemSteps(_steps, Cache), _sample.Events), null!, _sample.Events);

    private BuildCache Cache => new(_sample.FileFor("cache"), Logger.None);

    private SeedSpec Told(string text) => new() { Kind = SeedKind.Embedded, UserData = [Text("user-data", text)], Ignore = ["no-admin"] };

    private async Task<BuildSpec> SpecAsync(string modules)
    {
        var tree = LiveSample.Base.With(TreeEntry.File("boot/initrd.img-6.1.0-18-amd64", TreeContent.Of(LiveSample.Initrd(modules, Drivers))));
        return new BuildSpec
        {
            IsInstaller = true,
            Base = new BaseSpec { Rootfs = await WriteTarAsync(tree, "edge.tar") },
            Seed = new SeedSpec { Kind = SeedKind.Embedded }
        };
    }

    private async Task<string> WriteTarAsync(FileTree tree, string name)
    {
        await using var file = File.Create(_sample.FileFor(name));
        await tree.WriteTarAsync(file, 0, Cancellation);
        return _sample.FileFor(name);
    }

    private string Text(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_sample.FileFor(name))!);
        File.WriteAllText(_sample.FileFor(name), text);
        return _sample.FileFor(name);
    }
}
