using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Tests.Recipes;
using Crust.Tools;

namespace Crust.Tests.Machine.Boards;

/// <summary>
/// An image for the Raspberry Pi of Debian 13's packages, which a machine installs as where the host runs no programs for arm64, with k3s by a server in upstream's place, whose program stands in for k3s. QEMU has no firmware of a Pi: the test takes kernel, initramfs
/// and cmdline.txt from the boot partition, as config.txt names them, and starts them on `virt` with a Pi 4's processor.
/// </summary>
[Category("Long")]
[CancelAfter(7_200_000)]
public sealed partial class PiImageTests
{
    private const string BootPartition = "@@8388608";

    // What k3s does here: says how it was started, writes the kube config as it is told to, and tells systemd that it is ready.
    private const string K3s = """
        #!/usr/bin/python3
        import grp, json, os, subprocess, sys, time
        if os.path.basename(sys.argv[0]) == "kubectl":
            sys.exit(subprocess.run(["cat", os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")]).returncode)
        config = json.load(open("/etc/rancher/k3s/config.yaml"))
        with open("/dev/console", "w") as console:
            print("test: k3s starts as", sys.argv[1], "with", json.dumps(config, sort_keys=True), file=console)
        path = "/etc/rancher/k3s/k3s.yaml"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write("this is the kube config\n")
        os.chown(path, 0, grp.getgrnam(config["write-kubeconfig-group"]).gr_gid)
        os.chmod(path, int(config["write-kubeconfig-mode"], 8))
        subprocess.run(["systemd-notify", "--ready"], check=True)
        time.sleep(1e6)
        """;

    private const string UserData = """
        #cloud-config
        hostname: edge-1
        users:
          - { name: edge, shell: /bin/bash, lock_passwd: true }
        k3s: { role: cluster, config: { node-label: [site=a] } }
        runcmd:
          - [useradd, --create-home, --shell, /bin/bash, later]
        """;

    private const string Script = """
        #!/bin/sh
        cloud-init status --wait >/run/status 2>&1
        until systemctl -q is-active k3s.service && id -nG later | grep -q kubeconfig; do
            sleep 1
            [ $(cut -d. -f1 /proc/uptime) -lt 1500 ] || break
        done
        {
            echo "test: $(tail -n 1 /run/status | sed 's/^[.]*//') on $(uname -r), called $(hostname)"
            echo "test: units $(systemctl is-enabled k3s.service k3s-agent.service | tr '\n' ' ')failed $(systemctl --failed --plain --no-legend | tr '\n' ' ')."
            for user in edge later; do echo "test: $user: $(su - $user -c kubectl 2>&1)"; done
            echo "test: nobody: $(setpriv --reuid=nobody --clear-groups cat /etc/rancher/k3s/k3s.yaml 2>&1)"
            echo "test: images: $(cat /var/lib/rancher/k3s/agent/images/*)"
            echo "test: boot: $(findmnt -no SOURCE,FSTYPE /boot/firmware), root of $(($(stat -f -c '%b * %S' /) >> 30)) GiB"
            echo "test: root's password: $(grep ^root: /etc/shadow | cut -d: -f2), groups: $(cut -d. -f1 /sys/fs/cgroup/cgroup.controllers)"
            journalctl -b --no-pager -o cat -u crust-k3s -u crust-pi-kernel -u crust-grow-root -u crust-kubeconfig-users | sed 's/^/journal: /'
            echo "test: ends"
        } >/dev/console 2>&1
        systemctl poweroff
        """;

    private readonly CrustProcess _crust = new() { CaresForDisks = true };

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown() => _crust.Dispose();

    [Test]
    public async Task An_image_of_debians_packages_boots_to_its_login_as_the_k3s_node_that_its_user_data_says()
    {
        _crust.ShareDearThings();
        HideForeignPrograms();
        using var upstream = new StandIn { Program = name => name == "k3s" ? Encoding.UTF8.GetBytes(K3s) : null };
        upstream.CopyShipped("", "k3s");
        await WriteAsync(upstream);

        var built = await _crust.RunAsync(Cancellation, "build");

        Assert.That((built.ExitCode, built.Output), Is.EqualTo((0, "images/edge-pi.img\n")), built.Error);
        Assert.That(built.Error, Does.Contain("non-free-firmware").And.Not.Contain("won't boot"));
        await CheckStructureAsync();

        var output = await BootAsync();
        await TestContext.Out.WriteLineAsync(output);
        Assert.That(output, Does.Contain("edge-1 login:"));
        Assert.That(Said(output, "status: done on "), Does.EndWith("called edge-1"));
        Assert.That(Said(output, "k3s starts as "), Is.EqualTo("""server with {"cluster-init": true, "node-label": ["site=a"], "write-kubeconfig-group": "kubeconfig", "write-kubeconfig-mode": "0640"}"""));
        Assert.That(Said(output, "units "), Is.EqualTo("enabled disabled failed ."));
        Assert.That((Said(output, "edge: "), Said(output, "later: ")), Is.EqualTo(("this is the kube config", "this is the kube config")));
        Assert.That(Said(output, "nobody: "), Does.Contain("Permission denied"));
        Assert.That(Said(output, "images: "), Does.StartWith("k3s ").And.EndWith("airgap"));
        Assert.That(Said(output, "boot: "), Is.EqualTo("/dev/vda1 vfat, root of 7 GiB"));
        Assert.That(Said(output, "root's password: "), Does.Match(@"\A[!*]+, groups: .*memory"));
        Assert.That(output, Does.Not.Contain("restarting into"), "the newest kernel is there already");
    }

    // Crust asks arch-test whether this host runs programs for arm64. What a machine has installed has a cache of its own, so that what the host has installed is never taken for it.
    private void HideForeignPrograms()
    {
        var (bin, cache) = (Path.Combine(_crust.Folder, "bin"), Path.Combine(_crust.Cache, "debian"));
        Directory.CreateDirectory(bin);
        File.WriteAllText(Path.Combine(bin, "arch-test"), "#!/bin/sh\nexit 1\n");
        File.SetUnixFileMode(Path.Combine(bin, "arch-test"), (UnixFileMode)0x1ed);
        _crust.Environment["PATH"] = $"{bin}:{Environment.GetEnvironmentVariable("PATH")}";
        var shared = Path.Combine(Path.GetDirectoryName(new DirectoryInfo(cache).LinkTarget)!, "test-debian-by-machine");
        Directory.CreateDirectory(shared);
        File.Delete(cache);
        Directory.CreateSymbolicLink(cache, shared);
    }

    // What a Pi 4 and a Pi 5 ask for ("Raspberry Pi boot modes" and "config.txt" in Raspberry Pi's documentation), in what Debian's own packages bring.
    private async Task CheckStructureAsync()
    {
        var listing = await FatAsync("mdir", "-/", "-b", "::");
        var release = KernelName().Match(listing).Groups[1].Value;
        Assert.That(Version.Parse(release.Split('+', '-')[0]), Is.GreaterThanOrEqualTo(new Version(6, 18)), "of backports");
        foreach (var name in new[] { "config.txt", "cmdline.txt", "start4.elf", "fixup4.dat", "bcm2711-rpi-4-b.dtb", "bcm2712-rpi-5-b.dtb", "bcm2712-d-rpi-5-b.dtb", $"vmlinuz-{release}", $"initrd.img-{release}", "overlays/README.md" })
        {
            Assert.That(listing, Does.Contain($"::/{name}\n"));
        }

        // arm64's Image, whose magic number is at 56 (Documentation/arch/arm64/booting.rst).
        await FatAsync("mcopy", "-n", "-o", $"::vmlinuz-{release}", Path.Combine(_crust.Folder, "kernel"));
        await FatAsync("mcopy", "-n", "-o", $"::initrd.img-{release}", Path.Combine(_crust.Folder, "initramfs"));
        Assert.That((await File.ReadAllBytesAsync(Path.Combine(_crust.Folder, "kernel"), Cancellation)).AsSpan(56, 4).ToArray(), Is.EqualTo("ARM\x64"u8.ToArray()));
        var modules = await Host.RunAsync("lsinitramfs", [Path.Combine(_crust.Folder, "initramfs")], Cancellation);
        // SD on both, PCIe's interrupts and RP1 on a Pi 5, NVMe, USB, network, and what shares a root.
        foreach (var module in new[] { "sdhci-brcmstb", "irq-bcm2712-mip", "rp1_pci", "nvme", "macb", "genet", "overlay" })
        {
            Assert.That(modules, Does.Match($@"/{module.Replace("_", "[_-]", StringComparison.Ordinal)}\.ko"), module);
        }

        var inspected = await _crust.RunAsync(Cancellation, "inspect", "--json", "images/edge-pi.img");
        using var document = JsonDocument.Parse(inspected.Output);
        var disk = document.RootElement.GetProperty("files")[0].GetProperty("disk");
        Assert.That(disk.GetProperty("boot").GetProperty("raspberryPi").EnumerateArray().Select(model => model.GetString()), Is.EqualTo(new[] { "Pi 4", "Pi 5" }));
        Assert.That(disk.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("rule").GetString()), Has.None.StartsWith("pi").And.None.EqualTo("no-boot-loader"));
    }

    private async Task<string> BootAsync()
    {
        var overlay = Path.Combine(_crust.Folder, "card.qcow2");
        // A card of 8 GB, onto which an image of 3 was written.
        await Host.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", _crust.Image("edge-pi.img"), overlay, "8G"], Cancellation);
        // A Pi 5's console has number 10. `virt` has the same driver with number 0, which the kernel would look for under the first number that is named for the driver.
        var arguments = (await FatAsync("mtype", "::cmdline.txt")).Trim().Replace("console=ttyAMA10,115200 ", "");
        return (await Host.Tools.RunAsync(ToolCommand.Of("qemu-system-aarch64",
        [
            "-machine", "virt,accel=tcg", "-cpu", "cortex-a72", "-smp", "2", "-m", "1536", "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-kernel", Path.Combine(_crust.Folder, "kernel"), "-initrd", Path.Combine(_crust.Folder, "initramfs"), "-append", $"{arguments} console=ttyAMA0",
            "-drive", $"file={overlay},format=qcow2,if=virtio", "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci",
        ]), Cancellation)).Output.Replace("\r", "");
    }

    private async Task WriteAsync(StandIn upstream)
    {
        var overlay = Path.Combine(_crust.Folder, "overlay");
        foreach (var (path, text) in new[]
        {
            ("boot/firmware/user-data", UserData), ("boot/firmware/meta-data", "instance-id: edge-1\n"), ("usr/local/sbin/pi-test", Script),
            ("etc/systemd/system/pi-test.service", "[Unit]\nAfter=systemd-user-sessions.service\n[Service]\nExecStart=/usr/local/sbin/pi-test\n"),
        })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(overlay, path))!);
            await File.WriteAllTextAsync(Path.Combine(overlay, path), text, Cancellation);
        }

        File.SetUnixFileMode(Path.Combine(overlay, "usr/local/sbin/pi-test"), (UnixFileMode)0x1ed);
        Directory.CreateDirectory(Path.Combine(overlay, "etc/systemd/system/multi-user.target.wants"));
        File.CreateSymbolicLink(Path.Combine(overlay, "etc/systemd/system/multi-user.target.wants/pi-test.service"), "../pi-test.service");
        // Recipes beside the spec come before those that are shipped: their sums are those of what the server has.
        File.CreateSymbolicLink(Path.Combine(_crust.Folder, "recipes"), upstream.Recipes);
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "crust.mirrors.yaml"), $"mirrors:\n  https://github.com/: {upstream.MirrorUrl}/github.com/\n", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "crust.yaml"), """
            version: 1
            name: edge-pi
            base:
              debian: { suite: trixie, packages: [cloud-init] }
              layout: raspberry-pi
            machine: { disk: 3G }
            layers:
              - recipe: k3s
              - k3s: { config: { node-label: [site=b] } }
              - files: overlay
            formats: [img]
            verify: { boot: false }
            """, Cancellation);
    }

    private Task<string> FatAsync(string program, params string[] arguments) => Host.RunAsync(program, ["-i", _crust.Image("edge-pi.img") + BootPartition, .. arguments], Cancellation);

    private static string Said(string output, string what) => output.Split('\n').Where(line => line.StartsWith($"test: {what}", StringComparison.Ordinal)).Select(line => line[$"test: {what}".Length..].Trim()).SingleOrDefault() ?? $"nothing of '{what}'";

    [GeneratedRegex(@"::/vmlinuz-(\S+)\n")]
    private static partial Regex KernelName();
}
