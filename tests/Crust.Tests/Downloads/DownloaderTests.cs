using System.Security.Cryptography;
using Crust.Downloads;
using Crust.Isos;
using Crust.Sanitizing;
using Crust.Tests.Installers;
using Serilog.Core;

namespace Crust.Tests.Downloads;

[CancelAfter(60_000)]
public sealed class DownloaderTests
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(1_000_000);
    private static readonly string Sum = Convert.ToHexStringLower(SHA256.HashData(Content));

    private string _cache = "";
    private LoopbackServer _server = null!;
    private EventList _events = null!;

    [SetUp]
    public void SetUp()
    {
        _cache = Directory.CreateTempSubdirectory("crust-test-").FullName;
        _server = new LoopbackServer();
        _events = new EventList();
    }

    [TearDown]
    public void TearDown()
    {
        _server.Dispose();
        Directory.Delete(_cache, recursive: true);
    }

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private Downloader Downloader(long freeSpace = long.MaxValue, TimeSpan? patience = null)
    {
        var http = new HttpSource(HttpSource.NewClient(), TimeProvider.System, Logger.None)
        {
            FirstPause = TimeSpan.Zero,
            Patience = patience ?? TimeSpan.FromMinutes(1),
        };
        return new Downloader(http, _cache, new IsoHash(_cache, _events, Logger.None), _events, TimeProvider.System) { FreeSpace = _ => freeSpace };
    }

    private Task<string> GetAsync(string? sha256, Downloader? downloader = null) =>
        (downloader ?? Downloader()).GetAsync(new Uri(_server.Url("x.iso")), "x.iso", sha256, Cancellation);

    private async Task<CrustException> FailureAsync(string? sha256, Downloader? downloader = null) =>
        (await Assert.ThrowsAsync<CrustException>(() => GetAsync(sha256, downloader)))!;

    private void AssertNothingHasTheFinalName() => Assert.That(Directory.GetFiles(_cache, "x.iso", SearchOption.AllDirectories), Is.Empty);

    private long KeptInPart() => Directory.GetFiles(_cache, "partial", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

    [Test]
    public async Task A_download_is_the_server_s_file_and_its_progress_is_told()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"");

        await SameBytes.AssertFileAsync(await GetAsync(Sum), Content, Cancellation);
        var progress = _events.Events.OfType<BuildEvent.Progressed>().First();
        Assert.That((progress.Stage, progress.Fraction is > 0 and <= 1), Is.EqualTo((Stage.Installer, true)));
        Assert.That(progress.Detail, Does.StartWith("downloading x.iso: ").And.EndWith(" of 976.6 KiB"));
    }

    [Test]
    public async Task A_verified_download_is_not_downloaded_again()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"");
        await GetAsync(Sum);
        await GetAsync(Sum);

        Assert.That(_server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_download_whose_file_was_changed_in_the_cache_is_downloaded_again()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"");
        await File.WriteAllTextAsync(await GetAsync(Sum), "something else", Cancellation);

        await SameBytes.AssertFileAsync(await GetAsync(Sum), Content, Cancellation);
    }

    [Test]
    public async Task An_unverified_download_is_downloaded_again_only_if_the_server_says_that_it_changed()
    {
        var (content, etag) = (Content, "\"1\"");
        _server.Answer = request => LoopbackServer.File(request, content, etag);
        await GetAsync(null);
        await GetAsync(null);
        Assert.That(_server.Requests[1].Header("If-None-Match"), Is.EqualTo("\"1\""));
        Assert.That(_events.Events.OfType<BuildEvent.Progressed>().Count(), Is.Positive);

        (content, etag) = ([1, 2, 3], "\"2\"");
        Assert.That(await File.ReadAllBytesAsync(await GetAsync(null), Cancellation), Is.EqualTo(content));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_download_that_is_cut_off_goes_on_where_it_stopped(bool verified)
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"", cutAfter: _server.Requests.Count < 3 ? 300_000 : null);

        Assert.That(await File.ReadAllBytesAsync(await GetAsync(verified ? Sum : null), Cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests.Select(request => request.Header("Range")), Is.EqualTo(new[] { null, "bytes=300000-", "bytes=600000-" }));
        Assert.That(_server.Requests[1].Header("If-Range"), Is.EqualTo("\"1\""));
    }

    [Test]
    public async Task A_download_that_is_cut_off_again_and_again_goes_on_as_long_as_it_gets_further()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"", cutAfter: 100_000);
        var total = Content.Length / 100_000;

        await SameBytes.AssertFileAsync(await GetAsync(Sum), Content, Cancellation);
        Assert.That(_server.Requests, Has.Count.EqualTo(total));
    }

    [Test]
    public async Task A_download_that_is_cut_off_at_a_server_without_ranges_fails_and_is_kept_for_the_next_run()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"", ranges: false, cutAfter: 300_000);

        var error = await FailureAsync(Sum);

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.InputOutput, _server.Url("x.iso"))));
        Assert.That(error.What, Does.StartWith("The download failed: the connection was lost"));
        Assert.That(error.Remedy, Does.Contain("293.0 KiB of it are kept"));
        Assert.That(KeptInPart(), Is.EqualTo(300_000));
        AssertNothingHasTheFinalName();
    }

    [Test]
    public async Task A_later_run_goes_on_where_an_earlier_one_stopped()
    {
        _server.Answer = request => _server.Requests.Count == 1
            ? LoopbackServer.File(request, Content, "\"1\"", cutAfter: 300_000)
            : new WebAnswer("503 Service Unavailable", []);
        await FailureAsync(Sum);
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"");

        await SameBytes.AssertFileAsync(await GetAsync(Sum), Content, Cancellation);
        Assert.That(_server.Requests[^1].Header("Range"), Is.EqualTo("bytes=300000-"));
    }

    [Test]
    public async Task A_file_that_the_server_replaced_meanwhile_is_downloaded_from_its_beginning()
    {
        _server.Answer = request => _server.Requests.Count == 1
            ? LoopbackServer.File(request, [.. Content.Reverse()], "\"old\"", cutAfter: 300_000)
            : LoopbackServer.File(request, Content, "\"new\"");

        await SameBytes.AssertFileAsync(await GetAsync(Sum), Content, Cancellation);
    }

    [Test]
    public async Task A_rest_that_does_not_fit_its_beginning_is_noticed_by_the_checksum_and_all_is_downloaded_anew()
    {
        // This server has no ETags: nothing else tells that the file was replaced.
        _server.Answer = request => _server.Requests.Count == 1
            ? LoopbackServer.File(request, [.. Content.Reverse()], null, cutAfter: 300_000)
            : LoopbackServer.File(request, Content, null);

        await SameBytes.AssertFileAsync(await GetAsync(Sum), Content, Cancellation);
        Assert.That(_server.Requests.Select(request => request.Header("Range")), Is.EqualTo(new[] { null, "bytes=300000-", null }));
    }

    [Test]
    public async Task Without_a_checksum_and_an_ETag_a_cut_off_download_begins_anew()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, null, cutAfter: _server.Requests.Count == 1 ? 300_000 : null);

        Assert.That(await File.ReadAllBytesAsync(await GetAsync(null), Cancellation), Is.EqualTo(Content));
        Assert.That(_server.Requests[1].Header("Range"), Is.Null);
    }

    [Test]
    public async Task A_download_that_was_whole_but_had_no_name_yet_gets_it()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"");
        var path = await GetAsync(Sum);
        File.Move(path, Path.Combine(Path.GetDirectoryName(path)!, "partial"));

        await SameBytes.AssertFileAsync(await GetAsync(Sum), Content, Cancellation);
        Assert.That(_server.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_checksum_that_does_not_match_leaves_nothing_behind()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"");
        var expected = new string('0', 64);

        var error = await FailureAsync(expected);

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, _server.Url("x.iso"))));
        Assert.That(error.What, Does.Contain($"expected SHA-256 {expected}, it has {Sum}"));
        Assert.That(error.Remedy, Does.Contain("installer.sha256"));
        Assert.That(KeptInPart(), Is.Zero);
        AssertNothingHasTheFinalName();
    }

    [TestCase("404 Not Found", "The server answered 404 (Not Found)", "check the URL")]
    [TestCase("403 Forbidden", "The server answered 403 (Forbidden)", "give its path")]
    public async Task An_answer_that_will_not_change_is_an_error_at_once(string status, string what, string remedy)
    {
        _server.Answer = _ => new WebAnswer(status, []);

        var error = await FailureAsync(Sum);

        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.InputOutput, what, _server.Url("x.iso"))));
        Assert.That(error.Remedy, Does.Contain(remedy));
        Assert.That(_server.Requests, Has.Count.EqualTo(1));
        AssertNothingHasTheFinalName();
    }

    [Test]
    public async Task A_server_that_fails_in_passing_is_asked_again()
    {
        _server.Answer = request => _server.Requests.Count < 3 ? new WebAnswer("500 Internal Server Error", []) : LoopbackServer.File(request, Content, "\"1\"");

        await GetAsync(Sum);

        Assert.That(_events.Events.OfType<BuildEvent.Progressed>().Select(progress => progress.Detail), Has.Some.Contain("500").And.Some.Contain("trying again"));
    }

    [Test]
    public async Task A_server_that_keeps_failing_is_an_error_after_five_tries()
    {
        _server.Answer = _ => new WebAnswer("500 Internal Server Error", []);

        var error = await FailureAsync(Sum);

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.InputOutput, "The download failed: The server answered 500 (Internal Server Error)")));
        Assert.That(_server.Requests, Has.Count.EqualTo(5));
    }

    [Test]
    public async Task A_server_that_says_nothing_is_an_error()
    {
        _server.Answer = _ => new WebAnswer("", []) { Silent = true };

        var error = await FailureAsync(Sum, Downloader(patience: TimeSpan.FromMilliseconds(50)));

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.InputOutput, "The download failed: the server said nothing for 0.05 s")));
    }

    [Test]
    public async Task A_server_that_is_not_there_is_an_error()
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => Downloader().GetAsync(new Uri("http://127.0.0.1:1/x.iso"), "x.iso", Sum, Cancellation)))!;

        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.InputOutput, "The download failed: Connection refused", "http://127.0.0.1:1/x.iso")));
    }

    [Test]
    public async Task A_cache_without_room_for_the_download_is_an_error_that_says_how_much_is_missing()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"");

        var error = await FailureAsync(Sum, Downloader(freeSpace: 400_000));

        Assert.That(error.Kind, Is.EqualTo(FailureKind.InputOutput));
        Assert.That(error.What, Is.EqualTo($"There is no room for the download of {_server.Url("x.iso")}: 600000 bytes (585.9 KiB) are missing"));
        Assert.That(error.Where, Does.StartWith(Path.Combine(_cache, "downloads")));
        Assert.That(error.Remedy, Does.Contain("CRUST_CACHE"));
    }

    [Test]
    public async Task Cancelling_keeps_what_was_downloaded()
    {
        using var cancel = new CancellationTokenSource();
        _server.Answer = request =>
        {
            if (_server.Requests.Count == 1)
            {
                return LoopbackServer.File(request, Content, "\"1\"", cutAfter: 300_000);
            }

            cancel.Cancel();
            return new WebAnswer("", []) { Silent = true };
        };

        var downloading = Downloader().GetAsync(new Uri(_server.Url("x.iso")), "x.iso", Sum, cancel.Token);

        Assert.That(async () => await downloading, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(KeptInPart(), Is.EqualTo(300_000));
        AssertNothingHasTheFinalName();
    }

    [Test]
    public async Task Two_builds_that_want_the_same_download_it_once()
    {
        _server.Answer = request => LoopbackServer.File(request, Content, "\"1\"");

        var paths = await Task.WhenAll(GetAsync(Sum), GetAsync(Sum));

        Assert.That(paths[0], Is.EqualTo(paths[1]));
        Assert.That(_server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_password_and_a_query_are_not_shown()
    {
        Assert.That(ShownUrl.Of(new Uri("https://user:password@example.org:8443/a%20b.iso?signature=1")), Is.EqualTo("https://example.org:8443/a%20b.iso?…"));
    }
}
