using System.Diagnostics;
using Crust.Machines;
using Crust.Spec;
using Crust.Tools;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>An installed system that has booted, and a shell in it by OpenSSH's client.</summary>
internal sealed class Guest : IAsyncDisposable
{
    // Until cloud-init has made the account and the host keys, the server refuses; and cloud-init restarts it once more after that.
    private const int NotConnected = 255;

    private readonly RunningMachine _machine;
    private readonly string _key;
    private readonly int _port;
    private readonly string _connection;

    private Guest(RunningMachine machine, string key, int port, string connection) => (_machine, _key, _port, _connection) = (machine, key, port, connection);

    /// <summary>Boots an image, on a throw-away overlay, until it lets the key in.</summary>
    public static async Task<Guest> BootAsync(string image, Firmware firmware, string folder, string key, CancellationToken cancellation)
    {
        var launcher = new MachineLauncher(Host.Tools, FirmwareFinder.OfHost, "/tmp", TimeProvider.System, Logger.None);
        var request = new BootRequest(image, BootVerifier.FormatOf(image), new MachineSpec { Firmware = firmware, Memory = 1L << 30 }, Accelerator.Tcg,
            new VerifySpec { Ssh = true }, RunFiles.Draft(folder, Path.Combine(folder, $"{Path.GetFileName(image)}.{firmware}")));
        var machine = await new BootVerifier(launcher, Host.Tools, new NoObserver(), TimeProvider.System, Logger.None).StartAsync(request, folder, cancellation);
        try
        {
            var clock = Stopwatch.StartNew();
            var facts = await machine.WaitAsync(facts => facts.FreshSerial.Contains("login:", StringComparison.Ordinal), TimeSpan.FromMinutes(8), cancellation);
            Assert.That(facts.IsOver, Is.False, $"it didn't come up: {machine.SerialTail}");
            await TestContext.Out.WriteLineAsync($"login: after {clock.Elapsed.TotalSeconds:0} s");
            var port = await machine.FindSshPortAsync(cancellation);
            var guest = new Guest(machine, key, port, Path.Combine(folder, $"ssh-{port}"));
            await guest.RunAsync("true", cancellation);
            await TestContext.Out.WriteLineAsync($"SSH after {clock.Elapsed.TotalSeconds:0} s");
            return guest;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command line in the guest, and gives what it printed. It may be run again, so it changes nothing.</summary>
    public async Task<string> RunAsync(string command, CancellationToken cancellation)
    {
        for (var tries = 0; ; tries++)
        {
            var result = await SshAsync(command, cancellation);
            if (result.ExitCode != NotConnected)
            {
                return result.Output;
            }

            Assert.That(tries, Is.LessThan(60), $"SSH doesn't let us in: {result.Error}{_machine.SerialTail}");
            await Task.Delay(TimeSpan.FromSeconds(3), cancellation);
        }
    }

    /// <summary>Has the guest switch itself off, and waits until it has.</summary>
    public async Task PowerOffAsync(CancellationToken cancellation)
    {
        // It may be off before SSH has told how the command ended.
        await SshAsync("sudo -n systemctl poweroff", cancellation);
        await _machine.WaitAsync(_ => false, TimeSpan.FromMinutes(3), cancellation);
        Assert.That((await _machine.EndAsync(OnReboot.Fail)).Outcome, Is.InstanceOf<MachineOutcome.PoweredOff>(), _machine.SerialTail);
    }

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    // All commands share one connection: under emulation, agreeing on its keys takes longer than what the commands do. It ends with the guest.
    private Task<ToolResult> SshAsync(string command, CancellationToken cancellation) => Host.Tools.RunAsync(
        ToolCommand.Of("ssh", "-i", _key, "-p", $"{_port}", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
            "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20", "-o", "ControlMaster=auto", "-o", $"ControlPath={_connection}", "-o", "ControlPersist=yes", "edge@127.0.0.1", command) with
        { SuccessCodes = [0, 1, NotConnected] }, cancellation);
}
