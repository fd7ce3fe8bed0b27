using System.Net;
using System.Net.Sockets;

namespace Crust.Tests.Publishing;

/// <summary>Passes connections on to a registry, and cuts some of them once their client has sent so much.</summary>
internal sealed class CuttingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _registry;
    private readonly long _after;
    private int _times;

    public CuttingRelay(LocalRegistry registry, long after, int times)
    {
        (_registry, _after, _times) = (IPEndPoint.Parse(registry.Host), after, times);
        _listener.Start();
        Host = _listener.LocalEndpoint.ToString()!;
        _ = ServeAsync();
    }

    /// <summary>Its host and port.</summary>
    public string Host { get; }

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
            await Task.WhenAny(CopyAsync(client, registry, _after), CopyAsync(registry, client, long.MaxValue));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One of the two hung up, or the test is over.
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, long cutAfter)
    {
        var buffer = new byte[64 << 10];
        long total = 0;
        for (int read; (read = await from.GetStream().ReadAsync(buffer, _stop.Token)) > 0;)
        {
            total += read;
            if (total > cutAfter && Interlocked.Decrement(ref _times) >= 0)
            {
                return;
            }

            await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }
}
