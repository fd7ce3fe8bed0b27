using Crust.Formats;
using Crust.Spec;
using Crust.Tests.Cli;
using Crust.Tests.Installers;
using Crust.Trees;

namespace Crust.Tests.Embedding;

public sealed class EmbedTests
{
    private const string Token = "aUToCKen12345";

    private string _folder = null!;

    private string Out => Path.Combine(_folder, "out");

    private string Written => File.ReadAllText(Path.Combine(Out, "work", "crust.yaml"));

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-embed-").FullName;
        File.WriteAllBytes(PathOf("vendor.iso"), IsoBytes.With("VENDOR", 0x00));
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_key_that_is_also_a_section_is_written_as_one_and_the_private_key_that_logs_in_is_left_out()
    {
        Verification.SshServer.MakeKey(_folder, "id", "-t", "ed25519");
        Write("crust.yaml", """
            installer: { iso: vendor.iso }
            seed: { ssh: { user: edge } }
            cache: { registry: "oci://registry.example.com/cache", trust: [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWmGMAYoNFSuREVdWs9DL6VyHrnUZrPzqNbQqTFbZTw ci" ] }
            verify: { ssh: { key: id }, checks: [ systemctl is-active k3s, id -u ] }
            """);

        var run = await EmbedAsync();

        var after = Read(Path.Combine(Out, "work", "crust.yaml"));
        Assert.That((run.Code, run.Error.Contains("verify.ssh.key", StringComparison.Ordinal)), Is.EqualTo((0, true)), run.Error);
        Assert.That((after.Verify.Ssh, after.Verify.SshUser, after.Verify.SshKey, string.Join("; ", after.Verify.Checks)), Is.EqualTo((SshProof.Login, "edge", (string?)null, "systemctl is-active k3s; id -u")));
        Assert.That((after.Cache, after.CacheTrust.Length), Is.EqualTo(("registry.example.com/cache", 1)));
        Assert.That(Directory.EnumerateFiles(Out, "id", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public async Task Layers_come_along_with_their_files_modes_and_links_and_have_the_same_digests_there()
    {
        Write("overlay/usr/bin/agent", "#!/bin/sh\n");
        File.SetUnixFileMode(PathOf("overlay/usr/bin/agent"), (UnixFileMode)0x1ed);
        File.CreateSymbolicLink(PathOf("overlay/agent"), "usr/bin/agent");
        Write("one/customize.sh", "#!/bin/sh\ntrue\n");
        Write("two/customize.sh", "#!/bin/sh\nfalse\n");
        Write("50-site.cfg", "runcmd: [true]\n");
        Write("crust.yaml", """
            installer: { iso: vendor.iso }
            layers:
              - files: overlay/
              - packages: [htop]
                upgrade: true
              - script: one/customize.sh
              - script: two/customize.sh
              - config: 50-site.cfg
              - recipe: helm
              - sysext: helm
                partition: OEM
              - sysext: { index: 'https://example.org/x', name: tool, version: '1.2', key: publisher.asc, allowUnverified: true }
                profile: kairos
              - sysext: tool.raw
              - users: [{ name: edge, keys: [id.pub], sudo: true, groups: [docker], shell: /bin/bash }]
              - firstBoot: { repository: 'https://example.org/b.git', commit: 0123456789abcdef0123456789abcdef01234567, key: id.pub, nodes: nodes.yaml, copy: bootstrap }
            """);
        Write("nodes.yaml", "nodes: [{ mac: 'dc:a6:32:01:02:03', hostname: node1, role: control-plane }]\n");
        Write("bootstrap/setup.sh", "true\n");
        Write("publisher.asc", "a public key\n");
        Write("tool.raw", "an extension\n");
        Write("id.pub", "ssh-ed25519 AAAAC3x me@here\n");
        Write("recipes/helm.yaml", File.ReadAllText(Path.Combine(global::Crust.Storage.Folders.BuilderBesideProgram, "recipes", "helm.yaml")).Replace("summary: ", "summary: Our "));

        var run = await EmbedAsync();

        Assert.That(run.Code, Is.Zero, run.Error);
        string[] Digests(string spec) => [.. Crust.Layers.Layer.ReadAll(Read(spec)).Select(layer => $"{layer.Spec.Kind} {layer.Digest}")];
        Assert.That(Digests(Path.Combine(Out, "work", "crust.yaml")), Is.EqualTo(Digests(PathOf("crust.yaml"))));

        Directory.Delete(Out, recursive: true);
        Verification.SshServer.MakeKey(Path.Combine(_folder, "overlay"), "id", "-t", "ed25519");
        var secret = await EmbedAsync();
        Assert.That((secret.Code, secret.Error.Contains("overlay/id: a layer's file", StringComparison.Ordinal)), Is.EqualTo((2, true)), secret.Error);
    }

    [TestCase("oci: layout", "oci", "layout.tar")]
    [TestCase("rootfs: root.tar", "rootfs", "root.tar")]
    public async Task A_root_file_system_stays_one_and_an_images_folder_becomes_an_archive(string given, string key, string file)
    {
        await using (var archive = File.Create(PathOf("root.tar")))
        {
            await FileTree.Empty.With(TreeEntry.File("etc/hostname", TreeContent.Of("edge\n"))).WriteTarAsync(archive, 0, CancellationToken.None);
        }

        Registries.OciSample.Write(PathOf("layout"), (Arch.Amd64, [PathOf("root.tar")]));
        Write("crust.yaml", $"base: {{ {given}, layout: gpt }}\n");

        var run = await EmbedAsync();

        Assert.That(run.Code, Is.Zero, run.Error);
        var copy = Path.Combine(Out, "iso", file);
        Assert.That(Written, Does.Match($"{key}: \"?.*/{file}").And.Contain(await Crust.Storage.Checksum.OfFileAsync(copy, CancellationToken.None)).And.Contain("layout: \"gpt\"").And.Not.Contain("image:"));
        var tree = FileTree.FromTar(copy);
        Assert.That(tree.Find(key == "oci" ? "index.json" : "etc/hostname"), Is.Not.Null);
    }

    [Test]
    public async Task The_ISO_and_all_files_are_there_and_the_spec_reads_the_same_as_before()
    {
        Write("site/user-data.yaml", "#cloud-config\ninstall:\n  device: auto\n");
        Write("other/user-data.yaml", "#cloud-config\nhostname: edge\n");
        Write("motd", "welcome\n");
        Write("key.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWmGMAYoNFSuREVdWs9DL6VyHrnUZrPzqNbQqTFbZTw me\n");
        Write("crust.yaml", """
            name: edge
            installer: { iso: vendor.iso, boot: { keys: ["<wait2s>", "<enter>"] } }
            machine: { disk: 3G, network: none }
            seed:
              userData: [site/user-data.yaml, other/user-data.yaml]
              files: [motd, etc/issue=motd]
              ssh: { user: edge, authorizedKeys: key.pub }
            formats: [vmdk]
            """);

        var run = await EmbedAsync("--memory", "1G");

        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        Assert.That(File.ReadAllBytes(Path.Combine(Out, "iso", "vendor.iso")), Is.EqualTo(File.ReadAllBytes(PathOf("vendor.iso"))));
        var (before, after) = (Read(PathOf("crust.yaml")), Read(Path.Combine(Out, "work", "crust.yaml")));
        Assert.That(after.Installer.Iso, Is.EqualTo("/iso/vendor.iso"));
        Assert.That(after.Installer.Sha256, Has.Length.EqualTo(64));
        Assert.That(after.Machine.Memory, Is.EqualTo(1L << 30), "an option counts, too");
        Assert.That((after.Name, after.Machine.Disk, after.Machine.Network, string.Join(' ', after.Installer.BootKeys), string.Join(' ', after.Formats), string.Join(' ', after.Seed.Ssh.AuthorizedKeys)),
            Is.EqualTo((before.Name, before.Machine.Disk, before.Machine.Network, string.Join(' ', before.Installer.BootKeys), string.Join(' ', before.Formats), string.Join(' ', before.Seed.Ssh.AuthorizedKeys))));
        Assert.That(after.Seed.UserData.Select(File.ReadAllText), Is.EqualTo(before.Seed.UserData.Select(File.ReadAllText)), "two files of one name, in their order");
        Assert.That(after.Seed.Files.Select(file => (file.Name, File.ReadAllText(file.Path))), Is.EqualTo(before.Seed.Files.Select(file => (file.Name, File.ReadAllText(file.Path)))));
        Assert.That(after.Seed.UserData.Append(after.Seed.Files[0].Path), Has.All.StartWith(Out), "nothing points outside");
    }

    [Test]
    public async Task Secrets_stay_out_and_are_named_with_the_variable_that_gives_them_later()
    {
        Write("token", Token);
        Write("crust.yaml", "installer: { iso: vendor.iso }\nseed:\n  ssh: { user: edge, password: hunter2hunter2 }\n  palette: { edgeHostTokenFile: token }\n");

        var run = await EmbedAsync();

        Assert.That((run.Code, run.Error), Is.EqualTo((0, "warning: secrets aren't embedded, give them when the container runs: seed.palette.edgeHostToken (EDGE_HOST_TOKEN_FILE), seed.ssh.password (SSH_PASSWORD)\n")));
        Assert.That(AllText(), Does.Not.Contain("hunter2").And.Not.Contain(Token));
        Assert.That(Written, Does.Contain("user: \"edge\""));
    }

    [Test]
    public async Task Secrets_are_embedded_only_where_that_is_asked_for_with_a_warning()
    {
        Write("token", Token);
        Write("user-data.yaml", "#cloud-config\nusers:\n- name: edge\n  passwd: $6$abcdefgh$abcdefghijklmnop\n");
        Write("crust.yaml", "installer: { iso: vendor.iso }\nseed:\n  userData: user-data.yaml\n  palette: { edgeHostTokenFile: token }\n");

        var run = await EmbedAsync("--secrets");

        Assert.That((run.Code, run.Error), Is.EqualTo((0, $"warning: secrets are embedded, and anyone who gets the container has them: {PathOf("user-data.yaml")}: users[0].passwd, seed.palette.edgeHostToken (EDGE_HOST_TOKEN_FILE)\n")));
        Assert.That(Read(Path.Combine(Out, "work", "crust.yaml")).Seed.Palette.EdgeHostToken?.Reveal(), Is.EqualTo(Token));
    }

    [TestCase("user-data.yaml", "#cloud-config\nstylus:\n  site:\n    edgeHostToken: abc\n", "userData: user-data.yaml", "user-data.yaml: stylus.site.edgeHostToken", TestName = "A_secret_in_a_cloud_config_is_refused")]
    [TestCase("id", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "files: [id]", "id: a private key", TestName = "A_private_key_that_rides_along_is_refused")]
    [TestCase("user-data.yaml", "#cloud-config\nchpasswd:\n  list: |\n    root:correct-horse\n", "userData: user-data.yaml", "user-data.yaml: chpasswd.list", TestName = "A_list_of_passwords_is_refused")]
    [TestCase("config.json", "{\"auths\": {\"registry.example.org\": {\"auth\": \"bWU6aHVudGVyMg==\"}}}", "files: [root/.docker/config.json=config.json]", "config.json: auths.registry.example.org.auth", TestName = "A_docker_login_is_refused")]
    [TestCase("netrc", "machine a login b password correct-horse\n", "files: [root/.netrc=netrc]", "netrc: a password (line 1)", TestName = "A_netrc_is_refused")]
    [TestCase("net.yaml", "version: 2\nwifis: {w: {access-points: {a: {password: correct-horse}}}}\n", "networkConfig: net.yaml", "net.yaml: wifis.w.access-points.a.password", TestName = "A_wireless_password_is_refused")]
    public async Task Refused(string file, string content, string seed, string told)
    {
        Write(file, content);
        Write("crust.yaml", $"installer: {{ iso: vendor.iso }}\nseed:\n  {seed}\n");

        var run = await EmbedAsync();

        Assert.That(run.Code, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("A file that would be embedded holds a secret").And.Contain(Path.Combine(_folder, told)));
        Assert.That(Directory.Exists(Out), Is.False);
    }

    [TestCase("boot: { keys: [\"root<enter>correct-horse<enter>\"] }", "installer.boot.keys[0]: typed text")]
    [TestCase("boot: { kernel: /k, append: \"ip=dhcp K3S_TOKEN=correct-horse\" }", "installer.boot.append: K3S_TOKEN")]
    public async Task What_the_spec_has_typed_or_tells_the_kernel_is_refused_too(string installer, string told)
    {
        Write("crust.yaml", $"installer: {{ iso: vendor.iso, {installer} }}\n");

        var run = await EmbedAsync();

        Assert.That((run.Code, run.Error), Is.EqualTo((2, run.Error)), run.Error);
        Assert.That(run.Error, Does.Contain(PathOf("crust.yaml:1:")).And.Contain(told).And.Not.Contain("correct-horse"));
        Assert.That((await EmbedAsync("--secrets")).Code, Is.Zero);
    }

    [Test]
    public async Task A_secret_that_a_variable_stands_for_is_none_of_the_file_and_need_not_be_set_yet()
    {
        Write("user-data.yaml", "#cloud-config\nstylus:\n  site:\n    edgeHostToken: ${NOBODY_HAS_SET_THIS}\n");
        Write("crust.yaml", "installer: { iso: vendor.iso }\nseed:\n  userData: user-data.yaml\n  substitute: true\n");

        Assert.That((await EmbedAsync()).Code, Is.Zero);
    }

    [Test]
    public async Task A_folder_that_holds_something_stays_as_it_is()
    {
        Write("crust.yaml", "installer: { iso: vendor.iso }\n");
        Write("out/mine", "mine");

        var run = await EmbedAsync();

        Assert.That((run.Code, Directory.GetFileSystemEntries(Out)), Is.EqualTo((2, new[] { Path.Combine(Out, "mine") })));
    }

    [Test]
    public async Task A_file_that_is_not_there_leaves_nothing()
    {
        Write("crust.yaml", "installer: { iso: vendor.iso }\nseed:\n  networkConfig: nothing.yaml\n");

        var run = await EmbedAsync();

        Assert.That((run.Code, Directory.GetFileSystemEntries(_folder, "out*")), Is.EqualTo((2, Array.Empty<string>())));
    }

    private Task<CommandLineRun> EmbedAsync(params string[] options) => CommandLineRun.OfAsync(["embed", PathOf("crust.yaml"), "--output", Out, "--quiet", .. options]);

    private string PathOf(string file) => Path.Combine(_folder, file);

    private void Write(string file, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
        File.WriteAllText(PathOf(file), content);
    }

    private string AllText() => string.Concat(Directory.EnumerateFiles(Out, "*", SearchOption.AllDirectories).Select(File.ReadAllText));

    private static BuildSpec Read(string file) => new SpecReader(ImageFormats.ForSpec).Read(new SpecSources { File = file, CurrentFolder = "/" });
}
