using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Crust.Machines.Qmp;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Tools;
using Serilog;

namespace Crust.Machines;

/// <summary>
/// A machine that runs. Pumps turn what comes over QMP, the serial port, the word port and from QEMU's process into
/// signals; one loop folds these into facts; whoever waits gives a goal, a predicate over the facts.
/// </summary>
internal sealed class RunningMachine : IAsyncDisposable
{
    private static readonly TimeSpan QuitTimeout = TimeSpan.FromSeconds(20);

    private readonly MachinePorts _ports;
    private readonly RunningTool _qemu;
    private readonly RunningTool? _tpm;
    private readonly QmpClient _qmp;
    private readonly Stream _word;
    private readonly SerialText _serialText = new();
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _ending = new();

    // A serial signal holds up to 64 KiB of text. When the fold is behind, the pumps wait, and QEMU with them: no guest can fill the memory.
    private readonly Channel<MachineSignal> _signals = Channel.CreateBounded<MachineSignal>(new BoundedChannelOptions(64) { SingleReader = true });
    private readonly List<Waiter> _waiters = [];
    private readonly Lock _lock = new();
    private readonly long _started;
    private readonly Task[] _pumps;
    private readonly Task _folding;
    private MachineFacts _facts = new();

    internal RunningMachine(MachineDescription description, string commandLine, MachinePorts ports, RunningTool qemu, RunningTool? tpm, QmpClient qmp,
        Stream serial, Stream word, string serialLog, SilenceLimit silence, Redactor hidden, TimeProvider time, ILogger log)
    {
        Description = description;
        CommandLine = commandLine;
        _ports = ports;
        _qemu = qemu;
        _tpm = tpm;
        _qmp = qmp;
        _word = word;
        _time = time;
        _log = log;
        _started = time.GetTimestamp();
        _folding = Task.Run(FoldAsync);
        var pumps = new MachinePumps(qemu, qmp, SignalAsync, hidden, time, log) { Silence = silence };
        _pumps =
        [
            Task.Run(pumps.EventsAsync),
            Task.Run(() => pumps.SerialAsync(serial, serialLog, _serialText)),
            Task.Run(() => pumps.WordsAsync(word)),
            Task.Run(pumps.ExitAsync),
            Task.Run(() => tpm is null ? Task.CompletedTask : pumps.TpmExitAsync(tpm)),
            Task.Run(() => pumps.PollAsync(_ending.Token)),
            Task.Run(() => ports.Network is null ? Task.CompletedTask : GateOf(ports.Network).RunAsync(_ending.Token)),
        ];
    }

    public MachineDescription Description { get; }

    /// <summary>QEMU's command line, as one would type it.</summary>
    public string CommandLine { get; }

    /// <summary>QEMU's version, as it reports it.</summary>
    public string QemuVersion => _qmp.Version;

    public int ProcessId => _qemu.Id;

    /// <summary>The last 64 KiB of the serial port's text.</summary>
    public string SerialTail => _serialText.Tail;

    /// <summary>Bytes that came over the serial port.</summary>
    internal long SerialReceived => _serialText.Received;

    /// <summary>Time since the guest began to run.</summary>
    internal TimeSpan Elapsed => _time.GetElapsedTime(_started);

    internal MachineFacts Facts
    {
        get
        {
            lock (_lock)
            {
                return _facts;
            }
        }
    }

    /// <summary>Called for each change of the facts; set before anything is waited for. Must return at once.</summary>
    internal Action<MachineSignal, MachineFacts>? OnSignal { get; set; }

    /// <summary>Waits until the goal is reached, the machine's run is over, or the deadline has passed; the facts tell which.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the machine still runs.</exception>
    internal async Task<MachineFacts> WaitAsync(Func<MachineFacts, bool> goal, TimeSpan deadline, CancellationToken cancellation)
    {
        var waiter = new Waiter(facts => facts.IsOver || goal(facts));
        lock (_lock)
        {
            _waiters.Add(waiter);
            waiter.Look(_facts);
        }

        using var timer = _time.CreateTimer(_ => Signal(new MachineSignal.DeadlineExpired(deadline)), null, deadline, Timeout.InfiniteTimeSpan);
        return await waiter.Reached.WaitAsync(cancellation);
    }

    /// <summary>A folder of this machine's own, removed with it; QEMU can write there.</summary>
    internal string Folder => _ports.Folder;

    /// <summary>Where VNC viewers find its screen.</summary>
    internal string VncSocket => _ports.Vnc;

    /// <summary>QEMU's control connection, for what isn't worth a method here.</summary>
    internal QmpClient Qmp => _qmp;

    /// <summary>Types on the machine's serial port.</summary>
    internal Task TypeAsync(string text, CancellationToken cancellation) => _ports.Serial.TypeAsync(text, cancellation);

    /// <summary>Says something to one of Crust's own guests, over the port by which it says how it fares.</summary>
    /// <exception cref="IOException">QEMU has gone.</exception>
    internal async Task SayAsync(string text, CancellationToken cancellation) => await _word.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation);

    /// <summary>Stops the machine and saves it to a file. It doesn't run on.</summary>
    /// <exception cref="QmpException">QEMU can't save it, or has gone.</exception>
    /// <exception cref="IOException">The file can't be written.</exception>
    internal Task<SavedMachine> SaveAsync(string file, CancellationToken cancellation) => MachineState.SaveAsync(_qmp, _ports, file, cancellation);

    /// <summary>Has QEMU write what the screen shows to a file.</summary>
    /// <param name="format">`ppm`, or `png` since QEMU 7.1.</param>
    /// <exception cref="QmpException">QEMU has gone, or can't do it.</exception>
    internal async Task DumpScreenAsync(string path, string format, CancellationToken cancellation) =>
        await _qmp.ExecuteAsync("screendump", new JsonObject { ["filename"] = path, ["format"] = format }, cancellation);

    /// <summary>Ends QEMU, politely first, reads all that is left in its connections, and decides how the run ended.</summary>
    internal async Task<(MachineOutcome Outcome, MachineFacts Facts)> EndAsync(OnReboot onReboot)
    {
        if (!_qemu.Ended.IsCompleted)
        {
            await TryQuitAsync();
        }

        await (_tpm?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _ending.CancelAsync();
        await Task.WhenAll(_pumps);
        _signals.Writer.TryComplete();
        await _folding;
        var outcome = Verdict.Of(_facts, onReboot);
        _log.Information("Machine {Name} ended: {Outcome}", Description.Name, outcome);
        return (outcome, _facts);
    }

    /// <summary>The port of 127.0.0.1 that QEMU forwards to the guest's port 22.</summary>
    /// <exception cref="QmpException">QEMU named no port.</exception>
    public async Task<int> FindSshPortAsync(CancellationToken cancellation)
    {
        // The kernel chose the port (hostfwd with port 0), so no other process can have taken it; only HMP tells which.
        var reply = await _qmp.ExecuteAsync("human-monitor-command", new JsonObject { ["command-line"] = "info usernet" }, cancellation);
        var line = (reply.GetString() ?? "").Split('\n').FirstOrDefault(row => row.Contains("HOST_FORWARD")) ?? throw new QmpException("QEMU forwards no port");
        // "  TCP[HOST_FORWARD]  12  127.0.0.1  40123  10.0.2.15  22  0  0"
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]);
    }

    /// <summary>Ends the machine whatever it does, and removes its private folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _qemu.DisposeAsync();
        await (_tpm?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _qmp.DisposeAsync();
        await Task.WhenAll(_pumps);
        _signals.Writer.TryComplete();
        await _folding;
        _ports.Dispose();
        _ending.Dispose();
    }

    /// <summary>Tells the fold something, in a moment if it is behind; for timers and watchers, which have little to say.</summary>
    internal void Signal(MachineSignal signal) => _ = SignalAsync(signal);

    private NetworkGate GateOf(NetworkPorts ports) => new(ports, new FrameFilter(new AddressRules(Description.NetworkAllow, HostAddresses.Of(_time).Contains), Description.ForwardSsh),
        (address, why) => Signal(new MachineSignal.NetworkRefused(address, why)), _log);

    private async Task SignalAsync(MachineSignal signal)
    {
        try
        {
            await _signals.Writer.WriteAsync(signal);
        }
        catch (ChannelClosedException)
        {
            // The run is judged already.
        }
    }

    private string? QmpBroke
    {
        get
        {
            lock (_lock)
            {
                return _facts.QmpBroke;
            }
        }
    }

    private async Task TryQuitAsync()
    {
        try
        {
            // Who has stopped answering isn't asked once more.
            if (QmpBroke is { } reason)
            {
                throw new QmpException(reason);
            }

            using var timeout = new CancellationTokenSource(QuitTimeout);
            await _qmp.ExecuteAsync("quit", null, timeout.Token);
            await _qemu.Ended.WaitAsync(timeout.Token);
        }
        catch (Exception e) when (e is QmpException or OperationCanceledException)
        {
            // It may have closed the connection because it is ending; if not, it has to be killed.
            await Task.WhenAny(_qemu.Ended, Task.Delay(TimeSpan.FromSeconds(2)));
            if (!_qemu.Ended.IsCompleted)
            {
                _log.Warning("QEMU of machine {Name} didn't quit ({Reason}) and is killed", Description.Name, e.Message);
                await _qemu.KillAsync();
            }
        }
    }

    private async Task FoldAsync()
    {
        await foreach (var signal in _signals.Reader.ReadAllAsync())
        {
            lock (_lock)
            {
                _facts = _facts.With(signal);
                _waiters.RemoveAll(waiter => waiter.Look(_facts));
            }

            OnSignal?.Invoke(signal, _facts);
        }
    }

    private sealed class Waiter(Func<MachineFacts, bool> goal)
    {
        private readonly TaskCompletionSource<MachineFacts> _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<MachineFacts> Reached => _reached.Task;

        public bool Look(MachineFacts facts) => goal(facts) && _reached.TrySetResult(facts);
    }
}
