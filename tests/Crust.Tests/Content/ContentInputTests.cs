using System.Text;
using Crust.Attestation;
using Crust.Registries;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Formats;
using Crust.Tests.Registries;

namespace Crust.Tests.Content;

/// <summary>What registries, files and hosts do to those who pack bundles of them.</summary>
[CancelAfter(120_000)]
public sealed class ContentInputTests
{
    private ContentSite _site = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _site = new ContentSite();

    [TearDown]
    public void TearDown() => _site.Dispose();

    [Test]
    public async Task Several_registries_each_have_a_login_and_an_authority_of_their_own()
    {
        var certificate = await MakeCertificateAsync();
        await using var open = await LocalRegistry.StartAsync(Cancellation);
        await using var closed = await LocalRegistry.StartAsync(wantsLogin: true, null, Cancellation);
        await using var secure = await LocalRegistry.StartAsync(wantsLogin: false, certificate, Cancellation);
        await LogInAsync(closed, "auth.json", LocalRegistry.Login);
        await LogInAsync(closed, "wrong.json", LocalRegistry.Login + "-not");
        var images = new[]
        {
            await _site.PushAsync(open.Host, "a:1", [Arch.Amd64], ["a"]),
            await _site.PushAsync(closed.Host, "b:1", [Arch.Amd64], ["b"], _site.FileFor("auth.json")),
            await _site.PushAsync(secure.Host, "c:1", [Arch.Amd64], ["c"]),
        };
        var list = $"images: [{string.Join(", ", images.Select(image => $"'{image}'"))}]\n";
        string Registries(string login, string authority) => $$"""
            registries:
              - { registry: '{{open.Host}}', tls: false }
              - { registry: '{{closed.Host}}', tls: false{{login}} }
              - { registry: '{{secure.Host}}'{{authority}} }

            """;

        var noLogin = await _site.FailAsync(Registries(", authFile: none.json", ", certDir: trusted") + list);
        var wrongLogin = await _site.FailAsync(Registries(", authFile: wrong.json", ", certDir: trusted") + list);
        var noAuthority = await _site.FailAsync(Registries(", authFile: auth.json", "") + list);
        var result = await _site.BuildAsync(Registries(", authFile: auth.json", ", certDir: trusted") + list);

        Assert.That((noLogin as RegistryException)?.Fault, Is.EqualTo(RegistryFault.Login), noLogin.Message);
        Assert.That((noLogin.Where, noLogin.Remedy), Is.EqualTo(($"content.yaml:7:{"images: [".Length + 1 + images[0].Length + 4}, images[1]: {images[1]}", noLogin.Remedy)));
        Assert.That(((wrongLogin as RegistryException)?.Fault, wrongLogin.Where), Is.EqualTo((RegistryFault.Login, noLogin.Where)), wrongLogin.Message);
        Assert.That(wrongLogin.Message, Does.Not.Contain("registry-secret"), "no password is shown");
        Assert.That(noLogin.Remedy, Does.Contain("authFile: of an entry of registries:"));
        Assert.That((noAuthority as RegistryException)?.Fault, Is.EqualTo(RegistryFault.Untrusted), noAuthority.Message);
        Assert.That(noAuthority.Remedy, Does.Contain("certDir:"));
        Assert.That(result.Manifest.Images.Select(image => image.Names[0]), Is.EqualTo(images));
    }

    [Test]
    public async Task An_image_comes_from_a_mirror_or_from_elsewhere_and_keeps_its_name()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        await _site.PushAsync(registry.Host, "hub/library/nginx:1.27", [Arch.Amd64], ["a"]);
        await _site.PushAsync(registry.Host, "copies/tool:2", [Arch.Amd64], ["b"]);

        var result = await _site.BuildAsync($$"""
            registries: [{ registry: docker.io, mirror: '{{registry.Host}}/hub' }, { registry: '{{registry.Host}}', tls: false }]
            images: [docker.io/library/nginx:1.27, { image: 'registry.example.com/tool:2', from: '{{registry.Host}}/copies/tool:2' }]

            """);

        Assert.That(result.Manifest.Images.Select(image => (image.Names[0], image.Source.Split('@')[0])), Is.EqualTo(new[]
        {
            ("docker.io/library/nginx:1.27", $"{registry.Host}/hub/library/nginx"), ("registry.example.com/tool:2", $"{registry.Host}/copies/tool"),
        }));
    }

    [Test]
    public async Task What_a_registry_does_not_have_is_said_with_its_line()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        var (index, single) = (await _site.PushAsync(registry.Host, "index:1", [Arch.Amd64], ["a"]), await _site.PushAsync(registry.Host, "single:1", [Arch.Amd64], ["a"], asDocker: true));
        Task<CrustException> FailAsync(string image, string arch = "amd64") => _site.FailAsync($"{ContentSite.Plain(registry.Host)}archs: {arch}\nimages:\n  - '{image}'\n");

        var (tag, digest) = (await FailAsync($"{registry.Host}/index:2"), await FailAsync($"{registry.Host}/index@sha256:{new string('a', 64)}"));
        var (otherOfIndex, otherOfSingle) = (await FailAsync(index, "arm64"), await FailAsync(single, "arm64"));

        foreach (var error in new[] { tag, digest, otherOfIndex, otherOfSingle })
        {
            Assert.That(error.Where, Does.StartWith("content.yaml:7:5, images[0]: "), error.Message);
        }

        Assert.That((tag.Kind, tag.What), Is.EqualTo((FailureKind.InputOutput, $"The registry {registry.Host} doesn't have {registry.Host}/index:2")));
        Assert.That((digest.Kind, digest.What.Contains("doesn't have", StringComparison.Ordinal)), Is.EqualTo((FailureKind.InputOutput, true)), digest.Message);
        var unusable = $"The registry {registry.Host} has no image there that can be used";
        Assert.That((otherOfIndex.Kind, otherOfIndex.What), Is.EqualTo((FailureKind.BadInput, $"{unusable}: none of its 1 images is for arm64, but for amd64")));
        Assert.That((otherOfSingle.Kind, otherOfSingle.What), Is.EqualTo((FailureKind.BadInput, $"{unusable}: it is for amd64 alone, and arm64 is wanted")));
    }

    [Test]
    public async Task A_registry_that_is_down_is_told_and_nothing_is_left()
    {
        string host;
        await using (var registry = await LocalRegistry.StartAsync(Cancellation))
        {
            host = registry.Host;
        }

        var error = await _site.FailAsync($"{ContentSite.Plain(host)}images: ['{host}/a:1']\n");

        Assert.That((error as RegistryException)?.Fault, Is.EqualTo(RegistryFault.Unreachable), error.Message);
        Assert.That(error.Remedy, Is.EqualTo("try again later: what was pulled so far is in the cache, and isn't pulled again"));
        Assert.That(Directory.Exists(_site.FileFor("out")), Is.False);
    }

    [Test]
    public async Task A_bundle_that_does_not_fit_is_refused_before_anything_is_pulled()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        var image = await _site.PushAsync(registry.Host, "a:1", [Arch.Amd64], ["a"]);
        var text = $"{ContentSite.Plain(registry.Host)}images: ['{image}']\n";
        _site.Look = folder => FolderSpace.Of(folder) with { Free = 1 << 20 };

        var host = await _site.FailAsync(text);
        var hasPulled = Directory.Exists(Path.Combine(_site.Cache, "blobs"));
        _site.Look = FolderSpace.Of;
        var target = await _site.FailAsync(text, request => request with { Target = 1 << 20 });

        Assert.That((host.Kind, host.What), Is.EqualTo((FailureKind.HostLacks,
            "There is too little space for the bundle and the images that are pulled for it: 16.0 MiB are needed, 1.0 MiB are free")));
        Assert.That(hasPulled, Is.False);
        Assert.That((target.Kind, target.What), Is.EqualTo((FailureKind.BadInput, "The target is too small: 100.0 MiB are needed, it has 1.0 MiB")), target.Message);
        Assert.That(Directory.EnumerateFileSystemEntries(_site.FileFor("out")), Is.Empty);
    }

    [Test]
    public async Task A_file_that_is_not_what_its_sum_says_is_refused()
    {
        await File.WriteAllTextAsync(_site.FileFor("a"), "x", Cancellation);
        Directory.CreateDirectory(_site.FileFor("folder"));
        var wrong = new string('0', 64);

        var other = await _site.FailAsync($"files: [{{ path: a, sha256: {wrong} }}]\n");
        var none = await _site.FailAsync("files: [b]\n");
        var folder = await _site.FailAsync($"files: [{{ path: folder, sha256: {wrong} }}]\n");

        Assert.That((other.Kind, other.Where), Is.EqualTo((FailureKind.BadInput, $"content.yaml:3:9, files[0]: {_site.FileFor("a")}")));
        Assert.That(other.What, Does.StartWith($"The file isn't the one that the checksum is of: expected SHA-256 {wrong}"));
        Assert.That((none.Kind, none.What, none.Where), Is.EqualTo((FailureKind.BadInput, "The file doesn't exist", $"content.yaml:3:9, files[0]: {_site.FileFor("b")}")));
        Assert.That(folder.What, Is.EqualTo("A folder has no SHA-256"));
    }

    [Test]
    public async Task The_SBOM_and_the_provenance_say_what_is_in_it()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        var image = await _site.PushAsync(registry.Host, "team/app:1", [Arch.Amd64], ["a"]);
        await File.WriteAllTextAsync(_site.FileFor("a"), "x", Cancellation);

        var manifest = (await _site.BuildAsync($"{ContentSite.Plain(registry.Host)}images: ['{image}']\nfiles: [a]\n")).Manifest;

        var digest = manifest.Images[0].Platforms[0].Digest;
        var sbom = await File.ReadAllTextAsync(_site.FileFor("out/content.sbom.spdx.json"), Cancellation);
        var provenance = Statement.Parse(await File.ReadAllBytesAsync(_site.FileFor("out/content.provenance.json"), Cancellation));
        Assert.That(sbom, Does.Contain($"pkg:oci/app@{Uri.EscapeDataString(digest)}?arch=amd64&repository_url={registry.Host}/team/app&tag=1").And.Contain("files/a"));
        Assert.That(provenance.Subject.Select(subject => subject.Name), Is.EqualTo(manifest.Parts.Select(part => part.File)));
        Assert.That(provenance.Predicate.BuildDefinition.ResolvedDependencies.Select(one => one.Name), Is.EqualTo(new[] { image, "files/a", "crust" }));
    }

    private async Task LogInAsync(LocalRegistry registry, string file, string login)
    {
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes(login));
        await File.WriteAllTextAsync(_site.FileFor(file), $"{{\"auths\":{{\"{registry.Host}\":{{\"auth\":\"{token}\"}}}}}}", Cancellation);
    }

    // An authority, and the registry's certificate by it.
    private async Task<string> MakeCertificateAsync()
    {
        var trusted = Directory.CreateDirectory(_site.FileFor("trusted")).FullName;
        var (ca, key, own) = (Path.Combine(trusted, "ca.crt"), _site.FileFor("authority.pem"), _site.FileFor("own"));
        await SampleImages.RunAsync("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=test authority", "-keyout", key, "-out", ca);
        await SampleImages.RunAsync("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", own + ".key", "-out", own + ".csr");
        await File.WriteAllTextAsync(own + ".ext", "subjectAltName=IP:127.0.0.1\n", Cancellation);
        await SampleImages.RunAsync("openssl", "x509", "-req", "-in", own + ".csr", "-CA", ca, "-CAkey", key, "-CAcreateserial", "-days", "2", "-extfile", own + ".ext", "-out", own + ".crt");
        return own;
    }
}
