using Crust.Appliance;
using Crust.Spec;

namespace Crust.Tests.Appliance;

public sealed class MmdebstrapTests
{
    private static readonly Mmdebstrap Run = new()
    {
        Variant = "minbase",
        Arch = Arch.Arm64,
        Packages = ["linux-image-arm64", "sudo"],
        Exclude = ["/usr/share/doc/*", "!/usr/share/doc/*/copyright"],
        Folder = "/cache/x",
        Output = "root.tar",
        Overlay = "overlay.tar",
        Script = "finish.sh",
    };

    [Test]
    public void A_root_is_installed_with_the_overlay_before_the_script() =>
        Assert.That(Run.Command((_, _) => { }).ToString(), Is.EqualTo(string.Join(' ',
        [
            "mmdebstrap --mode=auto --variant=minbase --architectures=arm64 --include=linux-image-arm64,sudo",
            "'--dpkgopt=path-exclude=/usr/share/doc/*' '--dpkgopt=path-include=/usr/share/doc/*/copyright'",
            "'--customize-hook=tar-in overlay.tar /' '--customize-hook=upload finish.sh /finish.sh'",
            "'--customize-hook=chroot \"$1\" sh /finish.sh' '--customize-hook=rm \"$1\"/finish.sh'",
            "--format=tar bookworm root.tar",
        ])));

    [Test]
    public void Where_nothing_is_installed_the_script_runs_after_unpacking_on_the_host() =>
        Assert.That((Run with { Variant = "extract", Overlay = null, Exclude = [] }).Command((_, _) => { }).Arguments.Where(argument => argument.Contains("hook")),
            Is.EqualTo(new[] { "--extract-hook=upload finish.sh /finish.sh", "--extract-hook=sh \"$1\"/finish.sh \"$1\"", "--extract-hook=rm \"$1\"/finish.sh" }));

    [Test]
    public void Nothing_is_included_where_the_script_fetches_what_it_needs() =>
        Assert.That((Run with { Variant = "extract", Packages = [] }).Command((_, _) => { }).Arguments, Has.None.StartsWith("--include"));

    [Test]
    public void Packages_that_are_unpacked_may_stay_to_be_installed_later() =>
        Assert.That((Run with { Variant = "extract", Overlay = null, Exclude = [], Packages = ["?essential", "sudo"], KeepsPackages = true, Uploads = ["a.tar"] }).Command((_, _) => { }).Arguments.Skip(2).Take(5),
            Is.EqualTo(new[] { "--architectures=arm64", "--include=?essential", "--include=sudo", "--skip=cleanup/apt", "--extract-hook=upload a.tar /a.tar" }));

    [Test]
    public void A_release_and_a_mirror_stand_around_the_output() =>
        Assert.That((Run with { Release = "trixie", Mirror = "http://deb.example.org/debian" }).Command((_, _) => { }).Arguments.TakeLast(3), Is.EqualTo(new[] { "trixie", "root.tar", "http://deb.example.org/debian" }));

    [Test]
    public void A_kernels_package_makes_an_initramfs_unless_that_is_left_to_the_script() =>
        Assert.That(new[] { Run, Run with { MakesInitramfs = false } }.Select(run => run.Command((_, _) => { }).Environment.GetValueOrDefault("INITRD")), Is.EqualTo(new[] { null, "No" }));

    [Test]
    public void What_mmdebstrap_says_becomes_progress()
    {
        var heard = new List<string>();
        Run.Command((fraction, detail) => heard.Add($"{fraction} {detail}")).OnLine!("I: downloading packages with apt...");

        Assert.That(heard, Is.EqualTo(new[] { "0.05 downloading packages" }));
    }
}
