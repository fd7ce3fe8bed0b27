using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Downloads;
using Crust.Installers;
using Crust.Isos;
using Crust.Spec;
using Crust.Tests.Formats;
using Crust.Tools;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Crust.Tests.Installers;

/// <summary>Redirects, proxies, logins and signed lists: what servers, networks and vendors do, and what they must not get or decide.</summary>
[CancelAfter(60_000)]
public sealed class DownloadSafetyTests
{
    private const string Login = "edge-user:s3cret%40pass";

    private static readonly byte[] Iso = IsoBytes.With("EDGE", 0x00, 0xef);
    private static readonly string Sum = Convert.ToHexStringLower(SHA256.HashData(Iso));
    private static readonly byte[] Sums = Encoding.UTF8.GetBytes($"{new string('0', 64)}  other.iso\n{Sum}  edge.iso\n");

    private static string _keys = "";

    private string _folder = "";
    private LoopbackServer _server = null!;
    private LoopbackServer _other = null!;
    private EventList _events = null!;
    private StringBuilder _log = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private static string Key => Path.Combine(_keys, "good.asc");

    [OneTimeSetUp]
    public static async Task MakeKeysAsync()
    {
        _keys = Directory.CreateTempSubdirectory("crust-keys-").FullName;
        await File.WriteAllBytesAsync(Path.Combine(_keys, "SHA256SUMS"), Sums);
        await File.WriteAllTextAsync(Path.Combine(_keys, "text"), "an older text of the vendor's\n");
        // A home of its own in each call: other tests set GNUPGHOME meanwhile.
        await GpgAsync("--passphrase '' --quick-gen-key good@example.org ed25519 sign never", "--passphrase '' --quick-gen-key other@example.org ed25519 sign never",
            "--passphrase '' --faked-system-time 20200101T000000 --quick-gen-key old@example.org ed25519 sign 1d",
            "-u good@example.org -o good.sig --detach-sign SHA256SUMS", "-u good@example.org --armor -o good.sig.asc --detach-sign SHA256SUMS", "-u good@example.org -o clear --clearsign SHA256SUMS",
            "-u other@example.org -o other.sig --detach-sign SHA256SUMS", "--faked-system-time 20200101T000500 -u old@example.org -o old.sig --detach-sign SHA256SUMS",
            "-u other@example.org -u good@example.org -o both.sig --detach-sign SHA256SUMS", "-u good@example.org -o text.sig --sign text",
            "--armor -o good.asc --export good@example.org", "-o good.gpg --export good@example.org", "--armor -o old.asc --export old@example.org",
            "--armor --passphrase '' --pinentry-mode loopback -o private.asc --export-secret-keys good@example.org");
        await File.WriteAllTextAsync(Path.Combine(_keys, "all.asc"), string.Concat(new[] { "old.asc", "good.asc" }.Select(name => File.ReadAllText(Path.Combine(_keys, name)))));
    }

    [OneTimeTearDown]
    public static void RemoveKeys() => Directory.Delete(_keys, recursive: true);

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;
        (_server, _other, _events, _log) = (new LoopbackServer(), new LoopbackServer(), new EventList(), new StringBuilder());
        _server.Answer = Answer;
        _other.Answer = Answer;
    }

    [TearDown]
    public void TearDown()
    {
        _server.Dispose();
        _other.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task A_redirect_is_followed_and_the_login_stays_with_its_server()
    {
        _server.Answer = request => request.Path == "/edge.iso" ? Redirect(_other.Url("there/edge.iso")) : Answer(request);

        Assert.That((await GetAsync(WithLogin(_server.Url("edge.iso")), Sum)).Sha256, Is.EqualTo(Sum));

        Assert.That(_server.Requests.Single().Header("Authorization"), Is.EqualTo("Basic " + Convert.ToBase64String("edge-user:s3cret@pass"u8)));
        Assert.That(_other.Requests.Single().Headers.Keys, Has.None.EqualTo("Authorization").IgnoreCase);
    }

    [Test]
    public async Task A_host_of_another_name_is_another_server_whatever_its_address()
    {
        _server.Answer = request => request.Path == "/edge.iso" ? Redirect(_server.Url("there/edge.iso").Replace("127.0.0.1", "localhost")) : Answer(request);

        Assert.That((await GetAsync(WithLogin(_server.Url("edge.iso")), Sum)).Sha256, Is.EqualTo(Sum));

        Assert.That(_server.Requests.Select(request => (request.Path, request.Headers.ContainsKey("Authorization"))), Is.EqualTo(new[] { ("/edge.iso", true), ("/there/edge.iso", false) }));
    }

    [Test]
    public async Task A_redirect_on_the_same_server_keeps_the_login()
    {
        _server.Answer = request => request.Path == "/edge.iso" ? Redirect("/there/edge.iso") : Answer(request);

        await GetAsync(WithLogin(_server.Url("edge.iso")), Sum);

        Assert.That(_server.Requests.Select(request => request.Path), Is.EqualTo(new[] { "/edge.iso", "/there/edge.iso" }));
        Assert.That(_server.Requests[1].Header("Authorization"), Is.Not.Null);
    }

    [TestCase("file:///etc/passwd", "The server redirects to a URL of the scheme 'file', and Crust fetches by http and https only")]
    [TestCase("ftp://example.org/edge.iso", "The server redirects to a URL of the scheme 'ftp', and Crust fetches by http and https only")]
    [TestCase("data:text/plain,x", "The server redirects to a URL of the scheme 'data', and Crust fetches by http and https only")]
    [TestCase("", "The server redirects to nowhere")]
    [TestCase("http://", "The server redirects to nowhere")]
    public async Task A_redirect_to_what_is_no_web_server_is_an_error(string to, string what)
    {
        _server.Answer = _ => Redirect(to);

        var error = await FailureAsync(_server.Url("edge.iso"), Sum);

        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.InputOutput, what, _server.Url("edge.iso"))));
    }

    [Test]
    public async Task A_redirect_without_an_end_is_an_error()
    {
        _server.Answer = request => Redirect(request.Path + "x");

        var error = await FailureAsync(_server.Url("edge.iso"), Sum);

        Assert.That(error.What, Does.StartWith("The server redirects again and again"));
        Assert.That(_server.Requests, Has.Count.EqualTo(11));
    }

    [Test]
    public void A_redirect_from_https_to_http_is_an_error()
    {
        using var response = new HttpResponseMessage(System.Net.HttpStatusCode.Found);
        response.Headers.TryAddWithoutValidation("Location", "http://user:pw@example.org/edge.iso?token=1");

        var error = Assert.Throws<CrustException>(() => Redirects.TargetOf(response, new Uri("https://a.example.org/b"), new Uri("https://a.example.org/a")))!;

        Assert.That(error.What, Does.StartWith("The server redirects from https to http").And.EndWith(": http://example.org/edge.iso?…"));
    }

    [Test]
    public async Task A_dead_proxy_is_told_as_such_and_its_login_is_not_told()
    {
        var error = await FailureAsync(_server.Url("edge.iso"), Sum, ("http_proxy", $"http://{Login}@127.0.0.1:1"));

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.InputOutput, "The download failed: the proxy http://127.0.0.1:1 (http_proxy) can't be reached: Connection refused")));
        Assert.That(error.Remedy, Does.StartWith("check http_proxy").And.Contain("no_proxy"));
        Assert.That(error.ToString() + _log + string.Join("\n", _events.Events), Does.Not.Contain("s3cret").And.Not.Contain("edge-user"));
    }

    [Test]
    public async Task A_dead_proxy_of_https_is_told_as_such()
    {
        var error = await FailureAsync("https://example.org/edge.iso", Sum, ("HTTPS_PROXY", "127.0.0.1:1"));

        Assert.That(error.What, Is.EqualTo("The download failed: the proxy http://127.0.0.1:1 (HTTPS_PROXY) can't be reached: Connection refused"));
    }

    [TestCase("http://example.org/edge.iso", "http_proxy", "", "wants a login (407")]
    [TestCase("https://example.org/edge.iso", "https_proxy", "", "wants a login (407")]
    [TestCase("http://example.org/edge.iso", "http_proxy", Login + "@", "refuses the login that it is given (407")]
    public async Task A_proxy_that_wants_a_login_is_told_with_what_to_do(string url, string variable, string login, string what)
    {
        _server.Answer = _ => new WebAnswer("407 Proxy Authentication Required", []) { Headers = new Dictionary<string, string> { ["Proxy-Authenticate"] = "Basic realm=\"x\"" } };
        var proxy = new Uri(_server.Url(""));

        var error = await FailureAsync(url, Sum, (variable, $"http://{login}{proxy.Authority}"));

        Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
        Assert.That(error.What, Does.StartWith($"The proxy http://{proxy.Authority} ({variable}) {what}"));
        Assert.That(error.Remedy, Does.StartWith($"set {variable} to http://USER:PASSWORD@{proxy.Authority}"));
        Assert.That(error.ToString() + _log, Does.Not.Contain("s3cret"));
    }

    [Test]
    public async Task A_proxy_s_login_is_sent_to_it()
    {
        _server.Answer = request => request.Header("Proxy-Authorization") is null
            ? new WebAnswer("407 Proxy Authentication Required", []) { Headers = new Dictionary<string, string> { ["Proxy-Authenticate"] = "Basic realm=\"x\"" } }
            : Answer(request);

        await GetAsync("http://example.org/edge.iso", Sum, ("http_proxy", $"http://{Login}@{new Uri(_server.Url("")).Authority}"));

        Assert.That(_server.Requests[^1].Header("Proxy-Authorization"), Is.EqualTo("Basic " + Convert.ToBase64String("edge-user:s3cret@pass"u8)));
    }

    [TestCase("http://user:s3cret@")]
    [TestCase("gopher://user:s3cret@example.org")]
    public async Task A_variable_that_names_no_proxy_is_told_without_its_value(string value)
    {
        var error = await FailureAsync(_server.Url("edge.iso"), Sum, ("http_proxy", value));

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "environment variable http_proxy")));
        Assert.That(error.ToString(), Does.Not.Contain("s3cret"));
    }

    [TestCase("*", "http://a.example.org/", true)]
    [TestCase("example.com, *", "http://a.example.org/", true)]
    [TestCase("example.org", "http://example.org/", true)]
    [TestCase("example.org", "http://a.example.org/", true)]
    [TestCase("example.org", "http://notexample.org/", false)]
    [TestCase(".example.org", "http://a.example.org/", true)]
    [TestCase(".example.org", "http://example.org/", true)]
    [TestCase("*.example.org", "http://a.b.example.org/", true)]
    [TestCase("EXAMPLE.org.", "http://a.Example.ORG/", true)]
    [TestCase("example.org:8080", "http://example.org:8080/", true)]
    [TestCase("example.org:8080", "http://example.org/", false)]
    [TestCase("10.0.0.0/8", "http://10.1.2.3/", true)]
    [TestCase("10.1.2.3/8", "http://10.200.2.3/", true)]
    [TestCase("10.0.0.0/8", "http://11.1.2.3/", false)]
    [TestCase("10.0.0.0/8", "http://10.example.org/", false)]
    [TestCase("a b,192.168.7.7", "http://192.168.7.7:99/", true)]
    [TestCase("192.168.7.7:80", "http://192.168.7.7:99/", false)]
    [TestCase("fd00::/8", "http://[fd12::1]/", true)]
    [TestCase("fd00::/8", "http://[fe80::1]/", false)]
    [TestCase("::1", "http://[::1]:8080/", true)]
    [TestCase("[::1]:8080", "http://[::1]:8080/", true)]
    [TestCase("[::1]:80", "http://[::1]:8080/", false)]
    [TestCase("10.0.0.0/8", "http://[::ffff:10.1.1.1]/", true)]
    [TestCase("10.0.0.0/99,/,:,example.org:port,[", "http://example.org/", false)]
    [TestCase("", "http://127.0.0.1/", false)]
    public void No_proxy_names_servers_as_for_curl_and_Go(string noProxy, string url, bool isWithout)
    {
        var settings = Proxies(("http_proxy", "http://proxy:3128"), ("NO_PROXY", noProxy));

        Assert.That(settings.For(new Uri(url)) is null, Is.EqualTo(isWithout));
    }

    [Test]
    public void Each_scheme_has_its_proxy_and_small_letters_count_first()
    {
        var settings = Proxies(("http_proxy", "a:1"), ("HTTP_PROXY", "b:1"), ("ALL_PROXY", "socks5h://c:1"));

        Assert.That((settings.For(new Uri("http://x/"))!.ToString(), settings.For(new Uri("https://x/"))!.ToString()), Is.EqualTo(("http://a:1 (http_proxy)", "socks5://c:1 (ALL_PROXY)")));
        Assert.That(Proxies(("HTTP_PROXY", "b:1"), ("GATEWAY_INTERFACE", "CGI/1.1")).For(new Uri("http://x/")), Is.Null, "there, a request's header sets it");
    }

    [Test]
    public async Task A_login_in_a_URL_is_in_no_message_no_log_and_no_fact()
    {
        _server.Answer = request => request.Path.StartsWith("/edge") ? Answer(request) : new WebAnswer("503 Service Unavailable", []);
        var installer = await GetAsync(WithLogin(_server.Url("edge.iso?X-Signature=s3cretsig")), Sum);
        var error = await FailureAsync(WithLogin(_server.Url("none.iso?X-Signature=s3cretsig")), Sum);

        Assert.That(installer + error.ToString() + _log + string.Join("\n", _events.Events), Does.Not.Contain("s3cret").And.Not.Contain("edge-user"));
    }

    [TestCase("good.sig", "good.asc")]
    [TestCase("good.sig.asc", "good.gpg")]
    [TestCase("both.sig", "good.asc")]
    [TestCase("good.sig", "all.asc")]
    [TestCase("clear", "good.asc")]
    public async Task A_list_that_is_signed_by_the_key_is_believed(string signature, string keys)
    {
        Assert.That((await GetAsync(_server.Url("edge.iso"), _server.Url("SHA256SUMS"), _server.Url(signature), Path.Combine(_keys, keys))).Sha256, Is.EqualTo(Sum));
        Assert.That(_events.Events.OfType<BuildEvent.Warned>(), Is.Empty);
    }

    [Test]
    public async Task A_list_that_is_signed_in_the_clear_needs_no_second_file()
    {
        Assert.That((await GetAsync(_server.Url("edge.iso"), _server.Url("clear"), null, Key)).Sha256, Is.EqualTo(Sum));
        Assert.That((await GetAsync(_server.Url("edge.iso"), Path.Combine(_keys, "clear"), null, Key)).Sha256, Is.EqualTo(Sum));
    }

    [TestCase("other.sig", "good.asc", "which isn't among those of installer.key")]
    [TestCase("old.sig", "old.asc", "The key that signed the list of checksums has expired")]
    [TestCase("text.sig", "good.asc", "The signature of the list of checksums can't be checked")]
    [TestCase("text", "good.asc", "is no OpenPGP signature")]
    [TestCase("good.sig", "private.asc", "The file of keys holds a private key")]
    [TestCase("good.sig", "SHA256SUMS", "There is no GPG public key in the file of keys")]
    [TestCase(null, "good.asc", "The list of checksums isn't signed")]
    public async Task A_list_that_is_not_signed_by_the_key_is_refused(string? signature, string keys, string what)
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => GetAsync(_server.Url("edge.iso"), _server.Url("SHA256SUMS"), signature is null ? null : _server.Url(signature), Path.Combine(_keys, keys))))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, error.What)));
        Assert.That(error.What, Does.Contain(what));
        Assert.That(_server.Requests.Select(request => request.Path), Has.None.EqualTo("/edge.iso"));
    }

    [Test]
    public async Task A_list_that_was_changed_after_it_was_signed_is_refused()
    {
        _server.Answer = request => request.Path == "/SHA256SUMS" ? new WebAnswer("200 OK", [.. Sums, .. "\n"u8]) : Answer(request);

        var error = (await Assert.ThrowsAsync<CrustException>(() => GetAsync(_server.Url("edge.iso"), _server.Url("SHA256SUMS"), _server.Url("good.sig"), Key)))!;

        Assert.That(error.What, Is.EqualTo("The signature of the list of checksums is wrong: the list of checksums was changed after it was signed"));
        Assert.That(error.Where, Is.EqualTo($"installer.sha256Signature: {_server.Url("good.sig")}"));
    }

    [Test]
    public async Task Sums_around_the_signed_part_do_not_count()
    {
        var clear = await File.ReadAllTextAsync(Path.Combine(_keys, "clear"), Cancellation);
        _server.Answer = request => request.Path == "/clear" ? WebAnswer.Text($"{Sum}  new.iso\n{clear}{Sum}  new.iso\n") : Answer(request);

        var error = (await Assert.ThrowsAsync<CrustException>(() => GetAsync(_server.Url("new.iso"), _server.Url("clear"), null, Key)))!;

        Assert.That(error.What, Does.Contain("has no SHA-256 of new.iso"));
    }

    [Test]
    public async Task A_list_by_plain_HTTP_is_refused_unless_it_is_signed_or_anything_may_come()
    {
        var error = await FailureAsync("http://192.0.2.1/edge.iso", "http://192.0.2.1/SHA256SUMS");
        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "installer.sha256: http://192.0.2.1/SHA256SUMS")));
        Assert.That(error.What, Does.StartWith("The list of checksums comes by plain HTTP and isn't signed"));
        Assert.That(error.Remedy, Does.Contain("https").And.Contain("installer.key").And.Contain("installer.allowUnverified"));

        // This host's own loopback is no network.
        await GetAsync(_server.Url("edge.iso"), _server.Url("SHA256SUMS"));
        Assert.That(_events.Events.OfType<BuildEvent.Warned>().Single().Message, Does.Contain("came by plain HTTP and isn't signed"));
    }

    [TestCase("ftp://user:s3cret@example.org/x.iso")]
    [TestCase("http://user:s3cret@ex ample.org:99999/x.iso?sig=s3cret")]
    [TestCase("https:/user:s3cret@/x.iso\n")]
    public void A_URL_that_is_refused_is_told_without_its_login(string url)
    {
        foreach (var key in new[] { "installer.iso", "installer.sha256", "machine.disk", "name" })
        {
            var error = Assert.Throws<CrustException>(() => new SpecReader([new("img")]).Read(new SpecSources { CurrentFolder = "/", Options = new Dictionary<string, IReadOnlyList<string>> { [key] = [url] } }))!;
            Assert.That(error.ToString(), Does.Not.Contain("s3cret"));
        }
    }

    private static ProxySettings Proxies(params (string Name, string Value)[] variables) => ProxySettings.From(variables.ToImmutableDictionary(pair => pair.Name, pair => pair.Value));

    private static WebAnswer Redirect(string to) => new("302 Found", []) { Headers = new Dictionary<string, string> { ["Location"] = to } };

    private static string WithLogin(string url) => url.Replace("http://", $"http://{Login}@");

    private static WebAnswer Answer(WebRequest request)
    {
        var name = request.Path.Split('?')[0].Split('/')[^1];
        return name.EndsWith(".iso", StringComparison.Ordinal) ? new WebAnswer("200 OK", Iso)
            : File.Exists(Path.Combine(_keys, name)) ? new WebAnswer("200 OK", File.ReadAllBytes(Path.Combine(_keys, name))) : new WebAnswer("404 Not Found", []);
    }

    private static Task<string> GpgAsync(params string[] calls) => SampleImages.RunAsync("bash", "-ec",
        $"cd {_keys}; export GNUPGHOME={_keys}/home; mkdir -m 700 home; {string.Join("; ", calls.Select(call => $"gpg --batch --quiet --no-tty {call} 2>>gpg.log"))}; gpgconf --kill all; rm -rf home");

    private Task<InstallerIso> GetAsync(string iso, string sha256, params (string, string)[] variables) => SourceWith(variables).GetAsync(new InstallerSpec { Iso = iso, Sha256 = sha256 }, Cancellation);

    private Task<InstallerIso> GetAsync(string iso, string sha256, string? signature, string key) =>
        SourceWith([]).GetAsync(new InstallerSpec { Iso = iso, Sha256 = sha256, ChecksumSignature = signature, ChecksumKey = key }, Cancellation);

    private async Task<CrustException> FailureAsync(string iso, string sha256, params (string, string)[] variables) => (await Assert.ThrowsAsync<CrustException>(() => GetAsync(iso, sha256, variables)))!;

    private InstallerSource SourceWith((string, string)[] variables)
    {
        var proxies = Proxies(variables);
        var log = new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(new TextSink(_log)).CreateLogger();
        return new InstallerSource(Path.Combine(_folder, "cache"), new HttpSource(HttpSource.NewClient(proxies), TimeProvider.System, log) { FirstPause = TimeSpan.Zero, Proxies = proxies },
            _events, TimeProvider.System, log, new ToolBox(["/usr/bin", "/bin"], log));
    }

    private sealed class TextSink(StringBuilder text) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => text.AppendLine(logEvent.RenderMessage() + logEvent.Exception);
    }
}
