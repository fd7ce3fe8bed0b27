using System.Text.Json.Nodes;
using Crust.Inspection;
using Crust.Machines;
using Crust.Spec;
using Crust.Tests.Machine.Field;
using Crust.Tests.Machine.Inspection;

namespace Crust.Tests.Machine;

// What was installed, booted. All images hold the same disk, as another test says; a vmdk boots in ContainerTests, too.
public sealed partial class ReferenceTests
{
    // In one line: of a check that passed, the last one is kept.
    private const string SeedIsApplied =
        "cloud-init status --wait >/dev/null; echo $(hostname) $(id -un) $(sudo -n id -u) $(test -d /sys/firmware/efi && echo uefi || echo bios) $(systemctl --failed --no-legend)";

    // What no two systems may share, and the name, which these do.
    private const string Identity =
        "cloud-init status --wait >/dev/null; echo $(cat /etc/machine-id; for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -l -f $key | cut -d' ' -f2; done; hostname)";

    [Test]
    [StartsEarly(1)]
    public async Task The_iso_puts_the_system_onto_a_larger_disk_that_it_fills_and_that_merges_extensions_and_its_tidied_clone_passes_checks_with_an_identity_of_its_own()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Crust.Folder, "field")).FullName;
        var target = Path.Combine(folder, "field.img");
        await Host.RunAsync("truncate", ["-s", "7G", target], Cancellation);
        await using (var machine = await FieldMachine.StartAsync(Firmware.UefiSecure, target + ".log", Cancellation,
            new Drive.UsbStick { File = Crust.Image("crust-reference.iso") }, new Drive.Disk("raw") { File = target }))
        {
            Assert.That(await machine.EndAsync(Cancellation), Is.InstanceOf<MachineOutcome.PoweredOff>(), machine.Screen);
        }

        string before;
        await using (var guest = await Guest.BootAsync(target, Firmware.UefiSecure, folder, Key, Cancellation))
        {
            await guest.RunAsync("cloud-init status --wait", Cancellation);
            Assert.That(int.Parse(await guest.RunAsync("df --output=size -BM / | tail -1 | tr -dc 0-9", Cancellation)), Is.GreaterThan(6200));
            Assert.That(await guest.RunAsync("systemctl is-active systemd-timesyncd systemd-networkd ssh", Cancellation), Is.EqualTo("active\nactive\nactive\n"));
            Assert.That(await guest.RunAsync("sudo cut -d: -f1,2 /etc/shadow | grep -v ':[!*]'", Cancellation), Does.StartWith("edge:$6$").And.EndsWith("\n").And.Not.Contain("root"));
            Assert.That(await guest.RunAsync("sudo stat -c %a /var/lib/cloud/seed/nocloud/user-data", Cancellation), Is.EqualTo("600\n"));
            Assert.That(await guest.RunAsync("sudo sh -c 'cat /var/lib/cloud/seed/nocloud/user-data'", Cancellation), Does.Contain(Token).And.Not.Contain(Password));
            before = await guest.RunAsync(Identity, Cancellation);
            await AssertExtensionsAreMergedAsync(guest, folder);
            await guest.PowerOffAsync(Cancellation);
        }

        await AssertClonePassesChecksAsync(await TidyAsync(folder), before);
    }

    // One boot proves both: that a build's checks decide if its image is proven, and what a clone of a tidied system is.
    private static async Task AssertClonePassesChecksAsync(string disk, string before)
    {
        using var clone = new CrustProcess();
        string[] build =
        [
            "build", "--base", disk, "--name", "clone", "--disk-size", "7G", "--memory", "1G", "--cpus", "1", "--format", "img", "--verify", "true", "--verify-deadline", "20m",
            "--verify-ssh-user", "edge", "--verify-ssh-key", Key, .. Checks("systemctl is-active ssh && test -d /etc/cloud", SeedIsApplied, Identity),
        ];

        var passed = await clone.RunAsync(Cancellation, build);
        Assert.That(passed.ExitCode, Is.Zero, passed.Error);
        var manifest = await File.ReadAllTextAsync(clone.Image("clone.manifest.json"), Cancellation);
        var report = await File.ReadAllTextAsync(clone.Image("clone.report.html"), Cancellation);
        var again = await clone.RunAsync(Cancellation, build);

        Assert.That(again.ExitCode, Is.Zero, again.Error);
        var ssh = JsonNode.Parse(manifest)!["images"]![0]!["verified"]!["ssh"]!;
        Assert.That(((string?)ssh["key"], OutputOf(ssh, 1), OutputOf(ssh, 2)), Is.EqualTo((await FingerprintAsync(Key), "active", "edge-042 edge 0 bios")));
        AssertIdentitiesDiffer([before, OutputOf(ssh, 3)!]);
        Assert.That(report, Does.Contain("edge logged in by key").And.Contain("<pre class=\"words\">active</pre>"));
        Assert.That(passed.Error, Does.Contain("is up after"));
        Assert.That(again.Error, Does.Not.Contain("is up after"), "the same checks don't boot it again");
    }

    // The disk of a containerDisk is a qcow2. What the iso wrote boots under Secure Boot, too; that a password lets in, and which host key is told, LoginRunTests show with a real SSH server.
    [Test]
    [Category("Long")]
    public async Task Verify_logs_in_under_Secure_Boot_with_the_seeds_password_and_the_host_key_that_it_tells_is_the_guests_own()
    {
        var result = await Crust.RunAsync(Cancellation, "verify", "--firmware", "uefi-secure", "--ssh-user", "edge", "--check", SeedIsApplied, "--check", "systemctl is-active ssh",
            "--check", "cat /etc/ssh/ssh_host_ed25519_key.pub", "--cpus", "1", "--memory", "1G", "--verify-deadline", "20m", "--json", "images/crust-reference.kubevirt.oci.tar");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var ssh = JsonNode.Parse(result.Output)![0]!["ssh"]!;
        var hostKey = Path.Combine(Crust.Folder, "host.pub");
        await File.WriteAllTextAsync(hostKey, OutputOf(ssh, 2), Cancellation);
        Assert.That(((string?)ssh["user"], (string?)ssh["key"], OutputOf(ssh, 0), OutputOf(ssh, 1)), Is.EqualTo(("edge", (string?)null, "edge-042 edge 0 uefi", "active")));
        Assert.That((string?)ssh["hostKey"]!["fingerprint"], Is.EqualTo(await FingerprintAsync(hostKey)));
        Assert.That(result.Error + result.Output, Does.Not.Contain(Password));
    }

    [TestCase("img", Firmware.UefiSecure, "uefi")]
    [TestCase("qcow2", Firmware.Bios, "bios")]
    [Category("Long")]
    public async Task Images_boot_with_the_seed_applied(string format, Firmware firmware, string seen)
    {
        await using var guest = await Guest.BootAsync(Crust.Image($"crust-reference.{format}"), firmware, Crust.Folder, Key, Cancellation);

        Assert.That(await guest.RunAsync(SeedIsApplied, Cancellation), Is.EqualTo($"edge-042 edge 0 {seen}\n"));
    }

    [Test]
    [Category("Long")]
    public async Task Verify_waits_for_an_SSH_servers_banner_where_that_is_asked_for([Values("kubevirt.oci.tar", "vhd")] string extension)
    {
        var image = $"images/crust-reference.{extension}";

        var result = await Crust.RunAsync(Cancellation, "verify", "--verify-ssh", "true", "--memory", "1G", image);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Is.EqualTo($"{image}: up\n"));
    }

    [Test]
    [Category("Long")]
    public async Task Other_checks_boot_an_image_again_and_one_that_fails_leaves_it_as_it_was()
    {
        var passed = await Crust.RunAsync(Cancellation, Build("again", "systemctl is-active ssh"));
        var manifest = await File.ReadAllTextAsync(Crust.Image("again.manifest.json"), Cancellation);

        var failed = await Crust.RunAsync(Cancellation, Build("again", "echo looking; systemctl is-active k3s"));

        Assert.That((passed.ExitCode, failed.ExitCode), Is.EqualTo((0, 4)), passed.Error + failed.Error);
        Assert.That(failed.Error, Does.Contain("the image again.img came up, and the check 'echo looking; systemctl is-active k3s' (2 of 2) exited with ").And.Contain("| looking\n  | inactive"));
        Assert.That(await File.ReadAllTextAsync(Crust.Image("again.manifest.json"), Cancellation), Is.EqualTo(manifest), "an image that is there stays as it was");
    }

    [Test]
    [Category("Long")]
    public async Task Two_clones_of_a_system_that_ran_and_was_tidied_have_identities_of_their_own_and_let_us_in()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Crust.Folder, "clones")).FullName;
        string before;
        await using (var guest = await Guest.BootAsync(Crust.Image("crust-reference.img"), Firmware.Bios, folder, Key, Cancellation))
        {
            before = await guest.RunAsync(Identity, Cancellation);
            await guest.PowerOffAsync(Cancellation);
        }

        var disk = await TidyAsync(folder);
        var clones = await Task.WhenAll(Enumerable.Range(1, 2).Select(async i =>
        {
            await using var guest = await Guest.BootAsync(disk, Firmware.Bios, Directory.CreateDirectory(Path.Combine(folder, $"{i}")).FullName, Key, Cancellation);
            return await guest.RunAsync(Identity, Cancellation);
        }));

        AssertIdentitiesDiffer([before, .. clones]);
    }

    // A build that has its image log in and run checks.
    private static string[] Build(string name, params string[] checks) =>
        ["build", "--name", name, "--format", "img", "--verify", "true", "--verify-ssh-user", "edge", "--verify-ssh-key", Key, .. Checks(checks)];

    // The first one waits for cloud-init.
    private static IEnumerable<string> Checks(params string[] checks) => checks.Prepend("cloud-init status --wait").SelectMany(check => new[] { "--check", check });

    // Tidies what a guest left, which is in the one overlay in the folder that it ran on.
    private static async Task<string> TidyAsync(string folder)
    {
        var disk = Path.Combine(folder, "tidied.img");
        await Host.RunAsync("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", Directory.EnumerateFiles(folder, "*.overlay").Single(), disk], Cancellation);
        var work = new DiskWork(disk, Arch.Amd64, Accelerator.Tcg) { Tidy = [.. Enum.GetValues<TidyStep>().Where(step => step is not TidyStep.Seed)], MustTidy = true, Inspect = true };
        var worked = await RealDiskCare.In("/tmp").WorkAsync(work, Cancellation);

        Assert.That(worked.Inspection!.Warnings, Is.Empty);
        Assert.That(worked.Tidied.Select(part => part.Step).Distinct(), Is.SupersetOf(new[] { "machine-id", "ssh-host-keys", "logs", "random-seed" }));
        return disk;
    }

    private static void AssertIdentitiesDiffer(IEnumerable<string> identities)
    {
        var clones = identities.Select(identity => identity.TrimEnd('\n').Split(' ')).ToList();
        Assert.That(clones.Select(clone => clone.Length), Has.All.EqualTo(4), "a machine-id, two keys and a name");
        Assert.That(clones.SelectMany(clone => clone[..3]), Is.Unique);
        Assert.That(clones.Select(clone => clone[3]), Has.All.EqualTo("edge-042"));
    }

    private static string? OutputOf(JsonNode ssh, int check) => (string?)ssh["checks"]![check]!["output"];

    private static async Task<string> FingerprintAsync(string key) => (await Host.RunAsync("ssh-keygen", ["-l", "-f", key], Cancellation)).Split(' ')[1];
}
