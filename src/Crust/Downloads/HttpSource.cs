using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Crust.Sanitizing;
using Crust.Spec;
using Serilog;

namespace Crust.Downloads;

/// <summary>Asks HTTP servers, patiently: what fails in passing is tried again after a pause that doubles each time.</summary>
internal sealed class HttpSource(HttpClient http, TimeProvider time, ILogger log)
{
    private const int Tries = 5;
    private const int MostRedirects = 10;

    /// <summary>The pause after the first failure.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a server may say nothing.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Which servers are reached by which proxy; the client has to be made with the same.</summary>
    public ProxySettings Proxies { get; init; } = ProxySettings.None;

    /// <summary>A client that takes files as they are stored. Redirects are followed here, not there.</summary>
    public static HttpClient NewClient(ProxySettings? proxies = null)
    {
        // Silence is judged per read, so a download of hours has no limit.
        var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(30),
            AllowAutoRedirect = false,
            Proxy = new WebProxies(proxies ?? ProxySettings.None),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("crust");
        return client;
    }

    /// <summary>Repeats an attempt while it fails in passing. An attempt that got further than all before (<paramref name="measure"/>) starts the count anew.</summary>
    /// <exception cref="PassingProblemException">The last try's.</exception>
    public async Task<T> RetryAsync<T>(Func<Task<T>> attempt, Func<long> measure, Action<string> onRetry, CancellationToken cancellation)
    {
        var furthest = measure();
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await attempt();
            }
            catch (PassingProblemException e)
            {
                var reached = measure();
                failures = reached > furthest ? 1 : failures;
                furthest = Math.Max(furthest, reached);
                if (failures == Tries)
                {
                    throw;
                }

                var pause = FirstPause * Math.Pow(2, failures - 1);
                log.Information("{Problem}; trying again in {Seconds} s", e.Message, pause.TotalSeconds);
                onRetry($"{e.Message}; trying again in {pause.TotalSeconds:0} s");
                await Task.Delay(pause, time, cancellation);
            }
        }
    }

    /// <summary>Sends a GET, follows redirects, and gives the response as soon as its headers are there, whatever its status.</summary>
    /// <exception cref="PassingProblemException">It may go well the next time.</exception>
    /// <exception cref="CrustException">It won't.</exception>
    public async Task<HttpResponseMessage> GetAsync(Uri url, Action<HttpRequestHeaders>? ask, CancellationToken cancellation)
    {
        var at = url;
        for (var redirects = 0; redirects <= MostRedirects; redirects++)
        {
            var response = await SendAsync(url, at, ask, cancellation);
            if (Redirects.TargetOf(response, at, url) is not { } next)
            {
                return response;
            }

            response.Dispose();
            log.Debug("{Url} redirects to {Next}", ShownUrl.Of(at), ShownUrl.Of(next));
            at = next;
        }

        throw new CrustException(FailureKind.InputOutput, $"The server redirects again and again, last to {ShownUrl.Of(at)}", ShownUrl.Of(url), "give the URL of the file itself");
    }

    private async Task<HttpResponseMessage> SendAsync(Uri url, Uri at, Action<HttpRequestHeaders>? ask, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, at);
        // The login is the first server's: another isn't told it.
        if (url.UserInfo.Length > 0 && (at.Scheme, at.IdnHost, at.Port) == (url.Scheme, url.IdnHost, url.Port))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo))));
        }

        ask?.Invoke(request.Headers);
        var proxy = Proxies.For(at);
        var response = await WithPatienceAsync(token => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token), at, proxy, cancellation);
        if (PassingProblemException.OfProxy(response.StatusCode, response.ReasonPhrase, proxy, ShownUrl.Of(at)) is { } problem)
        {
            response.Dispose();
            throw problem;
        }

        return response;
    }

    /// <summary>Reads on in a response; 0 at its end.</summary>
    /// <exception cref="PassingProblemException">The connection is lost, or the server says nothing more.</exception>
    public Task<int> ReadAsync(Stream body, Memory<byte> buffer, Uri url, CancellationToken cancellation) =>
        WithPatienceAsync(token => body.ReadAsync(buffer, token).AsTask(), url, null, cancellation);

    /// <summary>A small file, such as a SHA256SUMS or its signature.</summary>
    /// <exception cref="CrustException">It can't be had, or is longer than a list of checksums is.</exception>
    public async Task<byte[]> GetSmallAsync(Uri url, CancellationToken cancellation) => (await GetSmallAsync(url, mayBeMissing: false, cancellation))!;

    /// <summary>The same; null where the server says that it has no such file.</summary>
    /// <exception cref="CrustException">As above.</exception>
    public Task<byte[]?> FindSmallAsync(Uri url, CancellationToken cancellation) => GetSmallAsync(url, mayBeMissing: true, cancellation);

    private async Task<byte[]?> GetSmallAsync(Uri url, bool mayBeMissing, CancellationToken cancellation)
    {
        try
        {
            return await RetryAsync(() => TryGetSmallAsync(url, mayBeMissing, cancellation), () => 0, _ => { }, cancellation);
        }
        catch (PassingProblemException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The file can't be downloaded: {e.Message}", ShownUrl.Of(url), e.Remedy ?? "check the URL and this host's network, and try again", e);
        }
    }

    /// <summary>The URL to which a server sends those who ask for another one, such as that of a newest release.</summary>
    /// <exception cref="CrustException">It sends them nowhere, or can't be reached.</exception>
    public async Task<Uri> FindRedirectAsync(Uri url, CancellationToken cancellation)
    {
        try
        {
            return await RetryAsync(async () =>
            {
                using var response = await GetAsync(url, null, cancellation);
                return response.RequestMessage?.RequestUri is { } at && at != url ? at
                    : !response.IsSuccessStatusCode ? throw PassingProblemException.From(response.StatusCode, response.ReasonPhrase, ShownUrl.Of(url))
                    : throw new CrustException(FailureKind.BadInput, "The server answers there, and redirects nowhere", ShownUrl.Of(url), "give a URL that redirects to the newest release");
            }, () => 0, _ => { }, cancellation);
        }
        catch (PassingProblemException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The server can't be asked: {e.Message}", ShownUrl.Of(url), e.Remedy ?? "check the URL and this host's network, and try again", e);
        }
    }

    private async Task<byte[]?> TryGetSmallAsync(Uri url, bool mayBeMissing, CancellationToken cancellation)
    {
        using var response = await GetAsync(url, null, cancellation);
        if (mayBeMissing && response.StatusCode is (HttpStatusCode.NotFound or HttpStatusCode.Gone))
        {
            return null;
        }

        if (!response.IsSuccessStatusCode)
        {
            throw PassingProblemException.From(response.StatusCode, response.ReasonPhrase, ShownUrl.Of(url));
        }

        using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await ReadAsync(body, buffer, url, cancellation)) > 0;)
        {
            bytes.Write(buffer, 0, read);
            if (bytes.Length > ChecksumList.MostBytes)
            {
                throw new CrustException(FailureKind.BadInput, $"This is no list of checksums, and no signature of one: it has more than {ChecksumList.MostBytes >> 20} MiB", ShownUrl.Of(url),
                    "give the URL of the SHA256SUMS file, or the 64 hex digits themselves");
            }
        }

        return bytes.ToArray();
    }

    private async Task<T> WithPatienceAsync<T>(Func<CancellationToken, Task<T>> work, Uri url, ProxyChoice? proxy, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellation);
        try
        {
            return await work(either.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new PassingProblemException($"{(proxy is null ? "" : $"by the proxy {proxy}, ")}the server said nothing for {Patience.TotalSeconds:0.##} s", e);
        }
        catch (HttpRequestException e)
        {
            throw PassingProblemException.From(e, ShownUrl.Of(url), proxy);
        }
        catch (IOException e)
        {
            throw new PassingProblemException($"the connection was lost ({e.GetBaseException().Message})", e);
        }
    }
}
