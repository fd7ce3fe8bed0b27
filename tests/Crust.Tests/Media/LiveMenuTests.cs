using Crust.Media;
using Crust.Spec;

namespace Crust.Tests.Media;

public sealed class LiveMenuTests
{
    private const string Common = "cdroot root=live:CDLABEL=COS_LIVE rd.live.dir=/ rd.live.squashimg=rootfs.squashfs net.ifnames=1 rd.cos.disable rd.live.overlay.overlayfs "
        + "rd.immucore.sysrootwait=600 selinux=0 systemd.unified_cgroup_hierarchy=1";

    [Test]
    public void Each_entry_has_the_documented_arguments()
    {
        var menu = LiveMenu.Of(new MediumSpec { Title = "Edge" }, Arch.Amd64);

        Assert.That(LinesWith(menu, "linux "), Has.All.Contain(Common));
        Assert.That(LinesWith(menu, "menuentry "), Is.EqualTo(new[]
        {
            "menuentry \"Edge\" --class os --unrestricted {", "menuentry \"Edge (manual)\" --class os --unrestricted {",
                "menuentry \"Edge (interactive)\" --class os --unrestricted {",
            "menuentry \"Edge\" --class os --unrestricted {", "menuentry \"Edge (manual)\" --class os --unrestricted {",
                "menuentry \"Edge (interactive)\" --class os --unrestricted {",
        }), "for UEFI, then for BIOS");
        Assert.That(LinesWith(menu, "linux ").Select(line => line.Split(' ')[^1]), Is.EqualTo(new[] { "nodepair.enable", "console=tty0", "interactive-install",
            "nodepair.enable", "nomodeset", "interactive-install" }));
        Assert.That(menu, Does.Contain("set default=0\nset timeout=5\n").And.StartWith("search --no-floppy --set=root --file /boot/kernel\n"));
    }

    [Test]
    public void The_interactive_installer_can_be_the_default() => Assert.That(LiveMenu.Of(new MediumSpec { Interactive = true }, Arch.Amd64),
        Does.Contain("set default=2\n"));

    [Test]
    public void Further_arguments_and_those_for_debugging_stand_in_all_entries() =>
        Assert.That(LinesWith(LiveMenu.Of(new MediumSpec { Debug = true, Arguments = ["quiet"] }, Arch.Amd64), "linux "),
            Has.All.Contain(" rd.immucore.debug rd.debug quiet"));

    [Test]
    public void On_arm64_there_is_no_part_for_BIOS() =>
        Assert.That(LiveMenu.Of(new MediumSpec(), Arch.Arm64), Does.Not.Contain("grub_platform").And.Not.Contain("nomodeset").And.Contain("console=ttyAMA0"));

    private static IEnumerable<string> LinesWith(string text, string start) => text.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith(start,
        StringComparison.Ordinal));
}
