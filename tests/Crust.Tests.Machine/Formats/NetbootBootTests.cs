namespace Crust.Tests.Machine.Formats;

/// <summary>
/// Machines start over the network with a root of Debian's: by the BIOS and iPXE, by UEFI and the system's own signed shim and GRUB, by UEFI's HTTP boot, and where another server has DHCP. They share
/// one root; what is to stay is on a disk of theirs or in a file on the server.
/// </summary>
[Category("Long")]
[CancelAfter(1_800_000)]
public sealed class NetbootBootTests
{
    // Says once what a machine has for its own, and ends it. containerd unpacks images into overlayfs, which can't lie everywhere.
    private const string Says = """
        say() { printf '\nsays: %s\n' "$*" >/dev/console; }
        say "$(hostname) $(cat /etc/machine-id)"
        say "version $(cat /etc/edge-version)"
        say "root $(findmnt -no FSTYPE /) on $(findmnt -no FSTYPE,OPTIONS /run/crust-netboot/root | sed 's/  */,/; s/^\([^,]*,[^,]*\).*/\1/')"
        touch /usr/written && say writable
        say "state $(findmnt -no FSTYPE /var/lib/rancher || echo none)"
        mkdir -p /var/lib/rancher/upper /var/lib/rancher/work
        say "overlayfs on it $(mount -t overlay -o lowerdir=/usr,upperdir=/var/lib/rancher/upper,workdir=/var/lib/rancher/work overlay /mnt 2>/dev/null && echo works || echo fails)"
        umount /mnt 2>/dev/null
        say "k3s $(systemctl is-active k3s), started $(cat /var/lib/rancher/starts 2>/dev/null | wc -l) times"
        journalctl -q -b -u k3s -o cat | grep 'nowhere to keep' | while read -r line; do say "journal $line"; done
        say end
        systemctl poweroff

        """;

    private const string SaysUnit = """
        [Unit]
        After=multi-user.target
        [Service]
        Type=oneshot
        ExecStart=/bin/sh /usr/local/bin/says

        """;

    // A stand-in, which leaves a mark where k3s has its state.
    private const string K3sUnit = """
        [Service]
        Type=exec
        ExecStart=/bin/sh -c 'echo started >>/var/lib/rancher/starts; exec sleep infinity'

        """;

    private static readonly CrustProcess Crust = new();
    private static NetbootServers _servers = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private static string Home => Path.Combine(Crust.Folder, "server", "netboot");

    [OneTimeSetUp]
    public async Task SetUp()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Ignore("network namespaces and an NFS server take root");
        Host.RequireMountNamespaces();
        try
        {
            _servers = await NetbootServers.CreateAsync(Home, Cancellation);
        }
        catch (CrustException e)
        {
            Assert.Ignore($"this host makes no network namespace with a bridge: {e.What}");
        }

        Crust.ShareDearThings();
        Directory.CreateDirectory(Path.Combine(Crust.Folder, "server"));
        Write("overlay/usr/local/bin/says", Says);
        Write("overlay/etc/systemd/system/says.service", SaysUnit);
        Write("overlay/etc/systemd/system/k3s.service", K3sUnit);
        var wants = Directory.CreateDirectory(Path.Combine(Crust.Folder, "overlay/etc/systemd/system/multi-user.target.wants")).FullName;
        File.CreateSymbolicLink(Path.Combine(wants, "says.service"), "../says.service");
        File.CreateSymbolicLink(Path.Combine(wants, "k3s.service"), "../k3s.service");
        // The root that RootTests puts onto a disk, so that its packages are fetched once.
        Write("crust.yaml", """
            version: 1
            name: edge
            base: { debian: { suite: bookworm, packages: [linux-image-cloud-amd64] } }
            machine: { disk: 2G, memory: 1G }
            layers: [{ files: overlay }]
            formats: [netboot]
            """);
        foreach (var version in new[] { "1", "2" })
        {
            Write("overlay/etc/edge-version", version);
            var built = await Crust.RunAsync(Cancellation, "build");
            Assert.That((built.ExitCode, built.Output), Is.EqualTo((0, "images/edge.netboot.tar\n")), built.Error);
            await Host.RunAsync("tar", ["-xf", Crust.Image("edge.netboot.tar"), "-C", Path.Combine(Crust.Folder, "server")], Cancellation);
            if (version == "1")
            {
                await NetbootAsync("set server=10.77.0.1 interface=br0 range=10.77.0.100,10.77.0.200 subnet=10.77.0.0 http=8080");
                await NetbootAsync("node node-a 52:54:00:aa:00:01");
                await NetbootAsync("node node-b 52:54:00:aa:00:02");
            }

            await NetbootAsync("switch");
        }
    }

    [OneTimeTearDown]
    public async Task TearDown()
    {
        if (_servers is not null)
            await _servers.DisposeAsync();
        Crust.Dispose();
    }

    [TearDown]
    public Task WithoutStateAsync() => NetbootAsync("set state=");

    [Test]
    public async Task Two_machines_share_a_root_with_names_and_ids_of_their_own_and_a_version_is_switched_and_back()
    {
        await NetbootAsync("back");
        var sum = await SumAsync("current");

        var first = await _servers.RunAsync(Cancellation, "bios node-a 01 tap0", "uefi node-b 02 tap1");
        Assert.That(await File.ReadAllTextAsync(_servers.DnsmasqLog, Cancellation), Does.Contain("/52-54-00-aa-00-01/boot.ipxe to ").And.Contain("/shimx64.efi to ").And.Contain("/grubx64.efi to "));
        await NetbootAsync("switch");
        var second = await _servers.RunAsync(Cancellation, "bios node-a 01 tap0");

        foreach (var (name, said) in first)
        {
            Assert.That(said[0], Does.Match($@"\A{name} [0-9a-f]{{32}}\z"));
            Assert.That(said[1..4], Is.EqualTo(new[] { "version 1", "root overlay on nfs,ro", "writable" }));
            Assert.That(said[4..7], Is.EqualTo(new[] { "state none", "overlayfs on it fails", "k3s failed, started 0 times" }), "k3s is told why");
            Assert.That(said[7], Does.StartWith("journal k3s has nowhere to keep its state").And.Contain("netboot set state=LABEL=NAME"));
        }

        Assert.That(first["node-a"][0][^32..], Is.Not.EqualTo(first["node-b"][0][^32..]));
        Assert.That(second["node-a"][..2], Is.EqualTo(new[] { first["node-a"][0], "version 2" }), "the same machine, with the other version");
        Assert.That(await SumAsync("previous"), Is.EqualTo(sum), "nobody has changed the root that was shared");
    }

    [Test]
    public async Task A_machine_loads_all_that_it_boots_by_HTTP()
    {
        var said = await _servers.RunAsync(Cancellation, "http node-b 02 tap1");

        Assert.That(said["node-b"][0], Does.StartWith("node-b "));
        var loaded = await File.ReadAllTextAsync(_servers.HttpLog, Cancellation);
        foreach (var file in new[] { "/shimx64.efi", "/grubx64.efi", "/boot/vmlinuz", "/boot/initrd.img" })
            Assert.That(loaded, Does.Match($"\"GET /?{file} HTTP/1.[01]\" 200"));
        Assert.That(await File.ReadAllTextAsync(_servers.DnsmasqLog, Cancellation), Does.Not.Contain("dnsmasq-tftp"));
    }

    [Test]
    public async Task Machines_start_where_another_server_has_DHCP()
    {
        var said = await _servers.RunAsProxyAsync(Cancellation, "bios node-a 01 tap0", "uefi node-b 02 tap1");

        Assert.That((said["node-a"][0][..7], said["node-b"][0][..7]), Is.EqualTo(("node-a ", "node-b ")));
        Assert.That(await File.ReadAllTextAsync(_servers.DnsmasqLog, Cancellation), Does.Contain("proxy").And.Not.Contain("DHCPOFFER"));
    }

    [Test]
    public async Task What_is_to_stay_is_on_a_disk_of_the_machine()
    {
        await NetbootAsync("set state=LABEL=STATE");
        var disk = Path.Combine(Crust.Folder, "state.img");
        await NetbootServers.ShellAsync($"truncate -s 256M '{disk}' && mkfs.ext4 -q -L STATE '{disk}'", Cancellation);

        var said = await _servers.RunAsync(Cancellation, $"bios node-a 01 tap0 -drive if=virtio,format=raw,file='{disk}'", "bios node-b 02 tap1");

        Assert.That(said["node-a"][4..7], Is.EqualTo(new[] { "state ext4", "overlayfs on it works", "k3s active, started 1 times" }));
        Assert.That(said["node-b"][4..7], Is.EqualTo(new[] { "state none", "overlayfs on it fails", "k3s failed, started 0 times" }));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(Crust.Folder, "server", "node-b.log"), Cancellation), Does.Contain("crust-netboot: crust.state=LABEL=STATE can't be mounted"));
        Assert.That(await Host.RunAsync("debugfs", ["-R", "cat rancher/starts", disk], Cancellation), Is.EqualTo("started\n"));
    }

    [Test]
    public async Task What_is_to_stay_is_in_a_file_of_the_machine_on_the_server()
    {
        await NetbootAsync("set state=file:256M");

        var first = await _servers.RunAsync(Cancellation, "bios node-a 01 tap0", "bios node-b 02 tap1");
        var second = await _servers.RunAsync(Cancellation, "bios node-a 01 tap0");

        foreach (var said in first.Values)
            Assert.That(said[4..7], Is.EqualTo(new[] { "state ext4", "overlayfs on it works", "k3s active, started 1 times" }));
        Assert.That(second["node-a"][6], Is.EqualTo("k3s active, started 2 times"));
        Assert.That(await Host.RunAsync("debugfs", ["-R", "cat rancher/starts", Path.Combine(Home, "state/node-b/disk.img")], Cancellation), Is.EqualTo("started\n"));
    }

    private static Task<string> NetbootAsync(string arguments) => NetbootServers.ShellAsync($"cd '{Home}' && ./netboot {arguments}", Cancellation);

    private static Task<string> SumAsync(string link) => NetbootServers.ShellAsync($"cd '{Home}/{link}/root' && find . -printf '%p %s %T@\\n' | sort | sha256sum", Cancellation);

    private static void Write(string name, string text)
    {
        var path = Path.Combine(Crust.Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
