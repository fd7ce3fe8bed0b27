using System.Diagnostics;
using Crust.Tests.Spec;

namespace Crust.Tests.Formats;

/// <summary>The script that runs on the server, in a folder that stands for it; the root file systems are unpacked already.</summary>
[CancelAfter(60_000)]
public sealed class NetbootServerTests
{
    private string _home = null!;

    [SetUp]
    public void SetUp()
    {
        _home = Directory.CreateTempSubdirectory("crust-netboot-").FullName;
        File.Copy(RepositoryFile.PathOf("builder/netboot/netboot"), Path.Combine(_home, "netboot"));
        AddVersion("aaaa", "amd64");
        AddVersion("bbbb", "amd64");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_home, recursive: true);

    [Test]
    public void Settings_and_nodes_become_what_dnsmasq_and_machines_are_told()
    {
        Netboot("set", "server=10.77.0.1", "interface=eth1", "range=10.77.0.100,10.77.0.200", "subnet=10.77.0.0", "http=8080", "state=LABEL=STATE");
        Netboot("node", "node-a", "52:54:00:AA:00:01");
        Netboot("node", "node-b", "525400aa0002");
        Netboot("switch", "aaaa");

        foreach (var file in new[] { "dnsmasq.conf", "dnsmasq-proxy.conf" })
            Assert.That(Run("/usr/sbin/dnsmasq", "--test", "-C", file), Is.EqualTo((0, "dnsmasq: syntax check OK.\n")), file);
        RepositoryFile.MustEqual("tests/Crust.Tests/Golden/netboot/server.txt", string.Concat(new[] { "dnsmasq.conf", "dnsmasq-proxy.conf", "exports", "current/tftp/boot.ipxe", "current/tftp/52-54-00-aa-00-01/boot.ipxe",
            "current/tftp/52-54-00-aa-00-02/grub.cfg", "current/tftp/default/boot.ipxe", "current/tftp/grub/grub.cfg" }.Select(file => $"== {file}\n{Read(file)}")).Replace(_home, "/srv/netboot"));
    }

    [Test]
    public void A_Raspberry_Pi_finds_its_folder_by_serial_and_by_MAC_address_and_only_its_command_line_is_its_own()
    {
        AddVersion("cccc", "arm64");
        Netboot("set", "server=10.77.0.1");
        Netboot("node", "pi-a", "dc:a6:32:00:00:01", "10000000a1b2c3d4");
        Netboot("node", "pi-b", "DCA632000002");
        Netboot("switch", "cccc");

        foreach (var folder in new[] { "a1b2c3d4", "dc-a6-32-00-00-01", "dc-a6-32-00-00-02" })
        {
            Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(_home, "current/tftp", folder)).Select(Path.GetFileName).Order(StringComparer.Ordinal),
                Is.EqualTo(new[] { "cmdline.txt", "config.txt", "initrd.img", "start4.elf", "vmlinuz" }), folder);
            Assert.That(Read($"current/tftp/{folder}/start4.elf"), Is.EqualTo("start4.elf of cccc"));
        }

        var (a, b) = (Read("current/tftp/a1b2c3d4/cmdline.txt"), Read("current/tftp/dc-a6-32-00-00-02/cmdline.txt"));
        Assert.That(a, Does.Match($@"\Aconsole=x root=/dev/nfs nfsroot=10\.77\.0\.1:{_home}/versions/cccc/root,vers=3 ip=dhcp ro crust\.netboot=overlay systemd\.hostname=pi-a systemd\.machine_id=[0-9a-f]{{32}}\n\z"));
        Assert.That(a[^33..], Is.Not.EqualTo(b[^33..]), "machine-ids of their own");
        Assert.That(Netboot("list"), Does.Contain("pi-a dc-a6-32-00-00-01 a1b2c3d4\n").And.Contain("pi-b dc-a6-32-00-00-02\n"));
        Netboot("forget", "pi-a");
        Assert.That(Directory.Exists(Path.Combine(_home, "current/tftp/a1b2c3d4")) || Directory.Exists(Path.Combine(_home, "current/tftp/dc-a6-32-00-00-01")), Is.False);
        Assert.That(Directory.Exists(Path.Combine(_home, "current/tftp/dc-a6-32-00-00-02")));
    }

    [Test]
    public void A_version_is_switched_by_one_link_and_back_and_the_other_stays_as_it_is()
    {
        Netboot("set", "server=10.77.0.1");
        Netboot("node", "node-a", "52:54:00:aa:00:01");
        Netboot("switch", "aaaa");
        var first = Read("current/tftp/52-54-00-aa-00-01/boot.ipxe");
        Netboot("switch", "bbbb");

        Assert.That(Target("current"), Is.EqualTo("versions/bbbb"));
        Assert.That(Read("current/tftp/52-54-00-aa-00-01/boot.ipxe"), Is.EqualTo(first.Replace("/aaaa/", "/bbbb/")));
        Assert.That(Read("versions/aaaa/tftp/52-54-00-aa-00-01/boot.ipxe"), Is.EqualTo(first));
        Assert.That(Netboot("list"), Does.Contain("- aaaa ").And.Contain("* bbbb "));
        Netboot("back");
        Assert.That((Target("current"), Target("previous")), Is.EqualTo(("versions/aaaa", "versions/bbbb")));
        Netboot("back");
        Assert.That(Target("current"), Is.EqualTo("versions/bbbb"));
    }

    [Test]
    public void Each_machine_with_a_name_has_a_file_on_the_server_that_is_made_once()
    {
        Netboot("set", "server=10.77.0.1", "state=file:16M");
        Netboot("node", "node-a", "52:54:00:aa:00:01");
        Netboot("switch", "aaaa");
        var made = File.GetLastWriteTimeUtc(Path.Combine(_home, "state/node-a/disk.img"));
        Netboot("node", "node-b", "52:54:00:aa:00:02");
        Netboot("switch", "bbbb");

        Assert.That(Read("current/tftp/52-54-00-aa-00-01/boot.ipxe"), Does.Contain($" crust.state=nfs:10.77.0.1:{_home}/state/node-a\n"));
        Assert.That(Read("current/tftp/default/boot.ipxe"), Does.Not.Contain("crust.state"));
        Assert.That(Read("exports").Split('\n')[1], Is.EqualTo($"{_home}/state *(rw,sync,no_subtree_check,no_root_squash)"));
        Assert.That(new FileInfo(Path.Combine(_home, "state/node-b/disk.img")).Length, Is.EqualTo(16 << 20));
        Assert.That(File.GetLastWriteTimeUtc(Path.Combine(_home, "state/node-a/disk.img")), Is.EqualTo(made));
        Netboot("set", "state=");
        Assert.That(Read("current/tftp/52-54-00-aa-00-01/boot.ipxe") + Read("exports"), Does.Not.Contain("state"));
    }

    [TestCase("'file:8' is no place to keep a machine's state", "set", "state=file:8")]
    [TestCase("'file:G' is no place to keep a machine's state", "set", "state=file:G")]
    [TestCase("'sda1' is no place to keep a machine's state", "set", "state=sda1")]
    [TestCase("nobody knows this server's address", "switch", "aaaa")]
    [TestCase("'10.0.0' is no IPv4 address", "set", "server=10.0.0")]
    [TestCase("'10.0.0.300' is no IPv4 address", "set", "server=10.0.0.300")]
    [TestCase("there is no setting 'colour'", "set", "colour=red")]
    [TestCase("'Node_A' is no host name", "node", "Node_A", "52:54:00:aa:00:01")]
    [TestCase("'52:54:00' is no MAC address", "node", "node-a", "52:54:00")]
    [TestCase("'xyz' is no serial number", "node", "node-a", "52:54:00:aa:00:01", "xyz")]
    [TestCase("is the MAC address of first", "node", "node-a", "52-54-00-AA-00-0F")]
    [TestCase("there is no version 'zzzz'", "switch", "zzzz")]
    [TestCase("'../aaaa' is no version", "switch", "../aaaa")]
    [TestCase("there is no version before this one", "back")]
    [TestCase("there is no node 'nobody'", "forget", "nobody")]
    public void What_is_wrong_is_told_in_three_parts_and_changes_nothing(string what, params string[] arguments)
    {
        Netboot("node", "first", "52:54:00:aa:00:0f");
        var before = Run("sh", "-c", "find . -type f | sort | xargs sha256sum").Output;

        var (exitCode, output) = Run("sh", ["netboot", .. arguments]);

        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.StartWith("netboot: ").And.Contain("\n  where: ").And.Contain("\n  to do: "));
        Assert.That(output, Does.Contain(what));
        Assert.That(Run("sh", "-c", "find . -type f | sort | xargs sha256sum").Output, Is.EqualTo(before));
    }

    private void AddVersion(string name, string arch)
    {
        var version = Path.Combine(_home, "versions", name);
        Directory.CreateDirectory(Path.Combine(version, "root"));
        Directory.CreateDirectory(Path.Combine(version, "boot"));
        File.WriteAllText(Path.Combine(version, "version"), $"name=edge\narch={arch}\nkernel=6.12\nconsoles=console=x\n");
        foreach (var file in arch == "amd64" ? new[] { "vmlinuz", "initrd.img", "shimx64.efi", "grubx64.efi" } : ["vmlinuz", "initrd.img", "config.txt", "start4.elf"])
            File.WriteAllText(Path.Combine(version, "boot", file), $"{file} of {name}");
    }

    private string Netboot(params string[] arguments)
    {
        var (exitCode, output) = Run("sh", ["netboot", .. arguments]);
        Assert.That(exitCode, Is.Zero, output);
        return output;
    }

    private string Read(string file) => File.ReadAllText(Path.Combine(_home, file));

    private string? Target(string link) => new FileInfo(Path.Combine(_home, link)).LinkTarget;

    private (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = _home, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
