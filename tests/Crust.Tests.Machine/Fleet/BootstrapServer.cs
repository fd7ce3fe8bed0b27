using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Crust.Tools;

namespace Crust.Tests.Machine.Fleet;

/// <summary>What a machine says: by the webhook, or as the test's own scripts on it do.</summary>
/// <param name="State">The webhook's state, or the first part of the path that a script posted to.</param>
internal sealed record Word(string State, string Message);

/// <summary>What the git server does with those who ask.</summary>
internal enum GitAnswer
{
    Whole,

    /// <summary>Hangs up in the middle of the pack.</summary>
    Cut,

    /// <summary>Sends half of the pack and nothing more, and says so by a word `stalled`.</summary>
    Stall,
}

/// <summary>
/// On ports of 127.0.0.1: git's own smart HTTP server (git-http-backend) behind TLS, and a webhook by plain HTTP. Until <see cref="Listen"/>, nobody listens on git's port.
/// </summary>
internal sealed class BootstrapServer : IDisposable
{
    /// <summary>This host's loopback, as guests reach it.</summary>
    private const string Address = "10.0.2.2";

    private readonly Socket _git = Bound();
    private readonly Socket _hooks = Bound();
    private readonly X509Certificate2 _certificate = NewCertificate();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, Channel<Word>> _words = new();
    private readonly string _scratch;

    /// <param name="scratch">A folder for requests' bodies.</param>
    public BootstrapServer(string scratch)
    {
        _scratch = scratch;
        _hooks.Listen();
        _ = ServeAsync(_hooks, stream => Task.FromResult(stream), AnswerHookAsync);
    }

    /// <summary>The repository's folder; may change.</summary>
    public string Repository { get; set; } = "";

    public GitAnswer Git { get; set; }

    /// <summary>A state whose webhook gets no answer: the machine stands still there.</summary>
    public string? Hold { get; set; }

    public string RepositoryUrl => $"https://{Address}:{PortOf(_git)}/bootstrap.git";

    public string HooksUrl => $"http://{Address}:{PortOf(_hooks)}";

    /// <summary>The certificate that guests have to trust, as PEM.</summary>
    public string Certificate => _certificate.ExportCertificatePem();

    /// <summary>From now on, git's port is served.</summary>
    public void Listen()
    {
        _git.Listen();
        _ = ServeAsync(_git, async stream =>
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
            return tls;
        }, AnswerGitAsync);
    }

    /// <summary>Waits for a word of a machine, and passes over those before it.</summary>
    public async Task<Word> WaitAsync(string mac, Func<Word, bool> isIt, CancellationToken cancellation)
    {
        while (true)
        {
            var word = await WordsOf(mac).Reader.ReadAsync(cancellation);
            await TestContext.Out.WriteLineAsync($"{mac} {word.State}: {word.Message}");
            if (isIt(word))
            {
                return word;
            }
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _git.Dispose();
        _hooks.Dispose();
        _certificate.Dispose();
    }

    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bootstrap", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(Address));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private Channel<Word> WordsOf(string mac) => _words.GetOrAdd(mac, _ => Channel.CreateUnbounded<Word>());

    private async Task ServeAsync(Socket listener, Func<Stream, Task<Stream>> secure, Func<Request, Stream, Task> answer)
    {
        try
        {
            while (true)
            {
                _ = ServeOneAsync(await listener.AcceptAsync(_stop.Token), secure, answer);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    // One request for each connection.
    private static async Task ServeOneAsync(Socket socket, Func<Stream, Task<Stream>> secure, Func<Request, Stream, Task> answer)
    {
        try
        {
            await using var connection = await secure(new NetworkStream(socket, ownsSocket: true));
            if (await Request.ReadAsync(connection) is { } request)
            {
                await answer(request, connection);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
            // The guest hung up, or its power was cut.
        }
    }

    private async Task AnswerHookAsync(Request request, Stream stream)
    {
        var text = Encoding.UTF8.GetString(request.Body);
        var parts = request.Path.Split('/');
        var (mac, word) = parts is ["", "hook"] ? OfHook(text) : (parts[2], new Word(parts[1], text));
        var isHeld = word.State == Hold;
        WordsOf(mac).Writer.TryWrite(word);
        if (isHeld)
        {
            await Task.Delay(Timeout.Infinite, _stop.Token);
        }

        await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), _stop.Token);
    }

    private static (string Mac, Word Word) OfHook(string text)
    {
        using var json = JsonDocument.Parse(text);
        string Of(string name) => json.RootElement.GetProperty(name).GetString()!;
        return (Of("macs"), new Word(Of("state"), $"{Of("message")} [{Of("node")}]"));
    }

    // CGI (RFC 3875), as git-http-backend(1) has it.
    private async Task AnswerGitAsync(Request request, Stream stream)
    {
        var body = Path.Combine(_scratch, $"request-{Guid.NewGuid():N}");
        await File.WriteAllBytesAsync(body, request.Body, _stop.Token);
        var (path, query) = request.Path.Split('?') is [var before, var after] ? (before, after) : (request.Path, "");
        using var output = new MemoryStream();
        await Host.Tools.RunAsync(ToolCommand.Of("git", "http-backend") with
        {
            InputFile = body,
            OnOutput = bytes => output.Write(bytes.Span),
            Environment = ImmutableDictionary<string, string>.Empty.AddRange([
                new("GIT_PROJECT_ROOT", Repository), new("PATH_INFO", path.Replace("/bootstrap.git", "/.git", StringComparison.Ordinal)), new("GIT_HTTP_EXPORT_ALL", "1"),
                new("QUERY_STRING", query), new("REQUEST_METHOD", request.Method), new("CONTENT_TYPE", request.Header("Content-Type")), new("HTTP_CONTENT_ENCODING", request.Header("Content-Encoding")),
                new("CONTENT_LENGTH", $"{request.Body.Length}"), new("GIT_PROTOCOL", request.Header("Git-Protocol")), new("GIT_CONFIG_GLOBAL", "/dev/null"), new("GIT_CONFIG_NOSYSTEM", "1"),
            ]),
        }, _stop.Token);
        File.Delete(body);
        var bytes = output.ToArray();
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        var head = Encoding.ASCII.GetString(bytes, 0, end);
        var status = head.StartsWith("Status: ", StringComparison.Ordinal) ? head[8..11] : "200";
        var isPack = path.EndsWith("/git-upload-pack", StringComparison.Ordinal) && bytes.Length > 1 << 20;
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} Answer\r\nConnection: close\r\nContent-Length: {bytes.Length - end}\r\n{head}"), _stop.Token);
        await stream.WriteAsync(bytes.AsMemory(end, (bytes.Length - end) / (isPack && Git is not GitAnswer.Whole ? 2 : 1)), _stop.Token);
        await stream.FlushAsync(_stop.Token);
        if (isPack && Git is GitAnswer.Stall)
        {
            foreach (var words in _words.Values)
            {
                words.Writer.TryWrite(new Word("stalled", ""));
            }

            await Task.Delay(Timeout.Infinite, _stop.Token);
        }
    }

    private sealed record Request(string Method, string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
    {
        public string Header(string name) => Headers.GetValueOrDefault(name, "");

        public static async Task<Request?> ReadAsync(Stream stream)
        {
            var head = new List<byte>();
            var one = new byte[1];
            while (head is not [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n'])
            {
                if (await stream.ReadAsync(one) == 0)
                {
                    return null;
                }

                head.Add(one[0]);
            }

            var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
            var body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"))];
            await stream.ReadExactlyAsync(body);
            return lines[0].Split(' ') is [var method, var path, ..] ? new Request(method, path, headers, body) : null;
        }
    }
}
