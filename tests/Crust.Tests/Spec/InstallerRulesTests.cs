using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class InstallerRulesTests
{
    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void An_installer_has_a_base_a_seed_and_a_medium()
    {
        var spec = Read("""
            version: 1
            base: { oci: layout }
            seed: { userData: user-data, ssh: { user: edge } }
            medium: { title: Edge, content: [apps.zst], overlay: overlay, interactive: true, arguments: [quiet, 'a=b,c'] }
            """);

        Assert.That((spec.IsInstaller, spec.Seed.Kind, spec.Medium.Title, spec.Medium.Interactive), Is.EqualTo((true, SeedKind.Embedded, "Edge", true)));
        Assert.That(spec.Medium.Content, Is.EqualTo(new[] { Path.Combine(_sample.Folder, "apps.zst") }));
        Assert.That(spec.Medium.Arguments, Is.EqualTo(new[] { "quiet", "a=b,c" }));
        Assert.That(spec.InputFiles, Does.Contain(Path.Combine(_sample.Folder, "overlay")).And.Contain(Path.Combine(_sample.Folder, "apps.zst")));
    }

    [TestCase("base: { oci: layout }\nseed: { kind: kickstart, userData: ks.cfg }",
        "The seed of an installer from a base lies on its medium, and seed.kind is kickstart")]
    [TestCase("base: { oci: layout }\nseed: { profile: debian }", "An installer from a base is of the family of Kairos, and seed.profile is debian")]
    [TestCase("base: { image: disk.img }", "An installer is made from a root file system, and base.image is a disk image")]
    [TestCase("base: { oci: layout }\nlayers: [{ sysext: k3s, profile: kairos }]", "An extension of the profile kairos goes to a volume of the installed disk, which an installer doesn't have yet")]
    [TestCase("medium: { title: Edge }", "medium.title is about an installer from a base, and there is none")]
    [TestCase("installer: { build: other.yaml }", "A spec of an installer can't name another one")]
    public void What_no_installer_can_have_is_refused(string yaml, string what) =>
        Assert.That(Assert.Throws<CrustException>(() => Read(yaml))!.What, Is.EqualTo(what));

    [TestCase("medium: { arguments: ['a b'] }")]
    [TestCase("medium: { arguments: ['$(x)'] }")]
    [TestCase("medium: { title: 'a\"b' }")]
    public void Nothing_gets_into_the_menu_that_GRUB_would_read_as_a_script(string yaml) =>
        Assert.That(() => Read("base: { oci: layout }\n" + yaml), Throws.TypeOf<CrustException>());

    [Test]
    public void A_build_names_the_spec_of_its_installer()
    {
        _sample.Write("made/installer.yaml", "base: { oci: layout }\nname: edge-installer\nseed: { userData: user-data }\n");

        var spec = _sample.Read("installer: { build: made/installer.yaml }\nmachine: { arch: arm64 }\n");

        var built = spec.Installer.Built!;
        Assert.That((built.IsInstaller, built.Name, built.Machine.Arch, built.Base.Oci), Is.EqualTo((true, "edge-installer", Arch.Arm64, Path.Combine(_sample.Folder,
            "made/layout"))));
        Assert.That((spec.IsReference, spec.HasBase, spec.ShownSource), Is.EqualTo((false, false, $"an installer from {Path.Combine(_sample.Folder, "made/layout")}")));
        Assert.That(spec.InputFiles, Does.Contain(Path.Combine(_sample.Folder, "made/user-data")));
    }

    [Test]
    public void An_installer_for_another_architecture_is_refused()
    {
        _sample.Write("installer.yaml", "base: { oci: layout }\nmachine: { arch: arm64 }\n");

        Assert.That(_sample.Fail("installer: { build: installer.yaml }").What, Is.EqualTo("The installer is for arm64, and the machine is amd64"));
    }

    [Test]
    public void A_spec_that_names_itself_is_refused() =>
        Assert.That(_sample.Fail("installer: { build: crust.yaml }").What, Is.EqualTo("A spec of an installer can't name another one"));

    [Test]
    public void An_installer_comes_from_one_place() =>
        Assert.That(_sample.Fail("installer: { build: a.yaml, iso: b.iso }").What,
            Is.EqualTo("The installer would come from two places, installer.iso and installer.build"));

    [Test]
    public void A_build_has_no_medium() =>
        Assert.That(_sample.Fail("medium: { title: Edge }").What, Is.EqualTo("medium.title is about an installer that is made, and this spec is of a build"));

    private BuildSpec Read(string yaml)
    {
        _sample.Write("crust.yaml", yaml);
        return new SpecReader(SpecSample.Formats).Read(new SpecSources
        {
            File = "crust.yaml",
            CurrentFolder = _sample.Folder,
            ForInstaller = true,
            Environment = ImmutableDictionary<string, string>.Empty
        });
    }
}
