using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crust.Disks;
using Crust.Layers;
using Crust.Planning;
using Crust.Seeds;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Tests.Layers;

public sealed class LayerReadingTests
{
    private string _folder = null!;

    private string Overlay => Path.Combine(_folder, "overlay");

    private string Script => Path.Combine(_folder, "customize.sh");

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-layers-").FullName;
        Directory.CreateDirectory(Path.Combine(Overlay, "etc"));
        File.WriteAllText(Path.Combine(Overlay, "etc/agent.conf"), "one\n");
        File.WriteAllText(Script, "#!/bin/sh\ntrue\n");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void The_digest_of_files_is_that_of_contents_modes_and_names_and_not_of_times()
    {
        var first = Read(Files).Digest;
        File.SetLastWriteTimeUtc(Path.Combine(Overlay, "etc/agent.conf"), DateTime.UnixEpoch);
        Assert.That(Read(Files).Digest, Is.EqualTo(first));

        File.WriteAllText(Path.Combine(Overlay, "etc/agent.conf"), "two\n");
        var content = Read(Files).Digest;
        File.SetUnixFileMode(Path.Combine(Overlay, "etc/agent.conf"), UnixFileMode.UserRead);
        var mode = Read(Files).Digest;
        File.Move(Path.Combine(Overlay, "etc/agent.conf"), Path.Combine(Overlay, "etc/other.conf"));
        var name = Read(Files).Digest;

        Assert.That(new[] { first, content, mode, name }, Is.Unique);
    }

    [Test]
    public void The_digest_of_a_script_is_what_sha256sum_says() =>
        Assert.That(Read(new LayerSpec.Script(Script) { Where = "here" }).Digest, Is.EqualTo(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Script)))));

    [Test]
    public void Each_layer_decides_the_keys_of_its_own_disk_and_of_those_above_and_of_none_below()
    {
        var scripts = new LayerSpec.Script(Script) { Where = "here" };
        var before = TargetOf(Files, new LayerSpec.Packages(["htop"], false) { Where = "here" }, scripts);
        File.WriteAllText(Script, "#!/bin/sh\nfalse\n");
        var last = TargetOf(Files, new LayerSpec.Packages(["htop"], false) { Where = "here" }, scripts);
        var middle = TargetOf(Files, new LayerSpec.Packages(["htop"], true) { Where = "here" }, scripts);

        Assert.That(before.DisksBelow, Has.Length.EqualTo(3).And.Unique);
        Assert.That(last.DisksBelow, Is.EqualTo(before.DisksBelow));
        Assert.That(middle.DisksBelow.Take(2), Is.EqualTo(before.DisksBelow.Take(2)));
        Assert.That(new[] { before.DisksBelow[2], middle.DisksBelow[2] }, Is.Unique);
        Assert.That(new[] { before.Key, last.Key, middle.Key, TargetOf().Key }, Is.Unique);
        Assert.That(TargetOf().DisksBelow, Is.Empty);
    }

    [Test]
    public void Layers_go_onto_a_base_image_as_onto_an_installed_disk()
    {
        BuildTarget Of(params LayerSpec[] layers) =>
            BuildTarget.Of(Spec(layers) with { Base = new BaseSpec { Image = "/base.img" } }, SeedFiles.Read(new SeedSpec()), new SourceGlance(null, null, "base") { Promised = new string('a', 64) }, () => null);

        Assert.That(Of(Files).DisksBelow, Has.Length.EqualTo(1));
        Assert.That(new[] { Of(Files).Key, Of().Key, Of(Files).DisksBelow[0] }, Is.Unique);
    }

    [Test]
    public void Nobody_takes_care_of_a_disk_that_layers_go_onto()
    {
        var cared = BuildTarget.Of(Spec(Files) with { Tidy = [TidyStep.Logs] }, SeedFiles.Read(new SeedSpec()), Glance, () => null);
        var bare = BuildTarget.Of(new BuildSpec { Tidy = [], Trim = false }, SeedFiles.Read(new SeedSpec()), Glance, () => null);

        Assert.That(cared.DisksBelow[0], Is.EqualTo(bare.Keys!.Local));
        Assert.That(cared.Key, Is.Not.EqualTo(TargetOf(Files).Key));
    }

    [Test]
    public void A_folder_that_is_missing_or_empty_and_a_script_that_is_none_are_refused_with_the_layers_place()
    {
        var missing = Assert.Throws<CrustException>(() => Read(new LayerSpec.Files(Path.Combine(_folder, "none")) { Where = "crust.yaml:2:5, layers[0]" }))!;
        Assert.That((missing.Kind, missing.Where), Is.EqualTo((FailureKind.BadInput, $"crust.yaml:2:5, layers[0]: {_folder}/none")));
        Assert.That(missing.What, Does.Contain("doesn't exist"));

        var empty = Assert.Throws<CrustException>(() => Read(new LayerSpec.Files(Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName) { Where = "here" }))!;
        Assert.That(empty.What, Is.EqualTo("A layer of files has none"));

        File.WriteAllText(Script, "");
        Assert.That(Assert.Throws<CrustException>(() => Read(new LayerSpec.Script(Script) { Where = "here" }))!.What, Is.EqualTo("The script is empty"));
        Assert.That(Assert.Throws<CrustException>(() => Read(new LayerSpec.Script(_folder) { Where = "here" }))!.Kind, Is.EqualTo(FailureKind.BadInput));
    }

    [Test]
    public void Images_and_configuration_get_their_places_on_the_disk_once_they_are_what_they_should_be()
    {
        File.WriteAllText(Path.Combine(Overlay, "manifest.json"), "[]");
        var archive = Path.Combine(_folder, "app.tar");
        System.Formats.Tar.TarFile.CreateFromDirectory(Overlay, archive, includeBaseDirectory: false);
        var config = Path.Combine(_folder, "50-site.cfg");
        File.WriteAllText(config, "runcmd: [true]\n");
        var zstd = Path.Combine(_folder, "db.tar.zst");
        File.WriteAllBytes(zstd, [0x28, 0xb5, 0x2f, 0xfd, 0]);

        Assert.That(Read(new LayerSpec.Images([archive, zstd], "/var/lib/rancher/k3s/agent/images") { Where = "here" }).Tree!.Entries.Where(entry => entry.Content.Length > 0).Select(entry => entry.Path),
            Is.EqualTo(new[] { "var/lib/rancher/k3s/agent/images/app.tar", "var/lib/rancher/k3s/agent/images/db.tar.zst" }));
        Assert.That(Read(new LayerSpec.Config(config) { Where = "here" }).Tree!.Find("etc/cloud/cloud.cfg.d/50-site.cfg")!.Content.Length, Is.EqualTo(15));

        File.WriteAllText(zstd, "text");
        File.Delete(Path.Combine(Overlay, "manifest.json"));
        File.Delete(archive);
        System.Formats.Tar.TarFile.CreateFromDirectory(Overlay, archive, includeBaseDirectory: false);
        File.WriteAllText(config, "- a list\n");
        foreach (var wrong in new[] { archive, zstd })
            Assert.That(Assert.Throws<CrustException>(() => Read(new LayerSpec.Images([wrong], "/opt") { Where = "here" }))!.What, Is.EqualTo("This isn't an archive of container images"));
        Assert.That(Assert.Throws<CrustException>(() => Read(new LayerSpec.Config(config) { Where = "here" }))!.What, Is.EqualTo("cloud-init's configuration has to be a mapping"));
    }

    [Test]
    public void A_node_of_k3s_gets_what_its_first_boot_runs_and_what_users_read()
    {
        var none = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;
        var options = none.Add("disable", ["traefik", "servicelb"]).Add("debug", ["true"]);
        var flux = new K3sFlux("https://git.example.org/fleet.git", "main", "./");
        var layer = Read(new LayerSpec.K3s("server", "https://10.0.0.10:6443", "/boot/firmware/token", options, flux) { Where = "here" });

        var tree = layer.Tree!;
        Assert.That(JsonNode.Parse(tree.Find(K3sTree.Defaults)!.Content.Read(0, 4096))!.ToJsonString(), Is.EqualTo(
            """{"k3s":{"role":"server","url":"https://10.0.0.10:6443","tokenFile":"/boot/firmware/token","config":{"debug":"true","disable":["traefik","servicelb"]}},"flux":{"repository":"https://git.example.org/fleet.git","branch":"main","path":"./"}}"""));
        Assert.That((tree.Find("usr/lib/crust/k3s-node")?.Mode, tree.Find("etc/skel/.kube/config")?.LinkTarget), Is.EqualTo((TreeEntry.Executable, "/etc/rancher/k3s/k3s.yaml")));
        Assert.That(tree.Entries.Where(entry => entry.Kind is EntryKind.Symlink && entry.Path.StartsWith("etc/systemd", StringComparison.Ordinal)).Select(entry => tree.Follow(entry.Path)?.Kind), Has.All.EqualTo(EntryKind.File));
        Assert.That((layer.Requires, layer.Runs), Is.EqualTo(("/usr/local/bin/k3s", false)));
        Assert.That(Read(new LayerSpec.K3s(null, null, null, none, null) { Where = "here" }).Digest, Is.Not.EqualTo(layer.Digest));
    }

    [Test]
    public void A_device_or_a_link_that_leaves_the_root_is_refused()
    {
        File.CreateSymbolicLink(Path.Combine(Overlay, "away"), "../../etc/shadow");

        var error = Assert.Throws<CrustException>(() => Read(Files))!;

        Assert.That(error.What, Does.Contain("leads out of the root"));
        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
    }

    [Test]
    public void Room_is_counted_for_each_place_that_may_be_a_file_system_of_its_own()
    {
        Directory.CreateDirectory(Path.Combine(Overlay, "usr/local/bin"));
        File.WriteAllBytes(Path.Combine(Overlay, "usr/local/bin/agent"), new byte[10_000]);
        Directory.CreateDirectory(Path.Combine(Overlay, "variable"));

        Assert.That(TreeSpace.Of(Read(Files).Tree!), Is.EqualTo("/ 16896,/usr 4096,/usr/local 16896"));
    }

    private LayerSpec.Files Files => new(Overlay) { Where = "crust.yaml:2:5, layers[0]" };

    private static SourceGlance Glance => new(null, InstallerSample.Iso, "edge");

    private static BuildSpec Spec(params LayerSpec[] layers) => new() { Layers = [.. layers] };

    private static Layer Read(LayerSpec layer) => Layer.ReadAll(Spec(layer))[0];

    private static BuildTarget TargetOf(params LayerSpec[] layers) => BuildTarget.Of(Spec(layers), SeedFiles.Read(new SeedSpec()), Glance, () => null);
}
