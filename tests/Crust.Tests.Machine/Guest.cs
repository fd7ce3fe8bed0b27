using System.Diagnostics;
using Crust.Machines;
using Crust.Reports;
using Crust.Spec;
using Crust.Tools;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>An installed system that has booted, and a shell in it by OpenSSH's client.</summary>
internal sealed class Guest : IAsyncDisposable
{
    private readonly RunningMachine _machine;
    private readonly string _key;
    private readonly int _port;

    private Guest(RunningMachine machine, string key, int port) => (_machine, _key, _port) = (machine, key, port);

    /// <summary>Boots an image, on a throw-away overlay, until it lets the key in.</summary>
    public static async Task<Guest> BootAsync(string image, Firmware firmware, string folder, string key, CancellationToken cancellation)
    {
        var launcher = new MachineLauncher(Host.Tools, FirmwareFinder.OfHost, "/tmp", TimeProvider.System, Logger.None);
        var request = new BootRequest(image, BootVerifier.FormatOf(image), new MachineSpec { Firmware = firmware, Memory = 1L << 30 }, Accelerator.Tcg,
            new VerifySpec { Ssh = true }, LogFile.At(Path.Combine(folder, $"{Path.GetFileName(image)}.{firmware}.serial.log")));
        var machine = await new BootVerifier(launcher, Host.Tools, new NoObserver(), TimeProvider.System).StartAsync(request, folder, cancellation);
        try
        {
            var clock = Stopwatch.StartNew();
            var facts = await machine.WaitAsync(facts => facts.FreshSerial.Contains("login:", StringComparison.Ordinal), TimeSpan.FromMinutes(8), cancellation);
            Assert.That(facts.IsOver, Is.False, $"it didn't come up: {machine.SerialTail}");
            await TestContext.Out.WriteLineAsync($"login: after {clock.Elapsed.TotalSeconds:0} s");
            var guest = new Guest(machine, key, await machine.FindSshPortAsync(cancellation));
            await guest.WaitForSshAsync(cancellation);
            await TestContext.Out.WriteLineAsync($"SSH after {clock.Elapsed.TotalSeconds:0} s");
            return guest;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command line in the guest, which must succeed, and gives what it printed.</summary>
    public async Task<string> RunAsync(string command, CancellationToken cancellation) => (await SshAsync(command, [0, 1], cancellation)).Output;

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    private async Task WaitForSshAsync(CancellationToken cancellation)
    {
        // Until cloud-init has made the account and the host keys, the server refuses: exit code 255.
        for (var tries = 0; (await SshAsync("true", [0, 255], cancellation)).ExitCode != 0; tries++)
        {
            Assert.That(tries, Is.LessThan(60), $"SSH never let us in: {_machine.SerialTail}");
            await Task.Delay(TimeSpan.FromSeconds(3), cancellation);
        }
    }

    private Task<ToolResult> SshAsync(string command, int[] codes, CancellationToken cancellation) => Host.Tools.RunAsync(
        ToolCommand.Of("ssh", "-i", _key, "-p", $"{_port}", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
            "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20", "edge@127.0.0.1", command) with
        { SuccessCodes = [.. codes] }, cancellation);
}
