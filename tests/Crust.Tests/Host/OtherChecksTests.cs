using Crust.Host;
using Crust.Machines;
using Crust.Planning;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Host;

[CancelAfter(60_000)]
public sealed class OtherChecksTests : HostFixture
{
    [Test]
    public async Task KVM_that_works_is_fine()
    {
        Sample.Fakes.AddShell("qemu-system-x86_64", "exit 99");

        Assert.That((await KvmAsync("/dev/null", Accelerator.Auto)).Finding, Is.EqualTo(new Finding("host", "kvm", Gravity.Fine, "works: KVM ran a 64-bit guest to its end")));
    }

    [Test]
    public async Task KVM_that_is_there_and_broken_is_a_warning_that_says_why()
    {
        Sample.Fakes.AddShell("qemu-system-x86_64", "exit 97");

        var (finding, choice) = await KvmAsync("/dev/null", Accelerator.Auto);

        Assert.That((finding.Gravity, finding.What), Is.EqualTo((Gravity.Warning, "KVM can't be used: a guest computed wrongly; emulating in its place, which is about ten times slower")));
        Assert.That(finding.Remedy, Does.StartWith("on a nested host"));
        Assert.That(choice!.Used, Is.EqualTo(Accelerator.Tcg));
    }

    [Test]
    public async Task KVM_that_is_absent_is_a_warning_that_says_how_to_get_it()
    {
        var (finding, _) = await KvmAsync("/dev/there-is-none", Accelerator.Auto);

        Assert.That((finding.Gravity, finding.What), Is.EqualTo((Gravity.Warning, "KVM can't be used: there is no /dev/there-is-none; emulating in its place, which is about ten times slower")));
        Assert.That(finding.Remedy, Does.Contain("--device /dev/kvm"));
    }

    [Test]
    public async Task KVM_that_this_user_may_not_open_is_a_warning_with_the_group()
    {
        var (finding, _) = await KvmAsync(Sample.Fakes.Folder, Accelerator.Auto);

        Assert.That((finding.Gravity, finding.Remedy), Is.EqualTo((Gravity.Warning, "add the user to the group kvm (sudo usermod -aG kvm $USER) and log in again")));
    }

    [Test]
    public async Task KVM_that_is_demanded_and_cannot_be_used_is_a_problem()
    {
        var (finding, choice) = await KvmAsync("/dev/there-is-none", Accelerator.Kvm);

        Assert.That((finding.Gravity, finding.What, choice), Is.EqualTo((Gravity.Problem, "KVM can't be used: there is no /dev/there-is-none", (AcceleratorChoice?)null)));
        Assert.That(finding.Remedy, Does.EndWith("or set machine.accelerator to auto or tcg"));
    }

    [Test]
    public async Task TCG_that_is_asked_for_is_a_note() =>
        Assert.That((await KvmAsync("/dev/null", Accelerator.Tcg)).Finding, Is.EqualTo(new Finding("host", "kvm", Gravity.Note, "isn't used: TCG was asked for")));

    [Test]
    public async Task Without_QEMU_nobody_knows_what_KVM_does()
    {
        Sample.Fakes.Remove("qemu-system-x86_64");

        Assert.That((await KvmAsync("/dev/null", Accelerator.Kvm)).Finding, Is.EqualTo(new Finding("host", "kvm", Gravity.Note, "Whether KVM works can't be determined without qemu-system-x86_64")));
    }

    [Test]
    public async Task A_probe_without_a_folder_to_work_in_says_nothing_of_KVM_and_stops_no_build()
    {
        await File.WriteAllTextAsync(Sample.Folders.Cache, "", Cancellation);

        var (finding, choice) = await KvmAsync("/dev/null", Accelerator.Auto);

        Assert.That((finding.Gravity, choice!.Used), Is.EqualTo((Gravity.Warning, Accelerator.Tcg)));
        Assert.That(finding.What, Does.StartWith("Whether KVM works can't be determined: "));
    }

    [Test]
    public async Task BIOS_comes_with_QEMU() => Assert.That((await FirmwareAsync(Firmware.Bios, Arch.Amd64)).Gravity, Is.EqualTo(Gravity.Fine));

    [TestCase(Firmware.Uefi, Arch.Amd64, "No UEFI firmware for x86_64 is installed", "ovmf")]
    [TestCase(Firmware.UefiSecure, Arch.Amd64, "No UEFI firmware for x86_64 with Secure Boot is installed", "ovmf")]
    [TestCase(Firmware.Uefi, Arch.Arm64, "No UEFI firmware for aarch64 is installed", "qemu-efi-aarch64")]
    public async Task Missing_firmware_is_told_to_who_asks_for_it(Firmware firmware, Arch arch, string what, string package)
    {
        var finding = await FirmwareAsync(firmware, arch);

        Assert.That((finding.Gravity, finding.What, finding.Remedy, finding.Packages.Single()), Is.EqualTo((Gravity.Problem, what, $"install it: apt-get install {package}", package)));
    }

    [Test]
    public async Task A_missing_library_is_a_problem_or_a_warning_as_there_is_something_in_its_place()
    {
        Sample.Missing.UnionWith(HostLibrary.All);
        var spec = new BuildSpec { Seed = new() { Ssh = new() { User = "edge", Password = new Secret("x") } } };

        var findings = await new LibrariesCheck(library => !Sample.Missing.Contains(library)).FindAsync(HostSample.Question(spec, HostSample.Forecast("vmdk", "img.zst")), Cancellation);

        Assert.That(findings.Select(finding => (finding.Gravity, finding.What, finding.Packages.Single())), Is.EqualTo(new[]
        {
            (Gravity.Warning, "The library libdeflate isn't installed (vmdk): .NET's zlib compresses in its place, which takes two to six times as long", "libdeflate0"),
            (Gravity.Problem, "The library libzstd isn't installed (img.zst)", "libzstd1"),
            (Gravity.Problem, "The library libcrypt isn't installed (SSH_PASSWORD)", "libcrypt1"),
        }));
    }

    [Test]
    public async Task A_missing_library_that_nobody_needs_is_a_note()
    {
        var finding = (await new LibrariesCheck(_ => false).FindAsync(HostSample.Question(thoroughly: true), Cancellation))[0];

        Assert.That((finding.Gravity, finding.Remedy, finding.Packages.Length), Is.EqualTo((Gravity.Note, (string?)null, 0)));
    }

    [Test]
    public async Task Root_needs_nothing_to_make_a_root_file_system() => Assert.That((await RightsAsync(isRoot: true)).Gravity, Is.EqualTo(Gravity.Fine));

    [Test]
    public async Task A_user_needs_newuidmap_and_subordinate_ids_and_namespaces()
    {
        var missing = await RightsAsync();
        Assert.That((missing.Gravity, missing.What, missing.Packages.Single()), Is.EqualTo((Gravity.Problem, "mmdebstrap needs 'newuidmap' where it isn't run by root", "uidmap")));

        Sample.Fakes.AddShell("newuidmap", "");
        Sample.Fakes.AddShell("newgidmap", "");
        Sample.Write("etc/subuid", "somebody:100000:65536\nme:165536:1000\n");
        missing = await RightsAsync();
        Assert.That((missing.Gravity, missing.What, missing.Where, missing.Remedy), Is.EqualTo((Gravity.Problem, "mmdebstrap needs 65536 subordinate ids for the user me",
            "/etc/subuid", "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 me")));

        Sample.Write("etc/subuid", "me:165536:65536\n");
        Sample.Write("etc/subgid", "me:165536:65536\n");
        Sample.Write("proc/sys/user/max_user_namespaces", "0\n");
        missing = await RightsAsync();
        Assert.That((missing.Gravity, missing.Where, missing.Remedy), Is.EqualTo((Gravity.Problem, "user.max_user_namespaces", "sudo sysctl user.max_user_namespaces=10000")));

        Sample.Write("proc/sys/user/max_user_namespaces", "1000\n");
        Assert.That((await RightsAsync()).Gravity, Is.EqualTo(Gravity.Fine));
    }

    [Test]
    public async Task Rights_are_asked_only_of_builds_that_make_something()
    {
        Assert.That(await new RootlessCheck(Sample.Fakes.ToolBoxWithNothingElse, Sample.Files, "me", false).FindAsync(HostSample.Question(), Cancellation), Is.Empty);
        Assert.That((await RightsAsync(Need.Wanted)).Gravity, Is.EqualTo(Gravity.Warning));
    }

    private Task<(Finding Finding, AcceleratorChoice? Choice)> KvmAsync(string device, Accelerator accelerator) =>
        new KvmCheck(new AcceleratorProbe(Sample.Fakes.ToolBoxWithNothingElse, Sample.Folders.Cache, Logger.None) { Device = device, Host = Arch.Amd64, Patience = TimeSpan.FromMinutes(1) })
            .FindAsync(new MachineSpec { Accelerator = accelerator }, Cancellation);

    private async Task<Finding> FirmwareAsync(Firmware firmware, Arch arch) => (await new FirmwareCheck(new FirmwareFinder(Sample.Fakes.FileFor("none")))
        .FindAsync(HostSample.Question(new BuildSpec { Machine = new() { Firmware = firmware, Arch = arch } }), Cancellation)).Single();

    private async Task<Finding> RightsAsync(Need need = Need.Required, bool isRoot = false) =>
        (await new RootlessCheck(Sample.Fakes.ToolBoxWithNothingElse, Sample.Files, "me", isRoot)
            .FindAsync(HostSample.Question(forecast: HostSample.Forecast("img") with { Appliance = need }), Cancellation)).Single();
}
