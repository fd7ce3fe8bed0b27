using Crust.Machines.Qmp;
using Crust.Sanitizing;
using Crust.Tools;
using Serilog;

namespace Crust.Machines;

/// <param name="tools">Starts QEMU.</param>
/// <param name="runtimeFolder">Where a machine's private folder is made.</param>
/// <param name="log">Gets the command line, QMP's events and the outcome.</param>
internal sealed class MachineLauncher(ToolBox tools, FirmwareFinder firmware, string runtimeFolder, TimeProvider time, ILogger log)
{
    /// <summary>How long QEMU may take until its guest runs. It connects while it parses its options, before it makes the machine.</summary>
    internal TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a machine that runs may take to answer over QMP, counting only time in which this host let it.</summary>
    internal TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>What this host is short of, where QEMU is silent.</summary>
    internal Func<int, HostShortage> LookAtHost { get; init; } = HostShortage.Of;

    /// <summary>Takes secrets out of what guests say.</summary>
    public Redactor Hidden { get; init; } = new();

    /// <summary>Starts a machine; its guest runs when this returns.</summary>
    /// <param name="serialLog">The file to which the serial port is appended.</param>
    /// <exception cref="CrustException">QEMU or firmware is missing, or QEMU refused to start: what it said is in the message.</exception>
    public async Task<RunningMachine> StartAsync(MachineDescription description, string serialLog, CancellationToken cancellation)
    {
        var template = description.Firmware is Spec.Firmware.Bios ? null : firmware.FindUefi(description.Arch, description.Firmware is Spec.Firmware.UefiSecure);
        var ports = MachinePorts.Create(runtimeFolder);
        RunningTool? tpm = null;
        RunningTool? qemu = null;
        try
        {
            tpm = description.Tpm ? await TpmEmulator.StartAsync(tools, ports.Tpm, cancellation) : null;
            var command = new ToolCommand
            {
                Program = QemuArguments.ProgramFor(description.Arch),
                Arguments = QemuArguments.For(description, EndpointsOf(description, ports, template)),
                InputFile = description.Restored?.State,
                Inherits = description.Display is GuestDisplay.Window ? ToolEnvironment.Display : [],
            };
            qemu = tools.Start(command);
            log.Information("Machine {Name}: {Command}", description.Name, command.ToString());

            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(StartTimeout);
            var qmpStream = await ConnectAsync(ports.Qmp, qemu, timeout.Token, cancellation);
            var word = await ConnectAsync(ports.Word, qemu, timeout.Token, cancellation);
            var qmp = await StartGuestAsync(qmpStream, qemu, description, timeout.Token, cancellation);
            return new RunningMachine(description, command.ToString(), ports, qemu, tpm, qmp, ports.Serial.Open(), word, serialLog, new SilenceLimit(ReplyTimeout, LookAtHost), Hidden, time, log);
        }
        catch
        {
            if (qemu is not null)
            {
                await qemu.DisposeAsync();
            }

            if (tpm is not null)
            {
                await tpm.DisposeAsync();
            }

            ports.Dispose();
            throw;
        }
    }

    private static QemuEndpoints EndpointsOf(MachineDescription description, MachinePorts ports, FirmwareImage? template)
    {
        var endpoints = new QemuEndpoints(ports.Qmp.Path, ports.Serial.Path, ports.Word.Path, null) { Tpm = ports.Tpm, Vnc = ports.Vnc };
        if (description.Network is Spec.MachineNetwork.Internet)
        {
            var network = ports.OpenNetwork();
            endpoints = endpoints with { Sent = network.Sent.Path, Passed = network.Passed.Path, Answered = network.Answered.Path };
        }

        if (template is null)
        {
            return endpoints;
        }

        var variables = Path.Combine(ports.Folder, "vars.fd");
        try
        {
            File.Copy(template.Variables, variables);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The machine's UEFI variables can't be copied: {e.Message}", variables,
                "make room there (a MiB for each machine), or set XDG_RUNTIME_DIR or TMPDIR to another folder", e);
        }

        return endpoints with { Firmware = template with { Variables = variables } };
    }

    private static async Task<Stream> ConnectAsync(MachinePorts.Endpoint endpoint, RunningTool qemu, CancellationToken timeout, CancellationToken cancellation)
    {
        var accept = endpoint.AcceptAsync(timeout);
        await Task.WhenAny(accept, qemu.Ended);
        if (accept.IsCompletedSuccessfully)
        {
            return await accept;
        }

        cancellation.ThrowIfCancellationRequested();
        throw await RefusedAsync(qemu, "QEMU never opened its control connection", null);
    }

    private static async Task<QmpClient> StartGuestAsync(Stream stream, RunningTool qemu, MachineDescription description, CancellationToken timeout, CancellationToken cancellation)
    {
        QmpClient? qmp = null;
        try
        {
            qmp = await QmpClient.ConnectAsync(stream, timeout);
            if (description.Restored is { } saved)
            {
                await MachineState.LoadAsync(qmp, saved, description.Drives.Length, timeout);
            }

            await qmp.ExecuteAsync("cont", null, timeout);
            return qmp;
        }
        catch (Exception e) when (e is QmpException or OperationCanceledException)
        {
            if (qmp is not null)
            {
                await qmp.DisposeAsync();
            }

            cancellation.ThrowIfCancellationRequested();
            throw await RefusedAsync(qemu, e is QmpException ? e.Message : "QEMU never greeted on its control connection", e);
        }
    }

    private static async Task<CrustException> RefusedAsync(RunningTool qemu, string reason, Exception? inner)
    {
        // QEMU's own words are worth more than ours; they are complete a moment after its connection broke.
        await Task.WhenAny(qemu.Ended, Task.Delay(TimeSpan.FromSeconds(2)));
        if (!qemu.Ended.IsCompleted)
        {
            await qemu.KillAsync();
            return new CrustException(FailureKind.HostLacks, reason, qemu.ToString(), "look at the host's load and at QEMU's version, then try again", inner);
        }

        var result = await qemu.Ended;
        if (result.Error.Contains(QemuArguments.GateFilter, StringComparison.Ordinal))
        {
            return new CrustException(FailureKind.HostLacks, $"This host's QEMU lacks {QemuArguments.GateFilter}, by which Crust keeps a guest from this host: {result.Error.Trim()}",
                "machine.network: internet",
                "install the distribution's own QEMU (apt-get install qemu-system-x86), or set machine.network to none; with host, the guest reaches all that this host reaches", inner);
        }

        return new CrustException(FailureKind.HostLacks,
            $"QEMU ended with exit code {result.ExitCode} before the machine ran: {result.Error.Trim()}", qemu.ToString(),
            "mend what QEMU complains about; the command line above can be tried by hand", inner);
    }
}
