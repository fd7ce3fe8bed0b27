namespace Crust.Tests.Fleet;

/// <summary>The script that sets a node up, run by dash in a folder that stands for the machine, against a repository on disk.</summary>
[CancelAfter(60_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FirstBootTests : IAsyncDisposable
{
    private const string Nodes = """
        network: { subnet: 192.168.10.0/24, gateway: 192.168.10.1, dns: [192.168.10.1, 9.9.9.9] }
        nodes:
          - { mac: DC-A6-32-01-02-03, serial: 10000000abcd0001, hostname: node1, role: control-plane, ip: 192.168.10.11 }
          - { mac: 'dc:a6:32:01:02:04', hostname: node2, role: worker }
          - { serial: abcd0003, hostname: node3, role: worker }

        """;

    private const string Setup = """
        echo "$NODE_NAME $NODE_ROLE $NODE_MAC $NODE_SERIAL $NODE_ADDRESS $NODE_PREFIX $NODE_GATEWAY $NODE_DNS $NODE_COMMIT $NODE_SOURCE $NODE_ATTEMPT" >>"$CRUST_ROOT/ran"
        """;

    private readonly FirstBootSite _site = new();

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Test]
    public async Task A_node_finds_itself_by_its_mac_gets_name_and_address_and_runs_setup_once()
    {
        _site.Does("systemctl", "[ \"$3\" = systemd-networkd.service ]");
        File.Delete(_site.PathOf("bin/netplan"));
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });

        var first = await _site.BootAsync();
        var second = await _site.BootAsync();

        Assert.That((first.ExitCode, second.ExitCode), Is.EqualTo((0, 0)), first.Output + first.Error);
        Assert.That(_site.Runs, Is.EqualTo(new[] { $"node1 control-plane dc:a6:32:01:02:03 10000000abcd0001 192.168.10.11 24 192.168.10.1 192.168.10.1,9.9.9.9 {commit} git 1" }));
        Assert.That((_site.ReadRoot("etc/hostname"), _site.ReadRoot("proc/sys/kernel/hostname")), Is.EqualTo(("node1\n", "node1\n")));
        Assert.That(_site.ReadRoot("etc/hosts"), Is.EqualTo("127.0.0.1\tlocalhost\n127.0.1.1\tnode1\n"));
        Assert.That(_site.ReadRoot("etc/systemd/network/05-crust.network"), Does.Contain("MACAddress=dc:a6:32:01:02:03\n").And.Contain("Address=192.168.10.11/24\nGateway=192.168.10.1\nDNS=192.168.10.1\nDNS=9.9.9.9\n"));
        Assert.That(_site.Calls, Does.Contain("networkctl reload"));
        Assert.That(first.Output, Does.Contain("first boot: this is node1 (control-plane), by its MAC address dc:a6:32:01:02:03\n").And.Contain($"node1 is set up by {commit}\n"));
        Assert.That(second.Output, Is.Empty);
        Assert.That((await _site.BootAsync("--status")).Output, Is.EqualTo($"node=node1 commit={commit} source=git\n"));
    }

    [TestCase("10000000abcd0003", "proc/device-tree/serial-number")]
    [TestCase("ABCD0003", "sys/class/dmi/id/product_serial")]
    [TestCase("ABCD0003", "sys/class/dmi/id/board_serial")]
    public async Task A_node_without_a_known_card_finds_itself_by_the_serial_number_of_the_device_tree_or_of_dmi(string serial, string file)
    {
        _site.Card("eth0", "02:00:00:00:00:01");
        // Nodes without a serial number have a dash in the table.
        _site.WriteRoot("sys/class/dmi/id/product_serial", "-\n");
        _site.WriteRoot(file, serial + (file.StartsWith("proc", StringComparison.Ordinal) ? "\0" : "  \n"));
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });

        var run = await _site.BootAsync();

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(_site.Runs.Single(), Does.StartWith("node3 worker  abcd0003 "));
        Assert.That(run.Output, Does.Contain("by its serial number abcd0003"));
    }

    [TestCase("br0", "dc:a6:32:01:02:04", false, null, null)]
    [TestCase("eth1", "dc:a6:32:01:02:04", true, null, "this machine's MAC addresses are those of several nodes: node1 node2 ")]
    [TestCase("eth1", "02:00:00:00:00:01", true, "abcd0003", "by its MAC address this machine is node1 and by its serial number node3 ")]
    public async Task A_machine_that_would_be_two_nodes_is_none_and_a_bridge_counts_for_nothing(string card, string mac, bool isReal, string? serial, string? trouble)
    {
        _site.Does("systemctl", "[ \"$3\" = systemd-networkd.service ]");
        File.Delete(_site.PathOf("bin/netplan"));
        _site.Card(card, mac, isReal);
        if (serial is not null)
        {
            _site.WriteRoot("sys/class/dmi/id/product_serial", serial);
        }

        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });

        var run = await _site.BootAsync(mostWaits: 2);

        Assert.That(_site.Runs, Has.Length.EqualTo(trouble is null ? 1 : 0), run.Output + run.Error);
        Assert.That(run.Output, Does.Contain(trouble ?? "node1 is set up"));
        Assert.That(_site.ReadRoot("proc/sys/kernel/hostname"), Is.EqualTo(trouble is null ? "node1\n" : "localhost\n"));
    }

    [Test]
    public async Task A_repository_that_is_not_there_yet_is_waited_for_and_each_wait_is_said()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        var commit = await _site.CommitAsync(Setup);
        Directory.Move(_site.Repository, _site.PathOf("away"));
        _site.While(3, $"mv '{_site.PathOf("away")}' '{_site.Repository}'");
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit, Webhook = "https://hooks.example.org/secret" });

        var run = await _site.BootAsync();

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(run.Output.Split('\n').Count(line => line.Contains("can't be fetched", StringComparison.Ordinal)), Is.EqualTo(3));
        Assert.That(_site.Runs, Has.Length.EqualTo(1));
        var hooks = _site.Calls.Where(call => call.StartsWith("curl", StringComparison.Ordinal)).ToList();
        Assert.That(hooks, Has.Count.EqualTo(4), "fetching, waiting, setup, done: each once");
        Assert.That(hooks, Has.None.Contain("secret"), "an argv is public");
    }

    [Test]
    public async Task A_webhook_that_can_not_be_reached_gets_the_same_state_with_the_next_attempt()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        var posted = _site.PathOf("posted");
        _site.Does("curl", $"cat '{_site.Root}/var/lib/crust/first-boot/webhook.json' >>'{posted}'; [ $(wc -l <'{posted}') -gt 1 ] || exit 7");
        await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Commit = new string('1', 40), Webhook = "https://hooks.example.org/x" });

        var run = await _site.BootAsync(mostWaits: 2);

        var states = (await File.ReadAllLinesAsync(posted)).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement).ToList();
        Assert.That(states.Select(state => state.GetProperty("state").GetString()), Is.EqualTo(new[] { "fetching", "waiting", "fetching" }), run.Output + run.Error);
        Assert.That((states[1].GetProperty("node").GetString(), states[1].GetProperty("macs").GetString(), states[1].GetProperty("attempt").GetInt32()), Is.EqualTo(("node2", "dc:a6:32:01:02:04", 1)));
        Assert.That(run.Output, Does.Contain("the webhook can't be reached"));
    }

    [Test]
    public async Task Pauses_grow_up_to_two_minutes_and_are_never_the_same_on_two_machines()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        await _site.LayAsync(Nodes, spec => spec with { Commit = new string('1', 40) }, settings: "");

        await _site.BootAsync(mostWaits: 9);
        var one = Pauses();
        await _site.BootAsync(mostWaits: 9);
        var two = Pauses()[one.Length..];

        foreach (var pauses in new[] { one, two })
        {
            Assert.That(pauses, Has.Length.EqualTo(9));
            foreach (var (pause, most) in pauses.Zip([2, 4, 8, 16, 32, 64, 120, 120, 120]))
            {
                Assert.That(pause, Is.InRange(most / 2, most));
            }
        }

        Assert.That(one, Is.Not.EqualTo(two), "one of ten million pairs is");

        int[] Pauses() => [.. _site.Calls.Where(call => call.StartsWith("sleep ", StringComparison.Ordinal)).Select(call => int.Parse(call[6..]))];
    }

    [Test]
    public async Task A_repository_comes_by_ssh_from_a_server_whose_key_the_image_has_with_a_key_of_the_nodes_own()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        // The command that git has the server run is the last argument.
        _site.Does("ssh", "for last; do :; done; eval \"$last\"");
        await File.WriteAllTextAsync(_site.PathOf("known_hosts"), "git.example.org ssh-ed25519 AAAAC3x\n");
        _site.WriteRoot("etc/crust/ssh-key", "a private key");
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Repository = $"git@git.example.org:{_site.Repository}", Commit = commit, KnownHosts = _site.PathOf("known_hosts") });

        var run = await _site.BootAsync(mostWaits: 1);

        Assert.That(_site.Runs.SingleOrDefault(), Does.Contain(commit), run.Output + run.Error);
        Assert.That(_site.Calls.Where(call => call.StartsWith("ssh ", StringComparison.Ordinal)), Has.Some.Contains("git@git.example.org git-upload-pack").And.All.Contains(
            $"-o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4 -o StrictHostKeyChecking=yes -o UserKnownHostsFile={_site.Root}/etc/crust/known_hosts -o IdentitiesOnly=yes -i {_site.Root}/etc/crust/ssh-key"));
    }

    [Test]
    public async Task Another_commit_than_the_pinned_one_never_runs()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Commit = new string('1', 40), Copy = _site.Repository, Patience = TimeSpan.Zero });

        var run = await _site.BootAsync(mostWaits: 2);

        Assert.That(_site.Runs, Is.Empty);
        Assert.That(run.Output, Does.Contain($"has no commit {new string('1', 40)}"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Only_a_commit_that_one_of_the_keys_has_signed_runs_and_no_copy_takes_its_place(bool isOpenPgp)
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        var good = isOpenPgp ? await _site.OpenPgpKeyAsync("good") : await _site.KeyAsync("good");
        var others = new[] { await _site.KeyAsync("other"), isOpenPgp ? await _site.OpenPgpKeyAsync("another") : null };
        var key = good + (isOpenPgp ? ".asc" : ".pub");
        var signed = await _site.CommitAsync(Setup, signingKey: good);
        foreach (var other in others)
        {
            var commit = await _site.CommitAsync(Setup + "\n# changed\n", signingKey: other);
            await _site.LayAsync(Nodes, spec => spec with { Commit = commit, Key = key, Copy = _site.Repository, Patience = TimeSpan.Zero });
            var refused = await _site.BootAsync(mostWaits: 2);
            Assert.That(_site.Runs, Is.Empty, refused.Output);
            Assert.That(refused.Output, Does.Contain($"commit {commit} of {_site.Repository} has no signature by the key of this image"));
        }

        await _site.LayAsync(Nodes, spec => spec with { Commit = signed, Key = key });
        var run = await _site.BootAsync();
        Assert.That(_site.Runs, Has.Length.EqualTo(1), run.Output + run.Error);
    }

    [Test]
    public async Task The_newest_signed_commit_of_a_branch_runs()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        var key = await _site.KeyAsync("good");
        await _site.CommitAsync(Setup, signingKey: key);
        var newest = await _site.CommitAsync(Setup + "\n# newer\n", signingKey: key);
        await _site.LayAsync(Nodes, spec => spec with { Branch = "main", Key = key + ".pub" });

        var run = await _site.BootAsync();

        Assert.That(_site.Runs.SingleOrDefault(), Does.Contain(newest), run.Output + run.Error);
    }

    [Test]
    public async Task Without_a_network_the_copy_in_the_image_serves_after_a_while()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit, Copy = _site.Repository, Patience = TimeSpan.Zero });
        Directory.Delete(_site.Repository, recursive: true);

        var run = await _site.BootAsync();

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(_site.Runs.Single(), Does.EndWith("image image 1"));
        Assert.That(run.Output, Does.Contain("the copy in the image serves"));
    }

    [Test]
    public async Task What_the_repository_says_of_the_nodes_wins_over_what_the_image_says()
    {
        _site.Card("eth0", "02:00:00:00:00:09");
        var table = Crust.Fleet.NodesTable.Of(Crust.Fleet.NodesReader.Parse("nodes:\n  - { mac: '02:00:00:00:00:09', hostname: late, role: worker }\n", "nodes.yaml"));
        var commit = await _site.CommitAsync(Setup, [("nodes.table", table)]);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });

        var run = await _site.BootAsync();

        Assert.That(_site.Runs.SingleOrDefault(), Does.StartWith("late worker "), run.Output + run.Error);
        Assert.That(_site.ReadRoot("etc/hostname"), Is.EqualTo("late\n"));
    }

    [Test]
    public async Task A_node_that_the_repository_gives_no_fixed_address_loses_the_one_of_the_image_and_keeps_its_name_while_setup_fails()
    {
        _site.Does("systemctl", "[ \"$3\" = systemd-networkd.service ]");
        File.Delete(_site.PathOf("bin/netplan"));
        _site.Does("networkctl", $"[ -e '{_site.Root}/etc/systemd/network/05-crust.network' ] && echo fixed >>'{_site.PathOf("addresses")}' || echo dhcp >>'{_site.PathOf("addresses")}'");
        var table = Crust.Fleet.NodesTable.Of(Crust.Fleet.NodesReader.Parse("nodes:\n  - { mac: 'dc:a6:32:01:02:03', hostname: moved, role: worker }\n", "nodes.yaml"));
        var commit = await _site.CommitAsync($"[ $NODE_ATTEMPT -gt 2 ] || exit 1\n{Setup}", [("nodes.table", table)]);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });

        var run = await _site.BootAsync();

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(await File.ReadAllLinesAsync(_site.PathOf("addresses")), Is.EqualTo(new[] { "fixed", "dhcp" }), "the image's address, then none, and no change in further attempts");
        Assert.That(run.Output, Does.Contain("moved has no fixed address any more").And.Contain("this is moved (worker)"));
        Assert.That(run.Output.Split('\n').Count(line => line.Contains("this is ", StringComparison.Ordinal)), Is.EqualTo(2));
    }

    [Test]
    public async Task A_setup_that_fails_or_is_cut_off_runs_again_from_fresh_files_and_knows_it()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        const string Flaky = """
            [ ! -e leftover ] || exit 9
            : >leftover
            echo "$NODE_ATTEMPT" >>"$CRUST_ROOT/ran"
            case $NODE_ATTEMPT in 1) exit 3 ;; 2) kill -9 $PPID ;; esac
            """;
        var commit = await _site.CommitAsync(Flaky);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });

        var cut = await _site.BootAsync();
        var run = await _site.BootAsync();
        await _site.BootAsync();

        Assert.That(cut.Output, Does.Contain("setup.sh ended with exit code 3"));
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(_site.Runs, Is.EqualTo(new[] { "1", "2", "3" }));
    }

    [TestCase("--again", false)]
    [TestCase(null, true)]
    public async Task It_runs_once_more_when_it_is_told_to_or_the_image_has_another_commit(string? argument, bool isNew)
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });
        await _site.BootAsync();
        if (isNew)
        {
            var next = await _site.CommitAsync(Setup + "\n# next\n");
            await _site.LayAsync(Nodes, spec => spec with { Commit = next });
        }

        var run = await _site.BootAsync(argument);

        Assert.That(_site.Runs, Has.Length.EqualTo(2), run.Output + run.Error);
        Assert.That(_site.Runs[1], Does.EndWith(" 1"));
    }

    [Test]
    public async Task What_setup_and_the_join_have_written_reaches_the_disk_before_the_marks_that_keep_them_from_running_again()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        _site.WriteRoot("etc/crust/join-token", "hush\n");
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync("cluster: { kind: k3s, endpoint: 10.0.0.1 }\nnodes:\n  - { mac: 'dc:a6:32:01:02:03', hostname: node1, role: control-plane }\n  - { mac: 'dc:a6:32:01:02:04', hostname: node2, role: worker }\n",
            spec => spec with { Commit = commit });

        var run = await _site.BootAsync();

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        var state = Path.Combine(_site.Root, "var/lib/crust/first-boot");
        Assert.That(_site.Calls.Where(call => call.StartsWith("sync", StringComparison.Ordinal) || call.Contains("restart", StringComparison.Ordinal))
                .Where(call => call is "sync" || call.Contains("restart", StringComparison.Ordinal) || call == $"sync {state}/setup.crust" || call == $"sync {state}/joined.crust"),
            Is.EqualTo(new[] { "sync", $"sync {state}/setup.crust", "systemctl restart --no-block k3s-agent.service", "sync", $"sync {state}/joined.crust" }));
    }

    // Each mark and each file that counts is synced: a power cut there is the worst one.
    [TestCase(1)]
    [TestCase(4)]
    [TestCase(6)]
    [TestCase(8)]
    [TestCase(10)]
    [TestCase(12)]
    public async Task After_a_power_cut_it_goes_on_behind_its_last_mark(int sync)
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        var counter = _site.PathOf("syncs");
        _site.Does("sync", $"""
            n=$(($(cat '{counter}' 2>/dev/null || echo 0) + 1)); echo $n >'{counter}'
            [ $n = {sync} ] || return 0
            p=$PPID all=
            while grep -q /opt/crust/first-boot /proc/$p/cmdline; do all="$all $p"; p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status); done
            kill -9 $all
            """);
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });

        var cut = await _site.BootAsync();
        var wasSetUp = File.Exists(Path.Combine(_site.Root, "var/lib/crust/first-boot/setup"));
        var runs = _site.Runs.Length;
        var run = await _site.BootAsync();

        Assert.That(cut.ExitCode, Is.Not.Zero, "the cut never came");
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(_site.Runs, Has.Length.EqualTo(wasSetUp ? runs : runs + 1));
        Assert.That((await _site.BootAsync("--status")).ExitCode, Is.Zero);
        Assert.That(_site.ReadRoot("etc/hostname"), Is.EqualTo("node2\n"));
    }

    [TestCase("", 1)]
    [TestCase("changed", 0)]
    public async Task A_tarball_runs_if_it_has_the_digest_of_the_image(string addition, int runs)
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        await _site.CommitAsync(Setup);
        var archive = _site.PathOf("bootstrap.tar");
        await _site.Git.GitAsync("archive", "--prefix=bootstrap-1/", "-o", archive, "HEAD");
        var sum = await Crust.Storage.Checksum.OfFileAsync(archive, CancellationToken.None);
        await File.AppendAllTextAsync(archive, addition);
        _site.Does("curl", $"while [ \"$1\" != -o ]; do shift; done; cp '{archive}' \"$2\"");
        await _site.LayAsync(Nodes, spec => spec with { Repository = "https://example.org/bootstrap.tar", Sha256 = sum });

        var run = await _site.BootAsync(mostWaits: 2);

        Assert.That(_site.Runs, Has.Length.EqualTo(runs), run.Output + run.Error);
        Assert.That(run.Output, Does.Contain(runs > 0 ? $"is set up by sha256:{sum}" : "isn't the file whose SHA-256 the image has"));
    }

    [Test]
    public async Task Two_never_run_at_once()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        var commit = await _site.CommitAsync("echo once >>\"$CRUST_ROOT/ran\"; dash \"$CRUST_ROOT/opt/crust/first-boot\" --again >\"$CRUST_ROOT/second\"; echo $? >>\"$CRUST_ROOT/second\"\n");
        await _site.LayAsync(Nodes, spec => spec with { Commit = commit });

        var run = await _site.BootAsync();

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(_site.ReadRoot("second"), Is.EqualTo("first boot: another first-boot runs already\n75\n"));
        Assert.That(_site.Runs, Is.EqualTo(new[] { "once" }));
    }

    [TestCase("control-plane", "k3s.service", "cluster-init: true")]
    [TestCase("worker", "k3s-agent.service", "server: \"https://10.0.0.1:6443\"")]
    public async Task A_node_joins_k3s_by_its_role_with_a_token_that_stands_nowhere_else(string role, string unit, string line)
    {
        var mac = role == "worker" ? "dc:a6:32:01:02:04" : "dc:a6:32:01:02:03";
        _site.Card("eth0", mac);
        _site.WriteRoot("etc/crust/join-token", "hush\n");
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync("cluster: { kind: k3s, endpoint: 10.0.0.1 }\nnodes:\n  - { mac: 'dc:a6:32:01:02:03', hostname: node1, role: control-plane }\n  - { mac: 'dc:a6:32:01:02:04', hostname: node2, role: worker }\n",
            spec => spec with { Commit = commit });

        var run = await _site.BootAsync();

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(_site.ReadRoot("etc/rancher/k3s/config.yaml.d/50-crust.yaml"), Does.Contain(line + "\n").And.Contain("token-file: \"/etc/crust/join-token\"").And.Not.Contain("hush"));
        var other = unit == "k3s.service" ? "k3s-agent.service" : "k3s.service";
        Assert.That(_site.Calls.Where(call => call.StartsWith("systemctl", StringComparison.Ordinal)),
            Is.EqualTo(new[] { $"systemctl disable -q --now {other}", $"systemctl enable -q {unit}", $"systemctl restart --no-block {unit}" }));
    }

    [Test]
    public async Task A_worker_joins_kubeadm_by_a_file_that_is_gone_afterwards_and_starts_over_what_was_cut_off()
    {
        _site.Card("eth0", "dc:a6:32:01:02:04");
        _site.WriteRoot("etc/crust/join-token", "token=abcdef.0123456789abcdef\nca=sha256:00\n");
        _site.Does("kubeadm", $"case $1 in config) echo 'apiVersion: kubeadm.k8s.io/v1beta4' ;; join) cp \"$3\" '{_site.PathOf("join.yaml")}'; [ -e '{_site.PathOf("twice")}' ] || {{ : >'{_site.PathOf("twice")}'; exit 1; }} ;; esac");
        var commit = await _site.CommitAsync(Setup);
        await _site.LayAsync("cluster: { kind: kubeadm, endpoint: 10.0.0.1 }\nnodes:\n  - { mac: 'dc:a6:32:01:02:03', hostname: node1, role: control-plane }\n  - { mac: 'dc:a6:32:01:02:04', hostname: node2, role: worker }\n",
            spec => spec with { Commit = commit });

        var run = await _site.BootAsync();

        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(await File.ReadAllTextAsync(_site.PathOf("join.yaml")), Does.StartWith("apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n")
            .And.Contain("apiServerEndpoint: \"10.0.0.1:6443\", token: \"abcdef.0123456789abcdef\", caCertHashes: [ \"sha256:00\" ]"));
        Assert.That(_site.Calls.Where(call => call.StartsWith("kubeadm", StringComparison.Ordinal) && !call.StartsWith("kubeadm config", StringComparison.Ordinal)).Select(call => call.Split(' ')[1]),
            Is.EqualTo(new[] { "join", "reset", "join" }));
        Assert.That(File.Exists(Path.Combine(_site.Root, "run/crust/kubeadm.yaml")), Is.False);
        Assert.That(_site.Runs, Has.Length.EqualTo(1), "setup.sh was done before");
    }
}
