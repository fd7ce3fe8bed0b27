using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Crust.Tests.Verification;

/// <summary>
/// OpenSSH's own server on a port of 127.0.0.1, with one account, `edge`, which is the test's own: libnss_wrapper gives the server accounts of its own, so that nothing
/// of this host is read or changed.
/// </summary>
internal sealed class SshServer : IDisposable
{
    private const string Password = "correct horse";

    private readonly Process _process;

    private SshServer(string folder, int port, Process process) => (Folder, Port, _process) = (folder, port, process);

    public string Folder { get; }

    public int Port { get; }

    /// <summary>What the account's password is.</summary>
    public static string AccountPassword => Password;

    public string HostKeyFile => Path.Combine(Folder, "host");

    /// <summary>A key that the server knows.</summary>
    public string KeyFile => Path.Combine(Folder, "id");

    public string AuthorizedKeys => Path.Combine(Folder, "authorized_keys");

    /// <summary>How the script of a fake QEMU begins whose forwarded port is this server's.</summary>
    public string QemuScript => "connect\ngreet\nexpect qmp_capabilities\nreply qmp_capabilities {}\nexpect cont\nreply cont {}\nexpect human-monitor-command\n"
        + $"reply human-monitor-command \"VLAN 0 (net0):\\r\\n  TCP[HOST_FORWARD]  12  127.0.0.1  {Port}  10.0.2.15  22  0  0\\r\\n\"";

    public static SshServer Start()
    {
        var folder = Directory.CreateTempSubdirectory("crust-sshd-").FullName;
        MakeKey(folder, "host", "-t", "ed25519");
        MakeKey(folder, "id", "-t", "ed25519");
        File.Copy(Path.Combine(folder, "id.pub"), Path.Combine(folder, "authorized_keys"));
        var (user, group) = (Run("id", "-u"), Run("id", "-g"));
        File.WriteAllText(Path.Combine(folder, "passwd"), $"edge:x:{user}:{group}::{folder}:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n");
        File.WriteAllText(Path.Combine(folder, "group"), $"edge:x:{group}:\nnogroup:x:65534:\n");
        File.WriteAllText(Path.Combine(folder, "shadow"), $"edge:{Run("openssl", "passwd", "-6", Password)}:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n");
        if (Environment.IsPrivilegedProcess)
        {
            // What systemd makes where the server is a service.
            Directory.CreateDirectory("/run/sshd");
        }

        for (var tries = 0; ; tries++)
        {
            var port = FreePort();
            File.WriteAllText(Path.Combine(folder, "sshd_config"), $"""
                ListenAddress 127.0.0.1
                Port {port}
                HostKey {folder}/host
                AuthorizedKeysFile {folder}/authorized_keys
                StrictModes no
                UsePAM no
                PermitRootLogin yes
                PidFile none

                """);
            var start = new ProcessStartInfo("/usr/sbin/sshd", ["-f", Path.Combine(folder, "sshd_config"), "-D", "-e"]) { RedirectStandardError = true };
            foreach (var (name, value) in new[] { ("LD_PRELOAD", "libnss_wrapper.so"), ("NSS_WRAPPER_PASSWD", "passwd"), ("NSS_WRAPPER_GROUP", "group"), ("NSS_WRAPPER_SHADOW", "shadow") })
            {
                start.Environment[name] = name == "LD_PRELOAD" ? value : Path.Combine(folder, value);
            }

            var process = Process.Start(start)!;
            if (process.StandardError.ReadLine() is { } says && says.StartsWith("Server listening", StringComparison.Ordinal))
            {
                _ = process.StandardError.ReadToEndAsync();
                return new SshServer(folder, port, process);
            }

            // Somebody else took the port.
            process.Kill();
            Assert.That(tries, Is.LessThan(10), "sshd doesn't start (apt-get install openssh-server libnss-wrapper)");
        }
    }

    /// <summary>Makes a pair of keys, and lets it in if that is wanted.</summary>
    public string AddKey(string name, bool isKnown, params string[] kind)
    {
        var key = MakeKey(Folder, name, kind);
        if (isKnown)
        {
            File.AppendAllText(AuthorizedKeys, File.ReadAllText(key + ".pub"));
        }

        return key;
    }

    /// <summary>A key's fingerprint, as OpenSSH tells it.</summary>
    public static string FingerprintOf(string key) => Run("ssh-keygen", "-l", "-f", key + ".pub").Split(' ')[1];

    public static string MakeKey(string folder, string name, params string[] kind)
    {
        var path = Path.Combine(folder, name);
        Run("ssh-keygen", [.. kind.Contains("-N") ? [] : (string[])["-N", ""], "-q", "-f", path, .. kind]);
        return path;
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd().TrimEnd('\n');
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, program);
        return output;
    }
}
