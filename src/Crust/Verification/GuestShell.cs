using System.Text;
using Crust.Sanitizing;
using Renci.SshNet;

namespace Crust.Verification;

/// <summary>The key by which an SSH server makes itself known.</summary>
/// <param name="Type">`ssh-ed25519`, `rsa-sha2-512`, …: the algorithm that was agreed on.</param>
/// <param name="Fingerprint">As `ssh-keygen -l` prints it.</param>
internal sealed record HostKey(string Type, string Fingerprint);

/// <param name="ExitStatus">Its exit status; null if a signal ended it.</param>
/// <param name="Signal">The signal that ended it, without SIG; null if none did.</param>
/// <param name="Output">The last of what it printed, on both of its streams, as it came but for secrets.</param>
internal sealed record CommandResult(int? ExitStatus, string? Signal, string Output);

/// <summary>
/// A log-in to a guest's SSH server, over one connection. The host key is recorded and not checked: the guest makes it on the boot that Crust started, and nothing but
/// this guest answers on the port that QEMU forwards. Attempts that were refused say nothing of it: cloud-init replaces the keys of an image on its first boot, under a
/// server that runs already.
/// </summary>
internal sealed class GuestShell : IAsyncDisposable
{
    // Of what a command prints; the rest is read and thrown away.
    private const int KeptBytes = 1 << 17;

    // Under emulation, a key exchange takes seconds.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private readonly SshClient _client;

    private GuestShell(SshClient client, HostKey hostKey) => (_client, HostKey) = (client, hostKey);

    public HostKey HostKey { get; }

    /// <summary>What the server says it is: `SSH-2.0-OpenSSH_9.2p1`.</summary>
    public string Server => _client.ConnectionInfo.ServerVersion ?? "";

    /// <exception cref="Exception">Whatever SSH.NET makes of what the server sent, or of what it didn't.</exception>
    public static async Task<GuestShell> ConnectAsync(SshLogin login, string host, int port, CancellationToken cancellation)
    {
        var info = login.ConnectTo(host, port);
        info.Timeout = AnswerTimeout;
        var client = new SshClient(info) { KeepAliveInterval = KeepAlive };
        HostKey? hostKey = null;
        client.HostKeyReceived += (_, received) => hostKey = new HostKey(received.HostKeyName, SshLogin.FingerprintOf(received.HostKey));
        var connecting = Task.Run(() => client.ConnectAsync(cancellation), CancellationToken.None);
        try
        {
            // The end of the log-in waits for the server without looking at the token.
            await connecting.WaitAsync(cancellation);
            return new GuestShell(client, hostKey!);
        }
        catch
        {
            await CloseAsync(client);
            _ = connecting.ContinueWith(task => _ = task.Exception, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>Runs a command line in the account's shell, and waits for its end.</summary>
    /// <exception cref="Exception">The connection was lost.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; it may still run.</exception>
    public async Task<CommandResult> RunAsync(string command, Redactor hidden, CancellationToken cancellation)
    {
        using var running = _client.CreateCommand(command, Encoding.UTF8);
        var output = new CommandOutput(KeptBytes, hidden);
        // Not the command's own cancellation, which first asks the guest to end it, and waits.
        var ended = running.ExecuteAsync(CancellationToken.None);
        var reading = Task.WhenAll(output.ReadAsync(running.OutputStream), output.ReadAsync(running.ExtendedOutputStream));
        _ = ended.ContinueWith(task => _ = task.Exception, TaskScheduler.Default);
        await ended.WaitAsync(cancellation);
        await reading.WaitAsync(cancellation);
        return new CommandResult(running.ExitSignal is null ? running.ExitStatus : null, running.ExitSignal, output.ToString());
    }

    /// <summary>Closes the connection. A guest that doesn't answer can't hold it open.</summary>
    public ValueTask DisposeAsync() => CloseAsync(_client);

    private static async ValueTask CloseAsync(SshClient client)
    {
        var closing = Task.Run(client.Dispose);
        _ = closing.ContinueWith(task => _ = task.Exception, TaskScheduler.Default);
        await Task.WhenAny(closing, Task.Delay(CloseTimeout));
    }
}
