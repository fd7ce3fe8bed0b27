using System.Text;
using System.Text.Json;
using Crust.Attestation;
using Crust.Layers;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Seeds.Secrets;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Tests.Recipes;
using Crust.Tests.Seeds;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Layers;

/// <summary>System extensions as layers: what is put where on which system, from recipes, files and published indexes.</summary>
[CancelAfter(120_000)]
public sealed class SysextLayerTests
{
    private const string Where = "crust.yaml:2:5, layers[0]";
    private const string FileName = "tool-1.2-x86-64.raw";

    private StandIn _upstream = null!;
    private byte[] _extension = null!;

    private Uri Index => new(new Uri(_upstream.MirrorUrl), "/index/");

    private SysextBuilder Builder => new(StandIn.Tools, new SysextAttestor(new Signer(StandIn.Tools, new Folders { Images = _upstream.Folder, Cache = Path.Combine(_upstream.Folder, "cache"), Runtime = _upstream.Folder, Builder = "" }), TimeProvider.System), TimeProvider.System);

    [SetUp]
    public async Task SetUp()
    {
        _upstream = new StandIn();
        var plan = new SysextPlan { Name = "tool", Version = "1.2" }.For(SysextPlan.AnyOs);
        var tree = FileTree.Empty.With(TreeEntry.File("usr/bin/tool", TreeContent.Of("#!/bin/sh\n"), TreeEntry.Executable));
        var built = await Builder.BuildAsync(plan, new SysextContent(tree, []), new SignSpec(), _upstream.Folder, CancellationToken.None);
        _extension = await File.ReadAllBytesAsync(built.Path);
        Publish();
    }

    [TearDown]
    public void TearDown() => _upstream.Dispose();

    [Test]
    public async Task On_Flatcars_OEM_partition_file_link_and_definitions_are_there_and_Ignition_brings_them_back_after_a_reset()
    {
        _upstream.MakeKey();
        Sign();
        var (tree, sha256) = await MakeAsync(Published(key: true), "flatcar", "OEM");

        Assert.That(sha256, Is.EqualTo(StandIn.Sum(_extension)));
        Assert.That(Files(tree), Is.EqualTo(new[]
        {
            "etc/extensions/tool.raw -> /oem/extensions/tool/tool-1.2-x86-64.raw", "etc/systemd/import-pubring.gpg", "etc/sysupdate.d/noop.conf", "etc/sysupdate.d/noop.transfer", "etc/sysupdate.tool.d/tool.conf",
            "etc/sysupdate.tool.d/tool.transfer", "oem/base/crust-tool.ign", "oem/extensions/tool/tool-1.2-x86-64.raw",
        }));
        Assert.That(Text(tree, "etc/sysupdate.tool.d/tool.transfer"), Does.Contain("Verify=yes").And.Contain($"Path={Index.AbsoluteUri}\nMatchPattern=tool-@v-%a.raw").And.Contain("CurrentSymlink=/etc/extensions/tool.raw"));

        using var json = JsonDocument.Parse(Text(tree, "oem/base/crust-tool.ign"));
        var storage = json.RootElement.GetProperty("storage");
        Assert.That(storage.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString()!.TrimStart('/')).Order(StringComparer.Ordinal), Is.EqualTo(Files(tree).Where(file => file.StartsWith("etc/sys", StringComparison.Ordinal))));
        Assert.That(storage.GetProperty("files").EnumerateArray().All(file => Convert.FromBase64String(file.GetProperty("contents").GetProperty("source").GetString()!.Split(',')[1])
            .SequenceEqual(tree.Find(file.GetProperty("path").GetString()![1..])!.Content.Read(0, 1 << 20))), "the same as lies there");
        using var sample = new SeedSample();
        var seed = new SeedSpec { Kind = SeedKind.Ignition, UserData = [sample.Write("base.ign", Text(tree, "oem/base/crust-tool.ign"))] };
        Assert.That(SeedChecks.Check(SeedSample.SpecOf(seed), SeedFiles.Read(seed), null).Where(finding => finding.Rule.Contains("ignition", StringComparison.Ordinal) || finding.Severity is SeedSeverity.Error), Is.Empty);
    }

    [Test]
    public async Task Each_system_gets_it_where_it_looks()
    {
        var path = Path.Combine(_upstream.Folder, FileName);
        Assert.That(Files((await MakeAsync(new SysextOrigin.Local(path), "flatcar", "ROOT")).Tree), Is.EqualTo(new[]
        {
            "etc/extensions/tool.raw -> /opt/extensions/tool/tool-1.2-x86-64.raw", "opt/extensions/tool/tool-1.2-x86-64.raw",
        }));
        Assert.That(Files((await MakeAsync(new SysextOrigin.Local(path), "debian", null)).Tree), Is.EqualTo(new[]
        {
            "etc/systemd/system/sysinit.target.wants/systemd-sysext.service -> /usr/lib/systemd/system/systemd-sysext.service", "var/lib/extensions/tool.raw",
        }));
        Assert.That(Files((await MakeAsync(Published(), "any", null)).Tree), Does.Contain("etc/extensions/tool.raw -> /opt/extensions/tool/tool-1.2-x86-64.raw").And.Contain("etc/sysupdate.tool.d/tool.conf"));
        Assert.That(Read(Published(), "debian", null).Requires, Is.EqualTo("/usr/lib/systemd/system/systemd-sysext.service"));

        // Kairos' systemd looks for the longer name, too; this file was built for others.
        var error = await FailAsync(new SysextOrigin.Local(path), "kairos");
        Assert.That((error.What, error.Kind), Is.EqualTo(("Its release file is extension-release.tool, and systemd looks for the name of the extension's own file", FailureKind.BadInput)));
    }

    [Test]
    public async Task One_of_a_recipe_is_built_for_the_system_that_is_on_the_disk()
    {
        var url = new Uri("https://example.org/v1.2.3/tool");
        _upstream.Files[StandIn.PathOf(url)] = Encoding.UTF8.GetBytes("#!/bin/sh\n");
        File.WriteAllText(Path.Combine(_upstream.Folder, "crust.mirrors.yaml"), $"mirrors:\n  https://example.org/: {_upstream.MirrorUrl.TrimEnd('/')}/example.org/\n");
        File.WriteAllText(Path.Combine(_upstream.Recipes, "gadget.yaml"), $$"""
            name: gadget
            summary: A gadget
            homepage: https://example.org
            license: MIT
            downloads:
              tool: { url: 'https://example.org/{tag}/tool' }
            files:
              - { from: tool, to: /usr/bin/gadget, mode: '755' }
            versions:
              1.2.3: { amd64: { tool: {{StandIn.Sum(_upstream.Files[StandIn.PathOf(url)])}} } }
            """);
        var recipe = new SysextOrigin.Built(new LayerSpec.Recipe("gadget", null, null, _upstream.Folder) { Where = Where });

        var (tree, sha256) = await MakeAsync(recipe, "kairos", null);
        Assert.That(Files(tree), Is.EqualTo(new[]
        {
            ".state/var-lib-kairos.bind/extensions/common/gadget.sysext.raw -> /var/lib/kairos/extensions/gadget.sysext.raw", ".state/var-lib-kairos.bind/extensions/gadget.sysext.raw",
        }));
        var content = tree.Find(".state/var-lib-kairos.bind/extensions/gadget.sysext.raw")!.Content;
        Assert.That(StandIn.Sum(content.Read(0, (int)content.Length)), Is.EqualTo(sha256));
        Assert.That((await MakeAsync(recipe, "kairos", null)).Sha256, Is.EqualTo(sha256), "the same bytes each time");
        Assert.That(Files((await MakeAsync(recipe, "flatcar", "OEM")).Tree), Does.Contain("oem/extensions/gadget/gadget-1.2.3-x86-64.raw"));
        Assert.That(new[] { Read(recipe, "kairos", null), Read(recipe, "flatcar", "OEM"), Read(recipe, "flatcar", "ROOT"), Read(recipe, "any", null) }.Select(layer => layer.Digest), Is.Unique);
    }

    [Test]
    public async Task What_an_index_does_not_vouch_for_is_not_taken()
    {
        _upstream.MakeKey();
        Sign();
        var absent = await FailAsync(Published("1.3"), "flatcar");
        Assert.That((absent.What, absent.Remedy, absent.Where), Is.EqualTo(("The index has no tool-1.3-x86-64.raw", "take one of the versions that it has: 1.2", $"{Where}: {Index}SHA256SUMS")));
        Assert.That((await FailAsync(Published() with { Name = "tol" }, "flatcar")).Remedy, Is.EqualTo("did you mean 'tool'?"));
        Assert.That((await FailAsync(Published(), "flatcar", Arch.Arm64)).Remedy, Is.EqualTo("it has nothing for arm64 whose name ends in .raw"));
        Assert.That((await FailAsync(Published() with { Sha256 = new string('0', 64) }, "flatcar")).What, Does.StartWith($"The extension isn't the one that the checksum is of: expected SHA-256 {new string('0', 64)}, it has "));
        Assert.That((await FailAsync(Published(key: true) with { Sha256 = new string('0', 64) }, "flatcar")).What, Does.StartWith($"The index says another SHA-256 of {FileName} than the spec: "));

        _upstream.Files["/index/" + FileName] = [1, 2, 3];
        Assert.That((await FailAsync(Published(), "flatcar")).What, Does.StartWith("The extension isn't the one that the checksum is of"));
        Publish(list: "changed afterwards\n");
        Assert.That((await FailAsync(Published(key: true), "flatcar")).What, Does.StartWith("The signature of the list of checksums is wrong"));
        _upstream.Files.Remove("/index/SHA256SUMS.gpg");
        Assert.That((await FailAsync(Published(key: true), "flatcar")).What, Does.Contain("404"));
    }

    [Test]
    public async Task A_file_that_no_system_would_merge_is_refused()
    {
        var other = Path.Combine(_upstream.Folder, "other.raw");
        File.Copy(Path.Combine(_upstream.Folder, FileName), other);
        Assert.That((await FailAsync(new SysextOrigin.Local(other), "any")).What, Does.StartWith("Its release file is extension-release.tool"));

        await File.WriteAllBytesAsync(other, new byte[8192]);
        Assert.That((await FailAsync(new SysextOrigin.Local(other), "any")).What, Is.EqualTo("It is no image of a system extension"));
        Assert.That((await FailAsync(new SysextOrigin.Local(Path.Combine(_upstream.Folder, FileName)), "any", Arch.Arm64)).What, Is.EqualTo("The extension is for x86-64, and machine.arch is arm64"));
        var missing = await FailAsync(new SysextOrigin.Local(Path.Combine(_upstream.Folder, "none.raw")), "any");
        Assert.That((missing.Kind, missing.Where), Is.EqualTo((FailureKind.BadInput, $"{Where}: {_upstream.Folder}/none.raw")));
    }

    [Test]
    public void Two_files_of_keys_and_two_lists_of_users_are_one_too_many()
    {
        LayerSpec Of(string key) => new LayerSpec.Sysext(Published() with { Key = key }, "flatcar", "OEM") { Where = key };
        LayerSpec users = new LayerSpec.Users([]) { Where = "there" };

        Assert.That(Assert.Throws<CrustException>(() => LayerRules.Checked([Of("/a"), Of("/a"), Of("/b")]))!.Where, Is.EqualTo("/b"));
        Assert.That(Assert.Throws<CrustException>(() => LayerRules.Checked([users, users]))!.What, Is.EqualTo("There are two layers of users, and cloud-init takes the list of the last alone"));
        Assert.That(LayerRules.Checked([users, Of("/a"), Of("/a")]), Has.Length.EqualTo(3));
    }

    [Test]
    public void Users_are_said_as_cloud_init_reads_them_without_a_password_or_any_other_secret()
    {
        var layer = Layer.ReadAll(new BuildSpec
        {
            Layers = [new LayerSpec.Users([new("edge", ["ssh-ed25519 AAAAC3one me@here"], [], true, ["docker", "sudo"], "/bin/bash"), new("other", ["ssh-ed25519 AAAAC3two"], [], false, [], null)]) { Where = Where }],
        })[0];

        var text = Text(layer.Tree!, "etc/cloud/cloud.cfg.d/40-crust-users.cfg");
        Assert.That(text, Is.EqualTo("""
            users:
            - "default"
            - name: "edge"
              groups:
              - "docker"
              - "sudo"
              shell: "/bin/bash"
              sudo: "ALL=(ALL) NOPASSWD:ALL"
              lock_passwd: true
              ssh_authorized_keys:
              - "ssh-ed25519 AAAAC3one me@here"
            - name: "other"
              lock_passwd: true
              ssh_authorized_keys:
              - "ssh-ed25519 AAAAC3two"

            """));
        Assert.That(FileSecrets.In("40-crust-users.cfg", text), Is.Empty);
        Assert.That(layer.Requires, Is.EqualTo("/etc/cloud/cloud.cfg.d"));
    }

    [Test]
    public void A_vendor_is_a_layer_of_its_own_below_all_others()
    {
        var script = Path.Combine(_upstream.Folder, "x.sh");
        File.WriteAllText(script, "#!/bin/sh\n");
        var layers = Layer.ReadAll(new BuildSpec { Base = new BaseSpec { Image = "/x", Vendor = "vmware" }, Layers = [new LayerSpec.Script(script) { Where = Where }] });

        Assert.That(layers.Select(layer => layer.Title), Is.EqualTo(new[] { "base.vendor vmware", "layer 1 (script x.sh)" }));
        Assert.That(layers[0].Facts.Kind, Is.EqualTo("vendor"));
    }

    private SysextOrigin.Published Published(string version = "1.2", bool key = false) =>
        new(Index, "tool", version) { Key = key ? Directory.GetFiles(Path.Combine(_upstream.Recipes, "keys")).Single() : null };

    private void Publish(string list = "")
    {
        _upstream.Files["/index/" + FileName] = _extension;
        _upstream.Files["/index/SHA256SUMS"] = Encoding.UTF8.GetBytes($"{StandIn.Sum(_extension)}  {FileName}\n{list}");
    }

    private void Sign() => _upstream.Files["/index/SHA256SUMS.gpg"] = _upstream.Sign(Encoding.UTF8.GetString(_upstream.Files["/index/SHA256SUMS"]), "--detach-sign");

    private static Layer Read(SysextOrigin origin, string profile, string? partition, Arch arch = Arch.Amd64) =>
        Layer.ReadAll(new BuildSpec { Machine = new MachineSpec { Arch = arch }, Layers = [new LayerSpec.Sysext(origin, profile, partition) { Where = Where }] })[0];

    private async Task<(FileTree Tree, string Sha256)> MakeAsync(SysextOrigin origin, string profile, string? partition, Arch arch = Arch.Amd64)
    {
        var http = new Crust.Downloads.HttpSource(Crust.Downloads.HttpSource.NewClient(), TimeProvider.System, Logger.None) { FirstPause = TimeSpan.Zero };
        var index = new IndexedSysexts(Path.Combine(_upstream.Folder, "cache"), http, StandIn.Tools, _upstream.Events, TimeProvider.System, Logger.None);
        var maker = new SysextMaker(_upstream.Trees, Builder, new SysextReader(StandIn.Tools), index);
        var scratch = Directory.CreateDirectory(Path.Combine(_upstream.Folder, Guid.NewGuid().ToString("N"))).FullName;
        return await maker.MakeAsync(Read(origin, profile, partition, arch).Sysext!, scratch, CancellationToken.None);
    }

    private async Task<CrustException> FailAsync(SysextOrigin origin, string profile, Arch arch = Arch.Amd64) =>
        (await Task.Run(() => Assert.ThrowsAsync<CrustException>(() => MakeAsync(origin, profile, profile == "flatcar" ? "OEM" : null, arch))))!;

    private static IEnumerable<string> Files(FileTree tree) => tree.Entries.Where(entry => entry.Kind is not EntryKind.Folder)
        .Select(entry => entry.Kind is EntryKind.Symlink ? $"{entry.Path} -> {entry.LinkTarget}" : entry.Path);

    private static string Text(FileTree tree, string path) => Encoding.UTF8.GetString(tree.Find(path)!.Content.Read(0, 1 << 20));
}
