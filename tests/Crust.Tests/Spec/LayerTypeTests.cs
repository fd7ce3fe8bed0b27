using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class LayerTypeTests
{
    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void Layers_are_read_in_their_order_with_paths_from_the_specs_own_folder()
    {
        _sample.Write("specs/crust.yaml", "layers:\n  - files: overlay/\n  - packages: [htop, curl=8.1]\n    upgrade: true\n  - script: ../customize.sh\n  - packages: vim\n  - images: [app.tar, db.tar.zst]\n    into: k3s\n  - config: 50-site.cfg\n  - recipe: k3s@v1.36.4+k3s1\n  - { recipe: docker, variant: containerd }\n");

        var spec = _sample.ReadFile("specs/crust.yaml");

        Assert.That(spec.Layers.Select(layer => $"{layer.Kind}: {layer.Shown}"), Is.EqualTo(new[] { "files: overlay", "packages: htop curl=8.1 (upgrade)", "script: customize.sh", "packages: vim", "images: app.tar db.tar.zst", "config: 50-site.cfg",
            "recipe: k3s@v1.36.4+k3s1", "recipe: docker (containerd)" }));
        Assert.That(spec.Layers.SelectMany(layer => layer.Paths), Is.EqualTo(new[] { Path.Combine(_sample.Folder, "specs/overlay"), Path.Combine(_sample.Folder, "customize.sh"),
            Path.Combine(_sample.Folder, "specs/app.tar"), Path.Combine(_sample.Folder, "specs/db.tar.zst"), Path.Combine(_sample.Folder, "specs/50-site.cfg") }));
        Assert.That(((LayerSpec.Images)spec.Layers[4]).Into, Is.EqualTo("/var/lib/rancher/k3s/agent/images"));
        Assert.That(spec.InputFiles, Does.Contain(Path.Combine(_sample.Folder, "customize.sh")), "so that no image is written over it");
        Assert.That(spec.Layers[2].Where, Is.EqualTo("specs/crust.yaml:5:5, layers[2]"));
    }

    [TestCase("layers:\n")]
    [TestCase("layers: []\n")]
    public void No_layers_are_none(string yaml) => Assert.That(_sample.Read(yaml).Layers, Is.Empty);

    [TestCase("layers: overlay/\n", "'layers' takes a list of mappings", "crust.yaml:1:9, layers", "write layers: and below it lines that begin with a dash")]
    [TestCase("layers: [overlay/]\n", "An entry of the list isn't a mapping", "crust.yaml:1:10, layers[0]", "write keys and values: - key: value")]
    [TestCase("layers:\n  - {}\n", "A layer says nothing", "crust.yaml:2:5, layers[0]", "name its kind: files, script, recipe, images, config or packages")]
    [TestCase("layers:\n  - file: x\n", "'file' isn't a kind of layer", "crust.yaml:2:11, layers[0].file", "did you mean 'files'?")]
    [TestCase("layers:\n  - files: x\n    script: y\n", "A layer has two kinds, files and script", "crust.yaml:2:5, layers[0]", "make two layers of it, each with a dash of its own")]
    [TestCase("layers:\n  - files: x\n    upgrade: true\n", "There is no key 'upgrade' here", "crust.yaml:3:5, layers[0].upgrade", "write files")]
    [TestCase("layers:\n  - files: [a, b]\n", "'files' takes one value, not a list", "crust.yaml:2:12, layers[0].files", "write files: and the value behind it")]
    [TestCase("layers:\n  - script:\n", "The key 'script' is missing", "crust.yaml:2:5, layers[0]", "write script: and its value")]
    [TestCase("layers:\n  - packages: [-y]\n", "'-y' can't be a package's name", "crust.yaml:2:15, layers[0].packages", "write names as the package manager has them, such as htop, libc6:amd64 or nginx=1.22.1-9")]
    [TestCase("layers:\n  - packages: ['a b']\n", "'a b' can't be a package's name", "crust.yaml:2:15, layers[0].packages", "write names as the package manager has them, such as htop, libc6:amd64 or nginx=1.22.1-9")]
    [TestCase("layers:\n  - packages: []\n", "There are no packages, and nothing is upgraded", "crust.yaml:2:15, layers[0].packages", "name packages, or write upgrade: true beside packages: []")]
    [TestCase("layers:\n  - packages: [a]\n    upgrade: maybe\n", "'maybe' is neither true nor false", "crust.yaml:3:14, layers[0].upgrade", "write true or false")]
    [TestCase("layers:\n  - config: site.yaml\n", "cloud-init doesn't read a file called 'site.yaml'", "crust.yaml:2:13, layers[0].config", "name one that ends in .cfg, such as 50-site.cfg")]
    [TestCase("layers:\n  - recipe: K3s\n", "'K3s' is no recipe", "crust.yaml:2:13, layers[0].recipe", "write a recipe's name, or NAME@VERSION: k3s@v1.36.4+k3s1")]
    [TestCase("layers:\n  - images: app.tar\n", "The key 'into' is missing", "crust.yaml:2:5, layers[0]", "write into: and its value")]
    [TestCase("layers:\n  - images: app.tar\n    into: k8s\n", "'k8s' is no folder on the disk", "crust.yaml:3:11, layers[0].into", "write k3s or rke2, or an absolute path")]
    [TestCase("layers:\n  - images: app.tar\n    into: /var/../etc\n", "'/var/../etc' is no folder on the disk", "crust.yaml:3:11, layers[0].into", "write k3s or rke2, or an absolute path")]
    [TestCase("layers:\n  - images: app.zip\n    into: k3s\n", "'app.zip' has no name of an archive of images", "crust.yaml:2:13, layers[0].images", "name a file that ends in .tar, .tar.gz or .tar.zst, as docker save, skopeo and crust write it")]
    [TestCase("layers:\n  - images: [a/x.tar, b/x.tar]\n    into: k3s\n", "Two archives are called x.tar", "crust.yaml:2:13, layers[0].images", "rename one of them")]
    public void What_is_no_layer_is_refused_with_its_place(string yaml, string what, string where, string remedy) =>
        ErrorAssert.Says(_sample.Fail(yaml), FailureKind.BadInput, what, where, remedy);
}
