using System.Net.Sockets;
using System.Text;
using Crust.Storage;

namespace Crust.Machines;

/// <summary>
/// A machine's private folder (mode 0700): the sockets on which Crust listens and to which QEMU connects, the pipe of its serial port,
/// and firmware variables. Crust being the listener, nobody has to poll for QEMU's sockets to appear.
/// </summary>
internal sealed class MachinePorts : IDisposable
{
    // sun_path has 108 bytes with its NUL (unix(7)).
    private const int LongestPath = 107;

    // The sockets' folders of this user are in one that is the user's own: in /tmp anybody makes folders of any name.
    private const int Digits = 8;

    private readonly HeldFolder _held;
    private readonly string? _parent;

    private MachinePorts(HeldFolder held, string? parent)
    {
        (_held, _parent) = (held, parent);
        var folder = held.Path;
        Qmp = new Endpoint(Path.Combine(folder, "qmp"));
        Serial = new SerialPipe(Path.Combine(folder, "serial"));
        Word = new Endpoint(Path.Combine(folder, "word"));
    }

    public string Folder => _held.Path;

    public Endpoint Qmp { get; }

    public SerialPipe Serial { get; }

    public Endpoint Word { get; }

    /// <summary>Where the guest's frames are decided over; null for a machine whose network needs no decision.</summary>
    public NetworkPorts? Network { get; private set; }

    /// <summary>Where swtpm listens, if the machine has a TPM.</summary>
    public string Tpm => Path.Combine(Folder, "tpm");

    /// <summary>Where QEMU listens for VNC viewers, if it shows the screen so.</summary>
    public string Vnc => Path.Combine(Folder, "vnc");

    /// <summary>Listens for the guest's frames.</summary>
    public NetworkPorts OpenNetwork() => Network = NetworkPorts.Create(Folder);

    /// <summary>Makes a fresh private folder with listening sockets, after removing those of builds that were killed.</summary>
    public static MachinePorts Create(string runtimeFolder)
    {
        if (TooLong(runtimeFolder) is { } error)
        {
            throw error;
        }

        try
        {
            var own = OwnFolder(runtimeFolder);
            for (var tries = 0; ; tries++)
            {
                // Somebody else's folder of that name is neither trusted nor an error: then each machine has a folder beside it.
                if (!PrivateFolder.TryOwn(own))
                {
                    return new MachinePorts(HeldFolder.Create(runtimeFolder, Path.GetFileName(own) + "-", Digits), null);
                }

                try
                {
                    return new MachinePorts(HeldFolder.Create(own, "", Digits), own);
                }
                catch (IOException e) when (e.HResult is Posix.NoSuchFile && tries < 10)
                {
                    // Another machine's end has removed it, since it was empty.
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The private folder for QEMU's sockets can't be made: {e.Message}", runtimeFolder,
                "set XDG_RUNTIME_DIR or TMPDIR to a folder that can be written", e);
        }
    }

    /// <summary>The error if sockets below a folder would have paths that are too long; null if they wouldn't.</summary>
    public static CrustException? TooLong(string runtimeFolder) => Encoding.UTF8.GetByteCount(Path.Combine(OwnFolder(runtimeFolder), new string('0', Digits), "word")) <= LongestPath ? null
        : new CrustException(FailureKind.HostLacks, $"The path for QEMU's sockets is longer than the {LongestPath} bytes that Linux allows",
            runtimeFolder, "set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path");

    private static string OwnFolder(string runtimeFolder) => Path.Combine(runtimeFolder, $"crust-{FileFacts.User}");

    public void Dispose()
    {
        Qmp.Dispose();
        Serial.Dispose();
        Word.Dispose();
        Network?.Dispose();
        _held.Dispose();
        if (_parent is not null)
        {
            // Only where no other machine has a folder in it.
            _ = Posix.RemoveEmptyFolder(_parent);
        }
    }

    /// <summary>A Unix socket that listens for one connection.</summary>
    internal sealed class Endpoint : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        public Endpoint(string path)
        {
            Path = path;
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen(1);
        }

        public string Path { get; }

        public async Task<Stream> AcceptAsync(CancellationToken cancellation) =>
            new NetworkStream(await _listener.AcceptAsync(cancellation), ownsSocket: true);

        public void Dispose() => _listener.Dispose();
    }
}
