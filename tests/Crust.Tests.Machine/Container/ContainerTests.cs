using System.Text.Json.Nodes;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Container;

/// <summary>The builder container, made by `make docker-build` and run as a stranger, without network, with nothing of this host.</summary>
[CancelAfter(1_800_000)]
[Parallelizable(ParallelScope.Self)]
public sealed class ContainerTests
{
    private const string Image = "localhost/crust-builder:test";
    private const string Password = "correct-horse-battery-staple";
    private const long MiB = 1L << 20;

    private static ContainerWorld _world = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task Build()
    {
        _world = await ContainerWorld.CreateAsync(CancellationToken.None);
        var built = await _world.MakeAsync(["docker-build"], [("REPO", "localhost/crust-builder"), ("TAG", "test")], CancellationToken.None);
        Assert.That(built.ExitCode, Is.Zero, built.Error);
        Assert.That(built.Output, Does.EndWith($"{Image}\n"));
    }

    [OneTimeTearDown]
    // There is none where it can't be made, and all tests are skipped.
    public void TearDown() => _world?.Dispose();

    [Test]
    public async Task A_stranger_without_network_gets_an_image_that_boots()
    {
        var images = _world.ImagesFolder("reference");

        var run = await _world.RunAsync(Image, images, Cancellation, "vmdk", "--disk-size", "4G", "--cpus", "1", "--verify-deadline", "20m");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain("KVM can't be used: there is no /dev/kvm; emulating in its place").And.Contain("give the device to the container (--device /dev/kvm)"));
        Assert.That(await Host.RunAsync("qemu-img", ["info", "-f", "vmdk", Path.Combine(images, "crust-reference.vmdk")], Cancellation), Does.Contain("virtual size: 4 GiB"));
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(images, "crust-reference.manifest.json"), Cancellation))!;
        Assert.That(manifest["images"]![0]!["verified"]!.ToJsonString(), Does.Contain("\"sign\":\"").And.Not.Contain("\"sign\":\"text\""));
        await Host.RunAsync("sh", ["-c", $"cd {images} && sha256sum -c SHA256SUMS"], Cancellation);
    }

    [Test]
    public async Task It_lacks_nothing()
    {
        var doctor = await _world.RunAsync(Image, _world.ImagesFolder("doctor"), Cancellation, "doctor", "--json", "--output", "/images");

        Assert.That(doctor.ExitCode, Is.Zero, doctor.Output);
        Assert.That(JsonNode.Parse(doctor.Output)!["checks"]!.AsArray().Where(check => (string?)check!["result"] is not ("fine" or "note")).Select(check => (string?)check!["name"]),
            Is.EqualTo(new[] { "kvm" }), doctor.Output);
    }

    [Test]
    public async Task It_explains_itself()
    {
        var help = await _world.RunAsync(Image, _world.ImagesFolder("help"), Cancellation, "--help");

        Assert.That((help.ExitCode, help.Error), Is.EqualTo((0, "")));
        Assert.That(help.Output, Does.Contain("--device /dev/kvm").And.Contain("-v ./images:/images").And.Contain("crust [command]"));
        Assert.That((await _world.PodmanAsync(Cancellation, "run", "--rm", "--network", "none", Image)).Output, Is.EqualTo(help.Output), "without anything, too");
    }

    [Test]
    public async Task It_runs_as_somebody_who_may_do_little_and_is_small()
    {
        var facts = JsonNode.Parse((await _world.PodmanAsync(Cancellation, "image", "inspect", Image)).Output)![0]!;

        Assert.That((string?)facts["Config"]!["User"], Is.EqualTo("1000:0"));
        Assert.That((long)facts["Size"]!, Is.LessThan(1200 * MiB));
    }

    [Test]
    public async Task What_is_embedded_is_built_any_time_and_no_secret_is_in_it()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _world.Folder, Cancellation);
        var spec = Path.Combine(_world.Folder, "crust.yaml");
        await File.WriteAllTextAsync(spec, $"name: edge\ninstaller: {{ iso: {iso} }}\nmachine: {{ disk: 64M, memory: 128M }}\nseed: {{ ssh: {{ user: edge }} }}\ntrim: false\ninspect: false\ntidy: none\n", Cancellation);
        var built = await _world.MakeAsync(["docker-build"], [("REPO", "localhost/edge-builder"), ("TAG", "1"), ("EMBED", "true"), ("ARGS", spec), ("SSH_PASSWORD", Password)], Cancellation);
        Assert.That(built.ExitCode, Is.Zero, built.Error);
        Assert.That(built.Error, Does.Contain("warning: secrets aren't embedded, give them when the container runs: seed.ssh.password (SSH_PASSWORD)"));
        var images = _world.ImagesFolder("embedded");

        var run = await _world.RunAsync("localhost/edge-builder:1", images, Cancellation, "img", "qcow2");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Directory.GetFiles(images, "edge.*").Select(Path.GetFileName), Is.SupersetOf(new[] { "edge.img", "edge.qcow2", "edge.manifest.json" }));
        await _world.PodmanAsync(Cancellation, "save", "--quiet", "--format", "oci-dir", "--output", Path.Combine(_world.Folder, "saved"), "localhost/edge-builder:1");
        Assert.That(await Host.RunAsync("sh", ["-c", $"cd {_world.Folder}/saved && for f in *; do gzip -dcf \"$f\" | grep -c -a -F {Password}; done | sort -u"], Cancellation), Is.EqualTo("0\n"));
    }

    [Test]
    public async Task Secrets_are_embedded_only_where_that_is_asked_for_with_a_warning()
    {
        var built = await _world.MakeAsync(["docker-build"],
            [("REPO", "localhost/edge-builder"), ("TAG", "secret"), ("EMBED", "true"), ("EMBED_SECRETS", "true"), ("SSH_USER", "edge"), ("SSH_PASSWORD", Password)], Cancellation);
        Assert.That(built.ExitCode, Is.Zero, built.Error);
        Assert.That(built.Error, Does.Contain("warning: secrets are embedded, and anyone who gets the container has them: seed.ssh.password (SSH_PASSWORD)"));

        var spec = await _world.PodmanAsync(Cancellation, "run", "--rm", "--network", "none", "--entrypoint", "cat", "localhost/edge-builder:secret", "/work/crust.yaml");

        Assert.That(spec.Output, Does.Contain(Password));
    }

    [Test]
    public async Task Make_builds_in_it_where_the_host_has_no_tools()
    {
        var run = await _world.MakeAsync(["vmdk", "RUNNER=container", "ARGS=--dry-run"],
            [("BUILDER", Image), ("SSH_USER", "from-outside"), ("CRUST_CACHE", Path.Combine(_world.Folder, "cache"))], Cancellation);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("name: \"from-outside\"").And.Contain("to write   vmdk"));
    }
}
