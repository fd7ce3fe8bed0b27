using System.Xml.Linq;
using Crust.Formats;
using Crust.Reports;
using Crust.Reports.Page;
using Crust.Spec;

namespace Crust.Tests.Reports;

public sealed class ReportPageTests
{
    private const string Evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e\u0007\e[31m";

    [Test]
    public void A_log_in_is_told_with_the_host_key_and_with_what_each_check_printed()
    {
        var story = ReportSample.Built with { Manifest = ReportSample.Built.Manifest! with { Images = [ManifestSample.Img with { Verified = ManifestSample.LoggedIn }] } };

        var page = ReportPage.Render(story, null, [], null);

        Assert.That(page, Does.Contain("edge logged in by password; host key of this boot: ssh-ed25519 <code>SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og</code>"));
        Assert.That(page, Does.Contain("<code>systemctl is-active k3s</code>").And.Contain("<pre class=\"words\">one before\nactive</pre>"));
        Assert.That(page, Does.Contain("<code>test -d /etc/cloud</code>"));
    }

    [Test]
    public void Each_image_is_told_with_the_proof_that_it_has()
    {
        var proof = new ManifestProof("uefi", "edge login:", 52.4) { DiskBus = "sata", Sign = "login-prompt" };
        var unproven = new ManifestUnproven("uefi", "sata", 300, "the image edge.qcow2 didn't show a login prompt within 5m") { LastLines = ["Loading <Linux> ..."] };
        string PageOf(ManifestImage image) => ReportPage.Render(ReportSample.Built with { Manifest = ReportSample.Built.Manifest! with { Images = [image] } }, null, [], null);

        Assert.That(PageOf(ManifestSample.Img with { Verified = proof }), Does.Contain("✓ came up</span> under UEFI with its disk on sata after 52 s: it showed the login prompt ‘edge login:’</p>"));
        Assert.That(PageOf(ManifestSample.Vmdk with { Verified = proof with { SameAs = "edge.img", UnprovenController = "LSI Logic" } }),
            Does.Contain("✓ holds the same disk</span> as edge.img, byte for byte, which came up under UEFI with its disk on sata; not proven on LSI Logic, the disk controller that it asks for: QEMU has none"));
        Assert.That(PageOf(ManifestSample.Img with { Format = "iso", Verified = proof with { SameAs = "edge.img" } }), Does.Contain("✓ writes the same disk</span> as edge.img").And.Contain("the medium itself isn’t booted"));
        Assert.That(PageOf(ManifestSample.Img with { Verified = null, Unproven = unproven }),
            Does.Contain("unproven</span>, booted under UEFI with its disk on sata: the image edge.qcow2 didn&#39;t show a login prompt within 5m").And.Contain("<pre class=\"words\">Loading &lt;Linux&gt; ...</pre>"));
        Assert.That(PageOf(ManifestSample.Vmdk with { Unproven = unproven with { SameAs = "edge.qcow2" } }), Does.Contain("unproven</span>: it holds the same disk as edge.qcow2, which was booted and showed nothing either way"));
        Assert.That(PageOf(ManifestSample.Vmdk), Does.Contain("not booted"));
    }

    [Test]
    public void What_happened_is_told_in_one_sentence_at_the_top()
    {
        Assert.That(Headline.Sentence(ReportSample.Built), Is.EqualTo("edge.iso installed its system in 1 min 46 s; from that disk, Crust made img and vmdk, and 1 image is proven to boot under BIOS."));
        Assert.That(Headline.Sentence(ReportSample.Built with { FromCache = true }),
            Is.EqualTo("From the disk that edge.iso had installed on 4 March 2025, 05:06 UTC, Crust made img and vmdk, and 1 image is proven to boot under BIOS."));
        Assert.That(Headline.Sentence(ReportSample.Failed),
            Is.EqualTo("The build failed in its stage install after 2 min 38 s: the installer edge.iso ended in a kernel panic: Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)."));
    }

    [Test]
    public void After_a_failure_its_cause_comes_before_all_else()
    {
        var page = ReportSample.Render(ReportSample.Failed);

        Assert.That(page.IndexOf("id=\"cause\"", StringComparison.Ordinal), Is.Positive.And.LessThan(page.IndexOf("id=\"warnings\"", StringComparison.Ordinal)));
        Assert.That(page, Does.Contain("more machine.memory").And.Contain("the failed disk is kept").And.Contain("No image was written"));
        Assert.That(ReportSample.Render(ReportSample.Built), Does.Not.Contain("id=\"cause\""));
    }

    [Test]
    public void Nothing_that_a_guest_an_ISO_or_a_path_says_becomes_markup()
    {
        var story = ReportSample.Failed with
        {
            Name = Evil,
            Origin = InstallerSample.Iso with { Path = $"/iso/{Evil}", VolumeId = Evil, Source = Evil },
            SeedFiles = [new("user-data", Evil, 1, Evil)],
            Stages = [new(Stage.Install, Evil, 0, 1, Evil), new(Stage.Formats, Evil, 1, 1, null)],
            Warnings = [Evil],
            Install = ReportSample.Failed.Install! with { CommandLine = Evil, Accelerator = Evil },
            Failure = new CrustException(FailureKind.GuestFailed, Evil, Evil, Evil) { Detail = Evil },
            Host = ReportSample.Failed.Host with { System = Evil },
            ImagesFolder = Evil,
            SerialLogName = Evil,
        };

        var page = ReportPage.Render(story, new SerialExcerpt(Evil, 10, Evil, 100), ReportSample.Screens, ReportSample.Screens[0]);

        Assert.That(page, Does.Not.Contain("<script>alert").And.Not.Contain("onerror=alert(2)>").And.Not.Contain("<img src=x"));
        Assert.That(page, Does.Contain("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img src=x"));
        Assert.That(page.Where(c => char.IsControl(c) && c is not ('\n' or '\t')), Is.Empty);
        Assert.That(page, Does.Not.Contain("\u202e"));
    }

    [TestCaseSource(nameof(Stories))]
    public void The_page_is_well_formed_and_no_id_stands_twice(object story)
    {
        var page = ReportSample.Render((BuildStory)story);

        // What HTML leaves open is closed for XML's sake.
        var body = page[page.IndexOf("<body>", StringComparison.Ordinal)..(page.IndexOf("</footer>", StringComparison.Ordinal) + 9)] + "</body>";
        body = System.Text.RegularExpressions.Regex.Replace(body, "<(img|input)((?:\"[^\"]*\"|[^\">])*)>", "<$1$2/>").Replace(" hidden>", " hidden=\"\">");
        var tree = XElement.Parse(body);
        Assert.That(tree.Descendants().Attributes("id").Select(id => id.Value), Is.Unique);
        Assert.That(tree.Descendants("img").Select(image => image.Attribute("alt")?.Value), Has.All.Length.GreaterThan(10));
        Assert.That(tree.Descendants().Attributes("aria-labelledby").Select(label => label.Value), Is.SubsetOf(tree.Descendants().Attributes("id").Select(id => id.Value)));
    }

    [Test]
    public void A_secret_that_a_guest_prints_is_masked_in_every_part_of_the_page()
    {
        const string Token = "Z9-token-of-the-edge";
        var story = ReportSample.Failed with
        {
            Warnings = [$"the password is {ReportSample.Password}"],
            Install = ReportSample.Failed.Install! with { CommandLine = $"qemu -x '{Token}'" },
            Failure = new CrustException(FailureKind.GuestFailed, $"failed with {Token}", Token, Token) { Detail = $"token={Token}" },
        };
        var serial = new SerialExcerpt($"login with {ReportSample.Password}\ntoken {Token}", 0, "", 10);

        var page = ReportPage.Render(story, serial, [], null);

        Assert.That(page, Does.Not.Contain(Token).And.Not.Contain(ReportSample.Password).And.Contain("login with •••"));
    }

    [Test]
    public void The_login_in_an_ISOs_address_is_masked()
    {
        var spec = new BuildSpec { Installer = new InstallerSpec { Iso = "https://me:p%40ssword@example.org/edge.iso?key=12345" } };
        var story = ReportSample.Built with
        {
            Spec = spec,
            Hidden = ReportSample.Hiding(spec),
            Stages = [new(Stage.Installer, "https://me:p%40ssword@example.org/edge.iso?key=12345", 0, 1, "p@ssword")],
        };

        Assert.That(ReportSample.Render(story), Does.Not.Contain("p%40ssword").And.Not.Contain("p@ssword").And.Not.Contain("12345\""));
    }

    [Test]
    public void A_command_line_has_an_option_a_line_and_stays_the_same_command() =>
        Assert.That(MachineSection.Lines("qemu -a 'b -c d' --e f"), Is.EqualTo("qemu \\\n  -a 'b -c d' \\\n  --e f"));

    [Test]
    public void A_story_with_nothing_to_draw_has_neither_plot_nor_film()
    {
        var page = ReportPage.Render(ReportSample.Built with { Install = null, Stages = [], SeedFiles = [], Warnings = [] }, null, [], null);

        Assert.That(page, Does.Not.Contain("id=\"trace\"").And.Not.Contain("class=\"film\"").And.Not.Contain("NaN").And.Contain("Nothing came from the serial port"));
    }

    private static IEnumerable<BuildStory> Stories() => [ReportSample.Built, ReportSample.Failed];
}
