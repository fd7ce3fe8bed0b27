using Crust.Seeds.Checks;
using Crust.Spec;

namespace Crust.Tests.Seeds.Checks;

/// <summary>A build's disk has 10 GiB here, unless a case says otherwise.</summary>
public sealed class DiskSizeRulesTests
{
    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase("part /boot --size=1024\npart / --size=9215", null)]
    [TestCase("part /boot --size=1024\npart / --size=9216", 2)]
    [TestCase("part / --size=1 --grow\npart /data --size=20000 --ondisk=vda", 2)]
    [TestCase("partition / --size 20000 --grow --maxsize=30000", 1)]
    [TestCase("part / --size=8000 --ondrive=/dev/vda\npart /var --size=8000", 2)]
    [TestCase("part / --size=20000 --onpart=vda2\npart /x --size=20000 --noformat --usepart=vda3", null)]
    [TestCase("part swap --recommended --size=20000\npart swap --hibernation", null)]
    [TestCase("part pv.01 --size=1 --grow\nvolgroup vg pv.01\nlogvol / --vgname=vg --name=root --size=8000\nlogvol /var --vgname=vg --name=var --size=8000", 4)]
    [TestCase("part pv.01 --size=1 --grow\nvolgroup vg pv.01\nlogvol none --vgname=vg --name=pool --thinpool --size=8000\nlogvol / --vgname=vg --name=root --thin --poolname=pool --size=50000", null)]
    [TestCase("part pv.01 --size=4000\nvolgroup vg pv.01\nlogvol / --vgname=vg --name=root --size=3000\nlogvol /var --vgname=vg --name=var --size=2000", 4)]
    [TestCase("part pv.01 --size=4000\nvolgroup vg pv.01\nlogvol / --vgname=vg --name=root --size=3000\nlogvol /var --vgname=vg --name=var --percent=100", null)]
    [TestCase("raid pv.01 --device=md0 --level=1 raid.01 raid.02\nvolgroup vg pv.01\nlogvol / --vgname=vg --name=root --size=90000", null)]
    [TestCase("iscsi --ipaddr=10.0.0.1\npart / --size=90000", null)]
    [TestCase("part / --size=90000 --ondisk=disk/by-id/virtio-crust0", 1)]
    public void A_kickstart_file_may_ask_for_what_the_disk_has_and_no_more(string commands, int? line) => Check(SeedKind.Kickstart, commands + "\n", line);

    [TestCase("part / --size=15000", 20, null)]
    [TestCase("part / --size=15000", 5, 1)]
    [TestCase("part / --size=9000\npart /data --size=9000", 20, null)]
    [TestCase("part / --size=9000\npart /data --size=9000", 5, 2)]
    [TestCase("ignoredisk --only-use=vda\npart / --size=15000", 20, 2)]
    [TestCase("ignoredisk --drives=vda\npart / --size=15000", 20, null)]
    [TestCase("ignoredisk --drives=vdb\npart / --size=15000", 20, 2)]
    [TestCase("part / --size=15000 --ondisk=vdb", 20, null)]
    [TestCase("part / --size=15000 --ondisk=vda", 20, 1)]
    public void With_extra_disks_each_disk_and_all_together_count(string commands, int extra, int? line) => Check(SeedKind.Kickstart, commands + "\n", line, extra: extra);

    [TestCase(DiskBus.Nvme, "part / --size=15000 --ondisk=nvme1n1", null)]
    [TestCase(DiskBus.Nvme, "part / --size=15000 --ondisk=nvme0n1", 1)]
    [TestCase(DiskBus.Sata, "part / --size=15000 --ondisk=sdb", null)]
    [TestCase(DiskBus.Scsi, "part / --size=15000 --ondisk=sda", 1)]
    public void Disks_are_known_by_the_names_of_their_bus(DiskBus bus, string commands, int? line) => Check(SeedKind.Kickstart, commands + "\n", line, extra: 20, bus: bus);

    [TestCase("10000 20 -1 ext4 method{ format } format{ } .", null)]
    [TestCase("boot-root :: 512 50 512 ext4 $primary{ } $bootable{ } . 9000 20 -1 ext4 method{ format } . 100% 512 200% linux-swap .", null)]
    [TestCase("boot-root :: 512 50 512 ext4 $primary{ } $bootable{ } . 10300 20 -1 ext4 method{ format } .", SeedSeverity.Error)]
    [TestCase("10800+50% 20 -1 ext4 .", SeedSeverity.Error)]
    [TestCase("20000 20 -1 ext4 $lvmignore{ } . 20000 20 -1 ext4 $iflabel{ gpt } . 20000 20 -1 ext4 $reusemethod{ } .", null)]
    [TestCase("10G 20 -1 ext4 .", SeedSeverity.Error)]
    [TestCase("10G 20 -1 ext4", null)]
    public void A_recipe_for_partitions_that_the_disk_has_no_room_for_is_found(string recipe, SeedSeverity? severity)
    {
        Check(SeedKind.Preseed, $"d-i partman-auto/method string regular\nd-i partman-auto/expert_recipe string {recipe}\n", severity is null ? null : 2);
        // A command may change the answer.
        Check(SeedKind.Preseed, $"d-i partman/early_command string debconf-set partman-auto/expert_recipe x\nd-i partman-auto/expert_recipe string {recipe}\n",
            severity is null ? null : 2, SeedSeverity.Warning);
    }

    [TestCase("/dev/vda", 2)]
    [TestCase("/dev/vdb", null)]
    [TestCase("/dev/vda /dev/vdb", null)]
    [TestCase("/dev/disk/by-id/virtio-crust0", null)]
    public void A_recipe_gets_the_disk_that_the_file_names(string disk, int? line) =>
        Check(SeedKind.Preseed, $"d-i partman-auto/disk string {disk}\nd-i partman-auto/expert_recipe string 15000 20 -1 ext4 .\n", line, extra: 20);

    [TestCase("{device: vda, partitions: [{sizeMiB: 4000}, {sizeMiB: 5000}]}", null)]
    [TestCase("{device: /dev/vda, partitions: [{sizeMiB: 4000}, {sizeMiB: 7000}]}", 1)]
    [TestCase("{device: /dev/vda, partitions: [{sizeMiB: 4000}, {sizeMiB: 7000, number: 9, shouldExist: false}]}", null)]
    [TestCase("{device: /dev/vdb, partitions: [{sizeMiB: 15000}]}", null)]
    public void So_do_Ignitions_disks(string disk, int? line)
    {
        var json = System.Text.RegularExpressions.Regex.Replace(disk, @"[A-Za-z/][\w/]*", match => match.Value is "true" or "false" ? match.Value : $"\"{match.Value}\"");
        Check(SeedKind.Ignition, $$$"""{"ignition": {"version": "3.4.0"}, "storage": {"disks": [{{{json}}}]}, "systemd": {"units": [{"name": "end.service"}]}}""", line, extra: 20);
    }

    [TestCase("- {type: disk, id: d, path: /dev/vda}\n    - {type: partition, id: p, device: d, size: 8G}\n    - {type: partition, id: q, device: d, size: 4294967296}", 7)]
    [TestCase("- {type: disk, id: d, match: {size: largest}}\n    - {type: partition, id: p, device: d, size: 8G}\n    - {type: partition, id: q, device: d, size: -1}", null)]
    [TestCase("- {type: disk, id: d, path: /dev/vda}\n    - {type: partition, id: p, device: d, size: 12G, preserve: true}\n    - {type: partition, id: q, device: r, size: 12G}", null)]
    public void So_does_the_storage_of_Ubuntus_installer(string actions, int? line) =>
        Check(SeedKind.Autoinstall, $"#cloud-config\nautoinstall:\n  version: 1\n  storage:\n    config:\n    {actions}\n", line is null ? null : line + 1);

    [TestCase(SeedProfile.Kairos, "state: {size: 8000}, recovery: {size: 4000}", SeedSeverity.Error)]
    [TestCase(null, "state: {size: 8000}, recovery: {size: 4000}", SeedSeverity.Warning)]
    [TestCase(SeedProfile.Debian, "state: {size: 8000}, recovery: {size: 4000}", null)]
    [TestCase(SeedProfile.Kairos, "state: {size: 8000}, persistent: {size: 0}", null)]
    public void So_do_Kairos_partitions(SeedProfile? profile, string partitions, SeedSeverity? severity) =>
        Check(SeedKind.Nocloud, $"#cloud-config\ninstall:\n  partitions: {{{partitions}}}\n", severity is null ? null : 3, severity ?? SeedSeverity.Error, profile: profile);

    private void Check(SeedKind kind, string text, int? line, SeedSeverity severity = SeedSeverity.Error, int? extra = null, DiskBus bus = DiskBus.Virtio, SeedProfile? profile = null)
    {
        var spec = SeedSample.SpecOf(new SeedSpec { Kind = kind, Profile = profile, UserData = [_sample.Write("seed", text)] });

        var machine = spec.Machine with { Disk = 10L << 30, DiskBus = bus, ExtraDisks = extra is { } size ? [(long)size << 30] : [] };
        var found = SeedSample.FindingsIn(spec with { Machine = machine }).Where(finding => finding.Rule == "disk-size").ToList();

        Assert.That(found.Select(finding => (finding.Place.Line, finding.Severity)), Is.EqualTo(line is { } number ? new[] { (number, severity) } : []), string.Join('\n', found));
    }
}
