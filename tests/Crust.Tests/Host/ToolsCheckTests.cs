using Crust.Host;
using Crust.Planning;
using Crust.Spec;

namespace Crust.Tests.Host;

[CancelAfter(60_000)]
public sealed class ToolsCheckTests : HostFixture
{
    [TestCase("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)", "7.2.22")]
    [TestCase("*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***", "1.5.4")]
    [TestCase("kmod version 30\n+ZSTD +XZ", "30")]
    [TestCase("mformat (GNU mtools) 4.0.32", "4.0.32")]
    [TestCase("mksquashfs version 4.5.1 (2022/03/17)", "4.5.1")]
    [TestCase("TPM emulator version 0.7.1, Copyright (c) 2014-2021 IBM Corp.", "0.7.1")]
    [TestCase("nothing to say", null)]
    public void A_version_is_found_in_what_programs_say(string text, string? version) => Assert.That(ToolsCheck.VersionIn(text), Is.EqualTo(version));

    [Test]
    public async Task A_vendors_installer_takes_four_programs_and_its_formats_programs()
    {
        Assert.That((await FindAsync(HostSample.Question())).Select(finding => finding.Name), Is.EqualTo(["qemu-system-x86_64", "qemu-img", "xorriso", "setpriv"]));
        Assert.That((await FindAsync(HostSample.Question(forecast: HostSample.Forecast("img.zst")))).Select(finding => finding.Name), Does.Contain("zstd"));
        Assert.That((await FindAsync(HostSample.Question(forecast: HostSample.Forecast("iso")))).Select(finding => finding.Name), Is.SupersetOf(new[] { "mformat", "mmd", "mcopy" }));
    }

    [Test]
    public async Task A_base_takes_what_gets_it_unless_it_is_here_and_what_lays_it_out()
    {
        async Task<string[]> NeedsAsync(BaseSpec given, long? size, bool laysOut = true) => [.. (await FindAsync(HostSample.Question(new BuildSpec { Base = given },
            HostSample.Forecast("img") with { SourceSize = size, LaysOut = laysOut }))).Select(finding => finding.Name).Except(["qemu-system-x86_64", "qemu-img", "setpriv"])];

        var (image, debian) = (new BaseSpec { Oci = "docker://registry.example.com/edge:1" }, new BaseSpec { Debian = new() { Suite = "bookworm" } });

        Assert.That(await NeedsAsync(image, null), Is.EquivalentTo(new[] { "skopeo", "mksquashfs" }));
        Assert.That(await NeedsAsync(image, 1), Is.EqualTo(new[] { "mksquashfs" }));
        Assert.That(await NeedsAsync(debian, null), Is.EquivalentTo(new[] { "mmdebstrap", "mksquashfs" }));
        Assert.That(await NeedsAsync(debian, 1, laysOut: false), Is.Empty);
        Assert.That(await NeedsAsync(new BaseSpec { Rootfs = "edge.tar.zst" }, 1), Is.EquivalentTo(new[] { "zstd", "mksquashfs" }));
    }

    [Test]
    public async Task A_seed_on_vfat_takes_mtools() => Assert.That(
        (await FindAsync(HostSample.Question(new BuildSpec { Seed = new SeedSpec { FileSystem = SeedFileSystem.Vfat } }))).Select(finding => finding.Name), Is.SupersetOf(new[] { "mformat", "mmd", "mcopy" }));

    [Test]
    public async Task What_has_to_be_built_takes_its_tools([Values("mmdebstrap", "mksquashfs", "mcopy", "depmod", "zstd")] string program)
    {
        Sample.Fakes.Remove(program);
        var forecast = HostSample.Forecast("img") with { BuildsReference = true, Appliance = Need.Required };

        var missing = (await FindAsync(HostSample.Question(forecast: forecast))).Single(finding => finding.Gravity is not Gravity.Fine);

        Assert.That((missing.Name, missing.Gravity, missing.What), Is.EqualTo((program, Gravity.Problem, $"The program '{program}' isn't installed")));
        Assert.That(missing.Remedy, Is.EqualTo($"install it: apt-get install {missing.Packages.Single()}"));
    }

    [Test]
    public async Task What_is_only_wanted_is_a_warning_that_says_what_is_lost()
    {
        Sample.Fakes.Remove("mmdebstrap");

        var missing = (await FindAsync(HostSample.Question(forecast: HostSample.Forecast("img") with { Appliance = Need.Wanted }))).Single(finding => finding.Gravity is not Gravity.Fine);

        Assert.That((missing.Gravity, missing.What), Is.EqualTo((Gravity.Warning,
            "The program 'mmdebstrap' isn't installed, and the disk's free space can't be discarded without it (Crust's own live system)")));
    }

    [Test]
    public async Task Without_skopeo_a_cache_in_a_registry_is_not_asked_and_that_is_a_warning()
    {
        Sample.Fakes.Remove("skopeo");
        var spec = new BuildSpec { Cache = "registry.example.com/edge/cache" };

        var missing = (await FindAsync(HostSample.Question(spec))).Single(finding => finding.Gravity is not Gravity.Fine);

        Assert.That((missing.Gravity, missing.What, missing.Remedy), Is.EqualTo((Gravity.Warning,
            "The program 'skopeo' isn't installed, and that cache isn't asked without it (the cache in a registry)", "install it: apt-get install skopeo")));
    }

    [Test]
    public async Task The_doctor_names_what_this_build_does_not_need_and_asks_nobody_to_install_it()
    {
        Sample.Fakes.Remove("mksquashfs");

        var missing = (await FindAsync(HostSample.Question(thoroughly: true))).Single(finding => finding.Gravity is not Gravity.Fine);

        Assert.That((missing.Gravity, missing.What, missing.Remedy, missing.Packages.Length),
            Is.EqualTo((Gravity.Note, "isn't installed; this build doesn't need it (the reference installer)", (string?)null, 0)));
    }

    [Test]
    public async Task The_doctor_knows_versions_and_a_build_does_not_ask()
    {
        Sample.Fakes.AddShell("xorriso", $"echo xorriso 1.5.4; : > {Sample.Fakes.FileFor("asked")}");

        var known = (await FindAsync(HostSample.Question())).Single(finding => finding.Name == "xorriso");
        Assert.That((known.What, File.Exists(Sample.Fakes.FileFor("asked"))), Is.EqualTo(("writes the seed", false)));

        known = (await FindAsync(HostSample.Question(thoroughly: true))).Single(finding => finding.Name == "xorriso");
        Assert.That(known.What, Is.EqualTo("1.5.4: writes the seed"));
    }

    [TestCase("qemu-system-x86_64", "QEMU emulator version 7.0.0", "qemu-system-x86_64 7.0.0 is too old: Crust needs 7.1 or newer", "install a newer qemu-system-x86, as Debian 12 has it")]
    [TestCase("qemu-img", "qemu-img version 5.2.0 (Debian)", "qemu-img 5.2.0 is too old: Crust needs 7.1 or newer", "install a newer qemu-utils, as Debian 12 has it")]
    [TestCase("mksquashfs", "mksquashfs version 4.4 (2019/08/29)", "mksquashfs 4.4 is too old: Crust needs 4.5 or newer", "install a newer squashfs-tools, as Debian 12 has it")]
    public async Task An_old_version_is_a_problem(string program, string says, string what, string remedy)
    {
        Sample.Fakes.AddShell(program, $"echo '{says}'");

        var old = (await FindAsync(HostSample.Question(forecast: HostSample.Forecast("img") with { BuildsReference = true }, thoroughly: true))).Single(finding => finding.Gravity is not Gravity.Fine);

        Assert.That((old.Gravity, old.What, old.Remedy), Is.EqualTo((Gravity.Problem, what, remedy)));
    }

    [Test]
    public async Task A_program_that_does_not_run_is_a_problem()
    {
        Sample.Fakes.AddShell("qemu-img", "echo 'cannot open shared object file: libaio.so.1' >&2; exit 127");

        var broken = (await FindAsync(HostSample.Question(thoroughly: true))).Single(finding => finding.Gravity is not Gravity.Fine);

        Assert.That((broken.Gravity, broken.What), Is.EqualTo((Gravity.Problem,
            "The program 'qemu-img' doesn't run: qemu-img failed with exit code 127: cannot open shared object file: libaio.so.1")));
        Assert.That(broken.Remedy, Is.EqualTo("install it anew: apt-get install --reinstall qemu-utils"));
    }

    [Test]
    public async Task An_arm64_build_needs_its_own_QEMU()
    {
        var findings = await FindAsync(HostSample.Question(new BuildSpec { Machine = new() { Arch = Arch.Arm64 } }));

        Assert.That(findings.Single(finding => finding.Gravity is Gravity.Problem).Packages, Is.EqualTo(["qemu-system-arm"]));
    }

    private Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question) => new ToolsCheck(Sample.Fakes.ToolBoxWithNothingElse).FindAsync(question, Cancellation);
}
