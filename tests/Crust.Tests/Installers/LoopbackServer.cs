using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Crust.Tests.Installers;

/// <summary>A request as it came: its path and its header lines.</summary>
internal sealed record WebRequest(string Path, IReadOnlyDictionary<string, string> Headers)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>What the server answers. With <see cref="CutAfter"/>, it hangs up after that many bytes of the body.</summary>
internal sealed record WebAnswer(string Status, byte[] Body)
{
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    public int? CutAfter { get; init; }

    /// <summary>Sends nothing at all and keeps the connection.</summary>
    public bool Silent { get; init; }

    public static WebAnswer Text(string text) => new("200 OK", Encoding.UTF8.GetBytes(text));
}

/// <summary>A web server on a port of 127.0.0.1 that answers as a test wishes.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<WebRequest> _requests = new();

    public LoopbackServer()
    {
        _listener.Start();
        _ = ServeAsync();
    }

    /// <summary>Decides what is answered.</summary>
    public Func<WebRequest, WebAnswer> Answer { get; set; } = _ => new WebAnswer("404 Not Found", []);

    /// <summary>What was asked so far.</summary>
    public IReadOnlyList<WebRequest> Requests => [.. _requests];

    public string Url(string path) => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/{path}";

    /// <summary>Answers for a file as web servers do that know ranges and ETags, and hangs up early if told so.</summary>
    public static WebAnswer File(WebRequest request, byte[] content, string? etag, bool ranges = true, int? cutAfter = null)
    {
        var headers = new Dictionary<string, string>();
        if (etag is not null)
        {
            headers["ETag"] = etag;
            if (request.Header("If-None-Match") == etag)
            {
                return new WebAnswer("304 Not Modified", []) { Headers = headers };
            }
        }

        var isSame = request.Header("If-Range") is not { } condition || condition == etag;
        if (ranges && isSame && request.Header("Range") is { } range)
        {
            var from = int.Parse(range["bytes=".Length..^1]);
            if (from >= content.Length)
            {
                headers["Content-Range"] = $"bytes */{content.Length}";
                return new WebAnswer("416 Range Not Satisfiable", []) { Headers = headers };
            }

            headers["Content-Range"] = $"bytes {from}-{content.Length - 1}/{content.Length}";
            return new WebAnswer("206 Partial Content", content[from..]) { Headers = headers, CutAfter = cutAfter };
        }

        return new WebAnswer("200 OK", content) { Headers = headers, CutAfter = cutAfter };
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    // One request for each connection.
    private async Task ServeAsync(TcpClient client, CancellationToken stop)
    {
        using var connection = client;
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        try
        {
            if (await reader.ReadLineAsync(stop) is not { } requestLine)
            {
                return;
            }

            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            while (await reader.ReadLineAsync(stop) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':');
                headers[line[..colon]] = line[(colon + 1)..].Trim();
            }

            var request = new WebRequest(requestLine.Split(' ')[1], headers);
            _requests.Enqueue(request);
            var answer = Answer(request);
            if (answer.Silent)
            {
                await Task.Delay(Timeout.Infinite, stop);
            }

            var head = new StringBuilder($"HTTP/1.1 {answer.Status}\r\nConnection: close\r\nContent-Length: {answer.Body.Length}\r\n");
            foreach (var (name, value) in answer.Headers)
            {
                head.Append($"{name}: {value}\r\n");
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), stop);
            await stream.WriteAsync(answer.Body.AsMemory(0, answer.CutAfter ?? answer.Body.Length), stop);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client hung up, or the test is over.
        }
    }
}
