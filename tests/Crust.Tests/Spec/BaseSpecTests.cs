using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class BaseSpecTests
{
    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    private BuildSpec Read(string yaml) => _sample.Read($"version: 1\n{yaml}\n");

    [Test]
    public void A_base_stands_in_place_of_an_installer_and_nothing_is_told_to_it()
    {
        var spec = Read("base: { image: edge.qcow2, sha256: list, sha256Signature: list.sig, key: vendor.gpg }");

        Assert.That(spec.HasBase && !spec.IsReference && spec.Seed.Kind is SeedKind.None);
        Assert.That(spec.SourceFile, Is.EqualTo(new SourceFile("base", "image", Path.Combine(_sample.Folder, "edge.qcow2"))
        {
            Sha256 = Path.Combine(_sample.Folder, "list"),
            ChecksumSignature = Path.Combine(_sample.Folder, "list.sig"),
            Key = Path.Combine(_sample.Folder, "vendor.gpg"),
        }));
        Assert.That(spec.ShownSource, Is.EqualTo(Path.Combine(_sample.Folder, "edge.qcow2")));
    }

    [Test]
    public void Packages_and_images_in_registries_are_bases_too()
    {
        var debian = Read("base: { debian: { suite: trixie, packages: [openssh-server, vim-tiny] } }");
        var image = Read("base: { oci: 'docker://registry.example.com/edge/system:1.0' }");

        Assert.That((debian.HasBase, debian.IsReference, debian.Base.IsRoot, debian.ShownSource), Is.EqualTo((true, false, true, "Debian trixie")));
        Assert.That(debian.Base.Debian.Packages, Is.EqualTo(new[] { "openssh-server", "vim-tiny" }));
        Assert.That((image.HasBase, image.IsReference, image.Base.IsRoot, image.ShownSource), Is.EqualTo((true, false, true, "docker://registry.example.com/edge/system:1.0")));
        Assert.That(image.Base.ImageInRegistry, Is.EqualTo(new RegistryReference("registry.example.com/edge/system", "1.0")));
    }

    [Test]
    public void A_disk_for_a_raspberry_pi_is_for_arm64_without_a_word()
    {
        var spec = Read("base: { debian: { suite: trixie }, layout: raspberry-pi }");

        Assert.That((spec.Base.Layout, spec.Machine.Arch, spec.Machine.Firmware), Is.EqualTo((DiskLayout.RaspberryPi, Arch.Arm64, Firmware.Uefi)));
        Assert.That(spec.Verify.Boot, Is.EqualTo(VerifyBoot.False), "QEMU has no firmware of a Pi");
    }

    [TestCase("base: { rootfs: a.tar, layout: raspberry-pi }\nmachine: { arch: amd64 }", "A Raspberry Pi 4 or 5 runs arm64 programs, and machine.arch is amd64", "base.layout")]
    [TestCase("base: { rootfs: a.tar, layout: raspberry-pi }\nverify: { expect: 'login:' }", "A disk for Raspberry Pis is started by a Pi's firmware, and QEMU has none", "verify.expect")]
    [TestCase("base: { rootfs: a.tar, layout: raspberry-pi }\nmachine: { disk: 512M }", "A disk of 512.0 MiB has no room for a boot partition of 512 MiB and a root", "machine.disk")]
    [TestCase("base: { image: a.img }\ninstaller: { iso: b.iso }", "The system would come from two places, an installer and a base", "installer.iso")]
    [TestCase("base: { image: a.img }\ninstaller: { boot: { keys: [a] } }", "The system would come from two places, an installer and a base", "installer.boot.keys")]
    [TestCase("base: { image: a.img }\nseed: { hostname: edge }", "seed.hostname is for an installer, and with base.image none is booted", "seed.hostname")]
    [TestCase("base: { image: a.img }\nmachine: { onReboot: continue }", "machine.onReboot is about an installer's run, and with base.image none is booted", "machine.onReboot")]
    [TestCase("base: { image: a.img, rootfs: a.tar }", "The system would come from two places, base.image and base.rootfs", "base.rootfs")]
    [TestCase("base: { oci: a.tar, rootfs: a.tar }", "The system would come from two places, base.rootfs and base.oci", "base.oci")]
    [TestCase("base: { image: a.img, layout: gpt }", "A disk image is divided already, and base.layout is for a root file system", "base.layout")]
    [TestCase("base: { rootfs: a.tar, }\nseed: { hostname: edge }", "seed.hostname is for an installer, and with base.rootfs none is booted", "seed.hostname")]
    [TestCase("base: { sha256: list }", "There is a base.sha256, and no base that it is for", "base.sha256")]
    [TestCase("base: { oci: a.tar, debian: { suite: bookworm } }", "The system would come from two places, base.oci and base.debian.suite", "base.debian.suite")]
    [TestCase("base: { debian: { packages: [vim] } }", "There is a base.debian.packages, and no base that it is for", "base.debian.packages")]
    [TestCase("base: { rootfs: a.tar, debian: { mirror: 'http://deb.example.org/debian' } }", "There is a base.debian.mirror, and no release that it is of", "base.debian.mirror")]
    [TestCase("base: { debian: { suite: bookworm }, sha256: list }", "base.sha256 is of a file, and base.debian.suite names none", "base.sha256")]
    [TestCase("base: { oci: 'docker://localhost:5000/a:1', sha256: list }", "base.sha256 is of a file, and base.oci names none", "base.sha256")]
    [TestCase("base: { oci: 'docker://localhost/A:1' }", "'localhost/A:1' has capital letters in its path, which registries don't take", "base.oci")]
    [TestCase("base: { debian: { suite: '../x' } }", "'../x' can't be the code name of a release", "base.debian.suite")]
    [TestCase("base: { debian: { suite: bookworm, packages: ['--option'] } }", "'--option' can't be a package's name", "base.debian.packages")]
    [TestCase("base: { debian: { suite: bookworm, mirror: 'file:///x' } }", "'file:///x' isn't the URL of a mirror", "base.debian.mirror")]
    [TestCase("base: { image: a.img, signature: a.sig }", "There is a signature of the image, and no key that may have made it", "base.signature")]
    [TestCase("base: { image: a.img, key: k }", "There is a key for the list of checksums, and no list", "base.key")]
    [TestCase("base: { image: a.img, key: k, sha256Signature: s }", "There is a signature of a list of checksums, and base.sha256 names no list", "base.sha256Signature")]
    public void What_contradicts_a_base_is_refused_with_its_place(string yaml, string what, string key)
    {
        var error = Assert.Throws<CrustException>(() => Read(yaml))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, what)));
        Assert.That(error.Where, Does.Contain("crust.yaml:").And.Contain(key));
    }
}
