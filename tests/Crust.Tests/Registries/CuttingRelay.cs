using System.Net;
using System.Net.Sockets;

namespace Crust.Tests.Registries;

/// <summary>Passes connections on to a registry, counts what goes over them, and cuts some once their client has sent so much.</summary>
internal sealed class CuttingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _registry;
    private readonly long _after;
    private int _times;
    private long _up;
    private long _down;
    private long _requests;

    /// <summary>One that cuts nothing.</summary>
    public CuttingRelay(LocalRegistry registry)
        : this(registry, long.MaxValue, 0)
    {
    }

    public CuttingRelay(LocalRegistry registry, long after, int times)
    {
        (_registry, _after, _times) = (IPEndPoint.Parse(registry.Host), after, times);
        _listener.Start();
        Host = _listener.LocalEndpoint.ToString()!;
        _ = ServeAsync();
    }

    /// <summary>Its host and port.</summary>
    public string Host { get; }

    /// <summary>Requests, and bytes to and from the registry, headers included, since this was asked last.</summary>
    public (long Requests, long Up, long Down) Take() => (Interlocked.Exchange(ref _requests, 0), Interlocked.Exchange(ref _up, 0), Interlocked.Exchange(ref _down, 0));

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
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient accepted)
    {
        using var client = accepted;
        using var registry = new TcpClient();
        try
        {
            await registry.ConnectAsync(_registry, _stop.Token);
            await Task.WhenAny(CopyAsync(client, registry, _after, Up), CopyAsync(registry, client, long.MaxValue, read => Interlocked.Add(ref _down, read.Length)));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One of the two hung up, or the test is over.
        }
    }

    private void Up(ReadOnlyMemory<byte> read)
    {
        Interlocked.Add(ref _up, read.Length);
        Interlocked.Add(ref _requests, read.Span.Count(" HTTP/1.1\r\n"u8));
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, long cutAfter, Action<ReadOnlyMemory<byte>> count)
    {
        var buffer = new byte[64 << 10];
        long total = 0;
        for (int read; (read = await from.GetStream().ReadAsync(buffer, _stop.Token)) > 0;)
        {
            total += read;
            count(buffer.AsMemory(0, read));
            if (total > cutAfter && Interlocked.Decrement(ref _times) >= 0)
            {
                return;
            }

            await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }
}
