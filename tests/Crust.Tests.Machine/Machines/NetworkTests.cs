using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Crust.Machines;
using Crust.Tests.Machines;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Machine.Machines;

/// <summary>
/// QEMU with its user network and Crust's gate before it, and in the guest's place a wire on which the test sends frames: what no guest's kernel would send, too.
/// Only servers of the test's own are called.
/// </summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(60_000)]
public sealed class NetworkTests
{
    private readonly ConcurrentQueue<string> _reached = new();
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    // This host's own address, other than loopback; of IPv4, without one that a router would be asked for.
    private static IPAddress OwnAddress => NetworkInterface.GetAllNetworkInterfaces().Where(card => card.OperationalStatus is OperationalStatus.Up && card.NetworkInterfaceType is not NetworkInterfaceType.Loopback)
        .SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(entry => entry.Address).FirstOrDefault(address => address.AddressFamily is AddressFamily.InterNetwork) ?? IPAddress.Loopback;

    // An address such as a cloud's metadata has, on this host's loopback for as long as a test runs: only root can put it there.
    private const string LinkLocal = "169.254.201.7";

    [SetUp]
    public async Task SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-net-").FullName;
        _reached.Clear();
        if (Environment.IsPrivilegedProcess)
        {
            await Host.RunAsync("ip", ["address", "replace", LinkLocal + "/32", "dev", "lo"], Cancellation);
        }
    }

    [TearDown]
    public async Task TearDown()
    {
        Directory.Delete(_folder, recursive: true);
        if (Environment.IsPrivilegedProcess)
        {
            await Host.RunAsync("ip", ["address", "delete", LinkLocal + "/32", "dev", "lo"], CancellationToken.None);
        }
    }

    [Test]
    public async Task A_guest_of_the_internet_reaches_no_server_of_this_host_and_what_else_its_rules_say()
    {
        // What the rules take for this host's is the test's to say: so the one that stands for the internet is on this host, too.
        await using var server = Serve(IPAddress.Any);
        var internet = OwnAddress;
        var refused = await SendAsync(new AddressRules([new IPNetwork(internet, 32)], _ => false), FramesFor(server.Port, internet), [$"{internet}"], server.Port);

        Assert.That(_reached.Distinct(), Is.EqualTo(new[] { internet.ToString() }), "the last frame goes out, and none before it");
        Assert.That(refused, Is.SupersetOf(new[] { "10.0.2.2", "127.0.0.1", "127.8.9.1", LinkLocal }));
    }

    [Test]
    public async Task A_guest_of_the_internet_does_not_reach_this_hosts_own_address()
    {
        await using var server = Serve(IPAddress.Any);
        var refused = await SendAsync(new AddressRules([new IPNetwork(OwnAddress, 32)], HostAddresses.Of(TimeProvider.System).Contains), [GuestFrame.To($"{OwnAddress}", GuestFrame.Tcp, (ushort)server.Port)], [], server.Port);

        Assert.That(_reached, Is.Empty);
        Assert.That(refused, Is.EqualTo(new[] { $"{OwnAddress}" }));
    }

    [Test]
    public async Task Without_the_gate_the_same_frames_reach_this_host()
    {
        await using var server = Serve(IPAddress.Any);
        string[] ofThisHost = Environment.IsPrivilegedProcess ? ["127.0.0.1", LinkLocal, $"{OwnAddress}"] : ["127.0.0.1", $"{OwnAddress}"];
        await SendAsync(null, FramesFor(server.Port, OwnAddress), ofThisHost, server.Port);

        Assert.That(_reached, Is.SupersetOf(ofThisHost));
        Assert.That(_reached.Contains(LinkLocal), Is.EqualTo(Environment.IsPrivilegedProcess));
    }

    private static IEnumerable<byte[]> FramesFor(int port, IPAddress internet) =>
    [
        GuestFrame.To("10.0.2.2", GuestFrame.Tcp, (ushort)port),
        GuestFrame.To("10.0.2.77", GuestFrame.Tcp, (ushort)port, from: 40001),
        GuestFrame.To("127.0.0.1", GuestFrame.Tcp, (ushort)port, from: 40002),
        GuestFrame.To("10.0.2.2", GuestFrame.Tcp, (ushort)port, from: 22),
        GuestFrame.To("fec0::2", GuestFrame.Tcp, (ushort)port, from: 40003),
        GuestFrame.To("127.8.9.1", GuestFrame.Tcp, (ushort)port, from: 40004),
        GuestFrame.To(LinkLocal, GuestFrame.Tcp, (ushort)port, from: 40005),
        GuestFrame.To($"{internet}", GuestFrame.Tcp, (ushort)port, from: 40010),
    ];

    // Gives the addresses that the guest was kept from, once each expected one was reached, or, where none is expected, one was refused.
    private async Task<ICollection<string>> SendAsync(AddressRules? rules, IEnumerable<byte[]> frames, string[] expected, int port)
    {
        using var ports = NetworkPorts.Create(_folder);
        using var wire = new MachinePorts.Endpoint(Path.Combine(_folder, "wire"));
        var refused = new ConcurrentQueue<string>();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var gate = rules is null ? Task.CompletedTask
            : new NetworkGate(ports, new FrameFilter(rules, answersSsh: false), (address, _) => refused.Enqueue($"{address}"), Logger.None).RunAsync(ending.Token);
        // The options are those of QemuArguments, whose golden files pin them.
        string[] options = [.. QemuArguments.For(new MachineDescription { Name = "net", Accelerator = Crust.Spec.Accelerator.Tcg, Drives = [] },
            new QemuEndpoints("", "", "", null) { Sent = ports.Sent.Path, Passed = ports.Passed.Path, Answered = ports.Answered.Path }).SkipWhile(argument => argument != "-netdev").Where(argument => argument != "-device" && !argument.StartsWith("virtio-net", StringComparison.Ordinal))];
        await using var qemu = Host.Tools.Start(ToolCommand.Of("qemu-system-x86_64",
        [
            "-machine", "none", "-nodefaults", "-no-user-config", "-display", "none", .. rules is null ? options[..2] : options,
            "-netdev", "hubport,id=h1,hubid=0,netdev=net", "-netdev", $"stream,id=wire,server=off,addr.type=unix,addr.path={wire.Path}", "-netdev", "hubport,id=h2,hubid=0,netdev=wire",
        ]));
        var accept = wire.AcceptAsync(Cancellation);
        Assert.That(await Task.WhenAny(accept, qemu.Ended), Is.EqualTo(accept), qemu.Ended.IsCompleted ? (await qemu.Ended).Error : "");
        await using var stream = await accept;
        // So that libslirp knows the guest's address: it asks for it before it answers.
        byte[] arp = [0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2];
        foreach (var frame in frames.Prepend(GuestFrame.Ethernet(0x0806, arp)))
        {
            await stream.WriteAsync((byte[])[0, 0, (byte)(frame.Length >> 8), (byte)frame.Length, .. frame], Cancellation);
        }

        while (expected.Length is 0 ? refused.IsEmpty : !expected.All(_reached.Contains))
        {
            await Task.Delay(20, Cancellation);
        }

        await qemu.KillAsync();
        await ending.CancelAsync();
        await gate;
        return [.. refused];
    }

    private Server Serve(IPAddress address) => new(new TcpListener(address, 0), _reached);

    private sealed class Server : IAsyncDisposable
    {
        private readonly TcpListener _listener;
        private readonly Task _serving;

        public Server(TcpListener listener, ConcurrentQueue<string> reached)
        {
            _listener = listener;
            listener.Start();
            _serving = Task.Run(async () =>
            {
                while (true)
                {
                    using var client = await listener.AcceptSocketAsync();
                    reached.Enqueue($"{((IPEndPoint)client.LocalEndPoint!).Address}");
                }
            });
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }
}
