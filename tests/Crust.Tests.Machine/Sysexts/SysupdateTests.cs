using System.Net;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Sysexts;

/// <summary>Extensions and their index, judged by systemd itself: Debian 13's merges an extension, and updates it over HTTP from one version to the next.</summary>
[CancelAfter(600_000)]
[Parallelizable(ParallelScope.Self)]
public sealed class SysupdateTests
{
    private const string Signer = "edge@example.org";

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Home => Path.Combine(_crust.Folder, "gpg");

    [OneTimeSetUp]
    public async Task MakeKey()
    {
        Directory.CreateDirectory(Home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _crust.Environment["GNUPGHOME"] = Home;
        await GpgAsync("--passphrase", "", "--quick-gen-key", Signer, "ed25519", "sign", "never");
    }

    [OneTimeTearDown]
    public async Task RemoveFiles()
    {
        await Host.RunAsync("gpgconf", ["--homedir", Home, "--kill", "gpg-agent"], Cancellation);
        _crust.Dispose();
    }

    [Test]
    public async Task A_machine_updates_to_the_next_version_and_refuses_a_list_whose_signature_is_wrong()
    {
        using var server = new ReleaseServer();
        var keyring = Path.Combine(_crust.Folder, "keyring");
        await GpgAsync("--output", keyring, "--export", Signer);
        var first = await ReleaseAsync("first", server.Url, "1.0.0");
        await ReleaseAsync("second", server.Url, "1.0.0", "1.1.0");
        // A list that somebody has added to, beside the signature of the one before.
        var third = await ReleaseAsync("third", server.Url, "1.0.0", "1.1.0", "1.2.0");
        File.Copy(Path.Combine(_crust.Folder, "second", "SHA256SUMS.gpg"), Path.Combine(third, "SHA256SUMS.gpg"), overwrite: true);
        server.Root = _crust.Folder;

        var guest = await SystemdGuest.OfAsync("trixie", Cancellation);
        var said = await guest.RunAsync(
        [
            ("/etc/systemd/import-pubring.gpg", await File.ReadAllBytesAsync(keyring, Cancellation)),
            ("/etc/sysupdate.tool.d/tool.transfer", await File.ReadAllBytesAsync(Path.Combine(first, "tool.transfer"), Cancellation)),
            ("/etc/sysupdate.d/noop.transfer", await File.ReadAllBytesAsync(Path.Combine(first, "noop.transfer"), Cancellation)),
        ], $"""
            update=/usr/lib/systemd/systemd-sysupdate
            mkdir -p /opt/extensions/tool /etc/extensions
            get="busybox wget -q -O /dev/null {server.GuestUrl}serve"

            $get/first
            $update -C tool update
            systemd-sysext merge
            systemctl daemon-reload
            systemctl start tool.service
            until [ -e /run/tool ]; do sleep 0.2; done
            echo "first: $(cat /run/tool) $(readlink /etc/extensions/tool.raw)"

            $get/second
            $update -C tool update
            systemd-sysext refresh
            echo "second: $(cat /usr/share/tool/version) $(readlink /etc/extensions/tool.raw)"

            $get/third
            ! $update -C tool update
            echo "third: $(readlink /etc/extensions/tool.raw)"

            $update update
            echo "without a component: $?"
            """, Cancellation);

        Assert.That(said, Does.Contain("first: 1.0.0 ../../opt/extensions/tool/tool-1.0.0-x86-64.raw\n"));
        Assert.That(said, Does.Contain("second: 1.1.0 ../../opt/extensions/tool/tool-1.1.0-x86-64.raw\n"));
        Assert.That(said, Does.Contain("BAD signature from").And.Contain("third: ../../opt/extensions/tool/tool-1.1.0-x86-64.raw\n"));
        Assert.That(said, Does.Contain("without a component: 0\n"));
    }

    // A folder with an extension's versions and their index.
    private async Task<string> ReleaseAsync(string name, Uri url, params string[] versions)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_crust.Folder, name)).FullName;
        foreach (var version in versions)
        {
            var source = Path.Combine(_crust.Folder, "source");
            Directory.CreateDirectory(Path.Combine(source, "usr/share/tool"));
            await File.WriteAllTextAsync(Path.Combine(source, "usr/share/tool/version"), version, Cancellation);
            Directory.CreateDirectory(Path.Combine(source, "usr/lib/systemd/system"));
            await File.WriteAllTextAsync(Path.Combine(source, "usr/lib/systemd/system/tool.service"), "[Service]\nType=oneshot\nExecStart=cp /usr/share/tool/version /run/tool\n", Cancellation);
            var built = await _crust.RunAsync(Cancellation, "sysext", "build", source, "--name", $"tool@{version}", "--os", "_any", "--output", folder);
            Assert.That(built.ExitCode, Is.Zero, built.Error);
        }

        var indexed = await _crust.RunAsync(Cancellation, "sysext", "index", folder, "--url", url.AbsoluteUri, "--sign-gpg-key", Signer);
        Assert.That(indexed.ExitCode, Is.Zero, indexed.Error);
        return folder;
    }

    private Task<string> GpgAsync(params string[] arguments) => Host.RunAsync("gpg", ["--homedir", Home, "--batch", .. arguments], Cancellation);

    /// <summary>Serves one of several folders at the same URL; a request for `serve/NAME` chooses which.</summary>
    private sealed class ReleaseServer : IDisposable
    {
        private readonly HttpListener _listener;
        private string _current = "";

        public ReleaseServer()
        {
            // By the name that the guest calls it. Another may take the port between finding and opening it.
            for (var tries = 0; ; tries++)
            {
                using (var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
                {
                    socket.Start();
                    Port = ((IPEndPoint)socket.LocalEndpoint).Port;
                }

                _listener = new HttpListener { Prefixes = { $"http://*:{Port}/" } };
                try
                {
                    _listener.Start();
                    break;
                }
                catch (HttpListenerException) when (tries < 10)
                {
                    _listener.Close();
                }
            }

            _ = ServeAsync();
        }

        public string Root { get; set; } = "";

        public string GuestUrl => $"http://10.0.2.2:{Port}/";

        public Uri Url => new(GuestUrl + "tool/");

        private int Port { get; }

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                var path = context.Request.Url!.AbsolutePath;
                if (path.StartsWith("/serve/", StringComparison.Ordinal))
                {
                    _current = path[7..];
                    context.Response.Close();
                }
                else if (File.Exists(Path.Combine(Root, _current, Path.GetFileName(path))))
                {
                    context.Response.Close(await File.ReadAllBytesAsync(Path.Combine(Root, _current, Path.GetFileName(path))), willBlock: false);
                }
                else
                {
                    context.Response.StatusCode = 404;
                    context.Response.Close();
                }
            }
        }
    }
}
