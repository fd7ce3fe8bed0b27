using Crust.Seeds;
using Crust.Spec;

namespace Crust.Tests.Seeds.Kinds;

public sealed class KickstartSeedTests
{
    private const string Hash = "$6$saltsaltsaltsalt$hash";

    // The shape of a file of Fedora's documentation.
    private const string Minimal = """
        # Unattended.
        text
        lang en_US.UTF-8
        zerombr
        clearpart --all --initlabel
        autopart --type=lvm
        rootpw --lock
        %include /tmp/extra.ks
        %packages
        @^server-product-environment
        poweroff
        %end
        %post --log=/root/post.log
        network --hostname=not-a-command
        reboot
        %end

        """;

    private static readonly SeedSpec Bare = new() { Kind = SeedKind.Kickstart };

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void Poweroff_is_put_before_the_sections_in_which_it_would_be_none()
    {
        var seed = Compose(Bare, Minimal);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(TextOf(seed), Is.EqualTo(Minimal.Replace("%packages\n", "# Added by Crust.\npoweroff\n%packages\n")));
            Assert.That((seed.Carrier, seed.Label, seed.Kernel), Is.EqualTo((SeedCarrier.Volume, "OEMDRV", KernelNeed.None)));
        }
    }

    [TestCase("poweroff\n")]
    [TestCase("text\nshutdown --eject\n")]
    [TestCase("reboot\n")]
    public void An_ending_of_the_users_own_stands(string file) => Assert.That(TextOf(Compose(Bare, file)), Is.EqualTo(file));

    [Test]
    public void What_the_spec_says_is_added_where_the_file_does_not_say_it()
    {
        var seed = Bare with { Hostname = "edge-1", Ssh = new SshSpec { User = "edge", PasswordHash = new Secret(Hash), AuthorizedKeys = ["ssh-ed25519 AAAA me \"at\" #home"] } };

        using (Assert.EnterMultipleScope())
        {
            Assert.That(TextOf(Compose(seed, "text")), Is.EqualTo($"""
                text
                # Added by Crust.
                network --hostname=edge-1
                user --name=edge --groups=wheel --iscrypted --password={Hash}
                sshkey --username=edge "ssh-ed25519 AAAA me \"at\" #home"
                poweroff

                """));
            Assert.That(TextOf(Compose(seed, "poweroff\nnetwork --device=link --hostname own\nuser --name='edge' --password=x\nsshkey --username=edge \"ssh-rsa B\"\n")), Does.Not.Contain("Added"));
            Assert.That(TextOf(Compose(seed with { Ssh = new SshSpec { User = "edge" } }, "text\n")), Does.Contain("user --name=edge --groups=wheel --lock\n"));
            Assert.That(TextOf(Compose(seed with { Ssh = seed.Ssh with { User = "root" } }, "text\n")), Does.Contain($"rootpw --iscrypted {Hash}\nsshkey --username=root"));
            Assert.That(Compose(seed, "text").Documents[0].Secrets, Is.EqualTo(new[] { Hash }));
        }
    }

    [TestCase("text\nreboot --eject\n", OnReboot.Fail, new[] { "reboot 2:1" })]
    [TestCase("reboot\n", OnReboot.Finish, new string[0])]
    [TestCase("halt\n", OnReboot.Fail, new[] { "no-poweroff 1:1" })]
    [TestCase("poweroff\n  reboot\n", OnReboot.Fail, new[] { "several-endings 2:3", "reboot 2:3" })]
    [TestCase("%post\nreboot\n%end\n", OnReboot.Fail, new string[0])]
    [TestCase("rootpw secret\nuser --name=a --password=b\n", OnReboot.Fail, new[] { "plain-password 1:1", "plain-password 2:1" })]
    [TestCase("rootpw --iscrypted $6$x$y\nrootpw --lock\nuser --name=a\n", OnReboot.Fail, new string[0])]
    [TestCase("interactive\n", OnReboot.Fail, new[] { "kickstart-command 1:1", "no-auto 1:1" })]
    public void What_is_wrong_with_it_is_found_with_its_place(string file, OnReboot onReboot, string[] findings)
    {
        var spec = SeedSample.SpecOf(Spec(Bare, file), onReboot);

        Assert.That(SeedSample.FindingsIn(spec).Select(finding => $"{finding.Rule} {finding.Place.Line}:{finding.Place.Column}"), Is.EqualTo(findings));
    }

    [TestCase("", "This is no kickstart file: it has neither a command nor a section", "1:1")]
    [TestCase("text\n  user --name='edge\n", "A quote (') isn't closed", "2:3")]
    public void What_Anaconda_could_not_read_is_an_error(string file, string what, string where)
    {
        var error = Assert.Throws<CrustException>(() => Compose(Bare, file))!;

        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, what, $"{_sample.Folder}/ks.cfg:{where}")));
    }

    [Test]
    public void Palettes_settings_have_no_place_in_it_and_that_is_said()
    {
        var spec = SeedSample.SpecOf(Spec(Bare with { Palette = new PaletteSpec { Endpoint = "api.example.org" } }, "poweroff\n"));

        Assert.That(SeedSample.FindingsIn(spec).Single().ToWarning(), Is.EqualTo(
            "default: seed.palette doesn't reach the installer: with seed.kind kickstart, Palette's settings stand in a cloud-config (unused-setting). To mend it: leave them out, or set seed.kind to nocloud or embedded"));
    }

    private static string TextOf(Seed seed) => SeedSample.DocumentOf(seed, "ks.cfg");

    private SeedSpec Spec(SeedSpec seed, string file) => seed with { UserData = [_sample.Write("ks.cfg", file)] };

    private Seed Compose(SeedSpec seed, string file) => SeedSample.Compose(Spec(seed, file));
}
