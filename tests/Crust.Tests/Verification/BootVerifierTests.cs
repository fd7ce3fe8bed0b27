using Crust.Formats;
using Crust.Machines;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Tests.Disks;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Verification;

/// <summary>Whole proofs of an image: QEMU plays a script, and the SSH server behind the port that it forwards is OpenSSH's own.</summary>
[CancelAfter(120_000)]
public sealed class BootVerifierTests
{
    // For an SSH server and a client on a busy host; the second try after a refusal, ten seconds later, mustn't fall into it.
    private static readonly TimeSpan InTimeToLogIn = TimeSpan.FromSeconds(8);

    private const string PowerOff = """event SHUTDOWN {"guest": true, "reason": "guest-shutdown"}""";

    private readonly List<string> _progress = [];
    private SshServer _server = null!;
    private FakeTools _fakes = null!;
    private SampleDisk _disk = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Start => _server.QemuScript;

    [OneTimeSetUp]
    public void StartServer() => _server = SshServer.Start();

    [OneTimeTearDown]
    public void StopServer() => _server.Dispose();

    [SetUp]
    public void SetUp()
    {
        _progress.Clear();
        _fakes = new FakeTools();
        _disk = new SampleDisk(1 << 20);
    }

    [TearDown]
    public void TearDown()
    {
        _disk.Dispose();
        _fakes.Dispose();
    }

    [Test]
    public async Task An_image_that_lets_the_account_in_and_passes_its_checks_is_proven()
    {
        var proof = await VerifyAsync(new VerifySpec { Checks = ["echo active", "test -d /"] }, Start, "expect quit", "reply quit {}", "exit 0");

        Assert.That(proof.Expected, Does.StartWith("SSH-2.0-OpenSSH"));
        Assert.That((proof.Login!.User, proof.Login.Key, proof.Login.HostKey.Fingerprint), Is.EqualTo(("edge", SshServer.FingerprintOf(_server.KeyFile), SshServer.FingerprintOf(_server.HostKeyFile))));
        Assert.That(proof.Login.Checks.Select(check => (check.Command, string.Concat(check.Output))), Is.EqualTo(new[] { ("echo active", "active"), ("test -d /", "") }));
        Assert.That(_progress, Does.Contain("check 2 of 2: test -d /"));
    }

    [Test]
    public async Task A_text_that_is_asked_for_beside_the_log_in_has_to_be_seen_too()
    {
        var told = _fakes.FileFor("told");
        var verify = new VerifySpec { Expect = "ready>", Checks = [$"touch {told}"] };

        var proof = await VerifyAsync(verify, Start, $"await {told}", "serial now ready> ", "serial and more", "expect quit", "reply quit {}", "exit 0");
        var error = await FailAsync(verify with { Deadline = InTimeToLogIn }, Start, "serial no such text", "expect quit", "reply quit {}", "exit 0");

        Assert.That((proof.Expected, proof.Login!.Checks.Length), Is.EqualTo(("ready>", 1)));
        Assert.That(error.What, Does.StartWith("the image disk.img let edge in, and didn't show 'ready>' on the serial port within 8s"));
    }

    [Test]
    public async Task A_check_that_fails_is_the_guests_failure_with_its_last_lines_and_what_to_do()
    {
        var error = await FailAsync(new VerifySpec { Checks = ["true", "echo inactive; exit 3"] }, Start, "serial edge login:", "expect quit", "reply quit {}", "exit 0");

        Assert.That(error.What, Is.EqualTo("the image disk.img came up, and the check 'echo inactive; exit 3' (2 of 2) exited with 3"));
        Assert.That((error.Detail, error.Where), Is.EqualTo(("inactive", $"serial log: {_disk.Folder}/disk.img.serial.log")));
        Assert.That(error.Remedy, Does.StartWith("mend the image or the check (verify.checks)"));
    }

    [Test]
    public async Task A_check_that_hangs_is_told_at_the_deadline()
    {
        var error = await FailAsync(new VerifySpec { Checks = ["cat"], Deadline = InTimeToLogIn }, Start, "serial edge login:", "expect quit", "reply quit {}", "exit 0");

        Assert.That(error.What, Is.EqualTo("the image disk.img came up, and the check 'cat' hadn't ended after 8s"));
        Assert.That(error.Remedy, Is.EqualTo("mend the check that waits (verify.checks), or raise verify.deadline (--verify-deadline)"));
        Assert.That(error.Detail, Is.EqualTo("edge login:"));
    }

    [Test]
    public async Task A_key_that_is_refused_until_the_deadline_is_told_with_how_often_it_was()
    {
        var key = _server.AddKey("stranger", isKnown: false, "-t", "ed25519");

        var error = await FailAsync(new VerifySpec { SshKey = key, Deadline = InTimeToLogIn }, Start, "expect quit", "reply quit {}", "exit 0");

        Assert.That(error.What, Does.StartWith($"the image disk.img let nobody in by SSH within 8s: its SSH server refused edge's key {SshServer.FingerprintOf(key)} (1 time, the last time: "));
        Assert.That(error.Remedy, Does.Contain("look whether it has this account with this key or password"));
    }

    [Test]
    public async Task A_guest_that_powers_off_in_the_middle_of_a_check_is_told_and_not_the_connection_that_it_took_along()
    {
        var begun = _fakes.FileFor("begun");

        var error = await FailAsync(new VerifySpec { Checks = [$"touch {begun}; kill -KILL $PPID"] }, Start, $"await {begun}", PowerOff, "expect quit", "reply quit {}", "exit 0");

        Assert.That(error.What, Does.StartWith("the image disk.img powered off while the check 'touch ").And.EndsWith("' ran"));
    }

    [Test]
    public async Task A_connection_that_is_lost_while_the_guest_lives_is_told()
    {
        var error = await FailAsync(new VerifySpec { Checks = ["kill -KILL $PPID"] }, Start, "expect quit", "reply quit {}", "exit 0");

        Assert.That(error.What, Does.StartWith("the image disk.img came up, and the SSH connection was lost while the check 'kill -KILL $PPID' ran: "));
    }

    [Test]
    public async Task A_banner_alone_is_enough_where_only_that_is_asked_for()
    {
        var proof = await VerifyAsync(new VerifySpec { Ssh = SshProof.Banner }, Start, "expect quit", "reply quit {}", "exit 0");

        Assert.That((proof.Expected.StartsWith("SSH-2.0-OpenSSH", StringComparison.Ordinal), proof.Login), Is.EqualTo((true, (LoginProof?)null)));
    }

    [Test]
    public async Task Where_any_sign_will_do_a_login_prompt_is_one()
    {
        var verdict = await VerdictAsync(AnySign, MachineNetwork.None, StartWithoutNetwork, "serial [    4.1] Run /init as init process", "serial edge login:", "expect quit", "reply quit {}", "exit 0");

        Assert.That((verdict.Proof!.Sign, verdict.Proof.Expected, verdict.Unproven), Is.EqualTo(("login-prompt", "edge login:", (UnprovenBoot?)null)));
        Assert.That(verdict.Proof.ToManifest(), Is.EqualTo(new ManifestProof("bios", "edge login:", Math.Round(verdict.Proof.Seconds, 1)) { DiskBus = "virtio", Sign = "login-prompt" }));
    }

    [Test]
    public async Task Where_any_sign_will_do_the_banner_of_an_SSH_server_is_one()
    {
        var verdict = await VerdictAsync(AnySign, MachineNetwork.Host, Start, "serial Starting sshd", "expect quit", "reply quit {}", "exit 0");

        Assert.That((verdict.Proof!.Sign, verdict.Proof.Expected.StartsWith("SSH-2.0-OpenSSH", StringComparison.Ordinal)), Is.EqualTo(("ssh-banner", true)));
    }

    [Test]
    public async Task An_image_that_shows_nothing_either_way_is_unproven_and_not_failed_unless_it_has_to_come_up()
    {
        string[] script = [StartWithoutNetwork, "serial Loading Linux ...", "serial Loading hunter2 ...", "expect quit", "reply quit {}", "exit 0"];

        var verdict = await VerdictAsync(AnySign with { Deadline = TimeSpan.FromSeconds(2) }, MachineNetwork.None, script);
        var error = await Assert.CatchAsync<CrustException>(() => VerdictAsync(AnySign with { Boot = VerifyBoot.True, Deadline = TimeSpan.FromSeconds(2) }, MachineNetwork.None, script));

        const string What = "the image disk.img didn't show a login prompt, an SSH banner or cloud-init's last message within 2s";
        Assert.That((verdict.Proof, verdict.Unproven!.What, verdict.Unproven.Where), Is.EqualTo(((BootProof?)null, What, $"serial log: {_disk.Folder}/disk.img.serial.log")));
        Assert.That(verdict.Unproven.LastLines, Is.EqualTo(new[] { "Loading Linux ...", "Loading ••• ..." }));
        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.GuestFailed, What)));
    }

    [Test]
    public async Task A_guest_that_powers_off_by_itself_has_not_failed_where_any_sign_will_do()
    {
        var verdict = await VerdictAsync(AnySign, MachineNetwork.None, StartWithoutNetwork, "serial First boot is done", PowerOff, "expect quit", "reply quit {}", "exit 0");

        Assert.That(verdict.Unproven!.What, Is.EqualTo("the image disk.img powered off instead of coming up"));
    }

    [Test]
    public async Task A_panic_fails_an_image_also_where_any_sign_will_do()
    {
        var error = await Assert.CatchAsync<CrustException>(() => VerdictAsync(AnySign, MachineNetwork.None, StartWithoutNetwork,
            "serial [    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", "expect quit", "reply quit {}", "exit 0"));

        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.GuestFailed, "the image disk.img ended in a kernel panic: Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)")));
    }

    private static VerifySpec AnySign => new() { Deadline = TimeSpan.FromSeconds(60) };

    private const string StartWithoutNetwork = "connect\ngreet\nexpect qmp_capabilities\nreply qmp_capabilities {}\nexpect cont\nreply cont {}";

    private async Task<CrustException> FailAsync(VerifySpec verify, params string[] script)
    {
        var error = await Assert.CatchAsync<CrustException>(() => VerifyAsync(verify, script));
        Assert.That(error!.Kind, Is.EqualTo(FailureKind.GuestFailed));
        return error;
    }

    private async Task<BootProof> VerifyAsync(VerifySpec verify, params string[] script)
    {
        verify = verify with { Boot = VerifyBoot.True };
        verify = verify.Ssh is SshProof.Banner ? verify : verify with { Ssh = SshProof.Login, SshUser = "edge", SshKey = verify.SshKey ?? _server.KeyFile };
        return (await VerdictAsync(verify, MachineNetwork.Host, script)).Proof!;
    }

    private async Task<BootVerdict> VerdictAsync(VerifySpec verify, MachineNetwork network, params string[] script)
    {
        _fakes.Add("qemu-system-x86_64", script);
        var image = Path.Combine(_disk.Folder, "disk.img");
        File.Copy(_disk.Path, image, overwrite: true);
        var hidden = new Redactor();
        hidden.Hide(["hunter2"]);
        var launcher = new MachineLauncher(_fakes.ToolBox, FirmwareFinder.OfHost, _fakes.Folder, TimeProvider.System, Logger.None) { Hidden = hidden };
        // The script knows nothing of the gate between a guest and the network.
        var request = new BootRequest(image, BootVerifier.FormatOf(image), new MachineSpec { Network = network }, Accelerator.Tcg, verify, RunFiles.Draft(_fakes.Folder, image),
            SshLogin.Of(new BuildSpec { Verify = verify }, hidden));
        return await new BootVerifier(launcher, _fakes.ToolBox, new Watcher(_progress), TimeProvider.System, Logger.None).VerifyAsync(request, _fakes.Folder, Cancellation);
    }

    private sealed class Watcher(List<string> seen) : IBuildObserver
    {
        public void Observe(BuildEvent buildEvent)
        {
            lock (seen)
            {
                if (buildEvent is BuildEvent.Progressed progressed)
                    seen.Add(progressed.Detail);
            }
        }
    }
}
