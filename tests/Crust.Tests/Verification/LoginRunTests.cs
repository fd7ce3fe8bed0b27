using Crust.Sanitizing;
using Crust.Spec;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Verification;

/// <summary>Log-ins and checks against OpenSSH's own server.</summary>
[CancelAfter(120_000)]
public sealed class LoginRunTests
{
    private const string Hidden = "hunter2 and more";

    private readonly Redactor _hidden = new();
    private readonly List<string> _told = [];
    private SshServer _server = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public void Start()
    {
        _server = SshServer.Start();
        _hidden.Hide([Hidden]);
    }

    [OneTimeTearDown]
    public void Stop() => _server.Dispose();

    [SetUp]
    public void SetUp() => _told.Clear();

    [TestCase("ed25519")]
    [TestCase("rsa -b 2048")]
    [TestCase("rsa -b 3072 -m PEM")]
    [TestCase("rsa -b 2048 -m PKCS8")]
    [TestCase("ecdsa -b 256")]
    [TestCase("ecdsa -b 521")]
    [TestCase("ecdsa -b 384 -m PEM")]
    public async Task A_key_of_any_usual_kind_logs_in_and_the_proof_names_it_and_the_host_key(string kind)
    {
        var key = _server.AddKey(kind.Replace(' ', '_'), isKnown: true, ["-t", .. kind.Split(' ')]);

        var proof = (await RunAsync(ByKey(key))).Proof!;

        Assert.That(proof.Key, Is.EqualTo(SshServer.FingerprintOf(key)));
        Assert.That(proof.HostKey, Is.EqualTo(new HostKey("ssh-ed25519", SshServer.FingerprintOf(_server.HostKeyFile))));
        Assert.That(proof.Server, Does.StartWith("SSH-2.0-OpenSSH"));
    }

    [Test]
    public async Task A_password_logs_in_and_no_line_that_is_told_holds_it()
    {
        var run = await RunAsync(ByPassword(SshServer.AccountPassword, "true"));

        Assert.That(run.Proof, Is.Not.Null);
        Assert.That((run.Proof!.User, run.Proof.Key), Is.EqualTo(("edge", (string?)null)));
        Assert.That(_told, Is.EqualTo(new[] { "logging in as edge", "check 1 of 1: true" }));
    }

    [Test]
    public async Task A_key_that_the_server_does_not_know_is_tried_until_it_does_as_on_a_first_boot()
    {
        var key = _server.AddKey("late", isKnown: false, "-t", "ed25519");
        var time = new ManualTime();
        var refused = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var run = Run(ByKey(key, "true"), time, says => _ = says.Contains("refused", StringComparison.Ordinal) && refused.TrySetResult(says));

        var running = run.RunAsync(_server.Port, Cancellation);
        var says = await refused.Task.WaitAsync(Cancellation);
        await File.AppendAllTextAsync(_server.AuthorizedKeys, await File.ReadAllTextAsync(key + ".pub", Cancellation), Cancellation);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await Task.WhenAny(running, Task.Delay(50, Cancellation));
        }

        await running;
        Assert.That(says, Does.StartWith($"its SSH server refused edge's key {SshServer.FingerprintOf(key)} (1 time, the last time: ").And.Contain("publickey"));
        Assert.That(run.Proof, Is.Not.Null);
    }

    [Test]
    public async Task A_wrong_password_is_refused_for_as_long_as_is_tried_and_is_shown_nowhere()
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var run = Run(ByPassword("wrong pony"), TimeProvider.System, says =>
        {
            if (says.Contains("refused", StringComparison.Ordinal))
                giveUp.Cancel();
        });

        Assert.That(async () => await run.RunAsync(_server.Port, giveUp.Token), Throws.InstanceOf<OperationCanceledException>());

        Cancellation.ThrowIfCancellationRequested();
        Assert.That(run.Waiting, Does.StartWith("its SSH server refused edge's password (1 time, ").And.Not.Contain("pony"));
        Assert.That((run.Proof, run.Failure, run.Check), Is.EqualTo(((LoginProof?)null, (CheckFailure?)null, (string?)null)));
    }

    [Test]
    public async Task Checks_run_in_their_order_in_the_accounts_shell_and_their_last_lines_are_kept()
    {
        var proof = (await RunAsync(ByKey(_server.KeyFile, "i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; done", "echo out; echo err >&2", "test -f authorized_keys"))).Proof!;

        Assert.That(proof.Checks.Select(check => check.Output.LastOrDefault()), Is.EqualTo(new[] { "line 100", proof.Checks[1].Output[^1], null }));
        Assert.That(proof.Checks[0].Output, Is.EqualTo(Enumerable.Range(81, 20).Select(i => $"line {i}")));
        Assert.That(proof.Checks[1].Output, Is.EquivalentTo(new[] { "out", "err" }));
    }

    [TestCase("echo no such unit; exit 3", "the check 'echo no such unit; exit 3' (1 of 2) exited with 3", "no such unit")]
    [TestCase("kill -KILL $$", "the check 'kill -KILL $$' (1 of 2) was ended by signal KILL", "")]
    [TestCase("no-such-program", "the check 'no-such-program' (1 of 2) exited with 127", "not found")]
    public async Task A_check_that_fails_is_told_with_its_end_and_its_last_lines_and_no_other_is_run(string command, string what, string output)
    {
        var marker = Path.Combine(_server.Folder, "ran");
        var run = await RunAsync(ByKey(_server.KeyFile, command, $"touch {marker}"));

        Assert.That(run.Failure!.What, Is.EqualTo(what));
        Assert.That(string.Join('\n', run.Failure.Output), Does.EndWith(output));
        Assert.That(run.Failure.Remedy, Does.Contain("cloud-init status --wait"));
        Assert.That((run.Proof, File.Exists(marker)), Is.EqualTo(((LoginProof?)null, false)));
    }

    [Test]
    public async Task A_check_that_hangs_ends_with_the_run_at_once()
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var run = Run(ByKey(_server.KeyFile, "echo begun; cat"), TimeProvider.System, says =>
        {
            if (says.StartsWith("check 1", StringComparison.Ordinal))
                giveUp.CancelAfter(TimeSpan.FromSeconds(1));
        });

        Assert.That(async () => await run.RunAsync(_server.Port, giveUp.Token), Throws.InstanceOf<OperationCanceledException>());

        Cancellation.ThrowIfCancellationRequested();
        Assert.That((run.Check, run.Failure), Is.EqualTo(("the check 'echo begun; cat'", (CheckFailure?)null)));
    }

    [Test]
    public async Task A_connection_that_is_cut_while_a_check_runs_is_told_as_such()
    {
        // The parent of the account's shell is the server's process for this connection.
        var run = await RunAsync(ByKey(_server.KeyFile, "kill -KILL $PPID; cat"));

        Assert.That(run.Failure!.What, Does.StartWith("the SSH connection was lost while the check 'kill -KILL $PPID; cat' ran: "));
        Assert.That(run.Proof, Is.Null);
    }

    [Test]
    public async Task What_a_check_prints_is_shown_without_escape_sequences_and_without_secrets()
    {
        var run = await RunAsync(ByKey(_server.KeyFile, $"printf '\\033[31mred\\033[0m {Hidden}\\n::error::x\\n'; printf %s '{Hidden}' | base64; exit 1"));

        var lines = string.Join('\n', run.Failure!.Output);
        Assert.That(run.Failure.Output[0], Is.EqualTo($"red {Redactor.Mask}"));
        Assert.That(lines, Does.Not.Contain("hunter2").And.Not.Contain("\e").And.Not.Contain("aHVudGVyMi").And.Not.Contain("\n::error::"));
        Assert.That(run.Failure.What + string.Join('\n', _told), Does.Not.Contain("hunter2").And.Contain(Redactor.Mask));
    }

    [TestCase("yes 'a line' | head -n 150000", "a line")]
    [TestCase("head -c 1000000 /dev/zero | tr '\\0' x", "xxxx")]
    [TestCase("head -c 3000000 /dev/zero | tr '\\0' '\\n'; echo end", "end")]
    public async Task A_flood_of_output_is_read_to_its_end_and_little_of_it_is_kept(string command, string begins)
    {
        var check = (await RunAsync(ByKey(_server.KeyFile, command))).Proof!.Checks.Single();

        Assert.That(check.Output[^1], Does.StartWith(begins));
        Assert.That(check.Output, Has.Length.LessThanOrEqualTo(20).And.All.Length.LessThanOrEqualTo(301));
    }

    [Test]
    public async Task Each_server_makes_itself_known_by_its_own_key()
    {
        using var other = SshServer.Start();

        var first = (await RunAsync(ByKey(_server.KeyFile))).Proof!.HostKey;
        var run = Run(ByKey(other.KeyFile), TimeProvider.System, _told.Add);
        await run.RunAsync(other.Port, Cancellation);

        Assert.That(run.Proof!.HostKey, Is.Not.EqualTo(first));
    }

    private SshLogin ByKey(string key, params string[] checks) => SshLogin.Of(new BuildSpec { Verify = new VerifySpec { Ssh = SshProof.Login, SshUser = "edge", SshKey = key, Checks = [.. checks] } }, _hidden)!;

    private SshLogin ByPassword(string password, params string[] checks) => SshLogin.Of(new BuildSpec
    {
        Seed = new SeedSpec { Ssh = new SshSpec { User = "edge", Password = new Secret(password) } },
        Verify = new VerifySpec { Ssh = SshProof.Login, SshUser = "edge", Checks = [.. checks] },
    }, _hidden)!;

    private LoginRun Run(SshLogin login, TimeProvider time, Action<string> tell) => new(login, _hidden, tell, time, Logger.None);

    private async Task<LoginRun> RunAsync(SshLogin login)
    {
        var run = Run(login, TimeProvider.System, _told.Add);
        await run.RunAsync(_server.Port, Cancellation);
        return run;
    }
}
