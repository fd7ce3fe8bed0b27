using System.Text;
using Crust.Bases;
using Crust.Registries;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tools;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Registries;

/// <summary>Images that builds start from, pulled from a real registry.</summary>
[CancelAfter(120_000)]
public sealed class RegistryImagesTests
{
    private readonly EventList _events = new();
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private RegistryImages Images => new(SampleDisk.Tools, new BuildCache(Path.Combine(_folder, "cache"), Logger.None), Stage.Base, _events, TimeProvider.System) { FirstWait = TimeSpan.FromMilliseconds(1) };

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-images-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_tag_is_resolved_to_its_digest_and_the_image_for_the_architecture_is_pulled_once()
    {
        PulledImage arm;
        RegistryReference pinned;
        await using (var registry = await LocalRegistry.StartAsync(wantsLogin: true, null, Cancellation))
        {
            var how = new PublishSpec { Tls = false, Retries = 0, AuthFile = await LogInAsync(registry) };
            await PushAsync(registry, "edge/base:1.0", how);
            var tagged = RegistryReference.ParseImage($"docker://{registry.Host}/edge/base:1.0", "base.oci");

            arm = await Images.PullAsync(tagged, Arch.Arm64, how, Cancellation);

            pinned = tagged.With($"sha256:{arm.Digest}");
            Assert.That(_events.Events.OfType<BuildEvent.Noted>().Single().Message, Is.EqualTo($"{tagged} is {pinned} now; name it so to build from the same image each time"));
            Assert.That(await TextAsync(arm, Arch.Arm64), Is.EqualTo("Arm64"));
            Assert.That(Images.Find(tagged, Arch.Arm64), Is.Null, "the tag may name another image by now");
            Assert.That(await TextAsync(await Images.PullAsync(pinned, Arch.Amd64, how, Cancellation), Arch.Amd64), Is.EqualTo("Amd64"));
            var none = (await Assert.CatchAsync<RegistryException>(() => Images.PullAsync(tagged, Arch.Arm64, how with { AuthFile = Path.Combine(_folder, "none.json") }, Cancellation)))!;
            Assert.That(none.Fault, Is.EqualTo(RegistryFault.Login), none.What);
        }

        Assert.That(await Images.PullAsync(pinned, Arch.Arm64, new PublishSpec(), Cancellation), Is.EqualTo(arm), "the registry is gone");
        Assert.That(Images.Find(pinned, Arch.Arm64), Is.EqualTo(arm));
    }

    [Test]
    public async Task An_image_that_is_not_there_or_not_for_the_architecture_is_refused()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        var how = new PublishSpec { Tls = false, Retries = 0 };
        await PushAsync(registry, "edge/base:1.0", how, Arch.Amd64);

        var absent = await FailureAsync(registry, "edge/base:2.0", Arch.Amd64, how);
        var other = await FailureAsync(registry, "edge/base:1.0", Arch.Arm64, how);

        Assert.That((absent.Kind, absent.What), Is.EqualTo((FailureKind.InputOutput, $"The registry {registry.Host} doesn't have {registry.Host}/edge/base:2.0")));
        Assert.That((other.Kind, other.What), Is.EqualTo((FailureKind.BadInput, "The registry has no image there that can be used: none of its 1 images is for arm64, but for amd64")));
    }

    [TestCase("docker://localhost:5000/edge:1.0", "localhost:5000/edge:1.0")]
    [TestCase("docker://registry.example.com/a/b", "registry.example.com/a/b:latest")]
    [TestCase("docker://registry.example.com/a/b:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "registry.example.com/a/b@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Names_of_images_are_read_as_skopeo_writes_them(string text, string name) => Assert.That(RegistryReference.ParseImage(text, "base.oci").ToString(), Is.EqualTo(name));

    [TestCase("docker://debian:12", "isn't a repository")]
    [TestCase("docker://library/debian:12", "doesn't say in which registry")]
    [TestCase("docker://registry.example.com/a@sha256:1", "names a digest that is none")]
    public void Names_that_no_registry_knows_are_refused(string text, string what) =>
        Assert.That(() => RegistryReference.ParseImage(text, "base.oci"), Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.What)).Contains(what));

    private async Task<CrustException> FailureAsync(LocalRegistry registry, string name, Arch arch, PublishSpec how) =>
        (await Assert.CatchAsync<CrustException>(() => Images.PullAsync(RegistryReference.ParseImage($"docker://{registry.Host}/{name}", "base.oci"), arch, how, Cancellation)))!;

    private async Task PushAsync(LocalRegistry registry, string name, PublishSpec how, params Arch[] archs)
    {
        var images = (archs is [] ? [Arch.Amd64, Arch.Arm64] : archs).Select(arch => (arch, new[] { Layer(arch) })).ToArray();
        var layout = OciSample.Write(Path.Combine(_folder, "layout"), images);
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", ["--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", .. how.AuthFile is { } file ? new[] { "--dest-authfile", file } : [],
            $"oci:{layout}", $"docker://{registry.Host}/{name}"]), Cancellation);
    }

    private string Layer(Arch arch)
    {
        var path = Path.Combine(_folder, $"{arch}.tar");
        using var file = File.Create(path);
        FileTree.Empty.With(TreeEntry.File("arch", TreeContent.Of($"{arch}"))).WriteTarAsync(file, 0, Cancellation).GetAwaiter().GetResult();
        return path;
    }

    private async Task<string> TextAsync(PulledImage image, Arch arch)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        var tree = await new OciImageReader(SampleDisk.Tools).ReadAsync(OciImageReader.Open(image.Archive), "it", arch, scratch, 1 << 20, Cancellation);
        return Encoding.UTF8.GetString(tree.Find("arch")!.Content.Read(0, 100));
    }

    private async Task<string> LogInAsync(LocalRegistry registry)
    {
        var path = Path.Combine(_folder, "auth.json");
        await File.WriteAllTextAsync(path, $$$$"""{"auths":{"{{{{registry.Host}}}}":{"auth":"{{{{Convert.ToBase64String(Encoding.UTF8.GetBytes(LocalRegistry.Login))}}}}"}}}""", Cancellation);
        return path;
    }
}
