using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class LayerTypeTests
{
    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void Layers_are_read_in_their_order_with_paths_from_the_specs_own_folder()
    {
        _sample.Write("specs/crust.yaml", "layers:\n  - files: overlay/\n  - packages: [htop, curl=8.1]\n    upgrade: true\n  - script: ../customize.sh\n  - packages: vim\n  - images: [app.tar, db.tar.zst]\n    into: k3s\n  - config: 50-site.cfg\n  - recipe: k3s@v1.36.4+k3s1\n  - { recipe: docker, variant: containerd }\n");

        var spec = _sample.ReadFile("specs/crust.yaml");

        Assert.That(spec.Layers.Select(layer => $"{layer.Kind}: {layer.Shown}"), Is.EqualTo(new[] { "files: overlay", "packages: htop curl=8.1 (upgrade)", "script: customize.sh", "packages: vim", "images: app.tar db.tar.zst", "config: 50-site.cfg",
            "recipe: k3s@v1.36.4+k3s1", "recipe: docker (containerd)" }));
        Assert.That(spec.Layers.SelectMany(layer => layer.Paths), Is.EqualTo(new[] { Path.Combine(_sample.Folder, "specs/overlay"), Path.Combine(_sample.Folder, "customize.sh"),
            Path.Combine(_sample.Folder, "specs/app.tar"), Path.Combine(_sample.Folder, "specs/db.tar.zst"), Path.Combine(_sample.Folder, "specs/50-site.cfg") }));
        Assert.That(((LayerSpec.Images)spec.Layers[4]).Into, Is.EqualTo("/var/lib/rancher/k3s/agent/images"));
        Assert.That(spec.InputFiles, Does.Contain(Path.Combine(_sample.Folder, "customize.sh")), "so that no image is written over it");
        Assert.That(spec.Layers[2].Where, Is.EqualTo("specs/crust.yaml:5:5, layers[2]"));
    }

    [Test]
    public void Extensions_are_of_a_recipe_of_a_file_or_of_an_index_and_go_to_a_partition_where_there_is_a_choice()
    {
        _sample.Write("key.asc", "key");
        var spec = _sample.Read($$"""
            layers:
              - sysext: wasmtime@39.0.0
                partition: OEM
              - sysext: tool-1.2-x86-64.raw
              - { sysext: docker, variant: containerd, profile: flatcar }
              - sysext: { index: 'http://e.org/stable', name: tool, version: '1.2', key: key.asc, sha256: {{new string('A', 64)}} }
                profile: kairos
            """);

        var layers = spec.Layers.Cast<LayerSpec.Sysext>().ToList();
        Assert.That(layers.Select(layer => (layer.Shown, layer.Profile, layer.Partition)), Is.EqualTo(new[]
        {
            ("wasmtime@39.0.0 on OEM", "flatcar", "OEM"), ("tool-1.2-x86-64.raw", "any", null), ("docker (containerd) on ROOT", "flatcar", "ROOT"), ("tool@1.2", "kairos", null),
        }));
        var published = (SysextOrigin.Published)layers[3].Source;
        Assert.That((published.Url.AbsoluteUri, published.Sha256), Is.EqualTo(("http://e.org/stable/", new string('a', 64))));
        Assert.That(layers.SelectMany(layer => layer.Paths), Is.EqualTo(new[] { Path.Combine(_sample.Folder, "tool-1.2-x86-64.raw"), Path.Combine(_sample.Folder, "key.asc") }));
    }

    [Test]
    public void Users_have_keys_given_as_text_or_by_file()
    {
        _sample.Write("id.pub", "ssh-ed25519 AAAAC3other two\n");
        var users = (LayerSpec.Users)_sample.Read("layers:\n  - users:\n      - { name: edge, keys: [id.pub, ssh-ed25519 AAAAC3one], sudo: true, groups: docker, shell: /bin/bash }\n      - { name: other, keys: ssh-ed25519 AAAAC3one }\n").Layers[0];

        Assert.That(users.Shown, Is.EqualTo("edge other"));
        var (edge, other) = (users.Accounts[0], users.Accounts[1]);
        Assert.That(edge.Keys, Is.EqualTo(new[] { "ssh-ed25519 AAAAC3other two", "ssh-ed25519 AAAAC3one" }));
        Assert.That((edge.Sudo, edge.Shell, other.Sudo, other.Shell), Is.EqualTo((true, "/bin/bash", false, (string?)null)));
        Assert.That((edge.Groups, other.Groups), Is.EqualTo((new[] { "docker" }, Array.Empty<string>())));
        Assert.That(users.Paths, Is.EqualTo(new[] { Path.Combine(_sample.Folder, "id.pub") }));
    }

    [Test]
    public void A_first_boot_has_its_nodes_and_what_runs_on_them()
    {
        var pin = new string('a', 40);
        var spec = _sample.Read($$"""
            layers:
              - firstBoot: { repository: 'https://example.org/bootstrap.git', commit: {{pin.ToUpperInvariant()}}, key: keys/me.pub, nodes: nodes.yaml, copy: bootstrap/, patience: 10m, webhook: 'https://h.example.org/x' }
              - firstBoot: { repository: git@example.org:bootstrap.git, branch: main, key: me.asc, knownHosts: hosts, nodes: nodes.yaml, token: /etc/token }
              - firstBoot: { repository: 'https://example.org/b.tar.gz', sha256: {{new string('b', 64)}}, nodes: nodes.yaml }
              - firstBoot: { copy: bootstrap.tar, nodes: nodes.yaml }
            """);

        var layers = spec.Layers.Cast<LayerSpec.FirstBoot>().ToList();
        Assert.That(layers.Select(layer => layer.Shown), Is.EqualTo(new[] { $"https://example.org/bootstrap.git@{pin[..12]}", "git@example.org:bootstrap.git@main", "https://example.org/b.tar.gz@bbbbbbbbbbbb", "bootstrap.tar" }));
        Assert.That((layers[0].Commit, layers[0].Patience, layers[0].Token, layers[1].Token), Is.EqualTo((pin, TimeSpan.FromMinutes(10), "/etc/crust/join-token", "/etc/token")));
        Assert.That(layers[0].Paths, Is.EqualTo(new[] { "nodes.yaml", "keys/me.pub", "bootstrap" }.Select(name => Path.Combine(_sample.Folder, name))));
    }

    [Test]
    public void A_node_of_k3s_gets_its_defaults_and_no_secrets()
    {
        var k3s = (LayerSpec.K3s)_sample.Read("""
            layers:
              - k3s:
                  role: cluster
                  config: { disable: [traefik, servicelb], flannel-backend: wireguard-native }
                  flux: { repository: 'https://git.example.org/fleet.git', path: ./edge }
            """).Layers[0];

        Assert.That((k3s.Role, k3s.Url, k3s.Shown, k3s.Flux), Is.EqualTo(("cluster", (string?)null, "cluster", new K3sFlux("https://git.example.org/fleet.git", "main", "./edge"))));
        Assert.That(k3s.Options.Select(option => $"{option.Key}={string.Join(',', option.Value)}"), Is.EqualTo(new[] { "disable=traefik,servicelb", "flannel-backend=wireguard-native" }));
        Assert.That(_sample.Read("layers: [{ k3s: {} }]\n").Layers[0].Shown, Is.EqualTo("as user-data says"));
    }

    [TestCase("layers:\n")]
    [TestCase("layers: []\n")]
    public void No_layers_are_none(string yaml) => Assert.That(_sample.Read(yaml).Layers, Is.Empty);

    [TestCase("layers: overlay/\n", "'layers' takes a list of mappings", "crust.yaml:1:9, layers", "write layers: and below it lines that begin with a dash")]
    [TestCase("layers: [overlay/]\n", "An entry of the list isn't a mapping", "crust.yaml:1:10, layers[0]", "write keys and values: - key: value")]
    [TestCase("layers:\n  - {}\n", "A layer says nothing", "crust.yaml:2:5, layers[0]", "name its kind: files, script, recipe, sysext, images, users, config, firstBoot, k3s or packages")]
    [TestCase("layers:\n  - file: x\n", "'file' isn't a kind of layer", "crust.yaml:2:11, layers[0].file", "did you mean 'files'?")]
    [TestCase("layers:\n  - files: x\n    script: y\n", "A layer has two kinds, files and script", "crust.yaml:2:5, layers[0]", "make two layers of it, each with a dash of its own")]
    [TestCase("layers:\n  - files: x\n    upgrade: true\n", "There is no key 'upgrade' here", "crust.yaml:3:5, layers[0].upgrade", "write files")]
    [TestCase("layers:\n  - files: [a, b]\n", "'files' takes one value, not a list", "crust.yaml:2:12, layers[0].files", "write files: and the value behind it")]
    [TestCase("layers:\n  - script:\n", "The key 'script' is missing", "crust.yaml:2:5, layers[0]", "write script: and its value")]
    [TestCase("layers:\n  - packages: [-y]\n", "'-y' can't be a package's name", "crust.yaml:2:15, layers[0].packages", "write names as the package manager has them, such as htop, libc6:amd64 or nginx=1.22.1-9")]
    [TestCase("layers:\n  - packages: ['a b']\n", "'a b' can't be a package's name", "crust.yaml:2:15, layers[0].packages", "write names as the package manager has them, such as htop, libc6:amd64 or nginx=1.22.1-9")]
    [TestCase("layers:\n  - packages: []\n", "There are no packages, and nothing is upgraded", "crust.yaml:2:15, layers[0].packages", "name packages, or write upgrade: true beside packages: []")]
    [TestCase("layers:\n  - packages: [a]\n    upgrade: maybe\n", "'maybe' is neither true nor false", "crust.yaml:3:14, layers[0].upgrade", "write true or false")]
    [TestCase("layers:\n  - config: site.yaml\n", "cloud-init doesn't read a file called 'site.yaml'", "crust.yaml:2:13, layers[0].config", "name one that ends in .cfg, such as 50-site.cfg")]
    [TestCase("layers:\n  - recipe: K3s\n", "'K3s' is no recipe", "crust.yaml:2:13, layers[0].recipe", "write a recipe's name, or NAME@VERSION: k3s@v1.36.4+k3s1")]
    [TestCase("layers:\n  - images: app.tar\n", "The key 'into' is missing", "crust.yaml:2:5, layers[0]", "write into: and its value")]
    [TestCase("layers:\n  - images: app.tar\n    into: k8s\n", "'k8s' is no folder on the disk", "crust.yaml:3:11, layers[0].into", "write k3s or rke2, or an absolute path")]
    [TestCase("layers:\n  - images: app.tar\n    into: /var/../etc\n", "'/var/../etc' is no folder on the disk", "crust.yaml:3:11, layers[0].into", "write k3s or rke2, or an absolute path")]
    [TestCase("layers:\n  - images: app.zip\n    into: k3s\n", "'app.zip' has no name of an archive of images", "crust.yaml:2:13, layers[0].images", "name a file that ends in .tar, .tar.gz or .tar.zst, as docker save, skopeo and crust write it")]
    [TestCase("layers:\n  - images: [a/x.tar, b/x.tar]\n    into: k3s\n", "Two archives are called x.tar", "crust.yaml:2:13, layers[0].images", "rename one of them")]
    [TestCase("layers:\n  - sysext: K3S\n", "'K3S' is no recipe and no file of an extension", "crust.yaml:2:13, layers[0].sysext", "write NAME@VERSION of a recipe, the path of a file that ends in .raw, or { index: URL, name: NAME, version: VERSION }")]
    [TestCase("layers:\n  - sysext: k3s\n    partition: USR-A\n", "'USR-A' is no partition of Flatcar's that can be written", "crust.yaml:3:16, layers[0].partition", "write ROOT or OEM")]
    [TestCase("layers:\n  - sysext: k3s\n    profile: flatcr\n", "'flatcr' is no kind of system", "crust.yaml:3:14, layers[0].profile", "did you mean 'flatcar'?")]
    [TestCase("layers:\n  - sysext: k3s\n    profile: kairos\n    partition: OEM\n", "ROOT and OEM are Flatcar's, and the profile is kairos", "crust.yaml:4:16, layers[0].partition", "leave out one of the two")]
    [TestCase("layers:\n  - sysext: { index: 'https://e.org/x/', name: tool }\n", "The key 'version' is missing", "crust.yaml:2:13, layers[0].sysext", "write version: and its value")]
    [TestCase("layers:\n  - sysext: { index: /srv/x, name: tool, version: '1' }\n", "'/srv/x' is no http(s) URL of a folder", "crust.yaml:2:22, layers[0].sysext.index", "write the URL below which SHA256SUMS lies, such as https://extensions.example.org/stable/")]
    [TestCase("layers:\n  - sysext: { index: 'https://me:pw@e.org/x', name: tool, version: '1' }\n", "The index's URL holds a log-in, which every machine would have in its update definition", "crust.yaml:2:22, layers[0].sysext.index", "serve it without one")]
    [TestCase("layers:\n  - sysext: { index: 'https://e.org/x', name: ../tool, version: '1' }\n", "'../tool' can't stand in an extension's file name", "crust.yaml:2:47, layers[0].sysext.name", "write it as the index's SHA256SUMS has it: NAME-VERSION-x86-64.raw")]
    [TestCase("layers:\n  - sysext: { index: 'https://e.org/x', name: tool, version: '1', sha256: abc }\n", "'abc' is no SHA-256", "crust.yaml:2:75, layers[0].sysext.sha256", "write the 64 hex digits that SHA256SUMS has for the file")]
    [TestCase("layers:\n  - sysext: { index: 'http://e.org/x', name: tool, version: '1' }\n", "The index comes by plain HTTP and isn't signed, so anyone who can replace an extension on its way can replace the list of checksums, too", "crust.yaml:2:22, layers[0].sysext.index", "give its https URL, the publisher's public key in key, or the file's 64 hex digits in sha256; or set allowUnverified to take whatever comes")]
    [TestCase("layers:\n  - users: []\n", "There are no users", "crust.yaml:2:12, layers[0].users", "write users: and below it - { name: NAME, keys: [ id.pub ] }")]
    [TestCase("layers:\n  - users: [{ name: root, keys: k }]\n", "root is there already", "crust.yaml:2:21, layers[0].users[0].name", "name an account of its own: lower-case letters, digits, - and _, 32 at most; sudo: true lets it do everything")]
    [TestCase("layers:\n  - users: [{ name: edge }]\n", "edge has no key, and with neither key nor password nobody could log in as edge", "crust.yaml:2:13, layers[0].users[0].keys", "name public keys, such as keys: [ id.pub ]")]
    [TestCase("layers:\n  - users: [{ name: edge, password: x }]\n", "A layer gives no passwords: anyone who has the image would have it, or its hash", "crust.yaml:2:37, layers[0].users[0].password", "give public keys in keys; a password for one machine belongs into its seed")]
    [TestCase("layers:\n  - users: [{ name: edge, keys: '-----BEGIN OPENSSH PRIVATE KEY-----' }]\n", "This is a private key", "crust.yaml:2:33, layers[0].users[0].keys", "give the one line of the .pub file, such as: ssh-ed25519 AAAAC3… name")]
    [TestCase("layers:\n  - users: [{ name: edge, keys: ssh-ed25519 AAAAC3x, groups: [a b] }]\n", "'a b' can't be a group's name", "crust.yaml:2:62, layers[0].users[0].groups", "write lower-case letters, digits, - and _")]
    [TestCase("layers:\n  - users: [{ name: edge, keys: ssh-ed25519 AAAAC3x, shell: bash }]\n", "'bash' is no path of a shell", "crust.yaml:2:61, layers[0].users[0].shell", "write an absolute path, such as /bin/bash")]
    [TestCase("layers:\n  - users: [{ name: edge, keys: ssh-ed25519 AAAAC3x, sudo: maybe }]\n", "'maybe' is neither true nor false", "crust.yaml:2:60, layers[0].users[0].sudo", "write true or false")]
    [TestCase("layers:\n  - firstBoot: x\n", "'firstBoot' takes a mapping, not one value", "crust.yaml:2:16, layers[0].firstBoot", "write keys below it, further to the right")]
    [TestCase("layers:\n  - firstBoot: { repository: 'https://e.org/b.git', nodes: n.yaml }\n", "Nothing says what of the repository is to run", "crust.yaml:2:30, layers[0].firstBoot.repository", "write commit: and the 40 hex digits of git rev-parse HEAD; sha256: for a tarball; or branch: with the key: that signs its commits")]
    [TestCase("layers:\n  - firstBoot: { repository: 'https://e.org/b.git', branch: main, nodes: n.yaml }\n", "A branch is whatever somebody pushes to it, and nothing says whose commits may run", "crust.yaml:2:61, layers[0].firstBoot.branch", "name the public key that signs them in key:, or pin a commit:")]
    [TestCase("layers:\n  - firstBoot: { repository: 'https://e.org/b.git', commit: v1.0, nodes: n.yaml }\n", "'v1.0' isn't a whole commit", "crust.yaml:2:61, layers[0].firstBoot.commit", "write the 40 hex digits of git rev-parse HEAD, in quotes if they are all digits; a short one or a tag may become another commit's")]
    [TestCase("layers:\n  - firstBoot: { repository: 'https://me:pw@e.org/b.git', branch: main, nodes: n.yaml }\n", "The repository's URL holds a log-in, which everybody who has the image would have", "crust.yaml:2:30, layers[0].firstBoot.repository", "serve it without one, or by ssh with a key of the node's own in /etc/crust/ssh-key")]
    [TestCase("layers:\n  - firstBoot: { repository: 'http://e.org/b.git', nodes: n.yaml }\n", "'http://e.org/b.git' is no https or ssh address of a repository", "crust.yaml:2:30, layers[0].firstBoot.repository", "write https://host/path.git, ssh://git@host/path.git or git@host:path.git")]
    [TestCase("layers:\n  - firstBoot: { repository: 'git@e.org:b.git', branch: main, key: k, nodes: n.yaml }\n", "Nothing says by which key the node knows the ssh server", "crust.yaml:2:30, layers[0].firstBoot.repository", "name a file in knownHosts:, as ssh-keyscan HOST writes it, after comparing its keys with the server's")]
    [TestCase("layers:\n  - firstBoot: { nodes: n.yaml }\n", "There is neither a repository nor a copy of one, and so no setup.sh", "crust.yaml:2:25, layers[0].firstBoot.nodes", "write repository: URL and its commit:, or copy: FOLDER")]
    [TestCase("layers:\n  - firstBoot: { nodes: n.yaml, copy: c, key: k }\n", "There is no repository that the key could be for", "crust.yaml:2:47, layers[0].firstBoot.key", "write repository: URL, or leave it out")]
    [TestCase("layers:\n  - firstBoot: { nodes: n.yaml, copy: c, token: hush }\n", "The token isn't named by a path on the node", "crust.yaml:2:49, layers[0].firstBoot.token", "write an absolute path, such as /etc/crust/join-token, and have the node's own seed put the token there: an image is no place for one")]
    [TestCase("layers:\n  - k3s:\n", "A layer k3s says nothing", "crust.yaml:2:9, layers[0].k3s", "write k3s: { role: cluster }, or k3s: {} where user-data says the role")]
    [TestCase("layers:\n  - k3s: { role: master }\n", "'master' is no role of a k3s node", "crust.yaml:2:18, layers[0].k3s.role", "write cluster, server or agent")]
    [TestCase("layers:\n  - k3s: { token: x }\n", "A layer gives no token: anyone who has the image could join the cluster", "crust.yaml:2:19, layers[0].k3s.token", "give it in each node's user-data (k3s: { token: … }), or name a file of the node's in tokenFile")]
    [TestCase("layers:\n  - k3s: { config: { agent-token: x } }\n", "A layer gives no secrets, and agent-token is one: anyone who has the image would have it", "crust.yaml:2:35, layers[0].k3s.config.agent-token", "give it in each node's user-data: k3s: { config: … }")]
    [TestCase("layers:\n  - k3s: { role: agent, url: 'http://a' }\n", "'http://a' is no address of a k3s server", "crust.yaml:2:30, layers[0].k3s.url", "write https://, its name or address, and its port: https://10.0.0.10:6443")]
    [TestCase("layers:\n  - k3s: { role: cluster, url: 'https://a:6443' }\n", "A url is the server that others join, and role cluster is the first server", "crust.yaml:2:32, layers[0].k3s.url", "leave url out, or set role to server or agent")]
    [TestCase("layers:\n  - k3s: { flux: { repository: 'https://me:pw@e.org/x' } }\n", "This is no repository that Flux follows, or holds a login", "crust.yaml:2:32, layers[0].k3s.flux.repository", "write an https:// or ssh:// URL; a login belongs into a secret of the cluster")]
    public void What_is_no_layer_is_refused_with_its_place(string yaml, string what, string where, string remedy) =>
        ErrorAssert.Says(_sample.Fail(yaml), FailureKind.BadInput, what, where, remedy);
}
