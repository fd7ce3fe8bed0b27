using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Tests.Formats;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Registries.Sharing;

/// <summary>Caches in registries that refuse, fail, lie, wait or aren't there, and machines without room: the build goes on, with one warning.</summary>
[CancelAfter(300_000)]
public sealed class SharedDiskFaultTests
{
    private const string Type = "application/vnd.oci.image.manifest.v1+json";

    private LocalRegistry _registry = null!;
    private RegistryFront _front = null!;
    private SharedHome _first = null!;
    private SharedHome _second = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public async Task StartAsync()
    {
        _registry = await LocalRegistry.StartAsync(Cancellation);
        _front = new RegistryFront(_registry);
        (_first, _second) = (new SharedHome($"{_front.Host}/edge/cache", seed: 1), new SharedHome($"{_front.Host}/edge/cache", seed: 2));
        await _first.BuildAsync();
        _front.Forget();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _first.Dispose();
        _second.Dispose();
        _front.Dispose();
        await _registry.DisposeAsync();
    }

    [TestCase(401, "UNAUTHORIZED", "authentication required", "wants a login")]
    [TestCase(403, "DENIED", "requested access to the resource is denied", "doesn't allow this to your login")]
    [TestCase(500, "", "", "failed")]
    public async Task A_registry_that_refuses_to_say_what_it_has_is_told_once_and_not_asked_again(int status, string code, string message, string what)
    {
        _front.Do = (_, path) => path.Contains("/manifests/") ? new Fault { Status = status, Body = code.Length == 0 ? "" : $$$"""{"errors":[{"code":"{{{code}}}","message":"{{{message}}}"}]}""" } : null;

        await CheckInstalledAsync(what);

        Assert.That(_front.Writes, Is.Empty);
        Assert.That(_second.Said, Is.EqualTo(new[] { "not used" }));
    }

    [TestCase(401, "wants a login")]
    [TestCase(403, "doesn't allow this to your login")]
    [TestCase(404, "doesn't have")]
    [TestCase(502, "failed")]
    public async Task A_registry_that_refuses_to_give_the_disk_is_told_once(int status, string what)
    {
        _front.Do = (_, path) => path.Contains("/blobs/") ? new Fault { Status = status } : null;

        await CheckInstalledAsync(what);

        Assert.That(_front.Writes, Is.Empty);
    }

    [Test]
    public async Task A_registry_that_is_down_is_told_once()
    {
        await _registry.DisposeAsync();
        _second.Spec = _second.Spec with { Cache = $"{_registry.Host}/edge/cache", Publish = _second.Spec.Publish with { Retries = 9 } };

        await CheckInstalledAsync("can't be reached");

        Assert.That(_second.Events.Events.OfType<BuildEvent.Progressed>().Count(progressed => progressed.Detail.Contains("trying again")), Is.EqualTo(2), "not nine times");
    }

    [TestCase("/manifests/")]
    [TestCase("/blobs/")]
    public async Task A_registry_that_never_answers_is_waited_for_no_longer_than_was_said(string request)
    {
        _second.Spec = _second.Spec with { Publish = _second.Spec.Publish with { Stall = TimeSpan.FromSeconds(1) } };
        _front.Do = (_, path) => path.Contains(request) ? new Fault { Silent = true } : null;

        await CheckInstalledAsync("took nothing and gave nothing for 1s");
    }

    [Test]
    public async Task A_wrong_login_is_told_without_it()
    {
        await using var registry = await LocalRegistry.StartAsync(wantsLogin: true, null, Cancellation);
        var auth = Path.Combine(registry.Folder, "auth.json");
        await WriteLoginAsync(auth, registry, "edge:wrong-secret-3");
        _second.Spec = _second.Spec with { Cache = $"{registry.Host}/edge/cache", Publish = _second.Spec.Publish with { AuthFile = auth } };

        await CheckInstalledAsync("wants a login, and none of yours is right");

        Assert.That(_second.Warnings[0], Does.Contain($"to do: log in: skopeo login {registry.Host}").And.Not.Contain("wrong-secret-3"));
    }

    [Test]
    public async Task The_usual_login_reaches_a_registry_that_wants_one()
    {
        await using var registry = await LocalRegistry.StartAsync(wantsLogin: true, null, Cancellation);
        var auth = Path.Combine(registry.Folder, "auth.json");
        await WriteLoginAsync(auth, registry, LocalRegistry.Login);
        using var one = new SharedHome($"{registry.Host}/edge/cache", seed: 1);
        one.Spec = _second.Spec = one.Spec with { Publish = one.Spec.Publish with { AuthFile = auth } };

        await one.BuildAsync();
        await _second.BuildAsync();

        Assert.That((one.Installs, _second.Installs), Is.EqualTo((1, 0)));
    }

    [TestCase("/blobs/")]
    [TestCase("/manifests/sha256:")]
    public async Task Bytes_that_are_not_what_their_digest_says_are_refused_and_replaced(string request)
    {
        var isChanged = true;
        _front.Do = (method, path) => method == "GET" && path.Contains(request) && isChanged ? new Fault { Change = bytes => [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] } : null;

        await _second.BuildAsync(beforePush: () =>
        {
            isChanged = false;
            return Task.CompletedTask;
        });

        Assert.That(_second.Installs, Is.EqualTo(1));
        Assert.That(_second.Warnings.Single(), Does.Contain(" is refused: ").And.Contain("gives other bytes than their digest says"));
        Assert.That(_second.Said[^1], Does.StartWith("pushed sha256:"));
        using var third = new SharedHome($"{_front.Host}/edge/cache", seed: 3);
        Assert.That((await third.BuildAsync()).Install.Seconds, Is.EqualTo(2));
    }

    [TestCase("vnd.crust.build-key", "is the disk of another build")]
    [TestCase("application/vnd.crust.disk.v1\"", "isn't an installed disk")]
    [TestCase("application/vnd.crust.disk.v1+zstd", "hasn't the two layers")]
    public async Task An_artifact_that_is_not_this_builds_disk_is_refused_before_it_is_pulled(string part, string why)
    {
        await ForgeAsync(manifest => manifest.Replace(part, part.Replace("crust", "other")));

        await _second.BuildAsync(beforePush: () =>
        {
            Assert.That(_front.Requests, Has.None.Contains("/blobs/"));
            return Task.CompletedTask;
        });

        Assert.That(_second.Installs, Is.EqualTo(1));
        Assert.That(_second.Warnings.Single(), Does.Contain(why));
    }

    [Test]
    public async Task A_push_that_fails_is_a_warning()
    {
        using var other = new SharedHome($"{_front.Host}/other/cache", seed: 1);
        _front.Do = (method, _) => method is "PATCH" or "PUT" ? new Fault { Status = 500 } : null;

        var disk = await other.BuildAsync();

        Assert.That(File.Exists(disk.Path), Is.True);
        Assert.That(other.Warnings.Single(), Does.Contain($"The registry {_front.Host} failed"));
        Assert.That(other.Said, Is.EqualTo(new[] { "it isn't there", "not pushed" }));
    }

    [Test]
    public async Task A_pull_that_there_is_no_room_for_does_not_begin()
    {
        await ForgeAsync(manifest => Regex.Replace(manifest, "\"vnd.crust.disk-data\":\"[0-9]+\"", $"\"vnd.crust.disk-data\":\"{1L << 60}\""));

        await CheckInstalledAsync("There is too little space for the disk in the cache: about 1048576.0 TiB are needed, ");

        Assert.That(_front.Requests, Has.None.Contains("/blobs/"));
    }

    [Test]
    public async Task A_file_system_that_becomes_full_on_the_way_is_told_with_what_is_missing_and_nothing_is_left()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("mounting a file system takes root");
        }

        // Room for what is pulled, not for what it unpacks to; and it says that it is less.
        await ForgeAsync(manifest => Regex.Replace(manifest, "\"vnd.crust.disk-data\":\"[0-9]+\"", "\"vnd.crust.disk-data\":\"4096\""));
        var small = Directory.CreateDirectory(Path.Combine(_registry.Folder, "small")).FullName;
        await SampleImages.RunAsync("mount", "-t", "tmpfs", "-o", "size=7M", "crust-test", small);
        try
        {
            _second.Cache = small;
            _second.OnInstall = () => Task.FromException(new CrustException(FailureKind.HostLacks, "no room to install either", small, "-"));

            var error = (await Assert.CatchAsync<CrustException>(() => _second.BuildAsync()))!;

            Assert.That(error.What, Is.EqualTo("no room to install either"));
            Assert.That(_second.Warnings.Single(), Does.Contain("The disk in the cache couldn't be pulled: no space is left, and about ").And.Contain(" more are needed; to do: free space, for instance with 'crust clean'"));
            Assert.That(_second.Files, Is.EqualTo(new[] { "disks" }));
        }
        finally
        {
            await SampleImages.RunAsync("umount", "-l", small);
        }
    }

    [TestCase("/manifests/")]
    [TestCase("/blobs/")]
    public async Task A_cancelled_pull_leaves_nothing(string request)
    {
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        _front.Do = (method, path) => method == "GET" && path.Contains(request) ? new Fault { Before = cancelled.CancelAsync, Silent = false } : null;

        await Assert.CatchAsync<OperationCanceledException>(() => _second.BuildAsync(cancelled.Token));

        Assert.That((_second.Installs, string.Join(", ", _second.Files), _second.Warnings.Count), Is.EqualTo((0, "disks", 0)));
    }

    [Test]
    public async Task Without_skopeo_the_cache_is_not_asked()
    {
        _second.Tools = new ToolBox([], Logger.None);

        await _second.BuildAsync();

        Assert.That((_second.Installs, _front.Requests.Count, _second.Warnings.Count), Is.EqualTo((1, 0, 0)), "the host's checks have told of it");
    }

    private static Task WriteLoginAsync(string file, LocalRegistry registry, string login) =>
        File.WriteAllTextAsync(file, "{\"auths\":{\"" + registry.Host + "\":{\"auth\":\"" + Convert.ToBase64String(Encoding.UTF8.GetBytes(login)) + "\"}}}", Cancellation);

    private async Task CheckInstalledAsync(string what)
    {
        var disk = await _second.BuildAsync();

        Assert.That((_second.Installs, disk.FromCache, disk.From), Is.EqualTo((1, false, (string?)null)));
        Assert.That(_second.Warnings, Has.Count.EqualTo(1));
        Assert.That(_second.Warnings[0], Does.StartWith($"The cache oci://{_second.Spec.Cache} isn't used, and the build goes on without it: ").And.Contain(what).And.Contain("; to do: "));
    }

    // What somebody else might put under the disk's tag.
    private async Task ForgeAsync(Func<string, string> change)
    {
        using var client = new HttpClient();
        var name = $"http://{_registry.Host}/v2/edge/cache/manifests/{Crust.Registries.PublishedKey.TagOfDisk(SharedHome.Key)}";
        using var asked = new HttpRequestMessage(HttpMethod.Get, name);
        asked.Headers.Accept.ParseAdd(Type);
        using var answer = await client.SendAsync(asked, Cancellation);
        var manifest = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.That(change(manifest), Is.Not.EqualTo(manifest));
        using var put = await client.PutAsync(name, new StringContent(change(manifest), new MediaTypeHeaderValue(Type)), Cancellation);
        put.EnsureSuccessStatusCode();
        _front.Forget();
    }
}
