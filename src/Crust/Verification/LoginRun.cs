using System.Collections.Immutable;
using Crust.Sanitizing;
using Renci.SshNet.Common;
using Serilog;

namespace Crust.Verification;

/// <summary>
/// Logs in to a guest as soon as it lets the account in, and runs the checks, all over one connection. A server that refuses is asked again until the run is cancelled:
/// on a first boot it is up before the account is made.
/// </summary>
/// <param name="hidden">Takes secrets out of what the guest says.</param>
/// <param name="tell">Receives progress, in words.</param>
internal sealed class LoginRun(SshLogin login, Redactor hidden, Action<string> tell, TimeProvider time, ILogger log)
{
    private const int MostLines = 20;
    private const int LongestLine = 300;

    // Servers count refusals, and lock out whoever collects them too fast: OpenSSH's PerSourcePenalties adds 5 s for each.
    private static readonly TimeSpan PauseAfterRefusal = TimeSpan.FromSeconds(10);

    private int _refusals;

    /// <summary>Why nobody is logged in yet, as the rest of a sentence: `its SSH server refused edge's password (2 times, …)`.</summary>
    public string Waiting { get; private set; } = "no SSH server answered";

    /// <summary>The check that runs, or ran last: `the check 'false' (1 of 2)`; null before the first.</summary>
    public string? Check { get; private set; }

    /// <summary>What it did; null unless all checks were passed.</summary>
    public LoginProof? Proof { get; private set; }

    /// <summary>Why a check failed; null if none has.</summary>
    public CheckFailure? Failure { get; private set; }

    /// <summary>Logs in and runs the checks, until one fails.</summary>
    /// <param name="port">The port of 127.0.0.1 on which the guest's server answers.</param>
    public async Task RunAsync(int port, CancellationToken cancellation)
    {
        await using var shell = await LogInAsync(port, cancellation);
        log.Information("Logged in as {User}: {Server}, host key {Type} {Fingerprint}", login.User, shell.Server, shell.HostKey.Type, shell.HostKey.Fingerprint);
        var passed = ImmutableArray.CreateBuilder<CheckProof>();
        for (var i = 0; i < login.Checks.Length; i++)
        {
            if (await TryCheckAsync(shell, i, cancellation) is not { } check)
            {
                return;
            }

            passed.Add(check);
        }

        Proof = new LoginProof(hidden.Line(shell.Server), login.User, login.Key, shell.HostKey with { Type = hidden.Line(shell.HostKey.Type) }, passed.ToImmutable());
    }

    private async Task<GuestShell> LogInAsync(int port, CancellationToken cancellation)
    {
        while (true)
        {
            await SshBanner.WaitAsync(port, cancellation);
            try
            {
                tell($"logging in as {login.User}");
                return await GuestShell.ConnectAsync(login, "127.0.0.1", port, cancellation);
            }
            catch (SshAuthenticationException e)
            {
                _refusals++;
                Waiting = $"its SSH server refused {login.User}'s {login.Way} ({_refusals} time{(_refusals == 1 ? "" : "s")}, the last time: {hidden.Line(e.Message)})";
            }
            // A guest decides what SSH.NET stumbles over.
            catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
            {
                Waiting = $"its SSH server didn't let {login.User} in: {hidden.Line(e.Message)}";
            }

            log.Information("Not logged in yet: {Why}", Waiting);
            tell(Waiting);
            await Task.Delay(PauseAfterRefusal, time, cancellation);
        }
    }

    private async Task<CheckProof?> TryCheckAsync(GuestShell shell, int index, CancellationToken cancellation)
    {
        var command = login.ShownChecks[index];
        var name = $"the check '{command}'{(login.Checks.Length == 1 ? "" : $" ({index + 1} of {login.Checks.Length})")}";
        Check = name;
        tell($"check {index + 1} of {login.Checks.Length}: {command}");
        var started = time.GetTimestamp();
        CommandResult result;
        try
        {
            result = await shell.RunAsync(login.Checks[index], hidden, cancellation);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            Failure = new CheckFailure($"the SSH connection was lost while {name} ran: {hidden.Line(e.Message)}",
                "read in the serial log what happened then; a check that reboots the machine, or takes its network away, can't tell how it ended", []);
            return null;
        }

        ImmutableArray<string> output = [.. hidden.Lines(result.Output, int.MaxValue, LongestLine).Where(line => line.Length > 0).TakeLast(MostLines)];
        if (result is { ExitStatus: 0 })
        {
            return new CheckProof(command, time.GetElapsedTime(started).TotalSeconds, output);
        }

        var how = result.Signal is { } signal ? $"was ended by signal {hidden.Line(signal)}" : result.ExitStatus is { } status ? $"exited with {status}" : "ended without an exit status";
        Failure = new CheckFailure($"{name} {how}",
            "mend the image or the check (verify.checks); checks run once, right after the log-in: where something is still starting then, have a check before it wait, such as 'cloud-init status --wait' or 'systemctl is-system-running --wait'", output);
        return null;
    }
}
