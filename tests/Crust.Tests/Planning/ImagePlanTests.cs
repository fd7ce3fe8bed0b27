using Crust.Planning;
using Crust.Reports;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Tests.Reports;
using Crust.Verification;

namespace Crust.Tests.Planning;

public sealed class ImagePlanTests
{
    private static readonly ExpectedProof Login = new(Firmware.Bios, new VerifySpec());

    [Test]
    public void Images_that_are_missing_are_written_in_the_order_that_was_asked_for()
    {
        var plan = For(["vmdk", "img", "qcow2"], [ManifestSample.Img], ManifestSample.Key, null);

        Assert.That(plan.ToWrite.Select(format => format.Name), Is.EqualTo(new[] { "vmdk", "qcow2" }));
        Assert.That(plan.ToProve, Is.Empty);
        Assert.That(plan.IsUpToDate, Is.False);
    }

    [Test]
    public void Nothing_is_left_to_do_when_all_images_are_current_and_proven() =>
        Assert.That(For(["img"], [ManifestSample.Img], ManifestSample.Key, Login).IsUpToDate, Is.True);

    [Test]
    public void An_image_of_another_installed_disk_is_written_anew() =>
        Assert.That(For(["img"], [ManifestSample.Img], new('0', 64), Login).ToWrite.Select(format => format.Name), Is.EqualTo(new[] { "img" }));

    [Test]
    public void An_image_that_was_never_proven_is_proven_without_being_written()
    {
        var plan = For(["img", "vmdk"], [ManifestSample.Img, ManifestSample.Vmdk], ManifestSample.Key, Login);

        Assert.That(plan.ToWrite, Is.Empty);
        Assert.That(plan.ToProve, Is.EqualTo(new[] { ManifestSample.Vmdk }));
        Assert.That(plan.IsUpToDate, Is.False);
    }

    [Test]
    public void An_image_that_was_never_proven_is_good_enough_where_no_proof_is_asked_for() =>
        Assert.That(For(["vmdk"], [ManifestSample.Vmdk], ManifestSample.Key, null).IsUpToDate, Is.True);

    [Test]
    public void A_proof_of_something_else_does_not_count()
    {
        ExpectedProof[] others =
        [
            Login with { Firmware = Firmware.Uefi },
            Login with { Verify = new VerifySpec { Expect = "other login:" } },
            Login with { Verify = new VerifySpec { Ssh = SshProof.Banner } },
        ];

        Assert.That(others.Select(other => For(["img"], [ManifestSample.Img], ManifestSample.Key, other).ToProve), Is.All.EqualTo(new[] { ManifestSample.Img }));
    }

    [Test]
    public void Any_SSH_banner_proves_what_waits_for_one()
    {
        var image = ManifestSample.Img with { Verified = ManifestSample.Img.Verified! with { Expected = "SSH-2.0-OpenSSH_9.2" } };

        Assert.That(For(["img"], [image], ManifestSample.Key, Login with { Verify = new VerifySpec { Ssh = SshProof.Banner } }).IsUpToDate, Is.True);
    }

    [Test]
    public void A_log_in_that_passed_the_same_checks_counts_and_no_other_does()
    {
        var checks = new[] { "systemctl is-active k3s", "test -d /etc/cloud" };
        var image = ManifestSample.Img with { Verified = ManifestSample.LoggedIn };
        ExpectedProof Asked(Func<VerifySpec, VerifySpec>? change = null, string user = "edge", Func<BuildSpec, BuildSpec>? also = null)
        {
            var verify = new VerifySpec { Ssh = SshProof.Login, SshUser = user, Checks = [.. checks] };
            var spec = new BuildSpec { Seed = new SeedSpec { Ssh = new SshSpec { User = user, Password = new Secret("hunter2") } }, Verify = change?.Invoke(verify) ?? verify };
            return new ExpectedProof(Firmware.Bios, spec.Verify) { Login = SshLogin.Of(also?.Invoke(spec) ?? spec, new Redactor()) };
        }

        bool IsCurrent(ExpectedProof proof) => For(["img"], [image], ManifestSample.Key, proof).IsUpToDate;

        Assert.That(IsCurrent(Asked()), Is.True);
        Assert.That(IsCurrent(Asked(user: "ops")), Is.False, "another account");
        Assert.That(IsCurrent(Asked(verify => verify with { Checks = [checks[0]] })), Is.False, "fewer checks");
        Assert.That(IsCurrent(Asked(verify => verify with { Checks = [checks[1], checks[0]] })), Is.False, "another order");
        Assert.That(IsCurrent(Asked(verify => verify with { Checks = [checks[0], "test -d /etc"] })), Is.False, "another check");
        Assert.That(IsCurrent(Asked(verify => verify with { LoginNeedsText = true })), Is.False, "a text that nobody waited for");
        Assert.That(IsCurrent(Asked(verify => verify with { LoginNeedsText = true, Expect = ManifestSample.LoggedIn.Expected })), Is.True);
        Assert.That(IsCurrent(Login with { Verify = new VerifySpec { Ssh = SshProof.Banner } }), Is.True, "who logged in has seen a banner");
        Assert.That(For(["img"], [ManifestSample.Img], ManifestSample.Key, Asked()).ToProve, Has.Length.EqualTo(1), "a text on the serial port is no log-in");
    }

    [Test]
    public void A_log_in_with_another_key_is_another_proof()
    {
        var folder = Directory.CreateTempSubdirectory("crust-keys-").FullName;
        try
        {
            ExpectedProof With(string key) => new(Firmware.Bios, new VerifySpec { Ssh = SshProof.Login }) { Login = SshLogin.With("edge", Verification.SshServer.MakeKey(folder, key, "-t", "ed25519")) };
            var (one, other) = (With("one"), With("other"));
            var image = ManifestSample.Img with { Verified = ManifestSample.LoggedIn with { Ssh = ManifestSample.LoggedIn.Ssh! with { Key = one.Login!.Key, Checks = [] } } };

            Assert.That(new[] { one, other }.Select(proof => For(["img"], [image], ManifestSample.Key, proof).IsUpToDate), Is.EqualTo(new[] { true, false }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void An_image_made_with_other_settings_is_written_anew() =>
        Assert.That(ImagePlan.For(["img"], [ManifestSample.Img], ManifestSample.Key, _ => "settings", null).ToWrite.Select(format => format.Name), Is.EqualTo(new[] { "img" }));

    [Test]
    public void An_image_of_a_Crust_that_did_not_tell_its_recipe_is_written_anew() =>
        Assert.That(ImagePlan.For(["qcow2"], [ManifestSample.Img with { Format = "qcow2", Recipe = "" }], ManifestSample.Key, _ => "compression=zstd", null).ToWrite, Has.Length.EqualTo(1));

    [Test]
    public void An_image_that_another_version_of_a_library_compressed_is_not_what_this_host_would_write_unless_it_is_that_of_a_registry()
    {
        var image = ManifestSample.Vmdk with { Library = "libdeflate 0123456789ab" };

        Assert.That(ImagePlan.IsOfLibrary(image, "libdeflate 0123456789ab"), Is.True);
        Assert.That(ImagePlan.IsOfLibrary(image, "libdeflate ba9876543210"), Is.False);
        Assert.That(ImagePlan.IsOfLibrary(image with { Library = null }, "libdeflate ba9876543210"), Is.False, "an earlier version of Crust didn't say");
        Assert.That(ImagePlan.IsOfLibrary(image with { ReusedFrom = "registry.example/edge@sha256:00" }, "libdeflate ba9876543210"), Is.True);
    }

    [Test]
    public void A_medium_is_not_asked_to_come_up_like_a_disk() =>
        Assert.That(For(["iso"], [ManifestSample.Img with { Format = "iso", File = "edge.iso", Verified = null }], ManifestSample.Key, Login).IsUpToDate, Is.True);

    private static ImagePlan For(IEnumerable<string> formats, IReadOnlyCollection<ManifestImage> intact, string key, ExpectedProof? proof) =>
        ImagePlan.For(formats, intact, key, _ => ManifestSample.Img.Recipe, proof);
}
