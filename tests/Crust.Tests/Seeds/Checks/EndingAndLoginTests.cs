using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;

namespace Crust.Tests.Seeds.Checks;

public sealed class EndingAndLoginTests
{
    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase("poweroff: true\n  reboot: true", "reboot-and-poweroff", "4:11", OnReboot.Finish)]
    [TestCase("reboot: true", "reboot", "3:11", OnReboot.Fail)]
    [TestCase("poweroff: false", "no-poweroff", "3:13", OnReboot.Fail)]
    [TestCase("auto: false", "no-auto", "3:9", OnReboot.Fail)]
    public void What_may_keep_the_installer_from_ending_is_a_warning(string install, string rule, string where, OnReboot onReboot)
    {
        var spec = SeedSample.SpecOf(_sample.SpecWithUserData($"#cloud-config\ninstall:\n  {install}\n"), onReboot);

        var finding = SeedChecks.Check(spec, SeedFiles.Read(spec.Seed), null).Single();

        Assert.That((finding.Severity, finding.Rule, $"{finding.Place}"), Is.EqualTo((SeedSeverity.Warning, rule, $"{_sample.Folder}/user-data.yaml:{where}")));
    }

    [TestCase(DiskBus.Virtio, "/dev/vda")]
    [TestCase(DiskBus.Scsi, "/dev/sda")]
    [TestCase(DiskBus.Sata, "/dev/sda")]
    [TestCase(DiskBus.Nvme, "/dev/nvme0n1")]
    public void Beside_a_larger_disk_that_is_thrown_away_the_builds_own_is_named(DiskBus bus, string name)
    {
        var spec = SeedSample.SpecOf(SeedSample.Full);
        var machine = spec.Machine with { Disk = 10L << 30, DiskBus = bus };

        string Of(MachineSpec one) => SeedSample.UserDataOf(Crust.Seeds.Seed.Compose(spec with { Machine = one }, SeedFiles.Read(spec.Seed), null, SeedSample.Instance));
        Assert.That(Of(machine with { ExtraDisks = [1L << 30, 20L << 30] }), Does.Contain($"device: \"{name}\""));
        Assert.That(Of(machine with { ExtraDisks = [10L << 30] }), Does.Contain($"device: \"{name}\""));
        Assert.That(Of(machine with { ExtraDisks = [1L << 30] }), Does.Contain("device: \"auto\""));
        Assert.That(SeedSample.RulesAgainst(spec with { Machine = machine with { ExtraDisks = [20L << 30] } }), Has.None.EqualTo("device"));
    }

    [TestCase(20, SeedKind.Nocloud, "install: {device: auto}", SeedSeverity.Error)]
    [TestCase(10, SeedKind.Nocloud, "install: {device: auto}", SeedSeverity.Warning)]
    [TestCase(9, SeedKind.Nocloud, "install: {device: auto}", null)]
    [TestCase(20, SeedKind.Nocloud, "install: {device: /dev/vda}", null)]
    [TestCase(20, SeedKind.Autoinstall, "autoinstall: {version: 1, storage: {layout: {name: lvm}}}", SeedSeverity.Error)]
    [TestCase(20, SeedKind.Autoinstall, "autoinstall: {version: 1, storage: {layout: {name: lvm, match: {size: largest}}}}", SeedSeverity.Error)]
    [TestCase(20, SeedKind.Autoinstall, "autoinstall: {version: 1, storage: {layout: {name: lvm, match: {path: /dev/vda}}}}", null)]
    public void An_installer_that_would_take_the_largest_disk_is_told_of_before_it_boots(int extra, SeedKind kind, string text, SeedSeverity? severity)
    {
        var spec = SeedSample.SpecOf(_sample.SpecWithUserData($"#cloud-config\n{text}\n") with { Kind = kind });

        var finding = SeedSample.FindingsIn(spec with { Machine = spec.Machine with { Disk = 10L << 30, ExtraDisks = [(long)extra << 30] } }).SingleOrDefault(one => one.Rule == "device");

        Assert.That(finding?.Severity, Is.EqualTo(severity));
        Assert.That(finding?.Remedy ?? "/dev/vda", Does.Contain("/dev/vda"));
    }

    [TestCase(SeedKind.Kickstart, "autopart", 1, 1)]
    [TestCase(SeedKind.Kickstart, "part / --size=1 --grow", 1, 1)]
    [TestCase(SeedKind.Kickstart, "autopart", 0, null)]
    [TestCase(SeedKind.Kickstart, "part / --size=1 --grow --ondisk=vda", 1, null)]
    [TestCase(SeedKind.Kickstart, "ignoredisk --only-use=vda\nautopart", 1, null)]
    [TestCase(SeedKind.Kickstart, "ignoredisk --drives=vdb\nautopart", 1, null)]
    [TestCase(SeedKind.Kickstart, "ignoredisk --drives=vdb\nautopart", 2, 2)]
    [TestCase(SeedKind.Kickstart, "clearpart --all --initlabel --drives=vda\nautopart", 1, null)]
    [TestCase(SeedKind.Kickstart, "clearpart --all --initlabel\nautopart", 1, 2)]
    [TestCase(SeedKind.Preseed, "d-i partman-auto/method string lvm", 1, 1)]
    [TestCase(SeedKind.Preseed, "d-i partman-auto/method string lvm", 0, null)]
    [TestCase(SeedKind.Preseed, "d-i partman-auto/method string lvm\nd-i partman-auto/disk string /dev/vda", 1, null)]
    [TestCase(SeedKind.Preseed, "d-i partman-auto/method string lvm\nd-i partman/early_command string debconf-set partman-auto/disk /dev/vda", 1, null)]
    public void An_installer_that_may_take_an_extra_disk_is_a_warning(SeedKind kind, string text, int extra, int? line)
    {
        var spec = SeedSample.SpecOf(_sample.SpecWithUserData(text + "\n") with { Kind = kind });

        var found = SeedSample.FindingsIn(spec with { Machine = spec.Machine with { ExtraDisks = [.. Enumerable.Repeat(1L << 30, extra)] } }).Where(one => one.Rule == "device").ToList();

        Assert.That(found.Select(one => (one.Severity, one.Place.Line)), Is.EqualTo(line is { } number ? new[] { (SeedSeverity.Warning, number) } : []));
        Assert.That(found.Select(one => one.Remedy), Has.All.Contains("vda"));
    }

    [Test]
    public void A_reboot_that_is_taken_for_the_end_is_fine() =>
        Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(_sample.SpecWithUserData("#cloud-config\ninstall: {reboot: yes}\n"), OnReboot.Finish)), Is.Empty);

    [Test]
    public void An_account_that_nobody_can_log_in_to_is_a_warning()
    {
        var seed = new SeedSpec { Ssh = new SshSpec { User = "edge" } };

        using (Assert.EnterMultipleScope())
        {
            Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(seed)), Is.EqualTo(new[] { "no-login" }));
            Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(_sample.SpecWithUserData("#cloud-config\nusers:\n- name: edge\n  ssh_import_id: [gh:me]\n", seed))), Is.Empty);
            Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(SeedSample.Full)), Has.None.StartWith("no-"));
        }
    }

    [Test]
    public void A_reference_system_without_any_account_is_a_warning_and_a_vendors_is_not()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(new SeedSpec(), iso: null)), Is.EqualTo(new[] { "no-account" }));
            Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(SeedSample.Full, iso: null)), Has.None.StartWith("no-"));
            Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(new SeedSpec())), Is.Empty);
        }
    }

    [Test]
    public void A_rule_that_is_ignored_says_nothing() =>
        Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(new SeedSpec { Ignore = ["no-account"] }, iso: null)), Is.Empty);
}
