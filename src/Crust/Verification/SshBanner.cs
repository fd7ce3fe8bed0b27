using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Crust.Verification;

/// <summary>The line by which an SSH server says that it is one.</summary>
internal static class SshBanner
{
    /// <summary>How long is waited for it, and between two tries.</summary>
    public static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(2);

    /// <param name="port">A port of 127.0.0.1.</param>
    public static async Task<string> WaitAsync(int port, CancellationToken cancellation)
    {
        while (true)
        {
            if (await TryReadAsync(port, cancellation) is { } banner)
            {
                return banner;
            }

            await Task.Delay(ProbeInterval, cancellation);
        }
    }

    // RFC 4253, section 4.2: the server's identification string starts with "SSH-".
    private static async Task<string?> TryReadAsync(int port, CancellationToken cancellation)
    {
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(ProbeInterval);
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            var buffer = new byte[256];
            var read = await client.GetStream().ReadAsync(buffer, timeout.Token);
            var text = Encoding.ASCII.GetString(buffer, 0, read);
            return text.StartsWith("SSH-", StringComparison.Ordinal) ? text.Split('\r', '\n')[0] : null;
        }
        catch (Exception e) when (e is IOException or SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }
}
