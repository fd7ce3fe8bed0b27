using System.Net.Sockets;
using System.Text;
using Crust.Cache;

namespace Crust.Machines;

/// <summary>
/// A machine's private folder (mode 0700): the sockets on which Crust listens and to which QEMU connects, the pipe of its serial port,
/// and firmware variables. Crust being the listener, nobody has to poll for QEMU's sockets to appear.
/// </summary>
internal sealed class MachinePorts : IDisposable
{
    private const string Prefix = "crust-";

    // sun_path has 108 bytes with its NUL (unix(7)).
    private const int LongestPath = 107;

    private readonly FileLock _alive;

    private MachinePorts(string folder, FileLock alive)
    {
        Folder = folder;
        _alive = alive;
        Qmp = new Endpoint(Path.Combine(folder, "qmp"));
        Serial = new SerialPipe(Path.Combine(folder, "serial"));
        Word = new Endpoint(Path.Combine(folder, "word"));
    }

    public string Folder { get; }

    public Endpoint Qmp { get; }

    public SerialPipe Serial { get; }

    public Endpoint Word { get; }

    /// <summary>Where swtpm listens, if the machine has a TPM.</summary>
    public string Tpm => Path.Combine(Folder, "tpm");

    /// <summary>Where QEMU listens for VNC viewers, if it shows the screen so.</summary>
    public string Vnc => Path.Combine(Folder, "vnc");

    /// <summary>Makes a fresh private folder with listening sockets, after removing those of builds that were killed.</summary>
    public static async Task<MachinePorts> CreateAsync(string runtimeFolder, CancellationToken cancellation)
    {
        if (TooLong(runtimeFolder) is { } error)
        {
            throw error;
        }

        var folder = NewFolder(runtimeFolder);
        try
        {
            RemoveAbandoned(runtimeFolder);
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new MachinePorts(folder, await FileLock.AcquireAsync(Path.Combine(folder, "alive"), null, cancellation));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The private folder for QEMU's sockets can't be made: {e.Message}", folder,
                "set XDG_RUNTIME_DIR or TMPDIR to a folder that can be written", e);
        }
    }

    /// <summary>The error if sockets below a folder would have paths that are too long; null if they wouldn't.</summary>
    public static CrustException? TooLong(string runtimeFolder) => Encoding.UTF8.GetByteCount(Path.Combine(NewFolder(runtimeFolder), "word")) <= LongestPath ? null
        : new CrustException(FailureKind.HostLacks, $"The path for QEMU's sockets is longer than the {LongestPath} bytes that Linux allows",
            runtimeFolder, "set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path");

    private static string NewFolder(string runtimeFolder) => Path.Combine(runtimeFolder, Prefix + Guid.NewGuid().ToString("N")[..12]);

    public void Dispose()
    {
        Qmp.Dispose();
        Serial.Dispose();
        Word.Dispose();
        _alive.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    // Whoever made a folder holds its lock as long as it lives, so a folder whose lock is free was left by a killed build.
    private static void RemoveAbandoned(string runtimeFolder)
    {
        foreach (var folder in Directory.EnumerateDirectories(runtimeFolder, Prefix + "????????????"))
        {
            // Without the file it is just being made.
            if (File.Exists(Path.Combine(folder, "alive")))
            {
                using var held = FileLock.TryAcquire(Path.Combine(folder, "alive"));
                if (held is not null)
                {
                    Directory.Delete(folder, recursive: true);
                }
            }
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
