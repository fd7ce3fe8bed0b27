using Crust.Appliance;
using Crust.Bases;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Bases;

public sealed class PiPackagesTests
{
    private static readonly DebianSpec Trixie = new() { Suite = "trixie" };

    [Test]
    public void Firmware_and_kernel_come_from_where_debian_has_them()
    {
        Assert.That(PiPackages.Sources(Trixie).Select(line => string.Join(' ', line.Split(' ').Skip(3))), Is.EqualTo(new[]
        {
            "trixie main non-free-firmware", "trixie-updates main non-free-firmware", "trixie-security main non-free-firmware", "trixie-backports main non-free-firmware",
        }));
        Assert.That(PiPackages.Preferences(Trixie), Does.Contain("Package: src:linux ").And.Contain("Pin: release n=trixie-backports\n"));
    }

    [Test]
    public void A_mirror_of_the_specs_is_the_only_one() => Assert.That(PiPackages.Sources(Trixie with { Mirror = "http://mirror.example.org/debian" }), Is.EqualTo(new[]
    {
        "deb http://mirror.example.org/debian trixie main non-free-firmware", "deb http://mirror.example.org/debian trixie-backports main non-free-firmware",
    }));

    [Test]
    public void The_lists_name_what_a_pi_cannot_start_without()
    {
        var board = new BuilderFolder(RepositoryFile.PathOf("builder/raspberry-pi"), Arch.Arm64);

        Assert.That(board.List("packages.list"), Is.SupersetOf(new[] { "raspi-firmware", "initramfs-tools", "systemd-sysv", "fdisk" }));
        Assert.That(board.Files("root").Select(file => file.Name), Does.Contain("usr/lib/crust/pi-kernel"));
        Assert.That(board.Read("root/etc/initramfs-tools/modules").Split('\n').Where(line => line.Length > 0 && line[0] != '#'), Is.EqualTo(new[] { "rp1_pci", "irq-bcm2712-mip", "overlay" }));
    }

    [Test]
    public void Its_preferences_are_there_before_packages_are_chosen()
    {
        var run = new Mmdebstrap
        {
            Variant = "minbase",
            Arch = Arch.Arm64,
            Packages = ["raspi-firmware"],
            Folder = "/draft",
            Output = "root.tar",
            Script = "finish.sh",
            Sources = PiPackages.Sources(Trixie),
            Preferences = PiPackages.PreferencesName,
        };

        var arguments = run.Command((_, _) => { }).Arguments;

        Assert.That(arguments, Does.Contain("--setup-hook=upload crust-raspberry-pi /etc/apt/preferences.d/crust-raspberry-pi"));
        Assert.That(arguments.TakeLast(4), Is.EqualTo(PiPackages.Sources(Trixie)));
    }
}
