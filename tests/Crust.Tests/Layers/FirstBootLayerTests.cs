using Crust.Layers;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Tests.Layers;

/// <summary>What a firstBoot layer puts onto a disk; what it does there is in Fleet/FirstBootTests.</summary>
public sealed class FirstBootLayerTests
{
    private const string Where = "crust.yaml:2:5, layers[0]";

    private string _folder = null!;

    private LayerSpec.FirstBoot Spec => new(PathOf("nodes.yaml"))
    {
        Where = Where,
        Token = "/etc/crust/join-token",
        Repository = "https://example.org/bootstrap.git",
        Commit = new string('a', 40),
    };

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-first-boot-").FullName;
        Write("nodes.yaml", "nodes: [{ mac: 'dc:a6:32:01:02:03', hostname: node1, role: control-plane }]\n");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void The_disk_gets_the_script_its_unit_enabled_what_to_fetch_and_the_table_of_nodes()
    {
        var layer = Read(Spec with { Webhook = "https://hooks.example.org/x?token=y", Patience = TimeSpan.FromMinutes(1) });

        Assert.That(layer.Tree!.Entries.Where(entry => entry.Kind is not EntryKind.Folder).Select(entry => $"{entry.Path} {Convert.ToString((int)entry.Mode, 8)}"), Is.EqualTo(new[]
        {
            "etc/crust/first-boot.conf 600", "etc/crust/nodes.table 644", "etc/systemd/system/crust-first-boot.service 644", "etc/systemd/system/multi-user.target.wants/crust-first-boot.service 777",
            "opt/crust/first-boot 755",
        }));
        Assert.That(TextOf(layer, "etc/crust/first-boot.conf"), Does.Match("""
            \A# Written by Crust, of the spec's firstBoot layer.
            repository='https://example.org/bootstrap.git'
            commit='a{40}'
            webhook='https://hooks.example.org/x\?token=y'
            token='/etc/crust/join-token'
            patience='60'
            image='[0-9a-f]{16}'
            \z
            """));
        Assert.That(TextOf(layer, "etc/crust/nodes.table"), Does.Contain("node\tnode1\tdc:a6:32:01:02:03\t"));
        Assert.That((layer.Requires, layer.Runs), Is.EqualTo(("/usr/bin/git", false)));
        Assert.That(Read(Spec with { Commit = null, Sha256 = new string('b', 64) }).Requires, Is.Empty);
    }

    [Test]
    public void Neither_unit_of_k3s_is_enabled_by_systemds_presets_on_a_first_boot()
    {
        Assert.That(Read(Spec).Tree!.Find("etc/systemd/system-preset/40-crust-first-boot.preset"), Is.Null, "without k3s, they are none of its business");

        Write("nodes.yaml", "cluster: { kind: k3s }\nnodes: [{ mac: 'dc:a6:32:01:02:03', hostname: node1, role: control-plane }]\n");

        Assert.That(TextOf(Read(Spec), "etc/systemd/system-preset/40-crust-first-boot.preset"), Is.EqualTo("disable k3s.service\ndisable k3s-agent.service\n"));
    }

    [Test]
    public void The_image_is_another_one_when_anything_of_the_layer_is()
    {
        string ImageOf(LayerSpec.FirstBoot spec) => TextOf(Read(spec), "etc/crust/first-boot.conf").Split('\n')[^2];
        var first = ImageOf(Spec);
        var commit = ImageOf(Spec with { Commit = new string('b', 40) });
        Assert.That(ImageOf(Spec), Is.EqualTo(first));

        Write("nodes.yaml", "nodes: [{ mac: 'dc:a6:32:01:02:03', hostname: node2, role: control-plane }]\n");

        Assert.That(new[] { first, commit, ImageOf(Spec) }, Is.Unique);
    }

    [Test]
    public void Keys_of_OpenSSH_become_allowed_signers_and_what_is_no_key_is_refused()
    {
        Write("me.pub", "# mine\nssh-ed25519 AAAAC3x me@here\n");
        var layer = Read(Spec with { Key = PathOf("me.pub") });

        Assert.That(TextOf(layer, "etc/crust/allowed_signers"), Is.EqualTo("* namespaces=\"git\" ssh-ed25519 AAAAC3x me@here\n"));
        Assert.That(TextOf(layer, "etc/crust/first-boot.conf"), Does.Contain("key='ssh'\n"));

        Write("me.pub", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
        var secret = Assert.Throws<CrustException>(() => Read(Spec with { Key = PathOf("me.pub") }))!;
        Assert.That((secret.Kind, secret.What), Is.EqualTo((FailureKind.BadInput, "The file of keys holds a private key")));
    }

    [Test]
    public void A_copy_comes_without_gits_own_files_and_has_to_have_a_setup()
    {
        Write("copy/.git/config", "x");
        Write("copy/lib/common.sh", "x");
        var missing = Assert.Throws<CrustException>(() => Read(Spec with { Copy = PathOf("copy") }))!;
        Assert.That((missing.What, missing.Where), Is.EqualTo(("The copy of the bootstrap repository has no setup.sh", $"{Where}: {PathOf("copy")}")));

        Write("copy/setup.sh", "x");
        Assert.That(Read(Spec with { Copy = PathOf("copy") }).Tree!.Entries.Where(entry => entry.Path.StartsWith("opt/crust/copy", StringComparison.Ordinal)).Select(entry => entry.Path),
            Is.EqualTo(new[] { "opt/crust/copy", "opt/crust/copy/lib", "opt/crust/copy/lib/common.sh", "opt/crust/copy/setup.sh" }));
    }

    [Test]
    public void What_is_wrong_with_the_nodes_is_said_with_its_place_and_what_is_doubtful_is_a_warning()
    {
        Write("nodes.yaml", "nodes:\n  - { mac: x, hostname: node1, role: control-plane }\n");
        var wrong = Assert.Throws<CrustException>(() => Read(Spec))!;
        Assert.That((wrong.Kind, wrong.Where), Is.EqualTo((FailureKind.BadInput, $"{Where}: {PathOf("nodes.yaml")}:2:12, nodes[0].mac")));

        Write("nodes.yaml", "nodes:\n  - { mac: 'dc:a6:32:01:02:03', hostname: node1, role: worker }\n");
        Assert.That(Read(Spec).Warnings.Single(), Does.StartWith("There is no control plane (").And.Contain("nodes.yaml:2:3, nodes)"));
    }

    [Test]
    public void A_node_has_one_first_boot()
    {
        var error = Assert.Throws<CrustException>(() => Layer.ReadAll(new BuildSpec { Layers = [Spec, Spec with { Where = "there" }] }))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "there")));
    }

    private static Layer Read(LayerSpec layer) => Layer.ReadAll(new BuildSpec { Layers = [layer] })[0];

    private static string TextOf(Layer layer, string path) => System.Text.Encoding.UTF8.GetString(layer.Tree!.Find(path)!.Content.Read(0, 1 << 20));

    private string PathOf(string name) => Path.Combine(_folder, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllText(PathOf(name), text);
    }
}
