using System.Text;
using Crust.Spec;
using Crust.Tests.Formats;
using Crust.Tools;
using Serilog;

namespace Crust.Tests.Registries;

/// <summary>Registries that refuse, fail, lie, wait or aren't there.</summary>
[CancelAfter(300_000)]
public sealed class RegistryFaultTests
{
    private const string Denied = """{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}""";

    private LocalRegistry _registry = null!;
    private RegistryFront _front = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public async Task StartAsync()
    {
        _registry = await LocalRegistry.StartAsync(Cancellation);
        _front = new RegistryFront(_registry);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _front.Dispose();
        await _registry.DisposeAsync();
    }

    [Test]
    public async Task A_registry_that_is_down_is_tried_again_and_then_told()
    {
        await _registry.DisposeAsync();
        using var sample = await PublishSample.MakeAsync(_registry.Host, Arch.Amd64, "qcow2");

        var error = await sample.FailAsync(sample.With(p => p with { Retries = 2 }));

        Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
        Assert.That(error.What, Does.StartWith($"The registry {_registry.Host} can't be reached, or broke the connection off: ").And.Contain("connection refused"));
        Assert.That(Warnings(sample), Has.Count.EqualTo(2).And.All.EndsWith("of 2)"));
    }

    [Test]
    public async Task A_push_that_broke_off_goes_on_with_the_blobs_that_are_missing()
    {
        using var sample = await PublishSample.MakeAsync(_front.Host, Arch.Amd64, "img.zst");
        _front.Do = (method, path) => method == "PUT" && path.Contains("/manifests/") ? new Fault { Status = 500 } : null;
        var error = await sample.FailAsync();
        Assert.That(error.What, Does.StartWith($"The registry {_front.Host} failed: "));
        Assert.That(_front.Writes.Count(write => write.StartsWith("PUT") && write.Contains("/blobs/uploads/")), Is.EqualTo(3), "disk, block map and config");
        _front.Do = (_, _) => null;
        _front.Forget();

        await sample.PublishAsync(sample.Spec);

        Assert.That(_front.Requests.Count(request => request.StartsWith("HEAD") && request.Contains("/blobs/")), Is.GreaterThanOrEqualTo(3));
        // Those of the attachments: manifest.json and SHA256SUMS.
        Assert.That(_front.Writes.Count(write => write.StartsWith("PUT") && write.Contains("/blobs/uploads/")), Is.EqualTo(2));
    }

    [TestCase(500)]
    [TestCase(502)]
    [TestCase(503)]
    public async Task A_registry_that_fails_in_the_middle_of_an_upload_is_tried_again(int status)
    {
        using var sample = await PublishSample.MakeAsync(_front.Host, Arch.Amd64, "img");
        var left = 2;
        _front.Do = (method, _) => method == "PATCH" && Interlocked.Decrement(ref left) >= 0 ? new Fault { Status = status, After = 1 << 20 } : null;

        var published = await sample.PublishAsync(sample.With(p => p with { Retries = 3 }));

        Assert.That(Warnings(sample), Is.Not.Empty.And.All.Contain("trying again in "));
        await SampleImages.RunAsync("cmp", (await sample.PullAsync($"{published.Images[0].Target.Image}"))["edge.img"], sample.Shelf.ImagePath("edge.img"));
    }

    [Test]
    public async Task A_connection_that_breaks_off_in_the_middle_of_an_upload_is_tried_again()
    {
        using var relay = new CuttingRelay(_registry, after: 3 << 20, times: 1);
        using var sample = await PublishSample.MakeAsync(relay.Host, Arch.Amd64, "img");

        await sample.PublishAsync(sample.With(p => p with { Retries = 3 }));

        Assert.That(Warnings(sample), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_registry_that_always_fails_is_told_and_what_was_pushed_stays()
    {
        using var sample = await PublishSample.MakeAsync(_front.Host, Arch.Amd64, "img");
        _front.Do = (method, _) => method == "PATCH" ? new Fault { Status = 500, After = 1 << 20 } : null;

        var error = await sample.FailAsync(sample.With(p => p with { Retries = 2 }));

        Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
        Assert.That(error.Remedy, Does.Contain("what was pushed so far stays there"));
        Assert.That(Warnings(sample), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_registry_that_is_busy_is_given_the_time_that_it_asks_for()
    {
        using var sample = await PublishSample.MakeAsync(_front.Host, Arch.Amd64, "qcow2");
        var reads = 1;
        var writes = 1;
        _front.Do = (method, path) =>
            method == "GET" && path == "/v2/" && Interlocked.Decrement(ref reads) >= 0 ? new Fault { Status = 429, RetryAfter = 1 }
            : method == "PUT" && path.Contains("/manifests/") && Interlocked.Decrement(ref writes) >= 0 ? new Fault { Status = 429, RetryAfter = 1 }
            : null;

        var published = await sample.PublishAsync(sample.With(p => p with { Retries = 3 }));

        Assert.That(published.Images[0].Pushed, Is.True);
        Assert.That(Warnings(sample), Has.Some.Contain("has had too many requests").And.Some.Contain("429"));
    }

    [Test]
    public async Task A_push_that_the_login_does_not_allow_is_told_at_once()
    {
        using var sample = await PublishSample.MakeAsync(_front.Host, Arch.Amd64, "qcow2");
        _front.Do = (method, _) => method == "POST" ? new Fault { Status = 403, Body = Denied } : null;

        var error = await sample.FailAsync(sample.With(p => p with { Retries = 3 }));

        Assert.That((error.Kind, error.Remedy), Is.EqualTo((FailureKind.InputOutput, $"log in with an account that may push to {_front.Host}/edge/images: skopeo login {_front.Host}")));
        Assert.That(error.What, Does.StartWith($"The registry {_front.Host} doesn't allow this to your login: "));
        Assert.That(Warnings(sample), Is.Empty);
    }

    [Test]
    public async Task Without_a_login_or_with_a_wrong_one_the_user_is_told_to_log_in()
    {
        await using var registry = await LocalRegistry.StartAsync(wantsLogin: true, null, Cancellation);
        using var sample = await PublishSample.MakeAsync(registry.Host, Arch.Amd64, "qcow2");

        var none = await sample.FailAsync(sample.With(p => p with { AuthFile = AuthFile(sample, "other.example.com", "a:b"), Retries = 3 }));
        var wrong = await sample.FailAsync(sample.With(p => p with { AuthFile = AuthFile(sample, registry.Host, "edge:wrong-secret"), Retries = 3 }));

        foreach (var error in new[] { none, wrong })
        {
            Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
            Assert.That(error.What, Does.StartWith($"The registry {registry.Host} wants a login, and none of yours is right: "));
            Assert.That(error.Remedy, Does.StartWith($"log in: skopeo login {registry.Host}"));
        }

        Assert.That(Warnings(sample), Is.Empty);
    }

    [Test]
    public async Task A_login_is_taken_from_the_auth_file_and_stands_in_no_argument_and_no_log()
    {
        await using var registry = await LocalRegistry.StartAsync(wantsLogin: true, null, Cancellation);
        using var sample = await PublishSample.MakeAsync(registry.Host, Arch.Amd64, "qcow2", "kubevirt");
        var auth = AuthFile(sample, registry.Host, LocalRegistry.Login);
        var path = sample.FileFor("log");
        using (var log = new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.File(path).CreateLogger())
        {
            sample.Tools = new ToolBox(["/usr/bin", "/usr/sbin", "/bin", "/sbin"], log);
            var published = await sample.PublishAsync(sample.With(p => p with { AuthFile = auth }));
            Assert.That(published.Images, Has.Length.EqualTo(2));
            Assert.That(published.ToJson(), Does.Not.Contain("secret"));
        }

        var logged = await File.ReadAllTextAsync(path, Cancellation);
        Assert.That(logged, Does.Contain("skopeo").And.Contain($"--authfile {auth}"));
        Assert.That(logged, Does.Not.Contain("secret").And.Not.Contain(Convert.ToBase64String(Encoding.UTF8.GetBytes(LocalRegistry.Login))));
    }

    [Test]
    public async Task A_registry_with_an_authority_of_its_own_is_trusted_once_its_certificate_is_given()
    {
        var certificate = await MakeCertificateAsync(_registry.Folder);
        await using var registry = await LocalRegistry.StartAsync(wantsLogin: false, certificate, Cancellation);
        using var sample = await PublishSample.MakeAsync(registry.Host, Arch.Amd64, "qcow2");

        var error = await sample.FailAsync(sample.With(p => p with { Tls = true, Retries = 3 }));
        var published = await sample.PublishAsync(sample.With(p => p with { Tls = true, CertDir = Path.Combine(_registry.Folder, "trusted") }));

        Assert.That(error.What, Does.StartWith($"The certificate of the registry {registry.Host} isn't trusted: "));
        Assert.That(error.Remedy, Does.EndWith("name the folder in publish.certDir"));
        Assert.That(published.Images[0].Pushed, Is.True);
        Assert.That((await sample.PublishAsync()).Images[0].Pushed, Is.False, "with any certificate, too");
    }

    [Test]
    public async Task A_registry_that_speaks_plain_HTTP_is_told()
    {
        using var sample = await PublishSample.MakeAsync(_registry.Host, Arch.Amd64, "qcow2");

        var error = await sample.FailAsync(sample.With(p => p with { Tls = true }));

        Assert.That((error.Where, error.Remedy), Is.EqualTo(($"{_registry.Host}/edge/images:1.0-qcow2", "if that is as it should be, set publish.tls to false")));
    }

    [Test]
    public async Task What_the_registry_gives_back_otherwise_than_it_was_pushed_is_refused()
    {
        using var sample = await PublishSample.MakeAsync(_front.Host, Arch.Amd64, "qcow2");
        _front.Do = (method, path) => method == "GET" && path.EndsWith("-amd64", StringComparison.Ordinal) ? new Fault { Change = body => [.. body, (byte)'\n'] } : null;

        var error = await sample.FailAsync(sample.With(p => p with { Retries = 3 }));

        Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
        Assert.That(error.What, Does.Match($"^The registry {_front.Host} reports sha256:[0-9a-f]{{64}} for what was pushed as sha256:[0-9a-f]{{64}}$"));
        Assert.That(_front.Writes, Has.None.Contain("/manifests/key-").And.None.EndsWith("/manifests/1.0-qcow2"), "what isn't right isn't named");
    }

    [Test]
    public async Task A_registry_that_never_answers_is_given_up()
    {
        using var sample = await PublishSample.MakeAsync(_front.Host, Arch.Amd64, "qcow2");
        _front.Do = (method, _) => method == "PATCH" ? new Fault { Silent = true } : null;

        var error = await sample.FailAsync(sample.With(p => p with { Stall = TimeSpan.FromSeconds(2), Retries = 1 }));

        Assert.That(error.What, Is.EqualTo($"The registry {_front.Host} took nothing and gave nothing for 2s"));
        Assert.That(Warnings(sample), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_registry_that_is_slow_but_goes_on_is_waited_for()
    {
        using var sample = await PublishSample.MakeAsync(_front.Host, Arch.Amd64, "img");
        // 20 MiB in pieces of 64 KiB: in all more than the limit, each much less.
        _front.Do = (method, _) => method == "PATCH" ? new Fault { Pace = TimeSpan.FromMilliseconds(25) } : null;

        var published = await sample.PublishAsync(sample.With(p => p with { Stall = TimeSpan.FromSeconds(4) }));

        Assert.That(published.Images[0].Pushed, Is.True);
    }

    private static IReadOnlyList<string> Warnings(PublishSample sample) =>
        [.. sample.Events.Events.OfType<BuildEvent.Warned>().Select(warning => warning.Message).Where(message => message.Contains("trying again"))];

    private static string AuthFile(PublishSample sample, string host, string login)
    {
        var path = sample.FileFor($"auth-{Guid.NewGuid():N}.json");
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes(login));
        File.WriteAllText(path, $"{{\"auths\":{{\"{host}\":{{\"auth\":\"{token}\"}}}}}}");
        return path;
    }

    /// <summary>Makes an authority, whose certificate is in the folder `trusted`, and a registry's certificate by it: the start of its files' names.</summary>
    internal static async Task<string> MakeCertificateAsync(string folder)
    {
        var trusted = Directory.CreateDirectory(Path.Combine(folder, "trusted")).FullName;
        var (ca, key, own) = (Path.Combine(trusted, "ca.crt"), Path.Combine(folder, "authority.pem"), Path.Combine(folder, "own"));
        await SampleImages.RunAsync("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-keyout", key, "-out", ca);
        await SampleImages.RunAsync("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", own + ".key", "-out", own + ".csr");
        await File.WriteAllTextAsync(own + ".ext", "subjectAltName=IP:127.0.0.1\n", Cancellation);
        await SampleImages.RunAsync("openssl", "x509", "-req", "-in", own + ".csr", "-CA", ca, "-CAkey", key, "-CAcreateserial", "-days", "2", "-extfile", own + ".ext", "-out", own + ".crt");
        return own;
    }
}
