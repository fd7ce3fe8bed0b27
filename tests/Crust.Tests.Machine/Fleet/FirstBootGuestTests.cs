using Crust.Layers;
using Crust.Spec;
using Crust.Tests.Fleet;
using Crust.Tests.Machine.Guests;
using Crust.Tests.Machine.Layers;

namespace Crust.Tests.Machine.Fleet;

/// <summary>
/// The firstBoot layer on a Debian, which boots as machines with MAC addresses and serial numbers of their own, and fetches from a git server on this host. k3s is a stand-in. What the
/// script does in each of its steps is tested in a folder that stands for a machine: FirstBootTests of the other project.
/// </summary>
[CancelAfter(1_200_000)]
[Parallelizable(ParallelScope.Self)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FirstBootGuestTests : IAsyncDisposable
{
    private const string First = "dc:a6:32:01:02:03";
    private const string Second = "02:00:00:00:00:02";

    private const string Nodes = """
        network: { subnet: 10.0.2.0/24, gateway: 10.0.2.2 }
        cluster: { kind: k3s }
        nodes:
          - { mac: DC-A6-32-01-02-03, hostname: node1, role: control-plane, ip: 10.0.2.50 }
          - { serial: ABCD-0002, hostname: node2, role: worker }

        """;

    private const string Network = """
        [Match]
        Name=eth*

        [Network]
        DHCP=yes

        """;

    // When the first boot is done, this host is told what became of it, and the machine powers off.
    private const string Report = """
        until ip -4 -o addr show dev eth0 | grep -q inet; do sleep 1; done
        until /opt/crust/first-boot --status >/run/status && ! systemctl is-active -q crust-first-boot; do sleep 1; done
        {
            echo "name $(uname -n) $(cat /etc/hostname)"
            echo "address $(ip -4 -o addr show dev eth0 | sed 's/.* inet \([^ ]*\).*/\1/' | tr '\n' ' ')"
            sed 's/^/status /' /run/status
            sed 's/^/run /' /var/lib/runs
            for unit in k3s k3s-agent; do echo "$unit $(systemctl is-enabled $unit) $(systemctl is-active $unit)"; done
            sed 's/^/k3s-config /' /etc/rancher/k3s/config.yaml.d/50-crust.yaml
            journalctl -q -b -u crust-first-boot -o cat | sed 's/^/journal /'
        } >/run/report 2>&1
        curl -s --data-binary @/run/report "$(cat /opt/test/hooks)/report/$(cat /sys/class/net/eth0/address)"
        systemctl poweroff -ff

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("crust-first-boot-").FullName;
    private readonly BootstrapServer _server;
    private readonly GitRepository _repository;
    private readonly List<(CancellationTokenSource Power, Task Running)> _machines = [];
    private string? _agent;

    public FirstBootGuestTests()
    {
        _server = new BootstrapServer(_folder);
        _repository = new GitRepository(PathOf("bootstrap"));
    }

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    // It says when it begins and when it has ended, and stands still in between for as long as this host holds it.
    private string Setup => $"""
        echo "begun $NODE_ATTEMPT" >>/var/lib/runs
        sync
        curl -s -d "$NODE_NAME" "{_server.HooksUrl}/inside/$(cat /sys/class/net/eth0/address)"
        echo "ended $NODE_ATTEMPT $NODE_NAME $NODE_ROLE $NODE_JOIN $NODE_ENDPOINT $NODE_SOURCE $NODE_COMMIT" >>/var/lib/runs

        """;

    public async ValueTask DisposeAsync()
    {
        foreach (var machine in _machines)
        {
            await CutAsync(machine);
        }

        _server.Dispose();
        if (_agent is not null)
        {
            await GitRepository.EndAgentAsync(_agent);
        }

        foreach (var log in TestContext.CurrentContext.Result.Outcome.Status is NUnit.Framework.Interfaces.TestStatus.Passed ? [] : Directory.GetFiles(_folder, "*.log"))
        {
            await TestContext.Out.WriteLineAsync($"{Path.GetFileName(log)}:\n{await File.ReadAllTextAsync(log, CancellationToken.None)}");
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task Two_machines_of_one_disk_find_out_who_they_are_and_set_themselves_up_once_from_a_server_that_fails_in_three_ways_first()
    {
        var key = await GitRepository.SshKeyAsync(PathOf("key"));
        var commit = await CommitAsync(key);
        var other = new GitRepository(PathOf("other"));
        await other.CommitAsync([("setup.sh", Setup), ("data", Random(2 << 20))]);
        var disk = await DiskAsync(spec => spec with { Commit = commit, Key = key + ".pub" });
        var (one, two) = (await OverlayAsync(disk, "one"), await OverlayAsync(disk, "two"));
        _server.Git = GitAnswer.Cut;

        var first = Boot(one, First, "none");
        var second = Boot(two, Second, "ABCD-0002");
        var down = await WaitAsync(First, "waiting", "connect to");
        _server.Listen();
        var cut = await WaitAsync(First, "waiting", "RPC failed");
        _server.Repository = other.Folder;
        _server.Git = GitAnswer.Whole;
        var wrong = await WaitAsync(First, "waiting", "has no commit");
        _server.Repository = _repository.Folder;
        var reports = await Task.WhenAll(ReportAsync(First), ReportAsync(Second));
        await Task.WhenAll(first.Running, second.Running);

        Assert.That(down, Does.Contain($"{_server.RepositoryUrl} can't be fetched: fatal: unable to access").And.EndWith("[node1]"));
        Assert.That(cut, Does.Contain($"{_server.RepositoryUrl} can't be fetched: "));
        Assert.That(wrong, Does.StartWith($"{_server.RepositoryUrl} has no commit {commit}"));
        Assert.That(Of(reports[0], "name"), Is.EqualTo(new[] { "node1 node1" }));
        Assert.That(Of(reports[1], "name"), Is.EqualTo(new[] { "node2 node2" }));
        Assert.That(Of(reports[0], "address").Single(), Does.Match(@"(^| )10\.0\.2\.50/24 "));
        Assert.That(Of(reports[1], "address"), Is.EqualTo(new[] { "10.0.2.15/24 " }));
        Assert.That(Of(reports[0], "run"), Is.EqualTo(new[] { "begun 1", $"ended 1 node1 control-plane init 10.0.2.50:6443 git {commit}" }));
        Assert.That(Of(reports[1], "run"), Is.EqualTo(new[] { "begun 1", $"ended 1 node2 worker agent 10.0.2.50:6443 git {commit}" }));
        Assert.That(Of(reports[0], "status"), Is.EqualTo(new[] { $"node=node1 commit={commit} source=git" }));
        Assert.That((Of(reports[0], "k3s").Single(), Of(reports[0], "k3s-agent").Single()), Is.EqualTo(("enabled active", "disabled inactive")));
        Assert.That((Of(reports[1], "k3s").Single(), Of(reports[1], "k3s-agent").Single()), Is.EqualTo(("disabled inactive", "enabled active")));
        Assert.That(Of(reports[1], "k3s-config"), Is.EqualTo(new[]
        {
            "# Written on the first boot, by nodes.yaml.", "node-name: \"node2\"", "token-file: \"/etc/crust/join-token\"", "server: \"https://10.0.2.50:6443\"",
        }));
        Assert.That(Of(reports[0], "journal"), Has.Some.EqualTo("first boot: this is node1 (control-plane), by its MAC address dc:a6:32:01:02:03"));
        Assert.That(Of(reports[1], "journal"), Has.Some.EqualTo("first boot: this is node2 (worker), by its serial number abcd-0002"));
        Assert.That(await File.ReadAllTextAsync(PathOf("one.1.log"), Cancellation), Does.Contain("first boot: node1 is set up by").And.Contain("trying again in"), "the console");
    }

    [Test]
    [Category("Long")]
    public async Task A_machine_whose_power_is_cut_in_each_step_goes_on_with_that_step()
    {
        var commit = await CommitAsync(null);
        var disk = await OverlayAsync(await DiskAsync(spec => spec with { Commit = commit }), "cut");
        _server.Git = GitAnswer.Stall;
        _server.Listen();
        foreach (var step in new[] { "stalled", "setup", "inside", "joining", "done" })
        {
            _server.Hold = step;
            var machine = Boot(disk, First, "none");
            await WaitAsync(First, step);
            await CutAsync(machine);
            _server.Git = GitAnswer.Whole;
        }

        _server.Hold = null;
        var last = Boot(disk, First, "none");
        var report = await ReportAsync(First);
        await last.Running;

        // The first setup.sh hadn't begun, the second one was cut off, the third one ended.
        Assert.That(Of(report, "run"), Is.EqualTo(new[] { "begun 2", "begun 3", $"ended 3 node1 control-plane init 10.0.2.50:6443 git {commit}" }));
        Assert.That((Of(report, "name").Single(), Of(report, "address").Single(), Of(report, "k3s").Single()), Is.EqualTo(("node1 node1", "10.0.2.50/24 ", "enabled active")));
        Assert.That(Of(report, "journal"), Has.None.Contain("first boot: "));
    }

    [Test]
    [Category("Long")]
    public async Task A_commit_without_the_signature_is_waited_out_though_the_image_has_a_copy()
    {
        _agent = await GitRepository.OpenPgpKeyAsync(PathOf("gpg"));
        var unsigned = await CommitAsync(null);
        var disk = await OverlayAsync(await DiskAsync(spec => spec with { Branch = "main", Key = PathOf("gpg.asc"), Copy = _repository.Folder, Patience = TimeSpan.Zero }), "signed");
        _server.Listen();
        var machine = Boot(disk, First, "none");

        var refused = await WaitAsync(First, "waiting", "signature");
        var signed = await _repository.CommitAsync([("signed", "")], _agent);
        var report = await ReportAsync(First);
        await machine.Running;

        Assert.That(refused, Does.Contain($"commit {unsigned} of {_server.RepositoryUrl} has no signature by the key of this image"));
        Assert.That(Of(report, "run"), Is.EqualTo(new[] { "begun 1", $"ended 1 node1 control-plane init 10.0.2.50:6443 git {signed}" }));
    }

    [Test]
    [Category("Long")]
    public async Task Without_the_server_the_copy_of_the_image_serves_and_with_it_what_is_in_git_wins()
    {
        var baked = await CommitAsync(null);
        var table = Crust.Fleet.NodesTable.Of(Crust.Fleet.NodesReader.Parse(Nodes.Replace("node1", "renamed", StringComparison.Ordinal).Replace(", ip: 10.0.2.50", "", StringComparison.Ordinal), "nodes.yaml"));
        var commit = await _repository.CommitAsync([("nodes.table", table)]);
        await _repository.GitAsync("worktree", "add", "-q", PathOf("copy"), baked);
        var disk = await DiskAsync(spec => spec with { Commit = commit, Copy = PathOf("copy"), Patience = TimeSpan.Zero });

        var alone = Boot(await OverlayAsync(disk, "alone"), First, "none");
        var without = await ReportAsync(First);
        await alone.Running;
        _server.Listen();
        var online = Boot(await OverlayAsync(disk, "online"), First, "none");
        var with = await ReportAsync(First);
        await online.Running;

        Assert.That(Of(without, "run"), Is.EqualTo(new[] { "begun 1", "ended 1 node1 control-plane init 10.0.2.50:6443 image image" }));
        Assert.That(Of(with, "run"), Is.EqualTo(new[] { "begun 1", $"ended 1 renamed control-plane init renamed:6443 git {commit}" }));
        Assert.That((Of(without, "address").Single(), Of(with, "address").Single()), Is.EqualTo(("10.0.2.50/24 ", "10.0.2.15/24 ")));
    }

    private static string[] Of(string report, string about) =>
        [.. report.Split('\n').Where(line => line.StartsWith(about + " ", StringComparison.Ordinal)).Select(line => line[(about.Length + 1)..])];

    // Text that no compression makes small, so that a pack has a middle.
    private static string Random(int length)
    {
        var bytes = new byte[length / 2];
        new Random(17).NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private async Task<string> CommitAsync(string? key)
    {
        var commit = await _repository.CommitAsync([("setup.sh", Setup), ("data", Random(4 << 20))], key);
        _server.Repository = _repository.Folder;
        return commit;
    }

    // The disk that all machines of a test boot: with what the test needs in it, and with the layer.
    private async Task<string> DiskAsync(Func<LayerSpec.FirstBoot, LayerSpec.FirstBoot> with)
    {
        var disk = await (await DiskGuest.GetAsync()).DiskAsync(PathOf("disk.raw"), Cancellation);
        var overlay = PathOf("overlay");
        Write("overlay/etc/systemd/network/80-dhcp.network", Network);
        Write("overlay/etc/ssl/certs/ca-certificates.crt", _server.Certificate);
        Write("overlay/etc/crust/join-token", "token\n");
        Write("overlay/opt/test/hooks", _server.HooksUrl);
        Write("overlay/opt/test/report", Report);
        Write("overlay/etc/systemd/system/report.service", "[Unit]\nAfter=crust-first-boot.service\n[Service]\nExecStart=/bin/sh /opt/test/report\n");
        Write("overlay/usr/local/bin/k3s", "#!/bin/sh\nexec sleep infinity\n");
        File.SetUnixFileMode(PathOf("overlay/usr/local/bin/k3s"), (UnixFileMode)0x1ed);
        foreach (var (unit, role) in new[] { ("k3s", "server"), ("k3s-agent", "agent") })
        {
            Write($"overlay/etc/systemd/system/{unit}.service", $"[Service]\nExecStart=/usr/local/bin/k3s {role}\n[Install]\nWantedBy=multi-user.target\n");
        }

        var wants = Directory.CreateDirectory(PathOf("overlay/etc/systemd/system/multi-user.target.wants")).FullName;
        File.CreateSymbolicLink(Path.Combine(wants, "report.service"), "../report.service");
        File.CreateSymbolicLink(Path.Combine(wants, "systemd-networkd.service"), "/lib/systemd/system/systemd-networkd.service");
        Write("nodes.yaml", Nodes);
        var layer = with(new LayerSpec.FirstBoot(PathOf("nodes.yaml")) { Where = "crust.yaml", Repository = _server.RepositoryUrl, Webhook = _server.HooksUrl + "/hook", Token = "/etc/crust/join-token" });
        var machine = new MachineSpec { Network = MachineNetwork.None, Memory = 1L << 30, Deadline = TimeSpan.FromMinutes(5) };
        foreach (var each in Layer.ReadAll(new BuildSpec { Layers = [new LayerSpec.Files(overlay) { Where = "crust.yaml" }, layer] }))
        {
            await RealLayers.In(_folder).ApplyAsync(each, disk, machine, Accelerator.Tcg, _folder, Cancellation);
        }

        return disk;
    }

    private async Task<string> OverlayAsync(string disk, string name)
    {
        await Host.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk, PathOf(name)], Cancellation);
        return PathOf(name);
    }

    private (CancellationTokenSource Power, Task Running) Boot(string disk, string mac, string serial)
    {
        var power = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var log = $"{disk}.{Directory.GetFiles(_folder, $"{Path.GetFileName(disk)}.*.log").Length + 1}.log";
        File.WriteAllText(log, "");
        var running = Task.Run(async () => await (await DiskGuest.GetAsync()).RunAsync(disk, mac, serial, log, power.Token));
        _machines.Add((power, running));
        return (power, running);
    }

    private static async Task CutAsync((CancellationTokenSource Power, Task Running) machine)
    {
        await machine.Power.CancelAsync();
        try
        {
            await machine.Running;
        }
        catch (OperationCanceledException)
        {
            // As it should.
        }
    }

    private async Task<string> WaitAsync(string mac, string state, string message = "")
    {
        var word = _server.WaitAsync(mac, word => word.State == state && word.Message.Contains(message, StringComparison.Ordinal), Cancellation);
        var over = _machines.Select(machine => machine.Running).Where(running => !running.IsCompleted).ToList();
        // A machine that ends early never says it.
        await Task.WhenAny([word, .. over]);
        Assert.That(word.IsCompleted || over.TrueForAll(running => !running.IsFaulted), $"a machine ended before it said {state}");
        return (await word).Message;
    }

    private Task<string> ReportAsync(string mac) => WaitAsync(mac, "report");

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(path))!);
        File.WriteAllText(PathOf(path), text);
    }
}
