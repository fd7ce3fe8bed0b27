using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crust.Disks;
using Crust.Fleet;
using Crust.Sanitizing;
using Crust.Seeds.Volumes;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tools;

namespace Crust.Tests.Fleet;

[CancelAfter(120_000)]
public sealed class FleetRunTests
{
    private const int MiB = 1 << 20;
    private const string TokenOfOne = "s3cret-of-the-first-one";

    private SampleDisk _disk = null!;
    private string _folder = "";
    private string _image = "";
    private string _userData = "";
    private string _network = "";
    private int _jobs;
    private IBuildObserver _observer = new EventList();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public async Task SetUp()
    {
        _disk = new SampleDisk(32L * MiB, new Piece(8 * MiB, 3 * MiB, PieceKind.Noise));
        (_folder, _image) = (_disk.FileFor("fleet"), _disk.Path);
        _userData = "#cloud-config\nwrite_files:\n- path: /etc/token\n  permissions: '0600'\n  content: ${TOKEN}\n";
        (_jobs, _observer) = (Environment.ProcessorCount, new EventList());
        _network = "{ subnet: 192.168.10.0/24, gateway: 192.168.10.1, dns: [192.168.10.1] }";
        await RunAsync("sgdisk", "-U", "11111111-2222-3333-4444-555555555555", "-n", "1:2048:0", _disk.Path);
        using var file = File.OpenHandle(_disk.Path, FileMode.Open, FileAccess.ReadWrite);
        SeedPartition.Add(file, 960 << 10, _ => null);
    }

    [TearDown]
    public void TearDown() => _disk.Dispose();

    [Test]
    public async Task Each_node_finds_its_own_seed_on_its_image()
    {
        await MakeAsync(FleetForm.Overlay, FleetForm.Image);

        Assert.That(await SeedOfAsync("one.overlay.qcow2", "meta-data"), Does.Contain("local-hostname: one\n"));
        Assert.That(await SeedOfAsync("two.img", "meta-data"), Does.Contain("local-hostname: two\n"));
        Assert.That(await SeedOfAsync("one.img", "user-data"), Does.StartWith("#cloud-config\n").And.Contain(TokenOfOne).And.Contain("hostname: \"one\""));
        Assert.That(await SeedOfAsync("two.img", "network-config"), Does.Contain("aa:bb:cc:dd:ee:02").And.Contain("192.168.10.12/24").And.Contain("192.168.10.1"));
    }

    [Test]
    public async Task Seeds_are_volumes_of_their_own_and_need_no_image()
    {
        var result = await MakeAsync(FleetForm.Seed, FleetForm.Vfat);

        Assert.That(result.BaseSha256, Is.Null);
        Assert.That(await RunAsync("blkid", "-p", "-s", "LABEL", "-o", "value", Path.Combine(_folder, "one.seed.iso")), Is.EqualTo("cidata\n"));
        Assert.That(await RunAsync("mtype", "-i", Path.Combine(_folder, "two.seed.img"), "::meta-data"), Does.Contain("local-hostname: two"));
    }

    [Test]
    public async Task The_same_nodes_get_the_same_bytes_and_other_ones_others([Values] FleetForm form)
    {
        var first = await MakeAsync(form);
        Directory.Delete(_folder, recursive: true);
        var second = await MakeAsync(form);

        Assert.That(second.Entries.SelectMany(entry => entry.Files), Is.EqualTo(first.Entries.SelectMany(entry => entry.Files)));
        if (form is not FleetForm.Image)
        {
            Assert.That(first.Entries[0].Files[0].Sha256, Is.Not.EqualTo(first.Entries[1].Files[0].Sha256));
        }
    }

    [Test]
    public async Task What_an_earlier_run_has_finished_stays_and_what_changed_is_made_anew()
    {
        await MakeAsync(FleetForm.Overlay);
        // As after a run that was killed, one is missing; and somebody has written to another.
        File.Delete(Path.Combine(_folder, "two.overlay.qcow2"));
        File.AppendAllText(Path.Combine(_folder, "three.overlay.qcow2"), "x");

        var result = await MakeAsync(FleetForm.Overlay);

        Assert.That(result.Entries.Select(entry => entry.Files[0].IsKept), Is.EqualTo(new[] { true, false, false }));
        Assert.That((await MakeAsync(FleetForm.Overlay)).Entries.Select(entry => entry.Files[0].IsKept), Is.All.True);
    }

    [Test]
    public async Task A_run_that_is_cancelled_leaves_whole_files_alone_and_the_next_goes_on()
    {
        using var stop = new CancellationTokenSource();
        (_jobs, _observer) = (1, new StopsAtProgress(stop));
        await Assert.ThrowsAsync<TaskCanceledException>(() => MakeAsync(stop.Token, FleetForm.Overlay));

        Assert.That(Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName), Is.EquivalentTo(new[] { "one.overlay.qcow2", ".crust-fleet", ".crust-fleet.lock" }));
        _observer = new EventList();
        Assert.That((await MakeAsync(FleetForm.Overlay)).Entries.Select(entry => entry.Files[0].IsKept), Is.EqualTo(new[] { true, false, false }));
    }

    [Test]
    public async Task Sums_manifest_and_page_tell_of_all_files_and_of_no_secret()
    {
        await MakeAsync(FleetForm.Overlay, FleetForm.Vfat);

        await SampleDisk.Tools.RunAsync(ToolCommand.Of("sha256sum", "--quiet", "-c", "SHA256SUMS") with { WorkingDirectory = _folder }, Cancellation);
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "fleet.json"), Cancellation))!;
        Assert.That(manifest["nodes"]!.AsArray().Select(node => (string?)node!["name"]), Is.EqualTo(new[] { "one", "two", "three" }));
        Assert.That((string?)manifest["nodes"]![0]!["files"]![0]!["file"], Is.EqualTo("one.overlay.qcow2"));
        var page = await File.ReadAllTextAsync(Path.Combine(_folder, "fleet.html"), Cancellation);
        Assert.That(page, Does.Contain("aa:bb:cc:dd:ee:01").And.Contain("three.seed.img"));
        foreach (var file in new[] { "fleet.json", "fleet.html", "SHA256SUMS", ".crust-fleet" })
        {
            Assert.That(await File.ReadAllTextAsync(Path.Combine(_folder, file), Cancellation), Does.Not.Contain(TokenOfOne), file);
        }
    }

    [TestCase(FleetForm.Overlay)]
    [TestCase(FleetForm.Image)]
    public async Task Each_node_of_a_base_with_an_mbr_has_a_disk_id_of_its_own_by_which_its_files_name_its_partitions(FleetForm form)
    {
        const int Fstab = 12 * MiB;
        var table = _disk.FileFor("table");
        File.Delete(_disk.Path);
        await File.WriteAllTextAsync(table, "label: dos\nlabel-id: 0xdeadbeef\nstart=16384, size=8192, type=c\nstart=24576, type=83\n", Cancellation);
        await RunAsync("sh", "-c", $"truncate -s 32M {_disk.Path} && sfdisk --quiet {_disk.Path} <{table}");
        using (var file = File.OpenHandle(_disk.Path, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.Write(file, "PARTUUID=deadbeef-02 / ext4"u8, Fstab);
            SeedPartition.Add(file, 960 << 10, length => FatImage.Of(SeedPartition.MbrLabel, [], length));
        }

        await MakeAsync(form);

        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "fleet.json"), Cancellation))!;
        var ids = new List<string>();
        foreach (var node in new[] { "one", "two", "three" })
        {
            var raw = _disk.FileFor("node.raw");
            await RunAsync("qemu-img", "convert", "-O", "raw", Path.Combine(_folder, node + (form is FleetForm.Image ? ".img" : ".overlay.qcow2")), raw);
            ids.Add((await RunAsync("sfdisk", "--disk-id", raw)).Trim()[2..]);
            Assert.That(await RunAsync("dd", "status=none", $"if={raw}", "bs=1", $"skip={Fstab}", "count=27"), Is.EqualTo($"PARTUUID={ids[^1]}-02 / ext4"));
            Assert.That(await RunAsync("mtype", "-i", $"{raw}@@1M", "::meta-data"), Does.Contain($"local-hostname: {node}\n"));
        }

        Assert.That(ids, Is.Unique.And.None.EqualTo("deadbeef"));
        Assert.That(manifest["nodes"]!.AsArray().Select(node => (string?)node!["diskId"]), Is.EqualTo(ids));
    }

    [Test]
    public async Task Only_this_user_can_read_what_holds_secrets()
    {
        await MakeAsync(FleetForm.Overlay, FleetForm.Image, FleetForm.Vfat);

        Assert.That(Directory.EnumerateFiles(_folder, "one.*").Select(File.GetUnixFileMode), Is.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public async Task A_base_that_no_node_can_be_given_a_seed_in_is_refused_with_its_path([Values] BadBase bad)
    {
        var (what, remedy) = await SpoilAsync(bad);

        var error = (await Assert.ThrowsAsync<CrustException>(() => MakeAsync(FleetForm.Overlay)))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That((error.What, error.Where, error.Remedy), Is.EqualTo((what, _image, remedy)));
        Assert.That(Directory.Exists(_folder) ? Directory.GetFiles(_folder, "*.qcow2") : [], Is.Empty);
    }

    [Test]
    public async Task An_overlay_over_a_base_that_qemu_has_to_have_unpacked_is_refused()
    {
        await RunAsync("zstd", "-q", _disk.Path, "-o", _disk.FileFor("base.img.zst"));
        _image = _disk.FileFor("base.img.zst");

        var error = (await Assert.ThrowsAsync<CrustException>(() => MakeAsync(FleetForm.Overlay)))!;

        // Another program's zstd isn't made of frames of 4 MiB.
        Assert.That((error.Kind, error.Remedy), Is.EqualTo((FailureKind.BadInput, "give an image that Crust has made, whole and unchanged")));
    }

    [Test]
    public async Task A_seed_that_does_not_fit_names_the_node()
    {
        _jobs = 1;
        _userData = $"#cloud-config\nruncmd:\n- {new string('x', 1 << 20)}\n";

        var error = (await Assert.ThrowsAsync<CrustException>(() => MakeAsync(FleetForm.Overlay)))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, "The seed of one doesn't fit into 960.0 KiB")));
        Assert.That(error.Where, Does.StartWith("nodes.yaml:4:"));
        Assert.That(Directory.GetFiles(_folder, "*.qcow2"), Is.Empty);
    }

    [Test]
    public async Task A_variable_that_nodes_do_not_have_is_told_with_its_place()
    {
        _userData = "#cloud-config\nruncmd:\n- join ${TOKEM}\n";

        var error = (await Assert.ThrowsAsync<CrustException>(() => MakeAsync(FleetForm.Vfat)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, $"{_disk.FileFor("user-data.yaml")}:3:3")));
        Assert.That(error.Remedy, Does.Contain("--secret").And.Contain("NODE_SERIAL").And.Contain("TOKEN"));
        Assert.That(error.Message, Does.Not.Contain(TokenOfOne));
    }

    [Test]
    public async Task An_overlay_names_its_base_by_a_path_that_is_no_protocol()
    {
        _image = Path.Combine(_folder, "nbd:base.img");
        Directory.CreateDirectory(_folder);
        File.Copy(_disk.Path, _image);

        await MakeAsync(FleetForm.Overlay);

        Assert.That(await RunAsync("qemu-img", "info", Path.Combine(_folder, "one.overlay.qcow2")), Does.Contain("backing file: ./nbd:base.img"));
    }

    [Test]
    public async Task A_node_is_given_no_network_configuration_where_nothing_says_how_long_its_prefix_is()
    {
        _network = "{}";
        await MakeAsync(FleetForm.Vfat);

        Assert.That(await RunAsync("mdir", "-b", "-i", Path.Combine(_folder, "two.seed.img"), "::"), Does.Contain("meta-data").And.Not.Contain("network-config"));
    }

    [Test]
    public async Task A_file_of_somebody_else_is_not_replaced()
    {
        Directory.CreateDirectory(_folder);
        var own = Path.Combine(_folder, "one.overlay.qcow2");
        await File.WriteAllTextAsync(own, "mine", Cancellation);

        await Assert.ThrowsAsync<CrustException>(() => MakeAsync(FleetForm.Overlay));

        Assert.That(await File.ReadAllTextAsync(own, Cancellation), Is.EqualTo("mine"));
    }

    // Makes a base that isn't one, and gives what is to be told.
    private async Task<(string What, string Remedy)> SpoilAsync(BadBase bad)
    {
        switch (bad)
        {
            case BadBase.WithoutASeedPartition:
                await RunAsync("sgdisk", "-d", "2", _disk.Path);
                return ("The base has no seed partition (crust-seed)", "build it with base.seedPartition: 960K, or give nodes seed volumes: --as seed");
            case BadBase.WithTwo:
                await RunAsync("sgdisk", "-d", "1", "-n", "3:8192:8319", "-c", "3:crust-seed", _disk.Path);
                return ("Nodes' images can't be made of this base: two of its partitions are for seeds", "give an image that Crust has made, whole and unchanged");
            default:
                _image = _disk.FileFor("base.vdi");
                await RunAsync("qemu-img", "convert", "-O", "vdi", _disk.Path, _image);
                return ("A base that is vdi can't be given nodes' seeds", "give the base as img, img.zst, qcow2 or vmdk");
        }
    }

    private Task<FleetResult> MakeAsync(params FleetForm[] forms) => MakeAsync(Cancellation, forms);

    private async Task<FleetResult> MakeAsync(CancellationToken cancellation, params FleetForm[] forms)
    {
        var userData = _disk.FileFor("user-data.yaml");
        await File.WriteAllTextAsync(userData, _userData, Cancellation);
        foreach (var (node, token) in new[] { ("one", TokenOfOne), ("two", "s3cret-of-the-second-one"), ("three", "s3cret-of-the-third-one") })
        {
            await File.WriteAllTextAsync(_disk.FileFor($"{node}.token"), token + "\n", Cancellation);
        }

        var request = new FleetRequest
        {
            Nodes = NodesReader.Parse($$"""
                version: 1
                network: {{_network}}
                nodes:
                - { hostname: one, mac: 'aa:bb:cc:dd:ee:01', role: control-plane }
                - { hostname: two, mac: 'aa:bb:cc:dd:ee:02', ip: 192.168.10.12, role: worker }
                - { hostname: three, serial: abc123, role: worker }
                """, "nodes.yaml"),
            Template = SeedTemplate.Read(userData, null),
            Secrets = [NodeSecret.Parse($"TOKEN=file:{_disk.Folder}/{{node}}.token")],
            Forms = [.. forms],
            Image = _image,
            InspectsBase = false,
            Jobs = _jobs,
            Folder = _folder,
            Variables = ImmutableDictionary<string, string>.Empty,
        };
        return await new FleetRun(SampleDisk.Tools, null!, _observer, new Redactor(), TimeProvider.System).RunAsync(request, cancellation);
    }

    // A file of the seed partition, which begins at 20 KiB.
    private async Task<string> SeedOfAsync(string image, string name)
    {
        var raw = _disk.FileFor("seed.raw");
        await RunAsync("qemu-img", "convert", "-O", "raw", Path.Combine(_folder, image), raw);
        return await RunAsync("mtype", "-i", $"{raw}@@20K", $"::{name}");
    }

    private static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of(program, arguments), Cancellation)).Output;
}

/// <summary>Cancels a run as soon as a node is done.</summary>
internal sealed class StopsAtProgress(CancellationTokenSource stop) : IBuildObserver
{
    public void Observe(BuildEvent buildEvent)
    {
        if (buildEvent is BuildEvent.Progressed)
        {
            stop.Cancel();
        }
    }
}

/// <summary>What isn't a base of nodes' images.</summary>
public enum BadBase
{
    WithoutASeedPartition,

    WithTwo,

    InAForeignFormat,
}
