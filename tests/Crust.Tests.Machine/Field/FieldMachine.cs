using System.Text.Json.Nodes;
using Crust.Machines;
using Crust.Spec;
using Serilog.Core;

namespace Crust.Tests.Machine.Field;

/// <summary>A machine in the field, as somebody meets it who has a medium in his hand.</summary>
internal sealed class FieldMachine : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly RunningMachine _machine;

    private FieldMachine(RunningMachine machine) => _machine = machine;

    /// <summary>All that it has shown on its serial port.</summary>
    public string Screen => _machine.SerialTail;

    /// <summary>Switches it on.</summary>
    public static Task<FieldMachine> StartAsync(Firmware startedBy, string log, CancellationToken cancellation, params Drive[] drives) =>
        StartAsync(Arch.Amd64, startedBy, log, cancellation, drives);

    /// <summary>Switches one of an architecture on.</summary>
    public static Task<FieldMachine> StartAsync(Arch arch, Firmware startedBy, string log, CancellationToken cancellation, params Drive[] drives) =>
        StartAsync(arch, startedBy, 512L << 20, log, cancellation, drives);

    /// <summary>The same with as much memory as it needs, in bytes.</summary>
    public static async Task<FieldMachine> StartAsync(Arch arch, Firmware startedBy, long memory, string log, CancellationToken cancellation, params Drive[] drives)
    {
        var launcher = new MachineLauncher(Host.Tools, FirmwareFinder.OfHost, "/tmp", TimeProvider.System, Logger.None);
        return new(await launcher.StartAsync(new MachineDescription
        {
            Name = "field",
            Arch = arch,
            Accelerator = Accelerator.Tcg,
            Firmware = startedBy,
            // Emulated, a boot with one processor costs this host less than one with two, which the reference system's tests boot.
            Cpus = 1,
            Memory = memory,
            Network = MachineNetwork.None,
            Drives = [.. drives],
        }, log, cancellation));
    }

    /// <summary>Waits for a text on the serial port.</summary>
    public async Task ExpectAsync(string text, CancellationToken cancellation)
    {
        var facts = await _machine.WaitAsync(facts => facts.FreshSerial.Contains(text, StringComparison.Ordinal), Patience, cancellation);
        Assert.That(facts.IsOver, Is.False, $"'{text}' never came: {_machine.SerialTail}");
    }

    /// <summary>Types a line on the serial port.</summary>
    public Task TypeAsync(string line, CancellationToken cancellation) => _machine.TypeAsync(line + "\r", cancellation);

    /// <summary>Pulls the USB stick.</summary>
    public async Task PullStickAsync(CancellationToken cancellation)
    {
        const string Devices = "/machine/peripheral-anon";
        var devices = await _machine.Qmp.ExecuteAsync("qom-list", new JsonObject { ["path"] = Devices }, cancellation);
        var stick = devices.EnumerateArray().First(device => device.GetProperty("type").GetString() == "child<usb-storage>").GetProperty("name").GetString();
        await _machine.Qmp.ExecuteAsync("device_del", new JsonObject { ["id"] = $"{Devices}/{stick}" }, cancellation);
    }

    /// <summary>Waits until it is off, and says why.</summary>
    public async Task<MachineOutcome> EndAsync(CancellationToken cancellation)
    {
        await _machine.WaitAsync(_ => false, Patience, cancellation);
        return (await _machine.EndAsync(OnReboot.Finish)).Outcome;
    }

    public ValueTask DisposeAsync() => _machine.DisposeAsync();
}
