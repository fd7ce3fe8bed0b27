using Crust.Disks;
using Crust.Formats;
using Crust.Planning;
using Crust.Reports;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Host;
using Crust.Tests.Reports;
using Crust.Verification;

namespace Crust.Tests.Planning;

public sealed class ImagePlanTests
{
    private static readonly ExpectedProof Login = new(new MachineSpec(), new VerifySpec { Boot = VerifyBoot.True });

    private HostSample _host = null!;

    [OneTimeSetUp]
    public void SetUp() => _host = new HostSample();

    [OneTimeTearDown]
    public void TearDown() => _host.Dispose();

    private ManifestImage Img => Current(ManifestSample.Img);

    private ManifestImage Vmdk => Current(ManifestSample.Vmdk);

    [Test]
    public void Images_that_are_missing_are_written_in_the_order_that_was_asked_for()
    {
        var plan = For(["vmdk", "img", "qcow2"], [Img], null);

        Assert.That(plan.ToWrite.Select(format => format.Name), Is.EqualTo(new[] { "vmdk", "qcow2" }));
        Assert.That(plan.ToProve, Is.Empty);
        Assert.That(plan.IsUpToDate, Is.False);
    }

    [Test]
    public void Nothing_is_left_to_do_when_all_images_are_current_and_proven() =>
        Assert.That(For(["img"], [Img], Login).IsUpToDate, Is.True);

    [Test]
    public void An_image_of_another_installed_disk_is_written_anew() =>
        Assert.That(For(["img"], [Img with { BuildKey = new('0', 64) }], Login).ToWrite.Select(format => format.Name), Is.EqualTo(new[] { "img" }));

    [Test]
    public void An_image_that_was_never_proven_is_proven_without_being_written()
    {
        var plan = For(["img", "vmdk"], [Img, Vmdk], Login);

        Assert.That(plan.ToWrite, Is.Empty);
        Assert.That(plan.ToProve, Is.EqualTo(new[] { Vmdk }));
        Assert.That(plan.IsUpToDate, Is.False);
    }

    [Test]
    public void An_image_that_was_never_proven_is_good_enough_where_no_proof_is_asked_for() =>
        Assert.That(For(["vmdk"], [Vmdk], null).IsUpToDate, Is.True);

    [Test]
    public void A_proof_of_something_else_does_not_count()
    {
        ExpectedProof[] others =
        [
            Login with { Machine = new MachineSpec { Firmware = Firmware.Uefi } },
            Login with { Verify = new VerifySpec { Expect = "other login:" } },
            Login with { Verify = new VerifySpec { Ssh = SshProof.Banner } },
        ];

        Assert.That(others.Select(other => For(["img"], [Img], other).ToProve), Is.All.EqualTo(new[] { Img }));
    }

    [Test]
    public void Any_sign_of_a_system_that_is_up_proves_what_asks_for_none_in_particular() => Assert.That(
        new[] { "login:", "edge login:", "SSH-2.0-OpenSSH_9.2" }.Select(seen => For(["img"], [Img with { Verified = ManifestSample.Img.Verified! with { Expected = seen } }], Login).IsUpToDate),
        Is.All.True);

    [Test]
    public void An_image_that_has_shown_nothing_is_booted_again_only_for_longer_or_where_it_has_to_come_up()
    {
        var image = Img with { Verified = null, Unproven = new ManifestUnproven("bios", "virtio", 300, "the image edge.img showed nothing") };
        bool IsCurrent(VerifyBoot boot, int minutes, Firmware firmware = Firmware.Bios) =>
            For(["img"], [image], new ExpectedProof(new MachineSpec { Firmware = firmware }, new VerifySpec { Boot = boot, Deadline = TimeSpan.FromMinutes(minutes) })).IsUpToDate;

        Assert.That((IsCurrent(VerifyBoot.Auto, 5), IsCurrent(VerifyBoot.Auto, 2)), Is.EqualTo((true, true)));
        Assert.That((IsCurrent(VerifyBoot.Auto, 6), IsCurrent(VerifyBoot.True, 5), IsCurrent(VerifyBoot.Auto, 5, Firmware.Uefi)), Is.EqualTo((false, false, false)));
    }

    [Test]
    public void A_format_that_promises_a_disk_bus_is_proven_on_that_one()
    {
        ManifestImage On(string? bus) => Current(ManifestSample.Img with { Format = "gce", File = "edge.tar.gz", Verified = ManifestSample.Img.Verified! with { DiskBus = bus } });

        Assert.That(new[] { "scsi", "virtio", null }.Select(bus => For(["gce"], [On(bus)], Login).IsUpToDate), Is.EqualTo(new[] { true, false, false }));
        Assert.That(For(["img"], [Img with { Verified = ManifestSample.Img.Verified! with { DiskBus = null } }], Login).IsUpToDate, Is.True, "a Crust that didn't tell booted on the machine's own");
    }

    [Test]
    public void Images_that_are_proven_stand_for_others_of_the_same_build_also_where_nobody_asks_for_their_format()
    {
        var plan = For(["vmdk"], [Img, Vmdk], Login);

        Assert.That((plan.ToProve.Single().Format, plan.Proven.Single().Format), Is.EqualTo(("vmdk", "img")));
        Assert.That(For(["vmdk"], [Img with { BuildKey = new('0', 64) }, Vmdk], Login).Proven, Is.Empty);
    }

    [Test]
    public void Any_SSH_banner_proves_what_waits_for_one()
    {
        var image = Img with { Verified = ManifestSample.Img.Verified! with { Expected = "SSH-2.0-OpenSSH_9.2" } };

        Assert.That(For(["img"], [image], Login with { Verify = new VerifySpec { Ssh = SshProof.Banner } }).IsUpToDate, Is.True);
    }

    [Test]
    public void A_log_in_that_passed_the_same_checks_counts_and_no_other_does()
    {
        var checks = new[] { "systemctl is-active k3s", "test -d /etc/cloud" };
        var image = Img with { Verified = ManifestSample.LoggedIn };
        ExpectedProof Asked(Func<VerifySpec, VerifySpec>? change = null, string user = "edge", Func<BuildSpec, BuildSpec>? also = null)
        {
            var verify = new VerifySpec { Ssh = SshProof.Login, SshUser = user, Checks = [.. checks] };
            var spec = new BuildSpec { Seed = new SeedSpec { Ssh = new SshSpec { User = user, Password = new Secret("hunter2") } }, Verify = change?.Invoke(verify) ?? verify };
            return new ExpectedProof(new MachineSpec(), spec.Verify) { Login = SshLogin.Of(also?.Invoke(spec) ?? spec, new Redactor()) };
        }

        bool IsCurrent(ExpectedProof proof) => For(["img"], [image], proof).IsUpToDate;

        Assert.That(IsCurrent(Asked()), Is.True);
        Assert.That(IsCurrent(Asked(user: "ops")), Is.False, "another account");
        Assert.That(IsCurrent(Asked(verify => verify with { Checks = [checks[0]] })), Is.False, "fewer checks");
        Assert.That(IsCurrent(Asked(verify => verify with { Checks = [checks[1], checks[0]] })), Is.False, "another order");
        Assert.That(IsCurrent(Asked(verify => verify with { Checks = [checks[0], "test -d /etc"] })), Is.False, "another check");
        Assert.That(IsCurrent(Asked(verify => verify with { Expect = "ready>" })), Is.False, "a text that nobody waited for");
        Assert.That(IsCurrent(Asked(verify => verify with { Expect = ManifestSample.LoggedIn.Expected })), Is.True);
        Assert.That(IsCurrent(Login with { Verify = new VerifySpec { Ssh = SshProof.Banner } }), Is.True, "who logged in has seen a banner");
        Assert.That(For(["img"], [Img], Asked()).ToProve, Has.Length.EqualTo(1), "a text on the serial port is no log-in");
    }

    [Test]
    public void A_log_in_with_another_key_is_another_proof()
    {
        var folder = Directory.CreateTempSubdirectory("crust-keys-").FullName;
        try
        {
            ExpectedProof With(string key) => new(new MachineSpec(), new VerifySpec { Ssh = SshProof.Login }) { Login = SshLogin.With("edge", Verification.SshServer.MakeKey(folder, key, "-t", "ed25519")) };
            var (one, other) = (With("one"), With("other"));
            var image = Img with { Verified = ManifestSample.LoggedIn with { Ssh = ManifestSample.LoggedIn.Ssh! with { Key = one.Login!.Key, Checks = [] } } };

            Assert.That(new[] { one, other }.Select(proof => For(["img"], [image], proof).IsUpToDate), Is.EqualTo(new[] { true, false }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void An_image_made_with_other_settings_is_written_anew() =>
        Assert.That(For(["img"], [Img with { Recipe = "settings" }], null).ToWrite.Select(format => format.Name), Is.EqualTo(new[] { "img" }));

    [Test]
    public void An_image_of_a_Crust_that_did_not_tell_its_recipe_is_written_anew() =>
        Assert.That(For(["qcow2"], [Img with { Format = "qcow2" }], null).ToWrite, Has.Length.EqualTo(1));

    [Test]
    public void An_image_that_another_version_of_a_library_compressed_is_not_what_this_host_would_write_unless_it_is_that_of_a_registry()
    {
        bool IsCurrent(ManifestImage image) => For(["vmdk"], [image], null).IsUpToDate;

        Assert.That(IsCurrent(Vmdk), Is.True);
        Assert.That(IsCurrent(Vmdk with { Library = "libdeflate ba9876543210" }), Is.False);
        Assert.That(IsCurrent(Vmdk with { Library = null }), Is.False, "an earlier version of Crust didn't say");
        Assert.That(IsCurrent(Vmdk with { Library = "libdeflate ba9876543210", ReusedFrom = "registry.example/edge@sha256:00" }), Is.True);
    }

    [Test]
    public void A_medium_is_proven_too_by_the_disk_that_it_writes() =>
        Assert.That(For(["iso"], [Current(ManifestSample.Img with { Format = "iso", File = "edge.iso", Verified = null })], Login).ToProve, Has.Length.EqualTo(1));

    private ImagePlan For(IEnumerable<string> formats, IReadOnlyCollection<ManifestImage> intact, ExpectedProof? proof) =>
        ImagePlan.For(Target(formats) with { Proof = proof }, intact, _host.Writer);

    // The image that this host would write now.
    private ManifestImage Current(ManifestImage image)
    {
        var (target, format) = (Target([image.Format]), ImageFormats.Named(image.Format));
        return image with { BuildKey = target.Key!, Recipe = _host.Writer.RecipeOf(format, target.Spec), Library = ImageWriter.LibraryOf(format, target.Spec) };
    }

    private static BuildTarget Target(IEnumerable<string> formats)
    {
        var spec = new BuildSpec { Formats = [.. formats] };
        return BuildTarget.Of(spec, SeedFiles.Read(spec.Seed), new SourceGlance(null, InstallerSample.Iso, "edge"), () => null);
    }
}
