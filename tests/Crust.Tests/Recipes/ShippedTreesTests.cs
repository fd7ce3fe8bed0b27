using System.Text;
using System.Text.RegularExpressions;
using Crust.Recipes;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Tests.Disks;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Tests.Recipes;

/// <summary>All shipped recipes, locked against a stand-in of upstream's servers, fetched from it and laid out.</summary>
public sealed partial class ShippedTreesTests
{
    private static readonly string[] Names = [.. new RecipeBook(Path.Combine(Crust.Storage.Folders.BuilderBesideProgram, "recipes"), null).Names];

    private StandIn _upstream = null!;
    private LockFile _lock = null!;

    [OneTimeSetUp]
    public async Task LockAllAsync()
    {
        _upstream = new StandIn();
        _upstream.CopyShipped(_upstream.MakeKey());
        var empty = LockFile.Empty(Path.Combine(_upstream.Folder, "crust.lock"));
        var picks = new RecipePicks(_upstream.Book, empty);
        _lock = await _upstream.Sources.LockAsync(_upstream.Book, empty, Names.SelectMany(name => _upstream.Book.Get(name).Versions.Select(version => picks.Of(name, version.Version))), [], _upstream.Mirrors, CancellationToken.None);
    }

    [OneTimeTearDown]
    public void End() => _upstream.Dispose();

    [TestCaseSource(nameof(Names))]
    public void Each_is_locked_to_what_upstream_serves(string name)
    {
        var recipe = _upstream.Book.Get(name);
        foreach (var version in recipe.Versions)
        {
            foreach (var (download, arch) in recipe.Downloads.SelectMany(download => download.Archs.Select(arch => (download, arch))))
            {
                var entry = _lock.Find(name, version.Version, arch, download.Name);
                Assert.That(entry?.Sha256, Is.EqualTo(StandIn.Sum(_upstream.Files[download.Package is null ? StandIn.PathOf(new Uri(entry!.Url)) : new Uri(entry!.Url).AbsolutePath.Replace("/./", "/")])));
                if (download.Package is not null)
                {
                    Assert.That(entry.From, Is.EqualTo(LockFile.FromApt));
                    continue;
                }

                Assert.That((entry.From, entry.Key), download.Sums is null ? Is.EqualTo((version.Sums.ContainsKey((arch, download.Name)) ? LockFile.FromRecipe : LockFile.FromDownload, (string?)null))
                    : Is.EqualTo((Placeholders.Url(download.Sums, recipe, download, version.Version, arch).AbsoluteUri, download.Key)));
            }
        }
    }

    [Test]
    public void A_file_whose_sum_nobody_publishes_is_locked_to_that_of_today_with_a_warning() =>
        Assert.That(_upstream.Events.Events.OfType<BuildEvent.Warned>().Select(warned => warned.Message), Has.Some.Contains("falco-0.44.1-aarch64.tar.gz").And.Some.Contains("nobody publishes"));

    [TestCaseSource(nameof(Names))]
    public async Task Each_becomes_a_tree_for_each_use_variant_and_architecture(string name)
    {
        var recipe = _upstream.Book.Get(name);
        foreach (var version in recipe.Versions)
        {
            foreach (var variant in recipe.Variants.IsEmpty ? [null] : recipe.Variants.Select(variant => (string?)variant.Name))
            {
                foreach (var arch in Enum.GetValues<Arch>())
                {
                    var layer = await BuildAsync(new RecipeWish(name, version.Version, arch, RecipeUse.Layer, variant));
                    var sysext = await BuildAsync(new RecipeWish(name, version.Version, arch, RecipeUse.Sysext, variant));

                    Assert.That(sysext.Tree.Entries.Select(entry => entry.Path.Split('/')[0]).Distinct(), Is.SubsetOf(new[] { "usr", "opt" }));
                    Assert.That(MissingPrograms(layer.Tree), Is.Empty, "each program that a unit starts is there");
                    Assert.That(MissingPrograms(sysext.Tree), Is.Empty);
                    Assert.That(Errors(name, arch, sysext.Tree), Is.Empty);
                    Assert.That(Programs(sysext.Tree), Is.Not.Empty.And.EqualTo(Programs(layer.Tree)), "a layer and an extension have the same programs");
                    Assert.That(layer.Sources.Select(source => source.Arch).Distinct(), Is.EqualTo(new[] { arch }));
                }
            }
        }
    }

    [Test]
    public async Task A_default_is_in_its_place_in_a_layer_and_copied_there_in_an_extension()
    {
        var layer = await BuildAsync(new RecipeWish("falco", null, Arch.Amd64, RecipeUse.Layer));
        var sysext = await BuildAsync(new RecipeWish("falco", null, Arch.Amd64, RecipeUse.Sysext));

        Assert.That(layer.Tree.Find("etc/falco/falco.yaml"), Is.Not.Null);
        Assert.That(sysext.Tree.Find("usr/share/factory/etc/falco/falco.yaml"), Is.Not.Null);
        Assert.That(TextOf(sysext.Tree, "usr/lib/tmpfiles.d/falco.conf"), Is.EqualTo(
            "C /etc/falco/falco.yaml - - - - /usr/share/factory/etc/falco/falco.yaml\nC /etc/falco/falco_rules.yaml - - - - /usr/share/factory/etc/falco/falco_rules.yaml\n"));
        Assert.That(layer.Tree.Find("usr/lib/tmpfiles.d/falco.conf"), Is.Null);
    }

    [Test]
    public async Task A_unit_is_started_by_a_link_in_a_layer_and_upheld_in_an_extension()
    {
        var layer = await BuildAsync(new RecipeWish("docker", null, Arch.Amd64, RecipeUse.Layer));
        var sysext = await BuildAsync(new RecipeWish("docker", null, Arch.Amd64, RecipeUse.Sysext));

        Assert.That(layer.Tree.Follow("usr/lib/systemd/system/sockets.target.wants/docker.socket")?.Path, Is.EqualTo("usr/lib/systemd/system/docker.socket"));
        Assert.That(TextOf(sysext.Tree, "usr/lib/systemd/system/sockets.target.d/10-docker.socket.conf"), Is.EqualTo("[Unit]\nUpholds=docker.socket\n"));
        Assert.That(TextOf(sysext.Tree, "usr/lib/sysusers.d/docker.conf"), Is.EqualTo("g docker -\n"));
    }

    [Test]
    public async Task A_unit_that_comes_with_the_download_is_started_where_it_is()
    {
        var layer = await BuildAsync(new RecipeWish("rke2", null, Arch.Arm64, RecipeUse.Layer, "agent"));

        Assert.That(layer.Tree.Follow("usr/lib/systemd/system/multi-user.target.wants/rke2-agent.service")?.Path, Is.EqualTo("usr/local/lib/systemd/system/rke2-agent.service"));
        Assert.That(layer.Tree.Find("usr/lib/systemd/system/multi-user.target.wants/rke2-server.service"), Is.Null);
        Assert.That(layer.Tree.Find("var/lib/rancher/rke2/agent/images/rke2-images-core.linux-arm64.tar.zst"), Is.Not.Null);
    }

    [TestCase("k3s", "plain", "")]
    [TestCase("k3s", "server", "k3s.service")]
    [TestCase("k3s", "agent", "k3s-agent.service")]
    [TestCase("rke2", "agent", "rke2-agent.service")]
    public async Task The_first_boot_of_a_system_without_a_machine_id_starts_no_other_unit(string name, string variant, string started)
    {
        var layer = await BuildAsync(new RecipeWish(name, null, Arch.Amd64, RecipeUse.Layer, variant));
        var root = Directory.CreateTempSubdirectory("crust-preset-").FullName;
        try
        {
            var tar = Path.Combine(root, "layer.tar");
            await using (var file = File.Create(tar))
            {
                await layer.Tree.WriteTarAsync(file, 0, CancellationToken.None);
            }

            await SampleDisk.Tools.RunAsync(ToolCommand.Of("tar", "-xf", tar, "-C", root, "--no-same-owner"), CancellationToken.None);
            // As PID 1 does it on such a boot.
            await SampleDisk.Tools.RunAsync(ToolCommand.Of("systemctl", $"--root={root}", "--preset-mode=enable-only", "preset-all"), CancellationToken.None);

            var wanted = new[] { "etc/systemd/system", "usr/lib/systemd/system" }.Select(folder => Path.Combine(root, folder, "multi-user.target.wants")).Where(Directory.Exists)
                .SelectMany(Directory.GetFileSystemEntries).Select(path => Path.GetFileName(path)).Distinct();
            Assert.That(wanted, Is.EqualTo(started.Length > 0 ? [started] : Array.Empty<string>()));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [TestCase("k3s", "usr/bin/k3s", "usr/lib/systemd/system/k3s.service")]
    [TestCase("rke2", "usr/bin/rke2", "usr/lib/systemd/system/rke2-server.service")]
    [TestCase("kubernetes", "opt/cni/bin/bridge", "usr/lib/systemd/system/kubelet.service")]
    public async Task A_provider_image_has_nothing_where_machines_mount_something_else(string name, string program, string unit)
    {
        var provider = await BuildAsync(new RecipeWish(name, null, Arch.Amd64, RecipeUse.Provider));

        Assert.That(provider.Tree.Find(program), Is.Not.Null);
        Assert.That(TextOf(provider.Tree, unit), Does.Not.Contain("/usr/local/"));
        Assert.That(provider.Tree.Entries.Select(entry => entry.Path).Where(path => path.StartsWith("usr/local", StringComparison.Ordinal) || path.StartsWith("var/", StringComparison.Ordinal)), Is.Empty);
        Assert.That(provider.Tree.Entries.Where(entry => entry.LinkTarget.StartsWith("/usr/local", StringComparison.Ordinal)), Is.Empty);
        Assert.That(provider.Sources.Select(source => source.Download.Name), Has.None.EqualTo("airgap").And.None.EqualTo("core"), "content brings images");
    }

    [Test]
    public async Task A_variant_has_its_part_alone_and_fetches_what_it_needs()
    {
        var docker = await BuildAsync(new RecipeWish("docker", null, Arch.Amd64, RecipeUse.Sysext, "docker"));
        var containerd = await BuildAsync(new RecipeWish("docker", null, Arch.Amd64, RecipeUse.Sysext, "containerd"));

        Assert.That((docker.Tree.Find("usr/bin/dockerd") is null, docker.Tree.Find("usr/bin/containerd") is null), Is.EqualTo((false, true)));
        Assert.That((containerd.Tree.Find("usr/bin/dockerd") is null, containerd.Tree.Find("usr/bin/runc") is null), Is.EqualTo((true, false)));
        var k3s = await BuildAsync(new RecipeWish("k3s", null, Arch.Amd64, RecipeUse.Sysext));
        Assert.That(k3s.Sources.Select(source => source.Download.Name), Is.EqualTo(new[] { "k3s" }), "an extension needs no images");
    }

    [Test]
    public async Task What_belongs_to_a_recipe_comes_with_it()
    {
        var kubernetes = await BuildAsync(new RecipeWish("kubernetes", null, Arch.Amd64, RecipeUse.Sysext));

        Assert.That(kubernetes.Picks.Select(pick => pick.Recipe.Name), Is.EqualTo(new[] { "kubernetes", "cni-plugins", "crictl" }));
        Assert.That(new[] { "usr/bin/kubelet", "usr/lib/cni/bridge", "usr/local/bin/crictl" }.Select(path => kubernetes.Tree.Find(path)), Has.None.Null);
        Assert.That((await BuildAsync(new RecipeWish("kubernetes", null, Arch.Amd64, RecipeUse.Layer))).Tree.Find("opt/cni/bin/bridge"), Is.Not.Null);
    }

    [Test]
    public async Task The_same_recipe_is_the_same_bytes_twice()
    {
        async Task<byte[]> TarAsync()
        {
            using var tar = new MemoryStream();
            await (await BuildAsync(new RecipeWish("docker", null, Arch.Amd64, RecipeUse.Layer))).Tree.WriteTarAsync(tar, 0, CancellationToken.None);
            return tar.ToArray();
        }

        var first = await TarAsync();

        Assert.That(await TarAsync(), Is.EqualTo(first));
    }

    [Test]
    public async Task Systemd_finds_nothing_wrong_with_their_units()
    {
        var folder = Path.Combine(_upstream.Folder, "root");
        Directory.CreateDirectory(folder);
        // One of two that have a unit of the same name.
        var tree = FileTree.Empty;
        foreach (var name in Names.Where(name => name is not "containerd"))
        {
            tree = (await BuildAsync(new RecipeWish(name, null, Arch.Amd64, RecipeUse.Sysext))).Tree.Over(tree);
        }

        // rke2's own units are upstream's.
        var units = tree.Entries.Where(entry => entry.Path.StartsWith("usr/lib/systemd/system/", StringComparison.Ordinal) && entry.Kind is EntryKind.File && !entry.Path.Contains(".target.d/")).ToList();
        await tree.Without("usr/local/lib").WriteFolderAsync(folder, 0, CancellationToken.None);
        var result = await StandIn.Tools.RunAsync(ToolCommand.Of("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", $"--root={folder}", .. units.Where(unit => unit.Path.Count(c => c == '/') == 4).Select(unit => unit.Name)]) with
        {
            SuccessCodes = [.. Enumerable.Range(0, 256)],
        }, CancellationToken.None);

        Assert.That(units, Has.Count.GreaterThan(15));
        Assert.That((result.Output + result.Error).Split('\n').Where(line => WrongPattern().IsMatch(line)), Is.Empty);
    }

    [Test]
    public async Task Locked_again_nothing_is_another()
    {
        var read = LockFile.Parse(_lock.ToText(), _lock.Path);
        var again = await _upstream.Sources.LockAsync(_upstream.Book, read, [new RecipePicks(_upstream.Book, read).Of("vault", null)], [], _upstream.Mirrors, CancellationToken.None);

        Assert.That(read.Entries, Is.EqualTo(_lock.Entries));
        Assert.That(again.ToText(), Is.EqualTo(_lock.ToText()));
    }

    private Task<BuiltRecipe> BuildAsync(RecipeWish wish) => _upstream.Trees.BuildAsync(_upstream.Book, _lock, wish, _upstream.Mirrors, CancellationToken.None);

    // The programs that the stand-in serves are texts, so what they link to isn't seen here.
    private static IEnumerable<string> Errors(string name, Arch arch, FileTree tree) =>
        SysextCheck.Check(new Extension(name + ".raw", tree.With(TreeEntry.File(ReleaseFile.Prefix + name, TreeContent.Of(ReleaseFile.Compose(new SysextPlan { Name = name, Arch = arch }))))), SysextProfile.Flatcar)
            .Where(finding => finding.Severity is SysextSeverity.Error).Select(finding => finding.ToLine());

    private static string TextOf(FileTree tree, string path) => Encoding.UTF8.GetString(tree.Find(path)!.Content.Read(0, 1 << 20));

    private static IEnumerable<string> Programs(FileTree tree) => [.. tree.Entries.Where(entry => entry.Kind is EntryKind.File && entry.Mode.HasFlag(UnixFileMode.UserExecute) && !entry.Path.Contains("etc/")).Select(entry => entry.Name).Order(StringComparer.Ordinal)];

    // What a system has itself isn't looked for.
    private static IEnumerable<string> MissingPrograms(FileTree tree) =>
        from entry in tree.Entries
        where entry.Path.StartsWith("usr/lib/systemd/system/", StringComparison.Ordinal) && entry.Kind is EntryKind.File
        from Match match in StartPattern().Matches(Encoding.UTF8.GetString(entry.Content.Read(0, 1 << 20)))
        let program = match.Groups[1].Value
        where !program.StartsWith("/bin/", StringComparison.Ordinal) && !program.StartsWith("/sbin/", StringComparison.Ordinal) && tree.Follow(program) is null
        select $"{entry.Path}: {program}";

    // What isn't said of programs and units that only a whole system has.
    [GeneratedRegex("Unknown|Invalid|Failed to parse|Missing|lacks|ignoring|not a valid", RegexOptions.IgnoreCase)]
    private static partial Regex WrongPattern();

    [GeneratedRegex(@"^Exec\w+=[-+@!:]*(/\S+)", RegexOptions.Multiline)]
    private static partial Regex StartPattern();
}
