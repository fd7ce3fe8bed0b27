using System.Diagnostics;
using Crust.Machines;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>An installed system that has booted, and a shell in it, over the connection by which Crust itself logs in to images.</summary>
internal sealed class Guest : IAsyncDisposable
{
    private readonly RunningMachine _machine;
    private readonly SshLogin _login;
    private readonly int _port;
    private GuestShell? _shell;

    private Guest(RunningMachine machine, SshLogin login, int port) => (_machine, _login, _port) = (machine, login, port);

    /// <summary>Boots an image, on a throw-away overlay, until it lets the key in.</summary>
    public static async Task<Guest> BootAsync(string image, Firmware firmware, string folder, string key, CancellationToken cancellation)
    {
        var launcher = new MachineLauncher(Host.Tools, FirmwareFinder.OfHost, "/tmp", TimeProvider.System, Logger.None);
        // Emulated, a boot with one processor costs this host a sixth less than one with two, which other tests boot.
        var request = new BootRequest(image, BootVerifier.FormatOf(image), new MachineSpec { Firmware = firmware, Cpus = 1, Memory = 1L << 30 }, Accelerator.Tcg,
            new VerifySpec { Ssh = SshProof.Banner }, RunFiles.Draft(folder, Path.Combine(folder, $"{Path.GetFileName(image)}.{firmware}")));
        var machine = await new BootVerifier(launcher, Host.Tools, new NoObserver(), TimeProvider.System, Logger.None).StartAsync(request, folder, cancellation);
        try
        {
            var clock = Stopwatch.StartNew();
            var facts = await machine.WaitAsync(facts => facts.FreshSerial.Contains("login:", StringComparison.Ordinal), TimeSpan.FromMinutes(8), cancellation);
            Assert.That(facts.IsOver, Is.False, $"it didn't come up: {machine.SerialTail}");
            await TestContext.Out.WriteLineAsync($"login: after {clock.Elapsed.TotalSeconds:0} s");
            var port = await machine.FindSshPortAsync(cancellation);
            var guest = new Guest(machine, SshLogin.With("edge", key), port);
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

    /// <summary>Runs a command line in the guest, and gives what it printed on its standard output. It may be run again, so it changes nothing.</summary>
    public async Task<string> RunAsync(string command, CancellationToken cancellation)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                _shell ??= await GuestShell.ConnectAsync(_login, "127.0.0.1", _port, cancellation);
                var result = await _shell.RunAsync($"exec 2>/dev/null; {command}", new Redactor(), cancellation);
                Assert.That(result.ExitStatus, Is.AnyOf(0, 1), $"{command}: {result.Output}");
                return result.Output;
            }
            // Until cloud-init has made the account and the host keys, the server refuses; and cloud-init restarts it once more after that.
            catch (Exception e) when (e is not (OperationCanceledException or AssertionException))
            {
                Assert.That(tries, Is.LessThan(60), $"SSH doesn't let us in: {e.Message}{_machine.SerialTail}");
                await CloseAsync();
                await Task.Delay(TimeSpan.FromSeconds(3), cancellation);
            }
        }
    }

    /// <summary>Has the guest switch itself off, and waits until it has.</summary>
    public async Task PowerOffAsync(CancellationToken cancellation)
    {
        try
        {
            await _shell!.RunAsync("sudo -n systemctl poweroff", new Redactor(), cancellation);
        }
        catch (Renci.SshNet.Common.SshException)
        {
            // It may be off before SSH has told how the command ended.
        }

        await _machine.WaitAsync(_ => false, TimeSpan.FromMinutes(3), cancellation);
        Assert.That((await _machine.EndAsync(OnReboot.Fail)).Outcome, Is.InstanceOf<MachineOutcome.PoweredOff>(), _machine.SerialTail);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await _machine.DisposeAsync();
    }

    private async Task CloseAsync()
    {
        await (_shell?.DisposeAsync() ?? ValueTask.CompletedTask);
        _shell = null;
    }
}
