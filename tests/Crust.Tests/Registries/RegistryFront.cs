using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Crust.Tests.Registries;

/// <summary>What is done to a request in place of passing it on as it is.</summary>
internal sealed record Fault
{
    /// <summary>The status that is answered, in place of asking the registry.</summary>
    public int? Status { get; init; }

    /// <summary>The body that goes with it.</summary>
    public string Body { get; init; } = "";

    /// <summary>The seconds after which the client may come again; null for not saying.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>How many bytes of the request are read before the answer; null for all.</summary>
    public int? After { get; init; }

    /// <summary>Reads the request and never answers.</summary>
    public bool Silent { get; init; }

    /// <summary>Takes a piece of the request's body only so often.</summary>
    public TimeSpan Pace { get; init; }

    /// <summary>Done before the request is passed on.</summary>
    public Func<Task>? Before { get; init; }

    /// <summary>Changes what the registry answers.</summary>
    public Func<byte[], byte[]>? Change { get; init; }
}

/// <summary>A proxy in front of a registry that does to its requests as a test wishes.</summary>
internal sealed class RegistryFront : IDisposable
{
    private const int Piece = 64 << 10;

    private static readonly string[] Passed = ["Authorization", "Range", "Content-Range"];

    // HttpListener keeps one of several headers of a name, and skopeo sends each type in one of its own.
    private static readonly string[] Accepted =
    [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    ];

    private readonly HttpListener _listener;
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly string _registry;
    private long _blobBytes;

    public RegistryFront(LocalRegistry registry)
    {
        _registry = registry.Host;
        (_listener, Host) = Listen();
        _ = ServeAsync();
    }

    /// <summary>Its host and port.</summary>
    public string Host { get; }

    /// <summary>Says what is done to a request, by its method and path; null for nothing.</summary>
    public Func<string, string, Fault?> Do { get; set; } = (_, _) => null;

    /// <summary>Method and path of each request so far.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>The requests that write something.</summary>
    public IEnumerable<string> Writes => Requests.Where(request => request.StartsWith('P'));

    /// <summary>How many bytes of blobs were sent so far.</summary>
    public long BlobBytes => Interlocked.Read(ref _blobBytes);

    public void Forget()
    {
        _requests.Clear();
        Interlocked.Exchange(ref _blobBytes, 0);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Close();
        _client.Dispose();
        _stop.Dispose();
    }

    // Another may take the port between finding and opening it.
    private static (HttpListener Listener, string Host) Listen()
    {
        for (var tries = 0; ; tries++)
        {
            var host = $"127.0.0.1:{FreePort()}";
            var listener = new HttpListener { Prefixes = { $"http://{host}/" } };
            try
            {
                listener.Start();
                return (listener, host);
            }
            catch (HttpListenerException) when (tries < 10)
            {
                listener.Close();
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.GetContextAsync());
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(HttpListenerContext context)
    {
        try
        {
            var path = context.Request.RawUrl!;
            _requests.Enqueue($"{context.Request.HttpMethod} {path}");
            var fault = Do(context.Request.HttpMethod, path) ?? new Fault();
            using var body = new MemoryStream();
            await ReadAsync(context.Request, body, fault);
            if (path.Contains("/blobs/", StringComparison.Ordinal))
            {
                Interlocked.Add(ref _blobBytes, body.Length);
            }

            if (fault.Silent)
            {
                await Task.Delay(Timeout.Infinite, _stop.Token);
            }

            if (fault.Before is { } before)
            {
                await before();
            }

            await AnswerAsync(context, body.ToArray(), fault);
            context.Response.Close();
        }
        catch (Exception e) when (e is IOException or HttpListenerException or HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            // The client hung up, or the test is over.
            context.Response.Abort();
        }
    }

    private async Task ReadAsync(HttpListenerRequest request, MemoryStream body, Fault fault)
    {
        var buffer = new byte[Piece];
        for (int read; (fault.After is null || body.Length < fault.After) && (read = await request.InputStream.ReadAsync(buffer, _stop.Token)) > 0;)
        {
            body.Write(buffer, 0, read);
            await Task.Delay(fault.Pace, _stop.Token);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context, byte[] body, Fault fault)
    {
        if (fault.Status is { } status)
        {
            context.Response.StatusCode = status;
            if (fault.RetryAfter is { } seconds)
            {
                context.Response.Headers["Retry-After"] = $"{seconds}";
            }

            await context.Response.OutputStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(fault.Body), _stop.Token);
            return;
        }

        using var request = new HttpRequestMessage(new HttpMethod(context.Request.HttpMethod), $"http://{_registry}{context.Request.RawUrl}");
        // The registry names its uploads' URLs after the host that it was asked as.
        request.Headers.Host = Host;
        request.Headers.TryAddWithoutValidation("Accept", Accepted);
        request.Content = new ByteArrayContent(body);
        foreach (var name in context.Request.Headers.AllKeys.OfType<string>())
        {
            if (Passed.Contains(name))
            {
                request.Headers.TryAddWithoutValidation(name, context.Request.Headers[name]);
            }
        }

        request.Content.Headers.TryAddWithoutValidation("Content-Type", context.Request.ContentType);
        using var answer = await _client.SendAsync(request, _stop.Token);
        var content = await answer.Content.ReadAsByteArrayAsync(_stop.Token);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var header in answer.Headers.Concat(answer.Content.Headers).Where(header => header.Key is not ("Transfer-Encoding" or "Content-Length")))
        {
            context.Response.Headers[header.Key] = string.Join(", ", header.Value);
        }

        content = fault.Change?.Invoke(content) ?? content;
        context.Response.ContentLength64 = context.Request.HttpMethod == "HEAD" ? answer.Content.Headers.ContentLength ?? 0 : content.Length;
        if (context.Request.HttpMethod != "HEAD")
        {
            await context.Response.OutputStream.WriteAsync(content, _stop.Token);
        }
    }
}
