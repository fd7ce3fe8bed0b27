using System.Text;
using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Spec;
using Crust.Tools;

namespace Crust.Tests.Seeds.Kinds;

public sealed class PreseedSeedTests
{
    private const string Hash = "$6$saltsaltsaltsalt$hash";

    private static readonly SeedSpec Bare = new() { Kind = SeedKind.Preseed };

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void Poweroff_and_the_last_question_are_answered_if_the_file_does_not()
    {
        var seed = Compose(Bare, "d-i debian-installer/locale string en_US.UTF-8");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(TextOf(seed), Is.EqualTo("""
                d-i debian-installer/locale string en_US.UTF-8
                # Added by Crust.
                d-i debian-installer/exit/poweroff boolean true
                d-i finish-install/reboot_in_progress note

                """));
            Assert.That((seed.Carrier, seed.Label, seed.Kernel, seed.KernelArguments), Is.EqualTo((SeedCarrier.Initramfs, (string?)null, KernelNeed.Required, "priority=critical")));
        }
    }

    [Test]
    public void What_the_spec_says_is_added_where_the_file_does_not_say_it()
    {
        var seed = Bare with { Hostname = "edge-1", Ssh = new SshSpec { User = "edge", PasswordHash = new Secret(Hash) } };
        const string Done = "d-i debian-installer/exit/poweroff boolean true\nd-i finish-install/reboot_in_progress note\n";

        using (Assert.EnterMultipleScope())
        {
            Assert.That(TextOf(Compose(seed, Done)), Does.EndWith($"""
                # Added by Crust.
                d-i netcfg/hostname string edge-1
                d-i passwd/root-login boolean false
                d-i passwd/make-user boolean true
                d-i passwd/user-fullname string edge
                d-i passwd/username string edge
                d-i passwd/user-password-crypted password {Hash}

                """));
            Assert.That(TextOf(Compose(seed, Done + "d-i netcfg/get_hostname string own\nd-i passwd/username string own\n")), Does.Not.Contain("Added"));
            Assert.That(TextOf(Compose(seed, Done + "d-i passwd/root-password-crypted password x\nd-i passwd/user-password password y\n")), Does.Not.Contain("root-login").And.Not.Contain(Hash));
            Assert.That(TextOf(Compose(seed with { Ssh = new SshSpec { User = "root" } }, Done)), Does.Contain("d-i passwd/root-login boolean true\nd-i passwd/root-password-crypted password !\n"));
        }
    }

    [Test]
    public void Files_that_ride_along_get_a_volume_of_their_own()
    {
        var seed = Compose(Bare with { Files = [new ExtraFile("late.sh", _sample.Write("late", "true"))] }, "d-i a/b string c\n");

        Assert.That((seed.Carrier, seed.Label, seed.Files.Length), Is.EqualTo((SeedCarrier.Initramfs, "PRESEED", 1)));
    }

    [Test]
    public async Task It_is_carried_by_an_archive_that_only_its_owner_can_read()
    {
        var seed = Compose(Bare, "d-i a/b string c\n");
        using var delivery = await _sample.DeliverAsync(seed);
        var archive = delivery.Initramfs!;

        var listed = await SeedSample.Tools.RunAsync(new ToolCommand { Program = "cpio", Arguments = ["-i", "--to-stdout", "preseed.cfg"], InputFile = archive }, CancellationToken.None);

        Assert.That(listed.Output, Is.EqualTo(TextOf(seed)));
        Assert.That(File.GetUnixFileMode(archive), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(Encoding.ASCII.GetString(File.ReadAllBytes(archive)), Does.StartWith("070701"));
        delivery.Dispose();
        Assert.That(File.Exists(archive), Is.False);
    }

    [TestCase("d-i debian-installer/exit/poweroff boolean false", OnReboot.Fail, "reboot")]
    [TestCase("d-i debian-installer/exit/poweroff boolean false", OnReboot.Finish, null)]
    [TestCase("d-i debian-installer/exit/halt boolean true", OnReboot.Finish, "no-poweroff")]
    [TestCase("d-i debian-installer/exit/always_halt boolean true", OnReboot.Fail, "no-poweroff")]
    [TestCase("d-i passwd/root-password password secret", OnReboot.Fail, "plain-password")]
    [TestCase("d-i passwd/root-password-crypted password $6$x$y", OnReboot.Fail, null)]
    [TestCase("d-i partman/early_command \\\n  string true \\\n  ; false", OnReboot.Fail, null)]
    [TestCase("d-i netcfg/enable bool true", OnReboot.Fail, "preseed-line")]
    [TestCase("d-i netcfg/enable boolean yes", OnReboot.Fail, "preseed-line")]
    [TestCase("d-i netcfg/enable", OnReboot.Fail, "preseed-line")]
    public void What_is_wrong_with_it_is_found_with_its_place(string line, OnReboot onReboot, string? rule)
    {
        var spec = SeedSample.SpecOf(Spec(Bare, $"# A comment\n\n {line}\n"), onReboot);

        Assert.That(SeedSample.FindingsIn(spec).Select(finding => $"{finding.Rule} {finding.Place.Line}:{finding.Place.Column}"), Is.EqualTo(rule is null ? [] : new[] { $"{rule} 3:2" }));
    }

    [Test]
    public void A_file_that_answers_nothing_is_an_error() =>
        ErrorAssert.Says(Assert.Throws<CrustException>(() => Compose(Bare, "# d-i a/b string c\n"))!, FailureKind.BadInput, "This is no preseed file: it answers no question", $"{_sample.Folder}/preseed.cfg:1:1",
            "write answers into it, such as: d-i debian-installer/locale string en_US.UTF-8");

    private static string TextOf(Seed seed) => SeedSample.DocumentOf(seed, "preseed.cfg");

    private SeedSpec Spec(SeedSpec seed, string file) => seed with { UserData = [_sample.Write("preseed.cfg", file)] };

    private Seed Compose(SeedSpec seed, string file) => SeedSample.Compose(Spec(seed, file));
}
