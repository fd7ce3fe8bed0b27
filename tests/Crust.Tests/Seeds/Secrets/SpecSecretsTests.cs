using Crust.Sanitizing;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust.Tests.Seeds.Secrets;

public sealed class SpecSecretsTests
{
    [TestCase("<wait10s>root<enter>|correct-horse<enter>", "<wait10s>root<enter>|***<enter>")]
    [TestCase("correct horse|<enter>", "***|<enter>")]
    [TestCase("c<wait>orrect<wait1s>-horse<enter>", "***<wait>***<wait1s>***<enter>")]
    [TestCase("passwd<enter>hunter2<enter>hunter2\n", "passwd<enter>***<enter>***\n")]
    [TestCase("e<wait><down><down><end> autoinstall quiet<f10>", "e<wait><down><down><end> autoinstall quiet<f10>")]
    [TestCase("<tab> inst.ks=http://me:hunter2@host/ks.cfg inst.text<enter>", "<tab> inst.ks=http://me:***@host/ks.cfg inst.text<enter>")]
    [TestCase("linux /casper/vmlinuz ds=nocloud K3S_TOKEN=hunter2<enter>boot<enter>", "linux /casper/vmlinuz ds=nocloud K3S_TOKEN=***<enter>boot<enter>")]
    [TestCase("setup-alpine -f /root/answers<enter>yes<enter>", "setup-alpine -f /root/answers<enter>yes<enter>")]
    public void What_is_typed(string keys, string masked) =>
        Assert.That(SpecSecrets.Masked("installer.boot.keys", [.. keys.Split('|')]).Select(text => text.Replace("********", "***", StringComparison.Ordinal)), Is.EqualTo(masked.Split('|')));

    [Test]
    public void What_the_spec_says_is_kept_out_of_logs()
    {
        var spec = new BuildSpec
        {
            Installer = new InstallerSpec { Iso = "https://me:hunter2@host/x.iso?sig=staple", BootKeys = ["correct-horse<enter>"], BootAppend = "ip=dhcp passwd/root-password=battery" },
            Publish = new PublishSpec { KeySecret = new Secret("a key that is shared") },
        };
        var hidden = new Redactor();
        hidden.Hide(spec);

        Assert.That(hidden.Apply("hunter2 staple correct-horse battery a key that is shared dhcp"), Is.EqualTo("••• staple ••• ••• ••• dhcp").Or.EqualTo("••• ••• ••• ••• ••• dhcp"));
    }
}
