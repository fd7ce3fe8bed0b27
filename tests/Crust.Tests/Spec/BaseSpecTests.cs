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

    [TestCase("base: { image: a.img }\ninstaller: { iso: b.iso }", "The system would come from two places, an installer and a base", "installer.iso")]
    [TestCase("base: { image: a.img }\ninstaller: { boot: { keys: [a] } }", "The system would come from two places, an installer and a base", "installer.boot.keys")]
    [TestCase("base: { image: a.img }\nseed: { hostname: edge }", "seed.hostname is for an installer, and with base.image none is booted", "seed.hostname")]
    [TestCase("base: { image: a.img }\nmachine: { onReboot: continue }", "machine.onReboot is about an installer's run, and with base.image none is booted", "machine.onReboot")]
    [TestCase("base: { image: a.img, rootfs: a.tar }", "The system would come from two places, base.image and base.rootfs", "base.rootfs")]
    [TestCase("base: { oci: a.tar, rootfs: a.tar }", "The system would come from two places, base.rootfs and base.oci", "base.oci")]
    [TestCase("base: { image: a.img, layout: gpt }", "A disk image is divided already, and base.layout is for a root file system", "base.layout")]
    [TestCase("base: { rootfs: a.tar, }\nseed: { hostname: edge }", "seed.hostname is for an installer, and with base.rootfs none is booted", "seed.hostname")]
    [TestCase("base: { sha256: list }", "There is a base.sha256, and no base that it is for", "base.sha256")]
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
